"""From mentions to claims, as tables: polarity, and the finer kind that a group turns out to be."""

import re
from dataclasses import FrozenInstanceError

import pytest

from engine.claims import ClaimExtractor
from matching.claim import Claim, Mention
from matching.resolve import called, claim_of, cue_between, describe, identified
from matching.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()


def span(text: str, part: str) -> tuple[int, int]:
    found = re.search(rf"\b{re.escape(part)}", text)
    assert found, (text, part)
    return found.span()


def mention(text: str, name: str, denied: bool = False, cue: str = "") -> Mention:
    start, end = span(text, name)
    return Mention(text[start:end], start, end, denied, span(text, cue) if cue else None)


def claim(text: str, spec: str) -> Claim:
    """A claim of a text from "cow", or for a denied one "-cow" or "-cow/its cue"."""
    name, _, cue = spec.removeprefix("-").partition("/")
    start, end = span(text, name)
    return Claim(name, start, end, TAXONOMY.resolve(name), spec[0] == "-", cue or None)


@pytest.mark.parametrize(
    ("denied", "cue", "negated", "shown"),
    [
        (False, "", False, None),
        (False, "No", False, None),
        (True, "No", True, "No"),
        (True, "", True, None),
    ],
)
def test_a_mention_becomes_a_claim(denied, cue, negated, shown):
    text = "No dogs."
    found = claim_of(text, mention(text, "dogs", denied, cue), TAXONOMY)
    assert found == Claim("dogs", 3, 7, "dog", negated, shown)


def test_a_mention_that_the_taxonomy_does_not_know_has_no_animal():
    text = "There is no snark."
    found = claim_of(text, mention(text, "snark", True, "no"), TAXONOMY)
    assert found == Claim("snark", 12, 17, None, True, "no")


@pytest.mark.parametrize(
    ("text", "name", "cue", "expected"),
    [
        ("This animal is called a zebra.", "zebra", "is called", True),
        ("This animal is called a Zebra.", "Zebra", "is called", True),
        ("THIS ANIMAL IS CALLED A ZEBRA.", "ZEBRA", "IS CALLED", True),
        ("This species is called raccoon.", "raccoon", "is called", True),
        ("This is known as an okapi.", "okapi", "is known", True),
        ("The cat is called Tiger.", "Tiger", "is called", False),
        ("The cat was named Tiger.", "Tiger", "was named", False),
        ("The animal is not called a zebra.", "zebra", "is not called", False),
        ("The animal is not called a zebra.", "zebra", "not", False),
        ("The zebra is absent.", "zebra", "is absent", False),  # behind the mention
        ("This animal is called a zebra.", "zebra", "", False),
    ],
)
def test_words_that_only_say_what_is_called_so_deny_nothing(text, name, cue, expected):
    named = mention(text, name, True, cue)
    assert called(text, named) is expected
    assert claim_of(text, named, TAXONOMY).negated is not expected


LONG = "x" * 55


