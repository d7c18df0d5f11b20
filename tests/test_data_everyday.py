"""Marked sentences and templates become words with tags; captions get careful silver labels."""

import json
import random
from collections import Counter

import pytest
from conftest import error_of, script

from common.errors import InputError
from data.everyday import Names, fill, from_captions, join, row_of, silver
from matching.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()


@pytest.fixture(scope="module")
def names():
    """Only one name for each slot."""
    made = Names(TAXONOMY, ["owl"], [], ["owl"])
    made.tiers = ([("owl", "owls")],) * 3
    return made


def shown(row):
    """Words with their tags and cues in one line."""
    cues = row.get("cues", [0] * len(row["tokens"]))
    return " ".join(
        ("<" * cue) + word + ("" if tag == "O" else f"/{tag}")
        for word, tag, cue in zip(row["tokens"], row["mentions"], cues, strict=True)
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("There is a {+} here.", "There is an owl/B+ here ."),
        ("<No> {-s}, only {+s}.", "<No owls/B- , only owls/B+ ."),
        ("{+s} <are not> here.", "Owls/B+ <are <not here ."),
        ("a {+} is here", "an owl/B+ is here"),
        ("NO, A {+}!", "NO , AN OWL/B+ !"),
        ("The [+red fox] sees <no> [-dog]'s tail.", "The red/B+ fox/I+ sees <no dog/B- 's tail ."),
        ("It <isn't> a {-}-free lawn.", "It <is <n't an owl/B- - free lawn ."),
        ("An {-}like toy", "An owllike/? toy"),
        ("A day without marks.", "A day without marks ."),
    ],
)
def test_fill(template, expected, names):
    plain = [shown(row_of(fill(template, names, random.Random(seed)))) for seed in range(12)]
    usual = max(set(plain), key=plain.count)  # rare draws change capitals or drop apostrophes
    assert usual == expected


def test_apostrophes_get_lost_now_and_then(names):
    rows = [row_of(fill("It <isn't> a {-}.", names, random.Random(seed))) for seed in range(200)]
    lost = [row for row in rows if "isnt" in row["tokens"]]
    assert 5 < len(lost) < 40 and all(row["cues"][1] for row in lost)


def test_joined_texts_keep_their_marks(names):
    parts = [fill(t, names, random.Random(0)) for t in ("no mark", "a {+}", "<no> {-}!")]
    text = join(parts)
    assert text.text.lower() == "no mark. an owl. no owl!"
    assert [text.text[a:b].lower() for a, b, _ in text.mentions] == ["owl", "owl"]
    assert [text.text[a:b] for a, b in text.cues] == ["no"]


def test_slots_are_filled_with_singular_and_plural():
    made = Names(TAXONOMY, ["goose", "sheep"], [], ["mouse"])
    chance = random.Random(0)
    drawn = {
        (made.draw(chance, False).lower(), made.draw(chance, True).lower()) for _ in range(500)
    }
    assert {"goose", "sheep", "mouse"} <= {single for single, _ in drawn}
    assert {"geese", "sheep", "mice"} <= {plural for _, plural in drawn}


def test_words_with_other_senses_are_drawn_more_often():
    made = Names(TAXONOMY, ["cow", "bat"], ["bats", "bat", "bat", "ball"] * 5, ["owl"])
    drawn = Counter(made.draw(random.Random(seed), False).lower() for seed in range(600))
    assert drawn["bat"] == pytest.approx(4 * drawn["cow"], rel=0.4)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Two dogs run on a beach", "Two dogs/B+ run on a beach"),
        ("A polar bear.", "A polar/B+ bear/I+ ."),
        ("A dog house in a yard", "A dog/? house in a yard"),
        ("A stuffed giraffe on a bed", "A stuffed giraffe/? on a bed"),
        ("A seal on a rock", "A seal/? on a rock"),
        ("There isn't a dog on the beach", "There is n't a dog/? on the beach"),
        ("A man with a bag", "A man with a bag"),
    ],
)
def test_silver_labels_leave_open_what_is_in_doubt(caption, expected):
    assert shown(silver(caption, TAXONOMY)) == expected


def test_captions_are_drawn_with_and_without_animals(tmp_path):
    lines = [{"text": t} for t in ("A dog runs.", "A cat sits.", "A man.", "A man.", "A car.")]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rows = from_captions(tmp_path, TAXONOMY, random.Random(0))
    assert sorted(shown(row) for row in rows) == sorted(
        ["A dog/B+ runs .", "A cat/B+ sits .", "A man .", "A car ."]
    )


def test_script_writes_both_splits(tmp_path):
    phrases, output = tmp_path / "phrases", tmp_path / "out"
    phrases.mkdir()
    for name in ("everyday", "polarity", "nonliteral", "long"):
        lines = [f"# a comment\n{name} number {i} <without> a {{-}}." for i in range(40)]
        (phrases / f"{name}.txt").write_text("\n".join(lines))
    (phrases / "favourites.txt").write_text("cow, red fox\nhorse\n")
    arguments = ("--phrases", phrases, "--captions", tmp_path, "--output", output)
    script("data/everyday.py", *arguments)
    held = [json.loads(line) for line in (output / "validation.jsonl").open()]
    numbers = {row["tokens"][2] for row in held}
    assert numbers == {"0", "20"}
    rows = [json.loads(line) for line in (output / "train.jsonl").open()]
    seen = {word for row in rows for word in row["tokens"] if word.isdigit()}
    assert not seen & numbers and len(seen) == 38
    assert {"B-", "O"} <= {tag for row in rows for tag in row["mentions"]}
    first = (output / "train.jsonl").read_bytes()
    script("data/everyday.py", *arguments)
    assert (output / "train.jsonl").read_bytes() == first


def test_a_cue_around_a_slot_is_refused(names):
    with pytest.raises(InputError, match="a cue with a slot inside"):
        fill("<no {-}>", names, random.Random(0))


def test_missing_phrases(tmp_path):
    done = script(
        "data/everyday.py", "--phrases", tmp_path, "--output", tmp_path / "out", check=False
    )
    assert "favourites.txt: No such file" in error_of(done)
