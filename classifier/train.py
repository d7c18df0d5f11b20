"""Train the image classifier and write a model folder.

    python classifier/train.py --data AwA2                     # ResNet50 with ImageNet weights
    python classifier/train.py --data photos --weights resnet50.safetensors
    python classifier/train.py --data photos --encoder vit_small_patch14_dinov2
    python classifier/train.py --resume                        # go on after a stop

``--data`` is AwA2 as published, a ``<class>/*.jpg`` tree or a folder with ``manifest.csv``
(``path,label`` and optionally ``source,split``). First a linear probe fits the head to frozen
features of the photos, as they are and augmented, or ``--start`` names the weights of a run with
the same classes; then ``--unfreeze`` says what is trained on, if anything; then the head is fitted
anew to the features as they are now, and the best mixture of the weights before and after is kept.
The model folder (``--output``) gets weights, configuration, the splits, log and curve;
``checkpoint.pt`` in it is for ``--resume`` and may be deleted, as may ``best.safetensors`` and
``probe.safetensors``, what was blended. ``classifier/export.py`` makes it ready for inference.

Photos with labels that are no classes teach too: "ape" says that it is one of the apes among the
classes. The labels ``other_animal`` and ``not_animal`` are for photos of anything else; with them
among the classes the model knows better what it does not know, and with ``not_animal`` the
encoder's head over ImageNet, if it has one, stays and has a say in that class.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.config import TrainConfig, add_options, from_args, option, save_json
from common.errors import InputError
from common.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from PIL import Image
    from torch import nn

    from classifier.model import Classifier


BLEND = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the fine-tuned weights that are tried


@dataclass(frozen=True)
class ClassifierConfig(TrainConfig):
    """Hyper-parameters of the image classifier."""

    encoder: str = option("resnet50.tv2_in1k", "image encoder, by timm's name")
    weights: str = option("imagenet", "its pretrained weights: imagenet or a safetensors file")
    crop: int = option(224, "pixels of the square that the model sees")
    classes: Path | None = option(None, "file with one class a line; other photos are left out")
    unfreeze: Literal["none", "head", "last-stage", "last-two-stages", "all"] = option(
        "last-two-stages", "layers that are trained on after the linear probe"
    )
    size: int = option(160, "pixels of the augmented square; less than what the model sees later")
    balance: float = option(0.25, "0 draws photos evenly, 1 draws classes evenly")
    source_balance: float = option(0.25, "the same for the sources of photos within a class")
    trivial: float = option(0.25, "share of photos with an operation of TrivialAugment")
    degrade: float = option(0.04, "probability of each of blur, noise, night, grey, JPEG, low size")
    erase: float = option(0.1, "share of photos from which a box is erased")
    mix: float = option(0.1, "share of batches in which photos are mixed (mixup, CutMix)")
    views: int = option(1, "augmented views of each photo that a head is fitted to besides it")
    batch_size: int = option(64, "photos a step")
    epochs: int = option(10, "passes over the training photos")
    learning_rate: float = option(1e-4, "peak learning rate of the last stage")
    layer_decay: float = option(0.7, "learning rate of a stage as a share of the one above it")
    head_learning_rate: float = option(1e-4, "peak learning rate of the head")
    weight_decay: float = option(0.05, "decoupled weight decay (AdamW)")
    label_smoothing: float = option(0.05, "share of the target spread over all classes")
    average: float = option(0.995, "decay of the moving average of the weights; 0: no average")

    def __post_init__(self):
        super().__post_init__()
        shares = ("balance", "source_balance", "trivial", "degrade", "erase", "mix", "layer_decay")
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be in [0, 1], not {getattr(self, name)}")
        if self.views < 0:
            raise InputError(f"views must be at least 0, not {self.views}")


def get_args_parser() -> ArgumentParser:
    """The command line: paths here, hyper-parameters from `ClassifierConfig`."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_run(ROOT / "runs/classifier")
    parser.add_device()
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="weights to start from instead of a linear probe"
    )
    add_options(parser, ClassifierConfig)
    return parser


