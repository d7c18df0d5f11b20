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


@pytest.mark.parametrize(
    ("polarity", "denied"),
    [
        ({1: 0.9, 2: 0.5}, True),  # "No" and "whale" alone do not matter
        ({1: 0.9, 2: 0.1}, True),  # a half is enough
        ({1: 0.1, 2: 0.89}, False),
        ({0: 1.0, 3: 1.0, 1: 0.4, 2: 0.4}, False),
    ],
)
def test_a_mention_is_denied_where_its_words_are_on_average(polarity, denied):
    text = "No killer whale, a cow"
    table = outputs(
        6,
        mention={1: [0.1, 0.9, 0], 2: [0.3, 0, 0.7], 5: [0, 1, 0]},
        polarity={word: [1 - share, share] for word, share in polarity.items()} | {5: [0.75, 0.25]},
        cue={0: [0.5, 0.5]},
    )
    whale, cow = mentions(text, split_words(text), table, CONFIG)
    assert whale == Mention("killer whale", 3, 15, denied, (0, 2))
    assert cow == Mention("cow", 19, 22, False, (0, 2))


@pytest.mark.parametrize(
    ("text", "cues", "expected"),
    [  # what is said to be a cue, and the one of "cow"
        ("a cow", [], None),
        ("No cow", ["No"], "No"),
        ("a cow is absent", ["is", "absent"], "is absent"),
        ("the cow is\n gone", ["is", "gone"], "is\n gone"),
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
        ("No\nmore cow is gone", ["No", "more", "gone"], "No\nmore"),  # the cue's own line break
        ("No dog. A cow", ["No"], "No"),  # better than none
        ("A dog is gone. No, not a cow", ["gone", "not"], "not"),
    ],
)
def test_the_cue_of_a_mention(text, cues, expected):
    words = split_words(text)
    spelt = [word.text for word in words]
    table = outputs(
        len(words),
        mention={spelt.index("cow"): [0, 1, 0]},
        cue={spelt.index(cue): [0.4, 0.6] for cue in cues},
    )
    (found,) = mentions(text, words, table, CONFIG)
    assert (found.cue and text[slice(*found.cue)]) == expected


@pytest.mark.parametrize(("probability", "cue"), [(0.49, None), (0.5, (0, 2)), (1.0, (0, 2))])
def test_a_word_is_a_cue_from_a_half_on(probability, cue):
    table = outputs(2, mention={1: [0, 1, 0]}, cue={0: [1 - probability, probability]})
    (found,) = mentions("No cow", split_words("No cow"), table, CONFIG)
    assert found.cue == cue


def test_texts_without_words_hold_nothing():
    assert mentions("", [], outputs(0), CONFIG) == []
    assert entities("", [], outputs(0), CONFIG) == []
