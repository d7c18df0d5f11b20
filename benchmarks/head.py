"""What each ingredient of the head brings: linear probes on the frozen backbone, one after another.

    python benchmarks/head.py --backbone resnet50.safetensors

Each row adds something to the row before it. All are judged on the validation photos of the classes
that are answered with, those of ``--answers``. Every probe is fitted three times, each time without
another tenth of the training photos. Prints a Markdown table: accuracy and macro accuracy, means
over the three with 95 % bootstrap intervals over photos, and their spread (standard deviation).
"""

import sys
from collections.abc import Callable
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import print_table
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.numeric import bootstrap_interval
from common.paths import ROOT

FOLDS = 10  # of which three are left out in turn


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--backbone", default="imagenet", help="as for train.py")
    parser.add_argument("--classes", type=Path, default=ROOT / "data/classes.txt", metavar="FILE")
    parser.add_argument(
        "--answers", type=Path, default=ROOT / "data/awa2_classes.txt", metavar="FILE"
    )
    parser.add_device()
    return parser


def accuracy(right: np.ndarray, targets: np.ndarray) -> float:
    """Share of photos that is right."""
    return float(right.mean())


def cell(
    figure: Callable[[np.ndarray, np.ndarray], float], answered: np.ndarray, targets: np.ndarray
) -> str:
    """A figure of several probes: mean, interval over photos, spread over the probes.

    Args:
        figure: Of what is right and the targets, each ``(N,)``.
        answered: One row a probe, ``(S, N)``.
        targets: Class indices, ``(N,)``.
    """
    mean = answered.mean(0)
    low, high = bootstrap_interval(lambda drawn: figure(mean[drawn], targets[drawn]), len(targets))
    spread = np.std([figure(row, targets) for row in answered], ddof=1)
    return f"{figure(mean, targets):.3f} [{low:.3f}, {high:.3f}] ± {spread:.3f}"


def main() -> int:
    """Fit the probes and print the table."""
    args = get_args_parser().parse_args()
    import torch

    from classifier.config import UNNAMED, ModelConfig
    from classifier.data import allowed_classes, read_classes, read_photos
    from classifier.evaluate import restrict
    from classifier.metrics import macro_accuracy
    from classifier.model import Classifier, backbone_shape, put_backbone, read_backbone
    from classifier.probe import fit_head, head_prior, photo_features
    from classifier.train import ClassifierConfig
    from common.training import pick_device
    from matching.taxonomy import Taxonomy

    device, taxonomy = pick_device(args.device), Taxonomy.load()
    answers, wide = read_classes(args.answers), read_classes(args.classes)
    backbone, photos = read_backbone(args.backbone), read_photos(args.data)
    config = ModelConfig(wide, **backbone_shape(backbone))
    model = Classifier(config)
    put_backbone(model, backbone)
    model.to(device, memory_format=torch.channels_last)
    validation = restrict(photos, "val", answers)
    if not validation:
        raise InputError(f"{args.data}: no validation photos of {args.answers}")
    training = [photo for photo in photos if photo.split == "train"]
    features, labels = photo_features(model, config, training, device, "auto")
    unseen, names = photo_features(model, config, validation, device, "auto")
    targets = np.array([answers.index(name) for name in names])
    fold = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)) % FOLDS)

    def right(classes: list[str], groups: bool, prior: bool, balance: float) -> np.ndarray:
        """What each of three probes gets right, ``(3, N)``."""
        allowed = allowed_classes(set(labels), classes, taxonomy)
        usable = torch.tensor([label in (allowed if groups else classes) for label in labels])
        start = head_prior(backbone, classes, taxonomy)
        start = start if prior else tuple(torch.zeros_like(part) for part in start)
        columns = [classes.index(name) for name in answers]
        rows = []
        for left_out in range(3):
            used = (usable & (fold != left_out)).nonzero()[:, 0]
            own = [labels[i] for i in used.tolist()]
            weight, bias = fit_head(features[used], own, allowed, start, balance)
            logits = (unseen @ weight.T + bias)[:, columns]
            rows.append(logits.argmax(1).numpy() == targets)
        return np.stack(rows).astype(float)

    balance = ClassifierConfig().balance
    named = [name for name in wide if name not in UNNAMED]
    ingredients = {
        "photos of these classes alone": (answers, False, False, 0.0),
        "+ photos that name a group (dog, ape, whale)": (answers, True, False, 0.0),
        "+ ImageNet's rows of the same animals as prior": (answers, True, True, 0.0),
        "+ classes balanced": (answers, True, True, balance),
        f"+ {len(set(named) - set(answers))} more classes": (named, True, True, balance),
        "+ other animal, no animal": (wide, True, True, balance),
    }
    print(f"{len(targets)} validation photos\n", flush=True)
    rows = []
    for name, ingredient in ingredients.items():
        answered = right(*ingredient)
        rows.append(
            [name, *(cell(figure, answered, targets) for figure in (accuracy, macro_accuracy))]
        )
    print_table(["", "accuracy", "macro accuracy"], rows)
    return 0


if __name__ == "__main__":
    run(main)
