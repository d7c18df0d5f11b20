"""The image classifier: torchvision's ResNet50 with a new head. Needs torch; does no training.

A model folder holds ``config.json`` (all that inference needs to know), ``model.safetensors``
(fp16) and, after ``classifier/export.py``, ``model.onnx``.
"""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import ResNet, ResNet50_Weights
from torchvision.models.resnet import Bottleneck

from classifier.config import ModelConfig
from common.errors import InputError
from matching.taxonomy import NOT_ANIMAL

STAGES = ("fc", "layer4", "layer3", "layer2", "layer1", "bn1", "conv1")  # from the top
EPSILON = 1e-5  # what batch normalisation adds to the variance
IMAGENET_CATEGORIES, IMAGENET_ANIMALS = 1000, 398  # the animals come first
IMAGENET_MARGIN = 3.0  # nats that things must lead animals by (chosen on sources left out)
UNFREEZE = {"none": 0, "head": 1, "last-stage": 2, "last-two-stages": 3, "all": len(STAGES)}


class Classifier(ResNet):
    """A ResNet of the configured shape with random weights: ``(B, 3, H, W)`` to ``(B, C)``.

    Batch normalisation keeps the backbone's statistics in training too: a few thousand photos from
    a few dozen sources are a worse estimate of them than ImageNet was. So it is with photos of no
    animal, and a model with that class may keep the backbone's head over ImageNet, frozen, which
    was taught 602 kinds of things: see `logits`.
    """

    def __init__(self, config: ModelConfig):
        super().__init__(
            Bottleneck, list(config.layers), len(config.classes), width_per_group=config.width
        )
        self.imagenet = None
        if config.imagenet:
            self.imagenet = nn.Linear(self.fc.in_features, IMAGENET_CATEGORIES)
            nothing = torch.tensor([name == NOT_ANIMAL for name in config.classes])
            self.register_buffer("nothing", nothing, persistent=False)

    def train(self, mode: bool = True) -> "Classifier":
        """Set the mode of all layers but the batch normalisations."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def feature_maps(self, images: torch.Tensor) -> torch.Tensor:
        """What the last stage makes of images: ``(B, 3, H, W)`` to ``(B, 2048, H/32, W/32)``."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """What the head sees: ``(B, 3, H, W)`` to pooled features ``(B, 2048)``."""
        return self.avgpool(self.feature_maps(images)).flatten(1)

    def logits(self, features: torch.Tensor, own: torch.Tensor | None = None) -> torch.Tensor:
        """What the heads make of pooled features.

        Where there is a head over ImageNet, "no animal" is what either head calls so: the odds of
        ImageNet's things against its animals, less `IMAGENET_MARGIN`, become those of this class
        against all classes, besides its own.

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
        seen = own.logsumexp(1, keepdim=True) + things - animals - IMAGENET_MARGIN
        either = own + nn.functional.softplus(seen - own)  # log(exp(own) + exp(seen))
        return torch.where(self.nothing, either, own)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``(B, 3, H, W)`` to logits ``(B, C)``."""
        return self.logits(self.features(images))

    def unfreeze(self, policy: str) -> list[list[nn.Parameter]]:
        """Leave gradients to what a policy of `UNFREEZE` trains, and return it by stage."""
        trained = STAGES[: UNFREEZE[policy]]
        for name, parameter in self.named_parameters():
            parameter.requires_grad = name.split(".")[0] in trained
        return [list(self.get_submodule(stage).parameters()) for stage in trained]


class ClassifierWithMaps(nn.Module):
    """A classifier as it is exported: ``(B, 3, H, W)`` to logits ``(B, C)`` and class maps.

    The maps say where each class is seen. Their mean over the places is the logits exactly, because
    average pooling and the head are both linear (Zhou et al., "Learning Deep Features for
    Discriminative Localization", 2016), but for what ImageNet's head adds to no animal's.
    """

    def __init__(self, model: Classifier):
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits ``(B, C)`` and class activation maps ``(B, C, h, w)``."""
        features, head = self.model.feature_maps(images), self.model.fc
        maps = nn.functional.conv2d(features, head.weight[:, :, None, None], head.bias)
        return self.model.logits(features.mean((2, 3)), maps.mean((2, 3))), maps


def read_backbone(backbone: str) -> dict[str, torch.Tensor]:
    """Pretrained weights in fp32, with torchvision's key names.

    Args:
        backbone: ``imagenet`` (torchvision's ResNet50, downloaded once) or a safetensors file of a
            ResNet with bottleneck blocks; of a `Classifier`'s two heads ImageNet's is taken.

    Raises:
        InputError: If the file cannot be read or is no such ResNet.
    """
    if backbone == "imagenet":
        try:
            with redirect_stdout(sys.stderr):  # torch prints what it downloads
                weights = ResNet50_Weights.IMAGENET1K_V2.get_state_dict(check_hash=True)
        except OSError as error:  # URLError is one
            raise InputError(
                f"--backbone imagenet: download failed ({error}); or give a safetensors file"
            ) from error
    else:
        weights = _read(Path(backbone))
        if "layer4.0.conv3.weight" not in weights:
            raise InputError(f"--backbone {backbone}: not a ResNet with bottleneck blocks")
        for name in [name for name in weights if name.startswith("imagenet.")]:
            weights[name.replace("imagenet", "fc")] = weights.pop(name)
    return weights


def unit_variance(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same network with all running variances 1.

    What the batch normalisations divided by goes into the convolutions before them. A step of AdamW
    is as long as the learning rate, whatever the scale of the weights: in a backbone whose weights
    happen to be 20 times as large as usual, the convolutions would hardly move.

    Args:
        weights: Of a ResNet, with torchvision's key names.
    """
    weights = dict(weights)
    for key in [key for key in weights if key.endswith(".running_var")]:
        norm = key.removesuffix(".running_var")
        convolution = norm.replace("bn", "conv").replace("downsample.1", "downsample.0")
        scale = (weights[key] + EPSILON).rsqrt()
        weights[f"{convolution}.weight"] = (
            weights[f"{convolution}.weight"] * scale[:, None, None, None]
        )
        weights[f"{norm}.running_mean"] = weights[f"{norm}.running_mean"] * scale
        weights[key] = torch.full_like(scale, 1 - EPSILON)
    return weights


def knows_imagenet(weights: dict[str, torch.Tensor]) -> bool:
    """Whether a backbone comes with a head of 1,000 rows, which is taken for ImageNet-1k's."""
    return "fc.weight" in weights and len(weights["fc.weight"]) == IMAGENET_CATEGORIES


def config_for(classes: Sequence[str], weights: dict[str, torch.Tensor]) -> ModelConfig:
    """The configuration of a model of these classes on this backbone."""
    blocks = {tuple(key.split(".")[:2]) for key in weights if key.startswith("layer")}
    return ModelConfig(
        classes,
        layers=[sum(stage == f"layer{i}" for stage, _ in blocks) for i in (1, 2, 3, 4)],
        width=len(weights["layer1.0.conv1.weight"]),
        imagenet=NOT_ANIMAL in classes and knows_imagenet(weights),
    )


def load_backbone(model: Classifier, weights: dict[str, torch.Tensor]) -> None:
    """Put pretrained weights into all layers but the head over the model's classes.

    Raises:
        InputError: If they are of another shape.
    """
    own = {k: v for k, v in model.state_dict().items() if k.startswith("fc.")}
    given = unit_variance(weights)
    head = {k: given.pop(k) for k in ("fc.weight", "fc.bias") if k in given}
    if model.imagenet is not None:
        own |= {k.replace("fc", "imagenet"): v for k, v in head.items()}
    _put(model, given | own, "--backbone")


def load_weights(model: Classifier, path: Path) -> None:
    """Put the weights of a safetensors file into all layers.

    Raises:
        InputError: If it cannot be read or they are of another shape.
    """
    _put(model, _read(path), path)


def load(folder: Path) -> tuple[Classifier, ModelConfig]:
    """A trained classifier and its configuration.

    Raises:
        InputError: If the folder holds no such model or one of another shape.
    """
    config = ModelConfig.load(folder)
    model = Classifier(config)
    load_weights(model, Path(folder) / "model.safetensors")
    return model.eval(), config


def save(model: Classifier, config: ModelConfig, folder: Path) -> None:
    """Write ``config.json`` and ``model.safetensors`` in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    config.save(folder)
    # Batch-norm variances span 1e-5 to 1e3, more than fp16 holds, and are small: kept in fp32.
    weights = {k: v.half() if v.dim() > 1 else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in weights.items()}, folder / "model.safetensors")


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = load_file(path)
    except Exception as error:  # safetensors has its own error class besides OSError
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: no readable safetensors file ({reason})") from error
    return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}


def _put(model: nn.Module, weights: dict[str, torch.Tensor], source: object) -> None:
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{source}: weights of another shape than the model ({reason})") from error
