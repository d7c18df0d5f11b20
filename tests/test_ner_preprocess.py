"""Words, windows, decoding: offsets stay exact whatever the text holds."""

import numpy as np
import pytest

from common.text.words import paragraphs, split_words, word_shape
from ner.config import ModelConfig
from ner.decode import decode, entities, mentions, spans
from ner.labels import HEADS
from ner.model import build
from ner.windows import pad, word_probabilities

CONFIG = ModelConfig()
LABELS, OUTPUTS, SLICES = HEADS["entity"], CONFIG.outputs, CONFIG.slices
ANIM = LABELS.index("B-ANIM")


@pytest.fixture(scope="module")
def preprocess(tiny_bert):
    return build(str(tiny_bert))[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I see a dog.", ["I", "see", "a", "dog", "."]),
        ("(cats, dogs)", ["(", "cats", ",", "dogs", ")"]),
        ("the dog's tail", ["the", "dog", "'s", "tail"]),
        ("the dog’s tail", ["the", "dog", "’s", "tail"]),
        ("It isn't a cat", ["It", "is", "n't", "a", "cat"]),
        ("can’t see", ["ca", "n’t", "see"]),
        ("a red-tailed hawk", ["a", "red-tailed", "hawk"]),
        ("5,000 cows, 2.5 m", ["5,000", "cows", ",", "2.5", "m"]),
        ("in the U.S. today", ["in", "the", "U.S.", "today"]),
        ("Dr. J. Smith saw St. Paul.", ["Dr.", "J.", "Smith", "saw", "St.", "Paul", "."]),
        ("“wolf”—fox", ["“", "wolf", "”", "—", "fox"]),
        ("a cow–horse mix", ["a", "cow", "–", "horse", "mix"]),
        ("cats&dogs at AT&T, H&M", ["cats", "&", "dogs", "at", "AT&T", ",", "H&M"]),
        ("cow\nhorse\r\n\tpig", ["cow", "\n", "horse", "\n", "pig"]),
        ("\n\tcow \t no \n\n dog\n", ["cow", "\t", "no", "dog"]),
        ("no_cow cow_ __a__ ____ _", ["no", "cow", "cow", "a", "____", "_"]),
        ("🐄 a cow 🐄", ["🐄", "a", "cow", "🐄"]),
        ("a cow-free dog-drawn cart", ["a", "cow", "-", "free", "dog-drawn", "cart"]),
        ("café Ñandú", ["café", "Ñandú"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_split_words(text, words):
    found = split_words(text)
    assert [word.text for word in found] == words
    assert all(text[word.start : word.end] == word.text for word in found)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("no dog\n\na cow", [2, 2]), ("no\ndog", [3]), ("a\n \t\n\n b\n\n", [1, 1]), ("", [0])],
)
def test_paragraphs_end_at_blank_lines(text, sizes):
    parts = paragraphs(text, split_words(text))
    assert [len(part) for part in parts] == sizes
    assert [word for part in parts for word in part] == split_words(text)


@pytest.mark.parametrize(
    ("word", "shape"),
    [("cow", 0), ("Cow", 1), ("COW", 2), ("iPhone", 3), ("McCow", 3), ("I", 1), ("12", 0), ("", 0)],
)
def test_word_shape(word, shape):
    assert word_shape(word) == shape


def test_a_long_run_of_joined_words_is_split():
    """Backtracking over it would take the square of its length, hours."""
    assert len(split_words("a.b'c-" * 80_000)) == 320_002
    assert len(split_words(" " * 300_000 + "a" + " \n" * 300_000 + "_" * 300_000)) == 2


@pytest.mark.parametrize("count", [0, 1, 100, 254, 255, 300, 1500, 5000])
def test_windows_read_every_word_once(preprocess, count):
    words = ["cow", "lives"] * (count // 2) + ["in"] * (count % 2)
    windows = preprocess.windows(words)
    assert sorted(np.concatenate([w.words for w in windows])) == list(range(count))
    for window in windows:
        assert len(window.input_ids) <= CONFIG.window
        assert len(window.input_ids) == len(window.marks)
        ids = [preprocess.tokenizer.token_to_id(words[i]) for i in window.words]
        assert list(window.input_ids[window.positions]) == ids
    if count > 300:  # a word at a seam has neighbours on both sides
        edges = [w.positions.min() for w in windows[1:]]
        edges += [len(w.input_ids) - w.positions.max() for w in windows[:-1]]
        assert min(edges) > 25


def test_shapes_reach_every_sub_word(preprocess):
    (window,) = preprocess.windows(["a", "Zzz", "COW"], use_names=False)
    assert list(window.marks) == [0, 0, 1, 1, 1, 2, 0]


@pytest.mark.parametrize(
    ("words", "marks"),
    [
        ("a cow", [0, 1]),
        ("two killer whales and COWS", [0, 1, 2, 0, 1]),
        ("a seal on a polar bear", [0, 3, 0, 0, 1, 2]),
        ("killer-whale dog-drawn", [1, 0]),
        ("polar ¶ bear ¶ a wolf ¶ cub", [1, 2, 2, 0, 0, 1, 2, 2]),  # lines
        ("polar | bear", [0, 0, 3]),  # cells
        ("concowed", [0]),
        ("", []),
    ],
)
def test_names_of_the_taxonomy_are_marked(preprocess, words, marks):
    words = [{"¶": "\n", "|": "\t"}.get(word, word) for word in words.split()]
    assert preprocess.names(words).tolist() == marks
    (window,) = preprocess.windows([word.lower() for word in words])
    read = window.marks[window.positions] // 4
    assert read.tolist() == marks


def test_ends_of_lines_and_cells_are_signs(preprocess):
    words = [word.text for word in split_words("cow\tno\nlion\tno")]
    (window,) = preprocess.windows(words)
    ids = [preprocess.tokenizer.token_to_id(sign) for sign in "|¶|"]
    assert window.input_ids[window.positions][[1, 3, 5]].tolist() == ids
    assert None not in ids and preprocess.tokenizer.token_to_id("[UNK]") not in ids


def test_words_without_sub_words_are_outside(preprocess):
    words = ["cow", "\u200b", "\x07", "lion"]

    def model(batch):
        logits = np.zeros((*batch["input_ids"].shape, len(OUTPUTS)), np.float32)
        logits[..., [ANIM, SLICES["claim"].start + 1]] = 9
        return logits

    (rows,) = word_probabilities(model, preprocess, [words])
    assert rows[:, SLICES["entity"]].argmax(axis=1).tolist() == [ANIM, 0, 0, ANIM]
    assert rows[:, SLICES["claim"]].argmax(axis=1).tolist() == [1, 0, 0, 1]
    assert np.allclose([rows[:, part].sum(axis=1) for part in SLICES.values()], 1)


def test_marks_do_not_weigh_probabilities(preprocess):
    """From logits that say nothing, each label of a head is as probable for any word."""

    def model(batch):
        return np.zeros((*batch["input_ids"].shape, len(OUTPUTS)), np.float32)

    (rows,) = word_probabilities(model, preprocess, [["the", "cow", "seal"]])
    assert np.allclose(rows[:, SLICES["entity"]], 1 / 31)
    assert np.allclose(rows[:, SLICES["claim"]], 1 / 9)


def test_pad_marks_what_is_real(preprocess):
    short, long = preprocess.windows(["cow"])[0], preprocess.windows(["cow"] * 5)[0]
    batch = pad([short, long])
    assert batch["input_ids"].shape == (2, 7)
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0, 0, 0, 0], [1] * 7]


