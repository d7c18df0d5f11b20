"""The image classifier: an encoder with a linear head. Needs torch; does no training.

A model folder holds ``config.json`` (all that inference needs to know), ``model.safetensors``
(fp16) and, after ``classifier/export.py``, ``model.onnx``.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from classifier.config import ModelConfig
from common.config import check_fingerprint, fingerprint
from common.encoders.image import IMAGENET_CATEGORIES, ImageEncoder, create_image_encoder
from common.encoders.weights import keep_names_of, put_weights, read_weights
from common.errors import InputError
from matching.taxonomy import NOT_ANIMAL

IMAGENET_ANIMALS = 398  # the first of ImageNet's categories
MAX_ASPECT = 1.15  # chosen on validation data
UNFREEZE = {"none": 0, "head": 1, "last-stage": 2, "last-two-stages": 3, "all": None}


class Classifier(nn.Module):
    """An encoder with a linear head over the classes: ``(B, 3, H, W)`` to logits ``(B, C)``.

    A few thousand photos of no animal are a worse teacher of it than ImageNet was, with its 602
    kinds of things: a model with that class may keep its encoder's head over ImageNet, frozen, see
    `logits`. The state dict has the encoder's own key names, ``fc.*`` and ``imagenet.*``.

    Args:
        config: Of the model.
        encoder: Pretrained; if None, the configured one with random weights.

    Raises:
        InputError: If there is no such encoder or it takes no squares of the configured size.
    """

    def __init__(self, config: ModelConfig, encoder: ImageEncoder | None = None):
        super().__init__()
        self.encoder = encoder or create_image_encoder(config.encoder, size=config.crop)
        if config.crop % self.encoder.multiple:
            raise InputError(f"crop {config.crop}: must be a multiple of {self.encoder.multiple}")
        self.fc = nn.Linear(self.encoder.width, len(config.classes))
        self.imagenet = None
        if config.imagenet:
            self.imagenet = nn.Linear(self.encoder.width, len(IMAGENET_CATEGORIES))
            self.imagenet.requires_grad_(False)
            if head := self.encoder.pretrained_head:
                self.imagenet.load_state_dict({"weight": head[0], "bias": head[1]})
            nothing = torch.tensor([name == NOT_ANIMAL for name in config.classes])
            self.register_buffer("nothing", nothing, persistent=False)
            self.margin = config.imagenet_margin
        keep_names_of(self, "encoder")

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the heads read: ``(B, 3, H, W)`` to pooled features ``(B, D)``."""
        return self.encoder(images)

    def logits(self, features: torch.Tensor, own: torch.Tensor | None = None) -> torch.Tensor:
        """What the heads make of pooled features.

        Where there is a head over ImageNet, "no animal" is what either head calls so: the odds of
        ImageNet's things against its animals, less the configured margin, become those of this
        class against all classes, besides its own.

        Args:
            features: ``(B, D)``.
            own: What the head over the classes makes of them, if that is known.

        Returns:
            ``(B, C)``.
        """
        own = self.fc(features) if own is None else own
        if self.imagenet is None:
            return own
        categories = self.imagenet(features)
        animals = categories[:, :IMAGENET_ANIMALS].logsumexp(1, keepdim=True)
        things = categories[:, IMAGENET_ANIMALS:].logsumexp(1, keepdim=True)
        seen = own.logsumexp(1, keepdim=True) + things - animals - self.margin
        either = own + nn.functional.softplus(seen - own)  # log(exp(own) + exp(seen))
        return torch.where(self.nothing, either, own)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``(B, 3, H, W)`` to logits ``(B, C)``."""
        return self.logits(self.features(images))

    def unfreeze(self, policy: str) -> list[list[nn.Parameter]]:
        """Leave gradients to the stages that a policy of `UNFREEZE` trains, and return them.

        They go from the head to the input, and hold each parameter once.
        """
        stages = [list(self.fc.parameters()), *self.encoder.stages()][: UNFREEZE[policy]]
        self.requires_grad_(False)
        for parameter in chain.from_iterable(stages):
            parameter.requires_grad = True
        return stages


class ClassifierWithMaps(nn.Module):
    """A classifier as it is exported: images to logits, class maps and features.

    The maps say where each class is seen. Their mean over the places is the logits exactly, because
    average pooling and the head are both linear (Zhou et al., "Learning Deep Features for
    Discriminative Localization", 2016), but for what ImageNet's head adds to no animal's.
    """

    outputs = ("logits", "maps", "features")

    def __init__(self, model: Classifier):
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits ``(B, C)``, class activation maps ``(B, C, h, w)`` and features ``(B, D)``."""
        encoder, head = self.model.encoder, self.model.fc
        places = encoder.feature_maps(images)
        maps = nn.functional.conv2d(places, head.weight[:, :, None, None], head.bias)
        features = encoder.pool(places)
        return self.model.logits(features, encoder.pool(maps)), maps, features


def config_for(classes: Sequence[str], encoder: ImageEncoder) -> ModelConfig:
    """Return the configuration of a model of these classes on a pretrained encoder.

    It sees the whole shorter side: animals reach the edges (chosen on validation data).
    """
    seen = replace(encoder.preprocess, resize=encoder.preprocess.crop, max_aspect=MAX_ASPECT)
    imagenet = NOT_ANIMAL in classes and encoder.pretrained_head is not None
    return ModelConfig(classes, encoder.name, imagenet=imagenet, **asdict(seen))


def load(folder: Path) -> tuple[Classifier, ModelConfig]:
    """Return a trained classifier and its configuration.

    Raises:
        InputError: If the folder holds no such model or one of another shape.
    """
    config = ModelConfig.load(folder)
    model, path = Classifier(config), Path(folder) / "model.safetensors"
    put_weights(model, read_weights(path), path)
    check_fingerprint(path, config.weights)
    return model.eval(), config


def save(model: Classifier, config: ModelConfig, folder: Path) -> None:
    """Write ``model.safetensors`` in half precision and ``config.json``, which names it."""
    folder.mkdir(parents=True, exist_ok=True)
    # Batch-norm variances span 1e-5 to 1e3, more than fp16 holds, and are small: kept in fp32.
    weights = {k: v.half() if v.dim() > 1 else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in weights.items()}, folder / "model.safetensors")
    replace(config, weights=fingerprint(folder / "model.safetensors")).save(folder)
