"""Partial annotation, augmentation and batches."""

import random

import numpy as np
import pytest

from common.errors import InputError
from ner.data import ALL_TYPES, Augmentation, Batches, Sentence, allowed_labels, read_partial
from ner.preprocess import LABELS, Preprocess

FOX = Sentence(("A", "red", "fox", "in", "Rome"), ("O", "B-ANIM", "I-ANIM", "O", "B-LOC"))


def names(mask):
    return {LABELS[i] for i in np.flatnonzero(mask)}


def test_full_annotation_allows_one_label():
    assert names(allowed_labels("B-ANIM", ALL_TYPES)) == {"B-ANIM"}
    assert names(allowed_labels("O", ALL_TYPES)) == {"O"}


@pytest.mark.parametrize("tag", ["O", "B-MISC"])
def test_partial_annotation_rules_out_only_what_was_looked_for(tag):
    allowed = names(allowed_labels(tag, frozenset({"PER", "LOC"})))
    assert {"O", "B-ANIM", "I-ANIM", "B-ORG"} <= allowed
    assert not allowed & {"B-PER", "I-PER", "B-LOC", "I-LOC"}


def test_mentions_are_replaced_with_their_tags():
    change = Augmentation(replace=1.0, names={"ANIM": ["giant anteater of Peru"]})
    changed = change(FOX, random.Random(0))
    assert changed.words == ("A", "giant", "anteater", "of", "Peru", "in", "Rome")
    assert changed.tags == ("O", "B-ANIM", "I-ANIM", "I-ANIM", "I-ANIM", "O", "B-LOC")


def test_recasing_has_the_stated_shares():
    change, chance = Augmentation(recase=0.2), random.Random(0)
    seen = [" ".join(change(FOX, chance).words) for _ in range(2000)]
    assert seen.count("a red fox in rome") == pytest.approx(400, abs=60)
    assert seen.count("A RED FOX IN ROME") == pytest.approx(200, abs=45)


def test_batches_cover_the_data_and_repeat_with_the_seed(tiny_bert):
    import torch

    data = [Sentence(("cow",) * n, ("B-ANIM",) * n) for n in range(1, 30)]
    partial = [Sentence(("Rome",), ("O",), frozenset({"PER"}))] * 50
    batches = Batches(data, partial, Preprocess.load(tiny_bert), 8, Augmentation())
    torch.manual_seed(1)
    first = list(batches)
    torch.manual_seed(1)
    again = list(batches)
    assert len(first) == len(batches) == 8  # 29 + 29 drawn, by 8
    assert all(torch.equal(a.allowed, b.allowed) for a, b in zip(first, again, strict=True))
    cow = LABELS.index("B-ANIM")
    lone = torch.cat([b.allowed.sum(dim=2).flatten() for b in first])
    assert (lone == 1).sum() == sum(range(1, 30))  # every cow once
    assert (lone == len(LABELS) - 2).sum() == 29  # Rome, only known to be no person
    assert all(b.allowed[..., cow].any() for b in first)


def test_masking_hides_input_but_not_labels(tiny_bert):
    preprocess = Preprocess.load(tiny_bert)
    data = [Sentence(("cow",) * 50, ("B-ANIM",) * 50)] * 20
    (batch,) = Batches(data, [], preprocess, 20, Augmentation(mask=0.3))
    hidden = batch.inputs["input_ids"] == preprocess.tokenizer.token_to_id("[MASK]")
    assert hidden.float().mean().item() == pytest.approx(0.3, abs=0.05)
    assert batch.allowed.any(dim=2).sum() == 1000


@pytest.mark.parametrize("spec", ["x.jsonl", "CAT=x.jsonl", "=x.jsonl"])
def test_bad_partial(spec):
    with pytest.raises(InputError, match="expected TYPES=FILE"):
        read_partial(spec)
