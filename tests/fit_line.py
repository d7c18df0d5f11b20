"""Fit a line, in one process or in several: what ``test_common_training_distributed.py`` starts."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common.config import TrainConfig
from common.training.distributed import local_shard
from common.training.loop import fit, pick_device

config = TrainConfig(epochs=3, learning_rate=0.05, average=0.9, precision="fp32")
torch.manual_seed(0)
device = pick_device("cpu")
model = nn.Linear(3, 1)
inputs = torch.randn(64, 3)


class Batches(list):
    """Lists of indices to tensors, of which this process has its share."""

    def __iter__(self):
        for batch in super().__iter__():
            part = inputs[local_shard(batch)]
            yield part, part.sum(dim=1, keepdim=True)


def loss(model, batch):
    """Mean squared error."""
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def score(model):
    """Minus the error on all data."""
    with torch.no_grad():
        return {"score": -loss(model, (inputs, inputs.sum(dim=1, keepdim=True))).item()}


batches = Batches(torch.randperm(64).view(8, 8).tolist())
groups = [{"params": list(model.parameters()), "lr": config.learning_rate}]
fit(model, groups, batches, loss, score, config, Path(sys.argv[1]), device)
