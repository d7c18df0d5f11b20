"""What must not be taken for an animal, and what must not matter, by worked examples."""

import json

import pytest

from benchmarks.claims import REGISTERS, SENTENCES, THINGS
from benchmarks.probes import (
    FRAMES,
    OTHERS,
    changes,
    existence,
    existence_claims,
    in_number,
    other_animal,
    put,
    things,
    variants,
)
from matching.claim import Claim
from matching.taxonomy import Taxonomy
from ner.report import ClaimExample

TAXONOMY = Taxonomy.load()


def example(marked: str) -> ClaimExample:
    """Return a text whose claims stand in brackets, the denied ones with a minus."""
    text, claims = "", []
    for i, part in enumerate(marked.replace("]", "[").split("[")):
        mention = part.removeprefix("-")
        if i % 2:
            place = {"start": len(text), "end": len(text) + len(mention)}
            claims.append({"mention": mention, **place, "negated": part != mention})
        text += mention if i % 2 else part
    return ClaimExample(text, "", "look", claims, {})


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("There is a X.", "kettle", "There is a kettle."),
        ("There is a X.", "umbrella", "There is an umbrella."),
        ("An X?", "kettle", "A kettle?"),
        ("A X?", "oak", "An oak?"),
        ("The X, a kettle.", "oak", "The oak, a kettle."),
        ("Aida X", "Omar", "Aida Omar"),
        ("A X lamp", "Omar", "An Omar lamp"),
        ("X is here.", "Omar", "Omar is here."),
    ],
)
def test_a_word_takes_its_article(text, word, expected):
    place = text.index("X")
    assert put(text, place, place + 1, word) == expected


def test_only_claims_on_the_thing_count():
    read = {  # begin and end of what is read
        "There is a cow, but no kettle.": [(11, 14)],
        "There is a cow, but no lamp post.": [(11, 14), (28, 32)],
        "This is not a kettle.": [(8, 14), (20, 21)],  # up to its beginning, from its end
        "This is not a lamp post.": [(8, 15)],
        "Omar is sleeping on the sofa.": [(0, 4)],
    }

    def reader(texts):
        return [[Claim("", *place, None, False) for place in read.get(text, [])] for text in texts]

    rows = things(reader, {"nouns": ["kettle", "lamp post"], "names": ["Omar"]})
    wrong = {name: [flag for _, flag in found] for name, found in rows.items()}
    assert wrong.pop("There is a cow, but no X.") == [False, True]
    assert wrong.pop("This is not a X.") == [False, True]
    assert wrong.pop("all nouns") == [0, 2 / 5]
    assert wrong.pop("X is sleeping on the sofa.") == [True]
    assert wrong.pop("all names") == [1 / 4]
    assert len(wrong) == 6 and not any(any(flags) for flags in wrong.values())
    assert rows["all nouns"][1][0] == "lamp post"
    assert rows["X is sleeping on the sofa."][0][0] == "Omar is sleeping on the sofa."


@pytest.mark.parametrize(
    ("statement", "claims"),
    [
        ("There is a giraffe.", ["giraffe"]),
        ("There are no animals in the photo.", ["-animals"]),
        ("There is no black horses in the scene.", ["-horses"]),
        ("You see no horses in the image.", ["-horses"]),
        ("There are no people feeding the cow.", ["cow"]),
        ("The elephants have no tusks.", ["elephants"]),
        ("There are no sheep in the main pen.", ["-sheep"]),
        ("There are no kids in the pic.", []),
        ("There is a kite.", []),
        ("There are gummy bears on the remote.", []),
        ("There is no teddy bears.", []),
        ("There are no workers on the scene.", []),
        ("There are bears.", ["bears"]),
    ],
)
def test_what_a_statement_of_existence_claims(statement, claims):
    found = sorted(existence_claims(statement, TAXONOMY))
    assert [("-" * denied) + statement[a:b] for a, b, denied in found] == claims


def test_statements_of_existence_that_are_read_wrongly():
    claims = {"There is a dog.": [Claim("dog", 11, 14, "dog", False)]}
    claims["There is no dog."] = [Claim("dog", 12, 15, "dog", False)]
    claims["There is no kite."] = [Claim("kite", 12, 16, "kite", True)]
    statements = [
        {"caption": f"There is a {word}.", "foil": f"There is no {word}."}
        for word in ("dog", "kite")
    ]
    read = existence(lambda texts: [claims.get(text, []) for text in texts], statements, TAXONOMY)
    assert read == {
        "VALSE, captions with animals": [("There is a dog.", False)],
        "VALSE, foils with animals": [("There is no dog.", True)],
        "VALSE, captions without animals": [("There is a kite.", False)],
        "VALSE, foils without animals": [("There is no kite.", True)],
    }


@pytest.mark.parametrize(
    ("mention", "word"),
    [
        ("cow", "otter"),
        ("Cows", "otters"),
        ("wolves", "otters"),
        ("hippopotamus", "otter"),
        ("red deer", None),
        ("sheep", None),
        ("polarbear", None),
        ("snark", None),
    ],
)
def test_number(mention, word):
    assert in_number("otter", mention, TAXONOMY) == word


