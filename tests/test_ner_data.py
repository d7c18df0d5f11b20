"""Partial annotation, augmentation and batches."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from common.errors import InputError
from ner.config import ModelConfig
from ner.data import (
    ALL_TYPES,
    MENTION_TAGS,
    NEIGHBOURS,
    NO_TYPES,
    Augmentation,
    Batches,
    Sentence,
    implied_mentions,
    label_mask,
    misspell,
    read_mentions,
    read_partial,
)
from ner.labels import HEADS
from ner.model import build
from ner.training_config import NerTrainingConfig

CONFIG = ModelConfig()
PLAIN = NerTrainingConfig(
    recase=0, mask=0, replace=0, typo=0, gazetteer_dropout=0, partial_share=1, everyday_share=1
)
LABELS = HEADS["entity"]

FOX = Sentence(("A", "red", "fox", "in", "Rome"), ("O", "B-ANIM", "I-ANIM", "O", "B-LOC"))


def possible(tag="O", annotated=NO_TYPES, mention="?", cue=None):
    """The outputs that may be right."""
    mask = label_mask(CONFIG, tag, annotated, mention, cue)
    return {CONFIG.outputs[i] for i in np.flatnonzero(mask)}


def test_full_annotation_allows_one_label():
    assert possible("B-ANIM", ALL_TYPES) == {"B-ANIM"}
    assert possible("O", ALL_TYPES) == {"O"}


@pytest.mark.parametrize("tag", ["O", "B-MISC"])
def test_partial_annotation_rules_out_only_what_was_looked_for(tag):
    allowed = possible(tag, frozenset({"PER", "LOC"}))
    assert {"O", "B-ANIM", "I-ANIM", "B-ORG"} <= allowed
    assert not allowed & {"B-PER", "I-PER", "B-LOC", "I-LOC"}


def test_mentions_are_replaced_with_their_tags():
    change = Augmentation(replace(PLAIN, replace=0.5), {"ANIM": ["giant anteater of Peru"]})
    changed = change(FOX, random.Random(1))  # draws 0.13
    assert change(FOX, random.Random(0)) == FOX  # draws 0.84
    assert changed.words == ("A", "giant", "anteater", "of", "Peru", "in", "Rome")
    assert changed.tags == ("O", "B-ANIM", "I-ANIM", "I-ANIM", "I-ANIM", "O", "B-LOC")


def test_recasing_has_the_stated_shares():
    change, chance = Augmentation(replace(PLAIN, recase=0.2), {}), random.Random(0)
    seen = [" ".join(change(FOX, chance).words) for _ in range(2000)]
    assert seen.count("a red fox in rome") == pytest.approx(400, abs=60)
    assert seen.count("A RED FOX IN ROME") == pytest.approx(200, abs=45)


def test_batches_cover_the_data_and_repeat_with_the_seed(tiny_bert):
    import torch

    data = [Sentence(("cow",) * n, ("B-ANIM",) * n) for n in range(1, 30)]
    partial = [Sentence(("Rome",), ("O",), frozenset({"PER"}))] * 50
    batches = Batches(replace(PLAIN, batch_size=8), build(str(tiny_bert))[1], data, partial)
    torch.manual_seed(1)
    first = list(batches)
    torch.manual_seed(1)
    again = list(batches)
    assert len(first) == len(batches) == 8  # 29 + 29 drawn, by 8
    assert all(torch.equal(a.label_mask, b.label_mask) for a, b in zip(first, again, strict=True))
    cow, entity = LABELS.index("B-ANIM"), CONFIG.slices["entity"]
    lone = torch.cat([b.label_mask[..., entity].sum(dim=2).flatten() for b in first])
    assert (lone == 1).sum() == sum(range(1, 30))  # every cow once
    assert (lone == len(LABELS) - 2).sum() == 29  # Rome, only known to be no person
    assert all(b.label_mask[..., cow].any() for b in first)


def test_masking_hides_input_but_neither_labels_nor_special_tokens(tiny_bert):
    import torch

    preprocess = build(str(tiny_bert))[1]
    data = [Sentence(("cow",) * 50, ("B-ANIM",) * 50)] * 20
    (batch,) = Batches(replace(PLAIN, batch_size=20, mask=0.3), preprocess, data)
    hidden = batch.inputs["input_ids"] == preprocess.tokenizer.token_to_id("[MASK]")
    assert hidden.float().mean().item() == pytest.approx(0.3, abs=0.05)
    assert batch.label_mask.any(dim=2).sum() == 1000
    specials = [preprocess.tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")]
    assert (batch.inputs["input_ids"][:, [0, -1]] == torch.tensor(specials)).all()


@pytest.mark.parametrize("spec", ["x.jsonl", "CAT=x.jsonl", "=x.jsonl"])
def test_bad_partial(spec):
    with pytest.raises(InputError, match="expected TYPES=FILE"):
        read_partial(spec)


@pytest.mark.parametrize("cue", [None, "O", "B", "I"])
@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("?", ""),
        ("B", "B-affirmed B-denied B-referring"),
        ("I", "I-affirmed I-denied I-referring"),
        ("B+", "B-affirmed"),
        ("I+", "I-affirmed"),
        ("B-", "B-denied"),
        ("I-", "I-denied"),
        ("B=", "B-referring"),
        ("I=", "I-referring"),
    ],
)
def test_a_mention_tag_says_what_it_knows_whatever_is_said_of_cues(mention, cue, expected):
    assert possible(mention=mention, cue=cue) == {f"claim:{x}" for x in expected.split()}


@pytest.mark.parametrize(
    ("cue", "expected"), [(None, "O B-cue I-cue"), ("O", "O"), ("B", "B-cue"), ("I", "I-cue")]
)
def test_a_word_that_names_no_animal_may_be_a_cue(cue, expected):
    assert possible(mention="O", cue=cue) == {f"claim:{x}" for x in expected.split()}
    both = possible("B-LOC", ALL_TYPES, "O", cue)
    assert both == {"B-LOC", *(f"claim:{x}" for x in expected.split())}


def test_every_tag_is_known():
    assert sorted(MENTION_TAGS) == sorted(["?", "O", "B", "I", "B+", "I+", "B-", "I-", "B=", "I="])


@pytest.mark.parametrize(
    ("cues", "mentions", "expected"),
    [
        ("1 1 0 1 1 1", "O O O O O O", "B-cue I-cue O B-cue I-cue I-cue"),
        ("0 1 0 1 0 1", "O O O O O O", "O B-cue O B-cue O B-cue"),
        ("1 0 1 1 0 0", "O B- O O B- I-", "B-cue B-denied B-cue I-cue B-denied I-denied"),
        ("0 0 0 0 0 0", "O B+ I+ O B= O", "O B-affirmed I-affirmed O B-referring O"),
    ],
)
def test_neighbouring_cue_words_are_one_cue(cues, mentions, expected, tiny_bert):
    flags = tuple(cue == "1" for cue in cues.split())
    sentence = Sentence(("cow",) * 6, ("O",) * 6, NO_TYPES, tuple(mentions.split()), flags)
    batches = Batches(PLAIN, build(str(tiny_bert))[1], [sentence])
    mask = batches.collate([sentence], random.Random(0)).label_mask[0].numpy()
    labels = [[CONFIG.outputs[i] for i in np.flatnonzero(row)] for row in mask]
    assert labels == [[], *([f"claim:{label}"] for label in expected.split()), []]


@pytest.mark.parametrize(
    ("words", "tags", "annotated", "expected"),
    [
        ("a red fox in Rome", "O B-ANIM I-ANIM O B-LOC", ALL_TYPES, "O B I O O"),
        ("dogs like Fox News", "O O B-ORG I-ORG", ALL_TYPES, "? O O O"),
        ("a nice dog", "O B-ANIM I-ANIM", ALL_TYPES, "O ? ?"),
        ("a fox , a lion", "O B-ANIM O O O", frozenset({"ANIM"}), "O B O O ?"),
        ("a fox , a seal", "O B-ANIM O O O", frozenset({"ANIM"}), "O B O O O"),
        ("a fox in Rome", "O O O B-LOC", frozenset({"PER", "LOC"}), "O ? O O"),
        ("a Python fan", "O B-MISC O", frozenset({"PER", "LOC"}), "O ? O"),
    ],
)
def test_entity_tags_imply_mentions(words, tags, annotated, expected, tiny_bert):
    sentence = Sentence(tuple(words.split()), tuple(tags.split()), annotated)
    marks = build(str(tiny_bert))[1].names(sentence.words)
    assert " ".join(implied_mentions(sentence, marks)) == expected


def test_mention_sentences_say_nothing_of_entities(tiny_bert, everyday):
    sentences = read_mentions(everyday / "train.jsonl")
    assert all(sentence.annotated == NO_TYPES for sentence in sentences)
    data = [Sentence(("Rome",), ("B-LOC",))] * 160
    batches = Batches(PLAIN, build(str(tiny_bert))[1], data, everyday=sentences)
    allowed = [batch.label_mask.flatten(0, 1) for batch in batches]
    said = {
        head: sum(int(a[:, part].any(1).sum()) for a in allowed)
        for head, part in CONFIG.slices.items()
    }
    words = sum(len(sentence.words) for sentence in sentences)
    assert said == {"entity": 160, "claim": words + 160}
    alone = [a[a[:, CONFIG.slices["claim"]].sum(1) == 1] for a in allowed]
    for sign, label in (("B+", "B-affirmed"), ("I+", "I-affirmed"), ("B-", "B-denied")):
        column = CONFIG.outputs.index(f"claim:{label}")
        tags = [tag for sentence in sentences for tag in sentence.mentions]
        assert sum(int(a[:, column].sum()) for a in alone) == tags.count(sign) > 0
    cues = sum(sum(sentence.cues) for sentence in sentences)
    column = CONFIG.outputs.index("claim:B-cue")
    assert sum(int(a[:, column].sum()) for a in alone) == cues == 80


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"tokens": ["a"]}', "line 1: 'mentions'"),
        ('{"tokens": ["a"], "mentions": ["O", "O"]}', "do not fit the words"),
        ('{"tokens": ["a"], "mentions": ["O"], "cues": [0, 1]}', "do not fit the words"),
        ('{"tokens": ["a"], "mentions": ["X"]}', "unknown tags ['X']"),
        ('{"tokens": ["a"], "mentions": ["B~"]}', "unknown tags ['B~']"),
        ("[", "line 1: "),
    ],
)
def test_bad_mentions(line, message, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(line)
    with pytest.raises(InputError) as error:
        read_mentions(path)
    assert message in str(error.value)


def test_tags_of_a_line_are_read(tmp_path):
    path = tmp_path / "x.jsonl"
    row = '{"tokens": ["no", "red", "fox"], "mentions": ["O", "B=", "I="], "cues": [1, 0, 0]}\n'
    path.write_text(row + '{"tokens": [], "mentions": []}\n')
    assert read_mentions(path) == [
        Sentence(
            ("no", "red", "fox"), ("O",) * 3, NO_TYPES, ("O", "B=", "I="), (True, False, False)
        )
    ]


SLIPS = {
    "gooat": "doubled",
    "goaat": "doubled",
    "gat": "dropped",
    "got": "dropped",
    "gaot": "swapped",
    "gota": "swapped",
    "gaat": "sounds alike",
    "goet": "sounds alike",
    **dict.fromkeys(("foat", "hoat", "giat", "gpat", "gost", "goar", "goay"), "next key"),
}


def test_every_slip_of_a_word():
    chance = random.Random(0)
    drawn = [misspell("goat", chance) for _ in range(5000)]
    assert set(drawn) == {*SLIPS}
    kinds = Counter(SLIPS[slip] for slip in drawn)
    assert all(count == pytest.approx(1000, abs=120) for count in kinds.values())
    assert sum(slip[0] != "g" for slip in drawn) == pytest.approx(250, abs=60)


def test_neighbours_on_the_keyboard():
    assert len(NEIGHBOURS) == 26
    assert [NEIGHBOURS[c] for c in "qpaglzm"] == ["w", "o", "s", "fh", "k", "x", "n"]


def test_misspelt_words_stay_close():
    chance = random.Random(0)
    slips = {misspell("elephant", chance) for _ in range(400)}
    assert {"elefant", "elphant", "eelphant", "ellephant", "elephsnt"} <= slips
    assert all(abs(len(slip) - 8) <= 1 for slip in slips)
    assert all(misspell(word, chance) == word for word in ("cow", "", "5,000", "n't"))
    assert {misspell("ñandú", chance)[0] for _ in range(300)} == {"ñ"}  # on no key


def test_half_of_the_sentences_with_mentions_are_misspelt_in_all_words():
    change, chance = Augmentation(replace(PLAIN, typo=0.1), {}), random.Random(0)
    words = ("horse",) * 50 + ("table",) * 50  # no slip leaves either as it is
    tagged = Sentence(words, ("O",) * 100, NO_TYPES, ("B+",) * 50 + ("O",) * 50)
    changed = [change(tagged, chance).words for _ in range(400)]
    slipped = [row for row in changed if row != words]
    assert len(slipped) == pytest.approx(200, abs=40)
    names = sum(word != "horse" for row in slipped for word in row[:50])
    others = sum(word != "table" for row in slipped for word in row[50:])
    assert [n / len(slipped) for n in (names, others)] == pytest.approx([10, 10], abs=1)
    assert change(Sentence(words, ("O",) * 100), chance).words == words
