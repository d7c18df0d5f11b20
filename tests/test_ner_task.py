"""The token classifier's task: weights of the heads, learning rates, what is watched."""

import pytest
import torch
from conftest import write_jsonl

from common.errors import InputError
from common.training.losses import partial_label_loss
from ner.task import TokenTask
from ner.training_config import NerTrainingConfig

CPU = torch.device("cpu")


@pytest.fixture
def make(tagged, tiny_bert):
    """Make a task on the tiny sentences with these settings."""

    def make(data=tagged, **settings):
        return TokenTask(NerTrainingConfig(base_model=str(tiny_bert), **settings), data, CPU)

    return make


@pytest.mark.parametrize(("weight", "smoothing"), [(1.0, 0.0), (2.5, 0.2)])
def test_the_loss_is_the_weighted_sum_of_the_heads(make, everyday, weight, smoothing):
    task = make(entity_weight=weight, label_smoothing=smoothing, everyday=everyday).eval()
    torch.manual_seed(0)
    batch = next(iter(task.loader))
    logits = task.model(**batch.inputs).flatten(0, 1)
    allowed = batch.label_mask.flatten(0, 1)
    parts = {
        name: partial_label_loss(logits[:, head], allowed[:, head], smoothing).item()
        for name, head in task.preprocess.config.slices.items()
        if allowed[:, head].any()
    }
    assert len(parts) > 1
    expected = sum(parts.values()) + (weight - 1) * parts["entity"]
    assert task.loss(batch).item() == pytest.approx(expected, rel=1e-5)


def test_every_parameter_is_trained_once(make):
    groups = make(learning_rate=0.01, head_learning_rate=0.2).param_groups()
    task = make()
    assert [group["lr"] for group in groups] == [0.01, 0.2]
    counts = [len(group["params"]) for group in groups]
    assert counts == [len(list(task.model.parameters())) - 2, 2]
    trained = [id(p) for group in task.param_groups() for p in group["params"]]
    assert sorted(trained) == sorted(id(p) for p in task.model.parameters())


def test_claims_are_watched_where_there_are_any(make, everyday):
    assert make().monitor == "micro_f1"
    task = make(everyday=everyday)
    scores = task.evaluate(task.model)
    assert task.monitor == "score"
    assert scores["score"] == pytest.approx((scores["micro_f1"] + scores["claim_f1"]) / 2)


def test_validation_without_entities_is_refused(make, tmp_path):
    for name in ("train", "validation"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"tokens": ["a"], "tags": ["O"]}])
    with pytest.raises(InputError, match=r"validation\.jsonl: no entities; needs some to score"):
        make(tmp_path)
