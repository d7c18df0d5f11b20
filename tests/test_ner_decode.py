"""Decoding, against every possible path and on worked examples."""

from dataclasses import FrozenInstanceError
from itertools import product

import numpy as np
import pytest

from common.text.words import split_words
from matching.claim import Mention
from ner.config import ModelConfig
from ner.decode import Entity, decode, entities, mentions, spans

CONFIG = ModelConfig()

TAGS = ("O", "B-A", "I-A", "B-B", "I-B")


def valid(path):
    return all(
        tag[0] != "I" or before[1:] == tag[1:]
        for before, tag in zip(("O", *path[:-1]), path, strict=True)
    )


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_best_of_all_valid_ones(count, seed):
    table = np.random.default_rng(seed).dirichlet(np.full(len(TAGS), 0.5), count)
    paths = [p for p in product(range(len(TAGS)), repeat=count) if valid([TAGS[i] for i in p])]
    best = max(paths, key=lambda path: np.prod(table[range(count), path]))
    assert decode(table, TAGS) == [TAGS[i] for i in best]


@pytest.mark.parametrize(
    ("table", "expected"),
    [  # rows of O, B-A, I-A, B-B, I-B
        ([], []),
        ([[0, 0, 1, 0, 0]], ["O"]),  # what may not begin, and nothing else is possible
        ([[0.1, 0.3, 0.6, 0, 0]], ["B-A"]),
        ([[0.6, 0.4, 0, 0, 0], [0.1, 0, 0.9, 0, 0]], ["B-A", "I-A"]),  # 0.36 beats 0.06
        ([[0.9, 0.1, 0, 0, 0], [0.5, 0, 0.5, 0, 0]], ["O", "O"]),
        ([[0, 1, 0, 0, 0], [0, 0, 0.3, 0, 0.7]], ["B-A", "I-A"]),
        ([[0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]], ["B-A", "O", "O"]),
        ([[0, 0, 0, 1, 0], [0, 0, 0, 0.4, 0.6], [0, 0, 0, 0, 1]], ["B-B", "I-B", "I-B"]),
        ([[0, 0, 0, 1, 0], [0, 0, 0.6, 0, 0.4]], ["B-B", "I-B"]),
        ([[1, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0]], ["O", "O"]),  # the first of equals
        ([[1e-13, 9e-13, 0, 0, 0]], ["O"]),  # equal from 1e-12 down
        ([[1e-13, 1.5e-12, 0, 0, 0]], ["B-A"]),
    ],
)
def test_decode(table, expected):
    with np.errstate(divide="raise"):
        assert decode(np.array(table, float), TAGS) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-A", [(0, 1, "A")]),
        ("O B-A I-A O", [(1, 3, "A")]),
        ("B-A B-A", [(0, 1, "A"), (1, 2, "A")]),
        ("B-A I-A B-B I-B", [(0, 2, "A"), (2, 4, "B")]),
        ("B-A O O B-B O", [(0, 1, "A"), (3, 4, "B")]),
        ("O B-LOC I-LOC I-LOC", [(1, 4, "LOC")]),
    ],
)
def test_spans(tags, expected):
    assert spans(tags.split()) == expected


def outputs(count, **heads):
    """Probabilities ``(count, outputs)``: each head's first label, or a head's ``{word: row}``."""
    table = np.zeros((count, len(CONFIG.outputs)))
    table[:, [part.start for part in CONFIG.slices.values()]] = 1
    for head, rows in heads.items():
        for word, row in rows.items():
            table[word, CONFIG.slices[head]] = row
    return table


def entity_row(**probabilities):
    return [probabilities.get(label.replace("-", "_"), 0.0) for label in CONFIG.heads["entity"]]


def claim_row(**probabilities):
    return [probabilities.get(label.replace("-", "_"), 0.0) for label in CONFIG.heads["claim"]]


def claims(*labels):
    """Probabilities where each word's label in the claim head is sure; "" for none."""
    rows = {i: claim_row(**{label.replace("-", "_"): 1.0}) for i, label in enumerate(labels)}
    return outputs(len(labels), claim={i: row for i, row in rows.items() if labels[i]})


def test_entities():
    text = "A red fox in Rome."
    table = outputs(
        6,
        entity={
            1: entity_row(B_ANIM=0.9, O=0.1),
            2: entity_row(I_ANIM=0.6, O=0.4),
            4: entity_row(B_LOC=0.8, B_ANIM=0.2),
        },
    )
    assert entities(text, split_words(text), table, CONFIG) == [
        Entity("red fox", "ANIM", 2, 9, pytest.approx(0.75)),
        Entity("Rome", "LOC", 13, 17, pytest.approx(0.8)),
    ]
    with pytest.raises(FrozenInstanceError):
        entities(text, split_words(text), table, CONFIG)[0].score = 1.0


