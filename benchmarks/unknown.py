"""Which score tells photos of no known animal best: logits or features.

    python benchmarks/unknown.py
    python benchmarks/unknown.py --split val

Besides the detectors that a model folder can name, two scores in feature space, from training
photos of the known animals: the distance to the k-th nearest of them (Sun et al., ICML 2022) and
the Mahalanobis distance to the nearest class (Lee et al., NeurIPS 2018). Prints a Markdown table
with AUROC, its 95 % bootstrap interval (sources of photos resampled), and FPR95, the share of
unknown photos that are called known where 95 % of the known ones are.
"""

import random
import sys
from collections import defaultdict
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL

PER_CLASS = 40  # training photos that stand for a class
NEIGHBOURS = 10


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_device()
    return parser


def nearest_neighbours(features: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Minus the distance to the k-th nearest training photo, on the unit sphere.

    Args:
        features: ``(N, D)``.
        training: ``(M, D)``.

    Returns:
        ``(N,)``.
    """
    unit, others = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (features, training))
    cosine = np.sort(unit @ others.T, axis=1)[:, -NEIGHBOURS]
    return -np.sqrt(np.maximum(2 - 2 * cosine, 0))


def mahalanobis(features: np.ndarray, training: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Minus the squared Mahalanobis distance to the nearest class mean, one covariance for all.

    Args:
        features: ``(N, D)``.
        training: ``(M, D)``.
        labels: Class of each training photo, ``(M,)``.

    Returns:
        ``(N,)``.
    """
    names, index = np.unique(labels, return_inverse=True)
    means = np.stack([training[labels == name].mean(axis=0) for name in names])
    centred = training - means[index]
    covariance = centred.T @ centred / len(training)
    shrunk = 0.9 * covariance + 0.1 * np.trace(covariance) / len(covariance) * np.eye(
        len(covariance)
    )
    whitened = np.linalg.inv(np.linalg.cholesky(shrunk))
    points, centres = features @ whitened.T, means @ whitened.T
    squares = (points**2).sum(1)[:, None] + (centres**2).sum(1)[None] - 2 * points @ centres.T
    return -squares.min(axis=1)


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    from classifier.data import ood_groups, read_photos, select
    from classifier.detectors import detectors_for, in_distribution_score
    from classifier.model import load
    from classifier.predict import sources_of
    from classifier.probe import photo_features
    from common.evaluation.metrics import separation
    from common.evaluation.tables import cell
    from common.training.loop import pick_device

    device = pick_device(args.device)
    model, config = load(args.model)
    model.to(device)
    photos = read_photos(args.data, args.model)
    by_class = defaultdict(list)
    for photo in select(photos, "train", config.animals):
        by_class[photo.label].append(photo)
    chance = random.Random(0)
    chosen = [
        p for group in by_class.values() for p in chance.sample(group, min(PER_CLASS, len(group)))
    ]
    known = select(photos, args.split, config.animals)
    if not chosen or not known:
        raise InputError(f"{args.data}: no photos of the model's classes")
    training, chosen = photo_features(model, config.preprocess, chosen, device)
    labels = np.array([photo.label for photo in chosen])
    groups = {"known": known, **ood_groups(photos, args.split, config)}
    features, sources = {}, {}
    for name, members in groups.items():
        features[name], read = photo_features(model, config.preprocess, members, device)
        sources[name] = sources_of(read)
    model.cpu()
    scores: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for name, values in features.items():
        logits = model.logits(values).detach().numpy()
        for detector in detectors_for(config):
            scores[detector][name] = in_distribution_score(logits, config, detector)
        points = values.numpy()
        scores["nearest neighbours"][name] = nearest_neighbours(points, training.numpy())
        scores["Mahalanobis"][name] = mahalanobis(points, training.numpy(), labels)
    kinds = [name for name in groups if name != "known"]
    print(f"{len(known)} known, {', '.join(f'{len(groups[k])} {k}' for k in kinds)} photos\n")
    print(f"| score | {' | '.join(f'{k}: AUROC | FPR95' for k in kinds)} |")
    print("|---" * (1 + 2 * len(kinds)) + "|")
    for name, values in scores.items():
        rows = [
            separation(values["known"], values[kind], [*sources["known"], *sources[kind]])
            for kind in kinds
        ]
        cells = [f"{cell(row['auroc'])} | {row['fpr95']:.3f}" for row in rows]
        print(f"| {name} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    run(main)
