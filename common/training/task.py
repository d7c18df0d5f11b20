"""What the training loop trains: a model with its loss, its scores and its parameter groups."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn


class Task(nn.Module, ABC):
    """A model (on its device already) with its loss and its scores; the loop knows no more.

    Attributes:
        model: What is trained, averaged and saved.
        monitor: The score that tells the best epoch and stops the run early; higher is better.
    """

    model: nn.Module
    monitor: str

    @abstractmethod
    def loss(self, batch: Any) -> torch.Tensor | dict[str, torch.Tensor]:
        """Return the loss of the model on a batch, a scalar, or its parts, which add up."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the scores of a model, such as the averaged one, on validation data."""

    @abstractmethod
    def param_groups(self) -> list[dict[str, Any]]:
        """Return what is trained: AdamW's groups, each with ``params`` and its peak ``lr``."""

    def forward(self, batch: Any) -> torch.Tensor | dict[str, torch.Tensor]:
        """Return `loss`; DistributedDataParallel averages the gradients of this call."""
        return self.loss(batch)
