"""Fit a line, in one process or in several: what ``test_common_training_distributed.py`` starts."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common.training.config import TrainingConfig
from common.training.distributed import local_shard
from common.training.loop import fit, pick_device
from common.training.run_folder import RunFolder
from common.training.task import Task

config = TrainingConfig(epochs=3, learning_rate=0.05, ema_decay=0.9, precision="fp32")
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


class Line(Task):
    """Fits by mean squared error; the score is minus the error on all data."""

    monitor = "score"

    def __init__(self):
        super().__init__()
        self.model = model

    def loss(self, batch):
        return nn.functional.mse_loss(self.model(batch[0]), batch[1])

    def evaluate(self, model):
        with torch.no_grad():
            error = nn.functional.mse_loss(model(inputs), inputs.sum(dim=1, keepdim=True))
        return {"score": -error.item()}

    def param_groups(self):
        return [{"params": list(self.model.parameters()), "lr": config.learning_rate}]


batches = Batches(torch.randperm(64).view(8, 8).tolist())
fit(Line(), batches, config, RunFolder(Path(sys.argv[1])), device)
