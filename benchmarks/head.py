"""What each ingredient of the head brings: linear probes on the frozen backbone, one after another.

    python benchmarks/head.py --backbone resnet50.safetensors

Each row adds something to the row before it. Two tables in Markdown, of accuracy and macro accuracy
with the answer restricted to the classes of ``--answers``, 95 % bootstrap intervals over photos:
validation photos, means of three probes, each fitted without another tenth of the training photos,
with their spread (standard deviation); and training photos of sources that the probe never saw, a
fourth of the sources left out at a time, without photos of classes that only these sources have.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import print_table
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.numeric import bootstrap_interval
from common.paths import ROOT

if TYPE_CHECKING:
    import torch

FOLDS = 10  # of which three are left out in turn
SOURCE_FOLDS = 4


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
    """A figure of one or several probes: mean, interval over photos, spread over the probes.

    Args:
        figure: Of what is right and the targets, each ``(N,)``.
        answered: One row a probe, ``(S, N)``.
        targets: Class indices, ``(N,)``.
    """
    mean = answered.mean(0)
    low, high = bootstrap_interval(lambda drawn: figure(mean[drawn], targets[drawn]), len(targets))
    text = f"{figure(mean, targets):.3f} [{low:.3f}, {high:.3f}]"
    if len(answered) == 1:
        return text
    return f"{text} ± {np.std([figure(row, targets) for row in answered], ddof=1):.3f}"


def source_folds(sources: Sequence[str]) -> np.ndarray:
    """Fold of each photo, ``(N,)``: that of its source, so that all have as many photos."""
    sizes, folds = [0] * SOURCE_FOLDS, {}
    for source, count in Counter(sources).most_common():
        folds[source] = sizes.index(min(sizes))
        sizes[folds[source]] += count
    return np.array([folds[source] for source in sources])


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
    features, training = photo_features(
        model,
        config.preprocess,
        [photo for photo in photos if photo.split == "train"],
        device,
        "auto",
    )
    unseen, validation = photo_features(model, config.preprocess, validation, device, "auto")
    labels = [photo.label for photo in training]
    targets = np.array([answers.index(photo.label) for photo in validation])
    tenth = np.random.default_rng(0).permutation(len(labels)) % FOLDS
    fold = source_folds([photo.source for photo in training])
    own_targets = np.array([answers.index(name) if name in answers else -1 for name in labels])
    folds_of = {target: set(fold[own_targets == target]) for target in set(own_targets) - {-1}}
    elsewhere = np.array([len(folds_of.get(target, ())) > 1 for target in own_targets])

    def predict(
        classes: list[str],
        groups: bool,
        prior: bool,
        balance: float,
        used: np.ndarray,
        asked: "torch.Tensor",
    ) -> np.ndarray:
        """What a probe fitted to some of the training photos answers to features ``(M, D)``."""
        allowed = allowed_classes(set(labels), classes, taxonomy)
        used &= np.isin(labels, list(allowed) if groups else classes)
        start = head_prior(backbone, classes, taxonomy)
        start = start if prior else tuple(torch.zeros_like(part) for part in start)
        own = [label for label, use in zip(labels, used, strict=True) if use]
        weight, bias = fit_head(features[torch.from_numpy(used)], own, allowed, start, balance)
        logits = asked @ weight.T + bias
        return logits[:, [classes.index(name) for name in answers]].argmax(1).numpy()

    def on_validation(*ingredient: Any) -> np.ndarray:
        """What each of three probes gets right, ``(3, N)``."""
        return np.stack(
            [predict(*ingredient, tenth != left_out, unseen) == targets for left_out in range(3)]
        ).astype(float)

    def on_other_sources(*ingredient: Any) -> np.ndarray:
        """What is right of the training photos of known classes, ``(1, M)``."""
        answered = np.full(len(labels), -1)
        for left_out in range(SOURCE_FOLDS):
            asked = fold == left_out
            answered[asked] = predict(*ingredient, ~asked, features[torch.from_numpy(asked)])
        return (answered == own_targets)[None, elsewhere].astype(float)

    named = [name for name in wide if name not in UNNAMED]
    ingredients = {
        "photos of these classes alone": (answers, False, False, 0.0),
        "+ photos that name a group (dog, ape, whale)": (answers, True, False, 0.0),
        "+ ImageNet's rows of the same animals as prior": (answers, True, True, 0.0),
        "+ kinds balanced": (answers, True, True, 1.0),
        f"+ {len(set(named) - set(answers))} more classes": (named, True, True, 1.0),
        "+ other animal, no animal": (wide, True, True, 1.0),
    }
    for title, right, truth in (
        ("validation photos", on_validation, targets),
        ("training photos of sources left out", on_other_sources, own_targets[elsewhere]),
    ):
        print(f"\n{len(truth)} {title}\n", flush=True)
        rows = []
        for name, ingredient in ingredients.items():
            answered = right(*ingredient)
            cells = [cell(figure, answered, truth) for figure in (accuracy, macro_accuracy)]
            rows.append([name, *cells])
        print_table(["", "accuracy", "macro accuracy"], rows)
    return 0


if __name__ == "__main__":
    run(main)