@pytest.mark.parametrize(
    ("marked", "text", "renamed"),
    [
        ("There is a [cow].", "There is an otter.", {"cow": "otter"}),
        ("There is an [iguana].", "There is an otter.", {"iguana": "otter"}),
        ("No [-cats], no [-dogs].", "No otters, no dogs.", {"cat": "otter"}),
        ("two [sheep], a [hyena]", "two sheep, an otter", {"hyena": "otter"}),
        ("THE [COWS] ARE OUT", "THE OTTERS ARE OUT", {"cow": "otter"}),
        ("My [Dalmatian], a dear", "My otter, a dear", {"dalmatian": "otter"}),
        ("[Dalmatian] out.", "Otter out.", {"dalmatian": "otter"}),
        ("[dalmatian] out.", "otter out.", {"dalmatian": "otter"}),
        ("a [cow], a [cow], a [cat]", "a cow, a cow, an otter", {"cat": "otter"}),
        ("This [animal] is a [zebra].", "This animal is an otter.", {"zebra": "otter"}),
        ("two [sheep] and [snarks]", "two sheep and snarks", {}),
        ("a mole on his chin", "a mole on his chin", {}),
    ],
)
def test_another_animal_takes_the_place(marked, text, renamed):
    assert other_animal(example(marked), "otter", TAXONOMY) == (text, renamed)


def test_variants():
    nouns = ["umbrella", "lamp"]
    assert variants(example("Zoë's [cow] kicks the lamp."), "otter", TAXONOMY, nouns) == {
        "letters and marks apart (NFD)": ("Zoe\u0308's cow kicks the lamp.", {}),
        "a space at the end": ("Zoë's cow kicks the lamp. ", {}),
        "lower case": ("zoë's cow kicks the lamp.", {}),
        "upper case": ("ZOË'S COW KICKS THE LAMP.", {}),
        "a line break for a space": ("Zoë's cow kicks\nthe lamp.", {}),
        "<em>word</em>": ("Zoë's <em>cow</em> kicks the lamp.", {}),
        "**word**": ("Zoë's **cow** kicks the lamp.", {}),
        "another thing": ("Zoë's cow kicks the umbrella.", {}),
        "another animal": ("Zoë's otter kicks the lamp.", {"cow": "otter"}),
    }
    space, markup = ["a space at the end", "a line break for a space"], ["<em>word</em>"]
    assert [*variants(example("a &amp; [cow]"), "cow", TAXONOMY, nouns)] == [
        *(*space, *markup, "**word**")
    ]
    assert [*variants(example("a <b>kettle</b>"), "cow", TAXONOMY, nouns)] == [
        *("a space at the end", "upper case", "a line break for a space")
    ]
    assert "another animal" not in variants(example("a [dog], a Cow"), "cow", TAXONOMY, nouns)
    words = variants(example("the kettle"), "cow", TAXONOMY, nouns)
    assert words["**word**"] == ("the **kettle**", {})


def test_a_change_of_claims_is_noticed():
    def reader(texts):  # misses capitals, and denies what is in bold
        names = (TAXONOMY.find(text) if not text.isupper() else [] for text in texts)
        return [
            [Claim("", n.start, n.end, n.concept, "**" in text) for n in row]
            for text, row in zip(texts, names, strict=True)
        ]

    examples = [example("a [dog] here"), example("nothing")]
    rows = changes(reader, examples, TAXONOMY, ["lamp"])
    assert {name: [flag for _, flag in found] for name, found in rows.items()} == {
        "a space at the end": [False, False],
        "upper case": [True, False],
        "a line break for a space": [False, False],
        "<em>word</em>": [False, False],
        "**word**": [True, False],
        "another animal": [False],
    }
    assert rows["another animal"] == [("a badger here", False)]
    for negated in (False, True):
        always = [Claim("dog", 2, 5, "dog", negated)]
        rows = changes(lambda texts, row=always: [row] * len(texts), examples, TAXONOMY, ["lamp"])
        assert rows["another animal"] == [("a badger here", True)]
        assert rows["upper case"] == [("A DOG HERE", False), ("NOTHING", False)]


def test_every_other_animal_has_both_numbers():
    for other in OTHERS:
        assert TAXONOMY.resolve(f"{other}s") == TAXONOMY.resolve(other) == other


def test_things_are_no_animals():
    listed = json.loads(THINGS.read_text("utf-8"))
    assert [*listed] == [*FRAMES]
    for words in listed.values():
        assert len(words) == len(set(words)) == 100
        assert not [w for w in words if w.lower() in TAXONOMY]
    assert not [w for w in listed["nouns"] if TAXONOMY.find(w) or TAXONOMY.find(f"{w}s")]
    frames = [*FRAMES["nouns"], *FRAMES["names"]]
    assert all(frame.count("X") == 1 for frame in frames) and len(set(frames)) == 9


def test_the_sets_share_no_text():
    texts = [
        {json.loads(line)["text"].lower() for line in file.read_text("utf-8").splitlines()}
        for file in (SENTENCES, REGISTERS)
    ]
    assert not texts[0] & texts[1]