@pytest.mark.parametrize("status", ["affirmed", "denied", "referring"])
def test_mentions_have_the_status_of_their_labels(status):
    text = "No killer whale, a cow"
    labels = ("B-cue", f"B-{status}", f"I-{status}", "", "", "B-affirmed")
    assert mentions(text, split_words(text), claims(*labels), CONFIG) == [
        Mention("killer whale", 3, 15, status, (0, 2)),
        Mention("cow", 19, 22, "affirmed", (0, 2)),
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("B-denied", 0.6), ("I-denied", 0.7), [("killer whale", "denied")]),
        # 0.4 * 0.7 for two affirmed words, 0.6 * 0.3 for two denied ones
        (("B-denied", 0.6), ("I-affirmed", 0.7), [("killer whale", "affirmed")]),
        # 0.6 * 0.5 for two denied ones, 0.4 * 0.5 for two affirmed ones
        (("B-denied", 0.6), ("I-affirmed", 0.5), [("killer whale", "denied")]),
        (("B-denied", 1.0), ("B-affirmed", 1.0), [("killer", "denied"), ("whale", "affirmed")]),
        (("O", 1.0), ("I-denied", 1.0), []),  # what may not begin
    ],
)
def test_a_mention_has_one_status_the_most_probable(first, second, expected):
    other = {"B-denied": "B-affirmed", "I-denied": "I-affirmed", "I-affirmed": "I-denied"}
    labels = CONFIG.heads["claim"]
    table = outputs(2, claim={0: claim_row(), 1: claim_row()})
    for word, (label, share) in enumerate((first, second)):
        row = table[word, CONFIG.slices["claim"]]
        row[labels.index(label)] = share
        row[labels.index(other.get(label, "O"))] += 1 - share
    text = "killer whale"
    found = mentions(text, split_words(text), table, CONFIG)
    assert [(m.text, m.status) for m in found] == expected


@pytest.mark.parametrize(
    ("text", "cues", "expected"),
    [  # what is said to be a cue, and the one of "cow"
        ("a cow", [], None),
        ("No cow", ["No"], "No"),
        ("a cow is absent", ["is", "absent"], "is absent"),
        ("the cow is\n gone", ["is", "\n", "gone"], "is\n gone"),
        ("a cow is, absent", ["is", "absent"], "is"),  # two, with a comma between them
        ("no dog nor cow", ["no", "nor"], "nor"),
        ("cow is no more , or not", ["is", "no", "not"], "is no"),
        ("no cow is absent", ["no", "absent"], "no"),
        ("No dog. A cow is gone", ["No", "gone"], "gone"),
        ("No dog! A cow is gone", ["No", "gone"], "gone"),
        ("No dog? A cow is gone", ["No", "gone"], "gone"),
        ("No dog; a cow is gone", ["No", "gone"], "gone"),
        ("No dog\na cow is gone", ["No", "gone"], "gone"),
        ("No dog, a cow is gone", ["No", "gone"], "No"),
        ("No dog. A cow is gone", ["No", "is", "gone"], "is gone"),
        (
            "No\nmore cow is gone",
            ["No", "\n", "more", "gone"],
            "No\nmore",
        ),  # the cue's own line break
        ("No dog. A cow", ["No"], "No"),  # better than none
        ("A dog is gone. No, not a cow", ["gone", "not"], "not"),
    ],
)
def test_the_cue_of_a_mention(text, cues, expected):
    words = split_words(text)
    spelt = [word.text for word in words]
    places = [spelt.index(cue) for cue in cues]
    labels = [""] * len(words)
    labels[spelt.index("cow")] = "B-denied"
    for place in places:
        labels[place] = "I-cue" if place - 1 in places else "B-cue"
    (found,) = mentions(text, words, claims(*labels), CONFIG)
    assert (found.cue and text[slice(*found.cue)]) == expected


@pytest.mark.parametrize(
    ("labels", "cue"),
    [  # of "cow" in "is no more cow"
        ("B-cue I-cue I-cue", "is no more"),
        ("B-cue B-cue I-cue", "no more"),
        ("B-cue I-cue B-cue", "more"),
        ("B-cue O O", "is"),
        ("O O O", None),
    ],
)
def test_a_cue_begins_where_the_model_says(labels, cue):
    text = "is no more cow"
    (found,) = mentions(text, split_words(text), claims(*labels.split(), "B-denied"), CONFIG)
    assert (found.cue and text[slice(*found.cue)]) == cue


@pytest.mark.parametrize(("probability", "cue"), [(0.49, None), (0.51, (0, 2)), (1.0, (0, 2))])
def test_a_word_is_a_cue_where_nothing_is_more_probable(probability, cue):
    table = claims("", "B-denied")
    table[0, CONFIG.slices["claim"]] = claim_row(B_cue=probability, O=1 - probability)
    (found,) = mentions("No cow", split_words("No cow"), table, CONFIG)
    assert found.cue == cue


def test_the_other_head_says_nothing_of_mentions():
    table = outputs(1, entity={0: entity_row(B_ANIM=1.0)})
    assert mentions("cow", split_words("cow"), table, CONFIG) == []
    assert entities("cow", split_words("cow"), claims("B-affirmed"), CONFIG) == []


def test_texts_without_words_hold_nothing():
    assert mentions("", [], outputs(0), CONFIG) == []
    assert entities("", [], outputs(0), CONFIG) == []