@pytest.mark.parametrize(
    ("text", "group", "near", "expected"),
    [
        # a definite group is the kind that the text says it is
        ("The animal is a cow.", "animal", ["cow"], "cow"),
        ("What animal is this? A cat.", "animal", ["cat"], "cat"),
        ("Look at this small brown animal, a cow.", "animal", ["cow"], "cow"),
        ("A cow. This animal eats.", "animal", ["cow"], "cow"),
        ("The animal is a cow or a horse.", "animal", ["cow", "horse"], "cow"),
        ("The animals are no cow but a horse.", "animals", ["-cow/no", "horse"], "horse"),
        # any other is a further one
        ("A dog and another animal.", "animal", ["dog"], "animal"),
        ("The dog and an animal.", "animal", ["dog"], "animal"),
        ("The very big brown animal, a cow.", "animal", ["cow"], "animal"),
        ("The dog is an animal.", "dog", ["animal"], "dog"),
        ("The cat is no animal, it is a cow.", "cat", ["animal", "cow"], "cat"),
        ("The animal is the animal.", "animal", ["animal"], "animal"),
        (f"the {LONG} animal, a cow", "animal", ["cow"], "cow"),
        (f"the {LONG}x animal, a cow", "animal", ["cow"], "animal"),  # 61 characters before it
        # beside the kind it is that kind
        ("A pet dog.", "pet", ["dog"], "dog"),
        ("A dog pet.", "pet", ["dog"], "dog"),
        ("A pet, dog.", "pet", ["dog"], "pet"),
        ("A pet and a dog.", "pet", ["dog"], "pet"),
        ("A pet cat, a dog.", "pet", ["dog", "cat"], "cat"),
        ("A pet dog.", "pet", ["-dog"], "pet"),
        # what has no concept is no kind, and has none
        ("The animal is a snark.", "animal", ["snark"], "animal"),
        ("The snark is a cow.", "snark", ["cow"], None),
        # taken for denied: the cue says what the group is
        ("The animal is a cow.", "-animal/is", ["cow"], "cow"),
        ("An animal is a cow.", "-animal/is", ["cow"], "cow"),
        (
            "The animal is not a cow but a horse.",
            "-animal/is not",
            ["-cow/is not", "horse"],
            "horse",
        ),
        # its kind is denied, not the group
        ("The animal is not a cow.", "-animal/is not", ["-cow/is not"], "animal"),
        (
            "The animal is not a cow or a pig.",
            "-animal/is not",
            ["-cow/but", "-pig/is not"],
            "animal",
        ),
        # denied
        ("No animals except a cow.", "-animals/No", ["cow"], "-animal"),
        ("There aren't animals, only a cow.", "-animals/n't", ["cow"], "-animal"),
        ("I do not see the animal, a cow.", "-animal/not", ["cow"], "-animal"),
        ("An animal is not a cow.", "-animal/is not", ["-cow/is not"], "-animal"),
        ("The animal and the cow are absent.", "-animal/absent", ["-cow/absent"], "-animal"),
        ("The animal is absent.", "-animal/is absent", [], "-animal"),
    ],
)
def test_a_group_is_the_finer_kind_that_the_text_says_it_is(text, group, near, expected):
    before = claim(text, group)
    found = identified(text, before, [claim(text, spec) for spec in near], TAXONOMY)
    shown = None if found.animal is None else ("-" if found.negated else "") + found.animal
    assert shown == expected
    assert found.cue == (before.cue if found.negated else None)
    assert (found.mention, found.start, found.end) == (before.mention, before.start, before.end)


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ("-cow/is not", "-horse/is not", True),
        ("-cow/is not", "-horse/no", False),
        ("-cow", "-horse", False),
        ("-cow/The", "-horse/The", False),  # before both
        ("-cow/today", "-horse/today", False),  # behind both
        ("-horse/is not", "-cow/is not", False),
    ],
)
def test_words_between_two_claims(first, later, expected):
    text = "The cow is not a horse today"
    assert cue_between(text, claim(text, first), claim(text, later)) is expected


@pytest.mark.parametrize(
    ("claims", "line"),
    [
        ([], "no animal named"),
        ([Claim("dogs", 0, 4, "dog", False)], "dogs: dog"),
        ([Claim("snark", 0, 5, None, True, "no")], "no snark: unknown"),
        (
            [Claim("dogs", 0, 4, "dog", False), Claim("cats", 5, 9, "cat", True)],
            "dogs: dog; no cats: cat",
        ),
    ],
)
def test_describe(claims, line):
    assert describe(claims) == line


def test_claims_and_mentions_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Claim("dogs", 0, 4, "dog", False).negated = True
    with pytest.raises(FrozenInstanceError):
        Mention("dogs", 0, 4).start = 1
    assert Mention("dogs", 0, 4) == Mention("dogs", 0, 4, False, None)


class Said:
    """Stands for a recogniser that finds these names, all affirmed."""

    def __init__(self, *names: str):
        self.names = names

    def mentions(self, texts):
        return [
            [Mention(m[0], *m.span()) for m in re.finditer("|".join(self.names), text.text)]
            for text in texts
        ]


@pytest.mark.parametrize(
    ("text", "pet"),
    [
        ("The pet, lion, lion, lion, lion, cat.", "cat"),
        ("The pet, lion, lion, lion, lion, lion, cat.", "pet"),
        ("A cat, lion, lion, lion, lion, the pet.", "cat"),
        ("A cat, lion, lion, lion, lion, lion, the pet.", "pet"),
    ],
)
def test_five_claims_around_a_group_may_say_which_kind_it_is(text, pet):
    (claims,) = ClaimExtractor(Said("pet", "lion", "cat"), TAXONOMY).read([text])
    assert [c.animal for c in claims if c.mention == "pet"] == [pet]
