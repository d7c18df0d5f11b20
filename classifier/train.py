"""Train the image classifier and write a model folder.

    python classifier/train.py --data AwA2                     # torchvision's ImageNet weights
    python classifier/train.py --data photos --backbone resnet50.safetensors
    python classifier/train.py --resume                        # go on after a stop

``--data`` is AwA2 as published, a ``<class>/*.jpg`` tree or a folder with ``manifest.csv``
(``path,label`` and optionally ``source,split``). First a linear probe fits the head on frozen
features, then ``--unfreeze`` says what is trained on; the best mixture of both weights is kept.
Temperature and thresholds are chosen on the validation split. The model folder (``--output``) gets
weights, configuration, the splits, log and curve; ``checkpoint.pt`` in it is for ``--resume`` and
may be deleted, as may ``best.safetensors`` and ``probe.safetensors``, what was blended.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.config import TrainConfig, add_options, from_args, option, save_json
from common.errors import InputError
from common.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import nn


BLEND = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the fine-tuned weights that are tried


@dataclass(frozen=True)
class ClassifierConfig(TrainConfig):
    """Hyper-parameters of the image classifier."""

    backbone: str = option("imagenet", "pretrained weights: imagenet or a safetensors file")
    classes: Path | None = option(None, "file with one class a line; other photos are left out")
    unfreeze: Literal["head", "last-stage", "all"] = option("last-stage", "layers that are trained")
    size: int = option(192, "pixels of the augmented square; less than what the model sees later")
    balance: float = option(0.25, "0 draws photos evenly, 1 draws classes evenly")
    batch_size: int = option(64, "photos a step")
    epochs: int = option(2, "passes over the training photos")
    learning_rate: float = option(2e-5, "peak learning rate of the pretrained layers")
    head_learning_rate: float = option(1e-4, "peak learning rate of the head")
    weight_decay: float = option(0.05, "decoupled weight decay (AdamW)")
    label_smoothing: float = option(0.0, "share of the target spread over all classes")
    average: float = option(0.99, "decay of the moving average of the weights; 0: no average")

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.balance <= 1:
            raise InputError(f"balance must be in [0, 1], not {self.balance}")


def get_args_parser() -> ArgumentParser:
    """The command line: paths here, hyper-parameters from `ClassifierConfig`."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_run(ROOT / "runs/classifier")
    parser.add_device()
    add_options(parser, ClassifierConfig)
    return parser


def main() -> int:
    """Train."""
    args = get_args_parser().parse_args()
    config = from_args(ClassifierConfig, args)

    import torch
    from safetensors.torch import load_file, save_file

    from classifier.calibration import calibrated
    from classifier.config import ModelConfig
    from classifier.data import (
        PhotoDataset,
        allowed_classes,
        read_classes,
        read_photos,
        save_splits,
        train_loader,
        train_transform,
    )
    from classifier.evaluate import photo_logits, restrict, torch_model
    from classifier.model import Classifier, backbone_shape, put_backbone, read_backbone, save
    from classifier.probe import fit_probe, head_prior, photo_features
    from common.losses import partial_label_loss
    from common.training import autocast, fit, pick_device
    from matching.taxonomy import Taxonomy

    device = pick_device(args.device)
    photos = read_photos(args.data, config.seed)
    listed = read_classes(config.classes) if config.classes else sorted({p.label for p in photos})
    trained_on = {photo.label for photo in photos if photo.split == "train"}
    backbone = read_backbone(config.backbone)
    classes = [name for name in listed if name in trained_on]
    model_config = ModelConfig(classes, **backbone_shape(backbone))
    if len(classes) < 2:
        raise InputError(f"{args.data}: training photos of {classes}; needs 2 classes")
    taxonomy = Taxonomy.load()
    allowed = allowed_classes({p.label for p in photos}, classes, taxonomy)
    training = [p for p in photos if p.split == "train" and p.label in allowed]
    validation = restrict(photos, "val", classes)
    if not validation:
        raise InputError(f"{args.data}: no photos in split val; needs some of the trained classes")
    print(
        f"{len(training)} training photos, {len(validation)} for validation,"
        f" {len(classes)} classes",
        file=sys.stderr,
    )

    torch.manual_seed(config.seed)
    model = Classifier(model_config)
    put_backbone(model, backbone)
    model.to(device, memory_format=torch.channels_last)
    args.output.mkdir(parents=True, exist_ok=True)
    save_json(config, args.output / "train_config.json")
    probe = args.output / "probe.safetensors"
    save_splits(photos, args.data, args.output / "splits.csv")

    def score(model: torch.nn.Module) -> dict[str, float]:
        logits, targets = photo_logits(torch_model(model, device), model_config, validation)
        right = logits.argmax(axis=1) == targets
        per_class = [right[targets == c].mean() for c in set(targets)]
        return {"macro_accuracy": sum(per_class) / len(per_class), "accuracy": right.mean()}

    if not args.resume:
        with autocast(device, config.precision):
            features, labels = photo_features(model, model_config, training, device)
        counts = {label: labels.count(label) for label in set(labels)}
        weight, bias = fit_probe(
            features,
            torch.stack([torch.from_numpy(allowed[label]) for label in labels]),
            head_prior(backbone, classes, taxonomy),
            torch.tensor([counts[label] ** -config.balance for label in labels]),
        )
        model.fc.weight.data, model.fc.bias.data = weight.to(device), bias.to(device)
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, probe)
    model.freeze_all_but(config.unfreeze)
    head = list(model.fc.parameters())
    body = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith("fc.")]
    groups = [{"params": head, "lr": config.head_learning_rate}]
    groups += [{"params": body, "lr": config.learning_rate}] if body else []

    def loss(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        images, allowed = batch
        images = images.to(device, memory_format=torch.channels_last)
        return partial_label_loss(model(images), allowed.to(device), config.label_smoothing)

    dataset = PhotoDataset(training, allowed, train_transform(config.size, model_config))
    loader = train_loader(dataset, config.batch_size, config.balance, config.workers)
    fit(model, groups, loader, loss, score, config, args.output, device, args.resume)
    blend(model, load_file(probe, device=str(device)), score)
    logits, targets = photo_logits(torch_model(model, device), model_config, validation)
    save(model, calibrated(model_config, logits, targets), args.output)
    print(f"model folder: {args.output}", file=sys.stderr)
    return 0


def blend(
    model: "nn.Module",
    start: "dict[str, torch.Tensor]",
    score: "Callable[[nn.Module], dict[str, float]]",
) -> None:
    """Leave the best mixture of two weights in the model, by the mean of its validation scores.

    Between a probe on frozen features and the fine-tuned network lie models that keep more of what
    the features knew about other sources of photos (WiSE-FT, Wortsman et al., CVPR 2022).

    Args:
        model: Fine-tuned.
        start: The weights before fine-tuning.
        score: ``model -> {name: value}`` on validation data.
    """
    tuned = {name: value.clone() for name, value in model.state_dict().items()}
    mixtures = {}
    for share in BLEND:
        mixture = {
            name: start[name].lerp(value, share) if value.is_floating_point() else value
            for name, value in tuned.items()
        }
        model.load_state_dict(mixture)
        scores = score(model)
        mixtures[sum(scores.values()) / len(scores)] = mixture
        line = "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print(f"blend {share:.2f}  {line}", file=sys.stderr)
    model.load_state_dict(mixtures[max(mixtures)])


if __name__ == "__main__":
    run(main)
