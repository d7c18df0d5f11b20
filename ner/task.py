"""Training of the token classifier: its sentences, its loss and its scores."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from common.errors import InputError
from common.training.losses import partial_label_loss
from common.training.task import Task
from ner.data import Batch, Batches, read_jsonl, read_mentions, read_names, read_partial
from ner.labels import TYPES
from ner.model import as_function, build, head_parameters
from ner.report import count_matches, f1, mention_scores, predict_tags
from ner.training_config import NerTrainingConfig


class TokenTask(Task):
    """A token classifier on sentences: fully annotated ones, in the folder ``data``, and others.

    Raises:
        InputError: If data or encoder cannot be read, or validation has no entity to score.
    """

    def __init__(self, config: NerTrainingConfig, data: Path, device: torch.device):
        super().__init__()
        self.config, self.device = config, device
        training = read_jsonl(data / "train.jsonl")
        self.validation = read_jsonl(data / "validation.jsonl")
        if not any(tag != "O" for sentence in self.validation for tag in sentence.tags):
            raise InputError(f"{data / 'validation.jsonl'}: no entities; needs some to score")
        partial = [sentence for spec in config.partial for sentence in read_partial(spec)]
        everyday, self.everyday = [], []  # to train and to validate on
        if config.everyday:
            everyday = read_mentions(config.everyday / "train.jsonl")
            self.everyday = read_mentions(config.everyday / "validation.jsonl")
        self.monitor = "score" if self.everyday else "micro_f1"
        self.summary = (
            f"{len(training)} training sentences, {len(partial)} partly annotated,"
            f" {len(everyday)} with mentions, {len(self.validation)} for validation"
        )
        names = read_names(config.names) if config.names else {}
        torch.manual_seed(config.seed)
        self.model, self.preprocess = build(config.base_model)
        self.model.to(device)
        heads = self.preprocess.config.heads
        self.weights = dict.fromkeys(heads, 1.0) | {"entity": config.entity_weight}
        self.loader = Batches(config, self.preprocess, training, partial, everyday, names)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the sum of the heads' losses; heads to which a batch says nothing are left out."""
        inputs = {name: value.to(self.device) for name, value in batch.inputs.items()}
        logits = self.model(**inputs).flatten(0, 1)  # (B * T, L)
        mask = batch.label_mask.flatten(0, 1).to(self.device)
        smoothing = self.config.label_smoothing
        losses = [
            self.weights[name] * partial_label_loss(logits[:, head], mask[:, head], smoothing)
            for name, head in self.preprocess.config.slices.items()
            if mask[:, head].any()
        ]
        return torch.stack(losses).sum()

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return F1 of entities and, with everyday sentences, of mentions and claims."""
        function = as_function(model, self.device)
        predicted = predict_tags(function, self.preprocess, self.validation)
        counts = count_matches([s.tags for s in self.validation], predicted)
        scores = {"micro_f1": f1(counts), "anim_f1": f1(counts[:, TYPES.index("ANIM")])}
        if self.everyday:
            scores |= mention_scores(function, self.preprocess, self.everyday)
            scores["score"] = (scores["micro_f1"] + scores["claim_f1"]) / 2
        return scores

    def param_groups(self) -> list[dict[str, Any]]:
        """Return encoder and head."""
        head = head_parameters(self.model)
        inside = {id(parameter) for parameter in head}
        encoder = [p for p in self.model.parameters() if id(p) not in inside]
        return [
            {"params": encoder, "lr": self.config.learning_rate},
            {"params": head, "lr": self.config.head_learning_rate},
        ]
