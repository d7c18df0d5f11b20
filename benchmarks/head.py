"""What each ingredient of the head brings: linear probes on the frozen backbone, one after another.

    python benchmarks/head.py --weights resnet50.safetensors

Each row adds something to the row before it. Two tables in Markdown, of accuracy and macro accuracy
with the answer restricted to the classes of ``--answers``, 95 % bootstrap intervals that resample
the sources of the photos:
validation photos, means of three probes, each fitted without another tenth of the training photos,
with their spread (standard deviation); and training photos of sources that the probe never saw, a
fourth of the sources left out at a time, without photos of classes that only these sources have.
A third table has the last row's probe with and without ImageNet's head beside it: which photos
without a known animal, of sources left out, it calls known where it does 97 % of the known. It
needs a backbone with that head and a class for photos without animals.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import SOURCE_FOLDS, print_table, source_folds
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.evaluation.bootstrap import bootstrap
from common.paths import ROOT

if TYPE_CHECKING:
    import torch

    from classifier.config import ModelConfig

FOLDS = 10  # of which three are left out in turn


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--encoder", default="resnet50.tv2_in1k", help="as for train.py")
    parser.add_argument("--weights", default="imagenet", help="as for train.py")
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
    figure: Callable[[np.ndarray, np.ndarray], float],
    answered: np.ndarray,
    targets: np.ndarray,
    sources: Sequence[str],
) -> str:
    """A figure of one or several probes: mean, interval, spread over the probes.

    Args:
        figure: Of what is right and the targets, each ``(N,)``.
        answered: One row a probe, ``(S, N)``.
        targets: Class indices, ``(N,)``.
        sources: Of the photos, which the interval resamples.
    """
    mean = answered.mean(0)
    estimate = bootstrap(lambda drawn: figure(mean[drawn], targets[drawn]), len(targets), sources)
    if len(answered) == 1:
        return str(estimate)
    return f"{estimate} ± {np.std([figure(row, targets) for row in answered], ddof=1):.3f}"


def print_known(
    heads: "Mapping[str, torch.Tensor]",
    known: np.ndarray,
    unknown: Mapping[str, np.ndarray],
    sources: np.ndarray,
    config: "ModelConfig",
) -> None:
    """Print which photos heads call known where they call 97 % of known animals so.

    Args:
        heads: Logits of all photos by name, ``(N, C)``.
        known: Indices of the photos of known animals, ``(M,)``.
        unknown: Which photos are of a kind that is not known, ``(N,)`` bool.
        sources: Of all photos, ``(N,)``.
        config: Names the classes.
    """
    from classifier.calibration import KNOWN_SHARE
    from classifier.detectors import in_distribution_score

    counts = ", ".join(f"{chosen.sum()} {kind}" for kind, chosen in unknown.items())
    print(f"\n{len(known)} training photos of known animals, {counts}, of sources left out\n")
    rows = []
    for name, logits in heads.items():
        scores = in_distribution_score(logits.numpy(), config, "odds")
        threshold = np.quantile(scores[known], 1 - KNOWN_SHARE)
        called = scores >= threshold
        cells = [
            cell(accuracy, called[None, chosen].astype(float), called[chosen], sources[chosen])
            for chosen in unknown.values()
        ]
        rows.append([name, *cells])
    print_table(["", *(f"{kind} called known" for kind in unknown)], rows)


def main() -> int:
    """Fit the probes and print the table."""
    args = get_args_parser().parse_args()
    import torch

    from classifier.data import allowed_classes, ood_groups, read_classes, read_photos, select
    from classifier.model import Classifier, config_for
    from classifier.predict import sources_of
    from classifier.probe import fit_head, head_prior, photo_features
    from common.encoders.image import create_image_encoder
    from common.evaluation.metrics import macro_accuracy
    from common.training.loop import pick_device
    from matching.taxonomy import UNNAMED, Taxonomy

    device, taxonomy = pick_device(args.device), Taxonomy.load()
    answers, wide = read_classes(args.answers), read_classes(args.classes)
    photos = read_photos(args.data)
    encoder = create_image_encoder(args.encoder, args.weights, 224)
    config = config_for(wide, encoder)
    model = Classifier(config, encoder)
    model.to(device, memory_format=torch.channels_last)
    validation = select(photos, "val", answers)
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
    sources = np.array(sources_of(training))
    fold = source_folds(sources)
    folds_of = {name: set(fold[[label == name for label in labels]]) for name in set(labels)}

    def predict(
        classes: list[str],
        groups: bool,
        prior: bool,
        balance: float,
        used: np.ndarray,
        asked: "torch.Tensor",
    ) -> "torch.Tensor":
        """Logits ``(M, C)`` of a probe fitted to some of the training photos, for features."""
        allowed = allowed_classes(set(labels), classes, taxonomy)
        used &= np.isin(labels, list(allowed) if groups else classes)
        start = head_prior(encoder, classes, taxonomy)
        start = start if prior else tuple(torch.zeros_like(part) for part in start)
        own = [label for label, use in zip(labels, used, strict=True) if use]
        weight, bias = fit_head(features[torch.from_numpy(used)], own, allowed, start, balance)
        return asked @ weight.T + bias

    def predict_elsewhere(*ingredient: Any) -> "torch.Tensor":
        """Logits of all training photos, by probes that never saw their sources, ``(N, C)``."""
        logits = torch.empty(len(labels), len(ingredient[0]))
        for left_out in range(SOURCE_FOLDS):
            asked = torch.from_numpy(fold == left_out)
            logits[asked] = predict(*ingredient, fold != left_out, features[asked])
        return logits

    def right(logits: "torch.Tensor", classes: list[str], truth: np.ndarray) -> np.ndarray:
        """Which photos are named right with the answer restricted to ``answers``, ``(N,)``."""
        restricted = logits[:, [classes.index(name) for name in answers]]
        return (restricted.argmax(1).numpy() == truth).astype(float)

    def seen_elsewhere(classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Training photos of classes that other sources show too, and their class indices."""
        chosen = [i for i, name in enumerate(labels) if name in classes and len(folds_of[name]) > 1]
        return np.array(chosen), np.array([classes.index(labels[i]) for i in chosen])

    def on_validation(*ingredient: Any) -> np.ndarray:
        """What each of three probes gets right, ``(3, N)``."""
        probes = [predict(*ingredient, tenth != left_out, unseen) for left_out in range(3)]
        return np.stack([right(logits, ingredient[0], targets) for logits in probes])

    elsewhere, own_targets = seen_elsewhere(answers)

    def on_other_sources(*ingredient: Any) -> np.ndarray:
        """What is right of the training photos of known classes, ``(1, M)``."""
        return right(predict_elsewhere(*ingredient)[elsewhere], ingredient[0], own_targets)[None]

    named = [name for name in wide if name not in UNNAMED]
    ingredients = {
        "photos of these classes alone": (answers, False, False, 0.0),
        "+ photos that name a group (dog, ape, whale)": (answers, True, False, 0.0),
        "+ ImageNet's rows of the same animals as prior": (answers, True, True, 0.0),
        "+ kinds balanced": (answers, True, True, 1.0),
        f"+ {len(set(named) - set(answers))} more classes": (named, True, True, 1.0),
        "+ other animal, no animal": (wide, True, True, 1.0),
    }
    own_sources = sources_of(validation)
    for title, measure, truth, groups in (
        ("validation photos", on_validation, targets, own_sources),
        ("training photos of sources left out", on_other_sources, own_targets, sources[elsewhere]),
    ):
        print(f"\n{len(truth)} {title}\n", flush=True)
        rows = []
        for name, ingredient in ingredients.items():
            answered = measure(*ingredient)
            figures = accuracy, macro_accuracy
            cells = [cell(figure, answered, truth, groups) for figure in figures]
            rows.append([name, *cells])
        print_table(["", "accuracy", "macro accuracy"], rows)

    if not config.imagenet:
        return 0
    *_, last = ingredients.values()
    probe = predict_elsewhere(*last)
    with torch.inference_mode():
        heads = {"this head": probe, "and ImageNet's": model.cpu().logits(features, probe)}
    unknown = {
        kind: np.isin(labels, [photo.label for photo in members])
        for kind, members in ood_groups(training, "train", config).items()
    }
    print_known(heads, seen_elsewhere(named)[0], unknown, sources, config)
    return 0


if __name__ == "__main__":
    run(main)