def rows(*labels):
    """Probabilities: 0.9 on a label, or what a dict says."""
    table = np.full((len(labels), len(LABELS)), 1e-4)
    for i, label in enumerate(labels):
        for name, value in (label if isinstance(label, dict) else {label: 0.9}).items():
            table[i, LABELS.index(name)] = value
    return table


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O", "B-ANIM", "I-ANIM"], ["O", "B-ANIM", "I-ANIM"]),
        ([{"I-ANIM": 0.6, "B-ANIM": 0.3, "O": 0.1}, "O"], ["B-ANIM", "O"]),
        (["B-LOC", {"I-ANIM": 0.6, "I-LOC": 0.3}], ["B-LOC", "I-LOC"]),
        ([{"O": 0.6, "B-ANIM": 0.4}, "I-ANIM"], ["B-ANIM", "I-ANIM"]),
        ([], []),
    ],
)
def test_decode_is_valid_bio(labels, expected):
    assert decode(rows(*labels), LABELS) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["O", "B-ANIM", "I-ANIM", "O"], [(1, 3, "ANIM")]),
        (["B-ANIM", "B-ANIM"], [(0, 1, "ANIM"), (1, 2, "ANIM")]),
        (["B-LOC", "I-LOC"], [(0, 2, "LOC")]),
        ([], []),
    ],
)
def test_spans(tags, expected):
    assert spans(tags) == expected


def test_entities_have_offsets_into_the_text():
    text = "🐺 “Red fox”!"
    words = split_words(text)
    assert [word.text for word in words] == ["🐺", "“", "Red", "fox", "”", "!"]
    table = np.zeros((6, len(OUTPUTS)))
    table[:, SLICES["entity"]] = rows("O", "O", "B-ANIM", "I-ANIM", "O", "O")
    (entity,) = entities(text, words, table, CONFIG)
    assert (entity.text, entity.label, entity.start, entity.end) == ("Red fox", "ANIM", 3, 10)
    assert entity.score == pytest.approx(0.9)


SIGNS = {"+": "affirmed", "-": "denied", "=": "referring", "<": "cue"}


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("A red fox runs.", "O B+ I+ O O", ["red fox affirmed"]),
        ("No cat here, only dogs.", "B< B- O O O B+ O", ["cat denied No", "dogs affirmed No"]),
        ("A cat is not here.", "O B- B< I< O O", ["cat denied is not"]),
        ("Neither ox nor cow.", "B< B- B< B- O", ["ox denied Neither", "cow denied nor"]),
        (
            "No dogs. A cow is gone.",
            "B< B- O O B- B< I< O",
            ["dogs denied No", "cow denied is gone"],
        ),
        ("The animal, a cow.", "O B= O O B+ O", ["animal referring", "cow affirmed"]),
        ("Nothing.", "O O", []),
    ],
)
def test_mentions_have_status_and_cue(text, tags, expected):
    words = split_words(text)
    table = np.full((len(words), len(OUTPUTS)), 0.01)
    for row, tag in zip(table, tags.split(), strict=True):
        label = "O" if tag == "O" else f"{tag[0]}-{SIGNS[tag[1]]}"
        row[SLICES["claim"].start + HEADS["claim"].index(label)] = 0.8
    found = mentions(text, words, table, CONFIG)
    assert [m.text for m in found] == [text[m.start : m.end] for m in found]
    shown = [[m.text, m.status, text[slice(*m.cue)] if m.cue else ""] for m in found]
    assert [" ".join(row).strip() for row in shown] == expected
