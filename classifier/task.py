"""Training of the image classifier: its loss, its scores, its head and what is fine-tuned."""

from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import DataLoader

from classifier.augment import mix, train_transform
from classifier.data import Photo, PhotoDataset, choose, train_loader
from classifier.model import Classifier, config_for
from classifier.predict import photo_logits
from classifier.probe import fit_head, head_prior, photo_features
from classifier.training_config import ClassifierTrainingConfig
from common.config import save_json
from common.encoders.image import create_image_encoder
from common.encoders.weights import put_weights, read_weights
from common.evaluation.metrics import macro_accuracy
from common.training.distributed import is_main_process
from common.training.forward import torch_model
from common.training.interpolate import interpolate
from common.training.loop import fit
from common.training.losses import partial_label_loss
from common.training.run_folder import CHECKPOINT, RunFolder
from common.training.task import Task
from matching.taxonomy import Taxonomy


class ClassificationTask(Task):
    """A classifier on labelled photos with splits, at first with the weights of its encoder.

    Raises:
        InputError: If photos or weights do not do.
    """

    monitor = "macro_accuracy"

    def __init__(
        self, config: ClassifierTrainingConfig, photos: Sequence[Photo], device: torch.device
    ):
        super().__init__()
        self.config, self.device, taxonomy = config, device, Taxonomy.load()
        chosen = choose(photos, config.classes, taxonomy)
        classes, self.allowed, self.training_photos, self.validation = chosen
        encoder = create_image_encoder(config.encoder, config.weights, config.crop)
        self.model_config = config_for(classes, encoder)
        self.size = encoder.fitting_size(config.size)
        torch.manual_seed(config.seed)
        self.model = Classifier(self.model_config, encoder)
        if config.start:
            put_weights(self.model, read_weights(config.start), config.start)
        self.model.to(device, memory_format=torch.channels_last)
        self.prior = head_prior(encoder, classes, taxonomy)

    @property
    def summary(self) -> str:
        """How much there is to train on."""
        return (
            f"{len(self.training_photos)} training photos, {len(self.validation)} for validation,"
            f" {len(self.model_config.classes)} classes"
        )

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the loss on images ``(B, 3, H, W)`` with the classes allowed ``(B, C)``."""
        images, allowed = (part.to(self.device) for part in batch)
        smoothing, partner = self.config.label_smoothing, None
        if torch.rand(()) < self.config.mixup_share:
            images, partner, own = mix(images)
        logits = self.model(images.contiguous(memory_format=torch.channels_last))
        loss = partial_label_loss(logits, allowed, smoothing)
        if partner is None:
            return loss
        return own * loss + (1 - own) * partial_label_loss(logits, allowed[partner], smoothing)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return macro accuracy and accuracy on the validation photos."""
        infer = torch_model(model, self.device, self.config.precision)
        logits, targets, _ = photo_logits(infer, self.model_config, self.validation)
        right = logits.argmax(axis=1) == targets
        return {"macro_accuracy": macro_accuracy(right, targets), "accuracy": right.mean()}

    def param_groups(self) -> list[dict[str, Any]]:
        """Return what is trained, by stage from the head down, each stage slower than the last."""
        stages = self.model.unfreeze(self.config.unfreeze)
        rates = [self.config.learning_rate * self.config.layer_decay**i for i in range(len(stages))]
        rates = [self.config.head_learning_rate, *rates][: len(stages)]
        return [{"params": part, "lr": rate} for part, rate in zip(stages, rates, strict=True)]

    def transform(self, size: int) -> Any:
        """Return the augmentation to squares of ``size`` pixels."""
        return train_transform(size, self.model_config, self.config)

    def loader(self) -> DataLoader:
        """Return the batches of an epoch."""
        dataset = PhotoDataset(self.training_photos, self.allowed, self.transform(self.size))
        return train_loader(dataset, self.config)

    def fit_head(self) -> None:
        """Fit the head to frozen features of the photos, as they are and augmented."""
        torch.manual_seed(self.config.seed)
        varied, precision = self.transform(self.model_config.crop), self.config.precision
        copies = [(self.model_config.preprocess, None)]
        copies += [(lambda image: varied(image).numpy(), 1)] * self.config.augmented_copies
        seen = [
            photo_features(self.model, f, self.training_photos, self.device, precision, threads)
            for f, threads in copies
        ]
        features = torch.cat([part for part, _ in seen]).to(self.device)
        labels = [photo.label for _, read in seen for photo in read]
        head = fit_head(features, labels, self.allowed, self.prior)
        self.model.fc.weight.data, self.model.fc.bias.data = head


def train(task: ClassificationTask, folder: RunFolder) -> None:
    """Fit the head, fine-tune, fit the head anew, and keep the best mixture of before and after."""
    config, start = task.config, folder.path / "probe.safetensors"
    if is_main_process():  # the others get its weights
        if (folder.path / CHECKPOINT).exists():
            put_weights(task.model, read_weights(start), start)
        elif not config.start:
            task.fit_head()
        save_file({k: v.contiguous() for k, v in task.model.state_dict().items()}, start)
    if config.unfreeze != "none":
        fit(task, task.loader(), config, folder, task.device)
    if is_main_process() and (config.unfreeze != "none" or config.start):
        # Training saw smaller squares than the model sees later, which changes the features; a
        # head that is fitted to these knows that (FixRes, Touvron et al., NeurIPS 2019).
        task.fit_head()
        before = load_file(start, device=str(task.device))
        chosen = interpolate(task.model, before, task.evaluate)
        save_json(chosen, folder.path / "interpolation.json")