def main() -> int:
    """Train."""
    args = get_args_parser().parse_args()
    config = from_args(ClassifierConfig, args)

    import torch
    from safetensors.torch import load_file, save_file

    from classifier.augment import mix, train_transform
    from classifier.data import (
        PhotoDataset,
        allowed_classes,
        read_classes,
        read_photos,
        save_splits,
        select,
        train_loader,
    )
    from classifier.model import Classifier, config_for, save
    from classifier.predict import photo_logits
    from classifier.probe import fit_head, head_prior, photo_features
    from common.encoders.image import create_image_encoder
    from common.encoders.weights import put_weights, read_weights
    from common.evaluation.metrics import macro_accuracy
    from common.training.distributed import is_main_process
    from common.training.forward import torch_model
    from common.training.loop import fit, pick_device
    from common.training.losses import partial_label_loss
    from matching.taxonomy import OTHER_ANIMAL, Taxonomy

    device = pick_device(args.device)
    photos = read_photos(args.data, config.seed)
    listed = read_classes(config.classes) if config.classes else sorted({p.label for p in photos})
    trained_on = {photo.label for photo in photos if photo.split == "train"}
    encoder = create_image_encoder(config.encoder, config.weights, config.crop)
    classes = [name for name in listed if name in {*trained_on, OTHER_ANIMAL}]
    model_config = config_for(classes, encoder)
    if len(classes) < 2:
        raise InputError(f"{args.data}: training photos of {classes}; needs 2 classes")
    taxonomy = Taxonomy.load()
    allowed = allowed_classes({p.label for p in photos}, classes, taxonomy)
    training = [p for p in photos if p.split == "train" and p.label in allowed]
    validation = select(photos, "val", classes)
    if not validation:
        raise InputError(f"{args.data}: no photos in split val; needs some of the trained classes")
    if is_main_process():
        print(
            f"{len(training)} training photos, {len(validation)} for validation,"
            f" {len(classes)} classes",
            file=sys.stderr,
        )

    torch.manual_seed(config.seed)
    model = Classifier(model_config, encoder)
    model.to(device, memory_format=torch.channels_last)
    if is_main_process():
        args.output.mkdir(parents=True, exist_ok=True)
        save_json(config, args.output / "train_config.json")
        save_splits(photos, args.data, args.output / "splits.csv")

    def score(model: torch.nn.Module) -> dict[str, float]:
        infer = torch_model(model, device, config.precision)
        logits, targets, _ = photo_logits(infer, model_config, validation)
        right = logits.argmax(axis=1) == targets
        return {"macro_accuracy": macro_accuracy(right, targets), "accuracy": right.mean()}

    def augmented(size: int) -> "Callable[[Image.Image], torch.Tensor]":
        return train_transform(size, model_config, config.trivial, config.degrade, config.erase)

    def probe(model: Classifier) -> None:
        torch.manual_seed(config.seed)
        varied = augmented(model_config.crop)
        views = [(model_config.preprocess, None)]
        views += [(lambda image: varied(image).numpy(), 1)] * config.views
        seen = [
            photo_features(model, view, training, device, config.precision, threads)
            for view, threads in views
        ]
        features = torch.cat([part for part, _ in seen]).to(device)
        labels = [photo.label for _, read in seen for photo in read]
        prior = head_prior(encoder, classes, taxonomy)
        model.fc.weight.data, model.fc.bias.data = fit_head(features, labels, allowed, prior)

    start = args.output / "probe.safetensors"
    if args.start:
        put_weights(model, read_weights(args.start), args.start)
    elif is_main_process() and not args.resume:  # the others get its weights
        probe(model)
    if is_main_process() and not args.resume:
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, start)

    def loss(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        images, allowed = (part.to(device) for part in batch)
        partner, own = None, 1.0
        if torch.rand(()) < config.mix:
            images, partner, own = mix(images)
        logits = model(images.contiguous(memory_format=torch.channels_last))
        value = partial_label_loss(logits, allowed, config.label_smoothing)
        if partner is None:
            return value
        other = partial_label_loss(logits, allowed[partner], config.label_smoothing)
        return own * value + (1 - own) * other

    dataset = PhotoDataset(training, allowed, augmented(encoder.fitting_size(config.size)))
    loader = train_loader(
        dataset, config.batch_size, config.balance, config.source_balance, config.workers
    )
    if groups := parameter_groups(model, config):
        fit(model, groups, loader, loss, score, config, args.output, device, args.resume)
    if is_main_process():
        if groups or args.start:
            # Training saw smaller squares than the model sees later, which changes the features; a
            # head that is fitted to these knows that (FixRes, Touvron et al., NeurIPS 2019).
            probe(model)
            blend(model, load_file(start, device=str(device)), score)
        save(model, model_config, args.output)
        print(f"model folder: {args.output}", file=sys.stderr)
    return 0


def parameter_groups(model: "Classifier", config: ClassifierConfig) -> "list[dict[str, Any]]":
    """What is trained, by stage from the top, each with its peak learning rate."""
    stages = model.unfreeze(config.unfreeze)
    rates = [config.head_learning_rate]
    rates += [config.learning_rate * config.layer_decay**depth for depth in range(len(stages) - 1)]
    return [{"params": part, "lr": rate} for part, rate in zip(stages, rates, strict=False)]


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
