"""Words, windows, decoding: offsets stay exact whatever the text holds."""

import time

import numpy as np
import pytest

from ner.preprocess import (
    LABELS,
    MAX_LENGTH,
    Preprocess,
    decode,
    entities,
    pad,
    spans,
    split_words,
    word_probabilities,
    word_shape,
)

ANIM = LABELS.index("B-ANIM")


@pytest.fixture(scope="module")
def preprocess(tiny_bert):
    return Preprocess.load(tiny_bert)


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
        ("cow\nhorse\r\n\tpig", ["cow", "horse", "pig"]),
        ("🐄 a cow 🐄", ["🐄", "a", "cow", "🐄"]),
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
    ("word", "shape"),
    [("cow", 0), ("Cow", 1), ("COW", 2), ("iPhone", 3), ("McCow", 3), ("I", 1), ("12", 0), ("", 0)],
)
def test_word_shape(word, shape):
    assert word_shape(word) == shape


def test_splitting_is_linear():
    def seconds(count):
        text = "a.b'c-" * count
        start = time.perf_counter()
        split_words(text)
        return time.perf_counter() - start

    seconds(1000)
    assert seconds(80_000) < 40 * max(seconds(8_000), 1e-3)


@pytest.mark.parametrize("count", [0, 1, 100, 510, 511, 600, 1500, 5000])
def test_windows_read_every_word_once(preprocess, count):
    words = ["cow", "lives"] * (count // 2) + ["in"] * (count % 2)
    windows = preprocess.windows(words)
    assert sorted(np.concatenate([w.words for w in windows])) == list(range(count))
    for window in windows:
        assert len(window.input_ids) <= MAX_LENGTH
        assert len(window.input_ids) == len(window.token_type_ids)
        ids = [preprocess.tokenizer.token_to_id(words[i]) for i in window.words]
        assert list(window.input_ids[window.positions]) == ids
    if count > 600:  # a word at a seam has neighbours on both sides
        edges = [w.positions.min() for w in windows[1:]]
        edges += [len(w.input_ids) - w.positions.max() for w in windows[:-1]]
        assert min(edges) > 50


def test_shapes_reach_every_sub_word(preprocess):
    (window,) = preprocess.windows(["a", "Zzz", "COW"])
    assert list(window.token_type_ids) == [0, 0, 1, 1, 1, 2, 0]


def test_words_without_sub_words_are_outside(preprocess):
    words = ["cow", "\u200b", "\x07", "lion"]

    def model(batch):
        logits = np.zeros((*batch["input_ids"].shape, len(LABELS)), np.float32)
        logits[..., ANIM] = 9
        return logits

    (rows,) = word_probabilities(model, preprocess, [words])
    assert rows.argmax(axis=1).tolist() == [ANIM, 0, 0, ANIM]


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
    assert [LABELS[i] for i in decode(rows(*labels))] == expected


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
    (entity,) = entities(text, words, rows("O", "O", "B-ANIM", "I-ANIM", "O", "O"))
    assert (entity.text, entity.label, entity.start, entity.end) == ("Red fox", "ANIM", 3, 10)
    assert entity.score == pytest.approx(0.9)
