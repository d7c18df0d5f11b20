"""Partial annotation, augmentation and batches."""

import random
from dataclasses import replace

import numpy as np
import pytest

from common.errors import InputError
from ner.config import ModelConfig
from ner.data import (
    ALL_TYPES,
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


@pytest.mark.parametrize(
    ("mention", "cue", "expected"),
    [
        ("?", None, ""),
        ("O", False, "mention:O cue:other"),
        ("O", True, "mention:O cue:cue"),
        ("B", None, "mention:B-ANIMAL"),
        ("B+", None, "mention:B-ANIMAL polarity:affirmed"),
        ("I-", False, "mention:I-ANIMAL polarity:denied cue:other"),
    ],
)
def test_a_mention_tag_says_what_it_knows(mention, cue, expected):
    assert possible(mention=mention, cue=cue) == set(expected.split())


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
    names = sum(tag[0] in "BI" for sentence in sentences for tag in sentence.mentions)
    assert said == {"entity": 160, "mention": words + 160, "polarity": names, "cue": words}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"tokens": ["a"]}', "line 1: 'mentions'"),
        ('{"tokens": ["a"], "mentions": ["O", "O"]}', "do not fit the words"),
        ('{"tokens": ["a"], "mentions": ["O"], "cues": [0, 1]}', "do not fit the words"),
        ('{"tokens": ["a"], "mentions": ["X"]}', "unknown tags ['X']"),
        ("[", "line 1: "),
    ],
)
def test_bad_mentions(line, message, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(line)
    with pytest.raises(InputError) as error:
        read_mentions(path)
    assert message in str(error.value)


def test_misspelt_words_stay_close():
    chance = random.Random(0)
    slips = {misspell("elephant", chance) for _ in range(300)}
    assert {"elefant", "elphant", "eelphant", "ellephant"} & slips >= {"elefant", "elphant"}
    assert all(slip[0] == "e" and abs(len(slip) - 8) <= 1 for slip in slips)
    assert all(misspell(word, chance) == word for word in ("cow", "", "5,000", "n't"))


def test_only_sentences_with_mentions_are_misspelt():
    change = Augmentation(replace(PLAIN, typo=0.5), {})
    words = ("giraffe",) * 400 + ("picture",) * 400
    tagged = Sentence(words, ("O",) * 800, NO_TYPES, ("B+",) * 400 + ("O",) * 400)
    changed = change(tagged, random.Random(0)).words
    assert sum(word != "giraffe" for word in changed[:400]) == pytest.approx(200, abs=40)
    assert sum(word != "picture" for word in changed[400:]) == pytest.approx(50, abs=20)
    assert change(Sentence(words, ("O",) * 800), random.Random(0)).words == words
