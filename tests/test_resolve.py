"""From mentions to claims, as tables: polarity, and the finer kind that a group turns out to be."""

import re
from dataclasses import FrozenInstanceError

import pytest

from common.text.normalise import normalise
from engine.claims import ClaimExtractor
from matching.claim import Claim, Mention
from matching.resolve import claims_of, describe
from matching.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()


SIGNS = {"-": "denied", "=": "referring"}


def mention(text: str, name: str, status: str = "affirmed", cue: str = "") -> Mention:
    start = text.index(name)
    denies = (text.index(cue), text.index(cue) + len(cue)) if cue else None
    return Mention(name, start, start + len(name), status, denies)


def mentions(text: str, specs: str) -> list[Mention]:
    """Mentions from "=animal -cow horse" in their order: referring, denied, affirmed."""
    found, place = [], 0
    for spec in specs.split():
        name = spec.lstrip("-=")
        place = text.index(name, place)
        status = SIGNS.get(spec[0], "affirmed")
        found.append(Mention(name, place, place + len(name), status))
        place += len(name)
    return found


@pytest.mark.parametrize(
    ("status", "cue", "negated", "shown"),
    [
        ("affirmed", "", False, None),
        ("affirmed", "No", False, None),
        ("referring", "No", False, None),
        ("denied", "No", True, "No"),
        ("denied", "", True, None),
    ],
)
def test_a_mention_becomes_a_claim(status, cue, negated, shown):
    text = "No dogs."
    (found,) = claims_of(text, [mention(text, "dogs", status, cue)], TAXONOMY)
    assert found == Claim("dogs", 3, 7, "dog", negated, shown)


@pytest.mark.parametrize(
    ("status", "animal"), [("affirmed", None), ("denied", None), ("referring", "cow")]
)
def test_a_mention_that_the_taxonomy_does_not_know_has_an_animal_only_if_it_refers(status, animal):
    text = "No snark, a cow."
    snark, cow = claims_of(
        text, [mention(text, "snark", status, "No"), mention(text, "cow")], TAXONOMY
    )
    negated = status == "denied"
    assert snark == Claim("snark", 3, 8, animal, negated, "No" if negated else None)
    assert cow == Claim("cow", 12, 15, "cow", False, None)


@pytest.mark.parametrize(
    ("text", "specs", "expected"),
    [
        # a group that refers is the kind below it that the text affirms
        ("The animal is a cow.", "=animal cow", "cow, cow"),
        ("A cow. This animal eats.", "cow =animal", "cow, cow"),
        ("A pet dog.", "=pet dog", "dog, dog"),
        ("The animals are no cow but a horse.", "=animals -cow horse", "horse, no cow, horse"),
        # the nearest one, by where names start; of equals the one before
        ("A horse. The animal is a cow.", "horse =animal cow", "horse, horse, cow"),
        ("A horse came. The animal is a cow.", "horse =animal cow", "horse, cow, cow"),
        ("horses, animal, dog", "horses =animal dog", "horse, horse, dog"),
        ("The animal is a cow or a horse.", "=animal cow horse", "cow, cow, horse"),
        ("The animal with a horse and this animal", "=animal horse =animal", "horse, horse, horse"),
        # a kind below it: neither another nor a group above nor itself
        ("A pet cow, a cat.", "=pet cow cat", "cat, cow, cat"),
        ("The animal, an animal, is a cow.", "=animal animal cow", "cow, animal, cow"),
        ("The dog is an animal.", "=dog animal", "dog, animal"),
        ("The animal is the animal.", "=animal animal", "animal, animal"),
        ("The creature is an animal.", "=creature animal", "animal, animal"),
        # what refers itself is no kind
        ("The animal is a pet, a cat.", "=animal =pet cat", "cat, cat, cat"),
        ("The animal is a pet.", "=animal =pet", "animal, pet"),
        ("The animal is a pet.", "=animal pet", "pet, pet"),
        # without a kind it is affirmed
        ("The animal is not a cow.", "=animal -cow", "animal, no cow"),
        ("The animal sleeps.", "=animal", "animal"),
        ("The animal is a snark.", "=animal snark", "animal, None"),
        # one that does not refer stays what it is
        ("A dog and an animal.", "dog animal", "dog, animal"),
        ("No animals except a cow.", "-animals cow", "no animal, cow"),
        ("", "", ""),
    ],
)
def test_a_group_that_refers_is_the_nearest_affirmed_kind_below_it(text, specs, expected):
    named = mentions(text, specs)
    found = claims_of(text, named, TAXONOMY)
    assert ", ".join(f"{'no ' * c.negated}{c.animal}" for c in found) == expected
    assert [(c.mention, c.start, c.end, c.cue) for c in found] == [
        (m.text, m.start, m.end, None) for m in named
    ]


@pytest.mark.parametrize("between", ["lion", "-cat", "=animal", "snark"])
@pytest.mark.parametrize(("count", "expected"), [(4, "cat"), (5, "pet")])
@pytest.mark.parametrize("turned", [False, True])
def test_five_claims_either_way_may_say_which_kind_it_is(between, count, expected, turned):
    specs = ["=pet", *[between] * count, "cat"][:: -1 if turned else 1]
    text = ", ".join(spec.lstrip("-=") for spec in specs)
    found = claims_of(text, mentions(text, " ".join(specs)), TAXONOMY)
    assert [c.animal for c in found if c.mention == "pet"] == [expected]


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
    assert Mention("dogs", 0, 4) == Mention("dogs", 0, 4, "affirmed", None)


class Said:
    """Stands for a recogniser that finds these names; the first refers."""

    def __init__(self, *names: str):
        self.names = names

    def normalise(self, text):
        return normalise(text)

    def mentions(self, texts):
        return [
            [
                Mention(m[0], *m.span(), "referring" if m[0] == self.names[0] else "affirmed")
                for m in re.finditer("|".join(self.names), text.text)
            ]
            for text in texts
        ]


def test_claims_quote_the_text_as_it_was_written():
    text = "The an\u00adimal &amp; a cow."
    (claims,) = ClaimExtractor(Said("animal", "cow"), TAXONOMY).read([text])
    assert claims == [
        Claim("an\u00adimal", 4, 11, "cow", False),
        Claim("cow", 20, 23, "cow", False),
    ]
