"""Labelled photos: the layouts, splits, partial labels and loaders."""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, Dataset, WeightedRandomSampler

from classifier.config import ModelConfig
from classifier.training_config import ClassifierTrainingConfig
from common.errors import InputError
from common.images.load import list_images, load_image
from common.tables import find_column, open_rows
from common.training.distributed import ShardedBatchSampler
from common.training.run_folder import RunFolder
from common.training.splits import SPLITS, Example, draw_splits, equal_files
from matching.taxonomy import NOT_ANIMAL, OTHER_ANIMAL, Taxonomy


@dataclass(frozen=True)
class Photo:
    """A file with its label; ``source`` is its collection, a ``group`` shares one split."""

    path: Path
    label: str
    split: str
    source: str = ""
    group: str = ""


def read_photos(root: Path, model: Path | None = None, seed: int = 0) -> list[Photo]:
    """Read labelled photos in any of these layouts.

    1. a folder with ``manifest.csv`` (columns ``path,label``, optionally ``source,group,split``);
    2. AwA2 as published, ``JPEGImages/<class>/*.jpg`` with names such as ``grizzly+bear``;
    3. trees ``train/<class>/*.jpg``, ``val/<class>/*.jpg`` and ``test/<class>/*.jpg``;
    4. any ``<class>/*.jpg`` tree.

    Args:
        root: The folder.
        model: The folder of a model that was trained on photos: its ``splits.csv`` says which were
            in which split, and photos that it does not list are left out, with a line on stderr.
            A collection that it does not list at all has its own splits, as in layout 3, and so
            has that of a model without ``splits.csv``.
        seed: Without a model, photos that have no split are drawn into one (80/8/12 of 100).

    Raises:
        InputError: If ``root`` has none of these layouts, or splits that nobody knows.
    """
    root = Path(root)
    photos = _read_layout(root)
    if model is None:
        if all(photo.split for photo in photos):
            return photos
        contents = equal_files([photo.path for photo in photos])
        splits = draw_splits(as_examples(photos, root), contents, seed)
        return [replace(p, split=split) for p, split in zip(photos, splits, strict=True)]
    saved = RunFolder(model).splits()
    keys = [example.key for example in as_examples(photos, root)]
    known = [replace(p, split=saved[k]) for p, k in zip(photos, keys, strict=True) if k in saved]
    if not known and all(photo.split for photo in photos):
        return photos
    unlisted = [key for key in keys if key not in saved]
    if not known:
        raise InputError(
            f"{root}: whether {model} was trained on {unlisted[0]} is unknown; name splits in"
            " manifest.csv, or put what it has not seen into test/<class>/"
        )
    if unlisted:
        left_out = f"{len(unlisted)} photos that {model}/splits.csv does not list"
        print(f"left out: {left_out}, e.g. {unlisted[0]}", file=sys.stderr)
    return known


def _read_layout(root: Path) -> list[Photo]:
    """Read photos; the split is empty where the layout has none."""
    if (root / "manifest.csv").exists():
        photos = _read_manifest(root / "manifest.csv")
    else:
        images = root / "JPEGImages" if (root / "JPEGImages").is_dir() else root
        inside = [(path, path.relative_to(images).parts) for path in list_images(images)]
        nested = [parts for _, parts in inside if len(parts) > 1]
        split = all(parts[0] in SPLITS and len(parts) > 2 for parts in nested)
        photos = [
            Photo(path, _label(parts[split]), parts[0] if split else "")
            for path, parts in inside
            if len(parts) > 1 + split
        ]
    if not photos:
        raise InputError(f"{root}: no manifest.csv, JPEGImages/ or <class>/ folder with photos")
    return photos


def _label(name: str) -> str:
    return name.strip().lower().replace("+", "_").replace(" ", "_")


def _read_manifest(path: Path) -> list[Photo]:
    names, rows = open_rows(path)
    for name in ("path", "label"):
        find_column(path, names, (name,))
    photos = []
    for number, row in enumerate(rows, 1):
        if not (row["path"] and row["label"]):
            raise InputError(f"{path}: row {number} lacks its path or label")
        further = [row.get(name) or "" for name in ("split", "source", "group")]
        if further[0] not in ("", *SPLITS):
            raise InputError(f"{path}: split {row['split']!r}; expected one of {', '.join(SPLITS)}")
        photos.append(Photo(path.parent / row["path"], _label(row["label"]), *further))
    return photos


def as_examples(photos: Sequence[Photo], root: Path) -> list[Example]:
    """Return what splits depend on; a photo's key is its path relative to ``root``, if inside."""
    paths = [p.path.relative_to(root) if p.path.is_relative_to(root) else p.path for p in photos]
    return [
        Example(path.as_posix(), p.label, p.source, p.group, p.split)
        for path, p in zip(paths, photos, strict=True)
    ]


def choose(
    photos: Sequence[Photo], listed: Path | None, taxonomy: Taxonomy
) -> tuple[list[str], dict[str, np.ndarray], list[Photo], list[Photo]]:
    """Choose what a classifier is trained on; listed classes without training photos are named.

    Args:
        photos: All photos, with splits.
        listed: A file of classes; all labels are classes without it.
        taxonomy: Says what labels mean that are no classes.

    Returns:
        The classes, what labels allow (see `allowed_classes`), and photos to train and validate on.

    Raises:
        InputError: If there are fewer than two classes, or no photos to validate on.
    """
    names = read_classes(listed) if listed else sorted({photo.label for photo in photos})
    trained_on = {photo.label for photo in photos if photo.split == "train"} | {OTHER_ANIMAL}
    classes = [name for name in names if name in trained_on]
    if empty := [name for name in names if name not in trained_on]:
        print(f"classes without training photos, left out: {', '.join(empty)}", file=sys.stderr)
    if len(classes) < 2:
        raise InputError(f"--data: training photos of {classes}; needs 2 classes")
    allowed = allowed_classes({photo.label for photo in photos}, classes, taxonomy)
    training = [p for p in photos if p.split == "train" and p.label in allowed]
    validation = select(photos, "val", classes)
    if not validation:
        raise InputError("--data: no photos in split val; needs some of the trained classes")
    return classes, allowed, training, validation


def read_classes(path: Path) -> list[str]:
    """Read a class list, one name a line; AwA2's numbered ``classes.txt`` is one too.

    Raises:
        InputError: If the file cannot be read or is empty.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected one class name a line") from error
    classes = sorted({_label(line.split("\t")[-1]) for line in lines if line.strip()})
    if not classes:
        raise InputError(f"{path}: empty; expected one class name a line")
    return classes


def allowed_classes(
    labels: Collection[str], classes: Sequence[str], taxonomy: Taxonomy
) -> dict[str, np.ndarray]:
    """The classes that each label leaves possible, ``(C,)`` bool.

    A class allows itself alone, so next to breeds the class ``dog`` means any other dog: left to
    the sum, the breeds would share all dogs among them. The name of a group, such as ``ape``,
    allows all its classes, and any other label the nearest class above it: a wildebeest is an
    antelope. Where `OTHER_ANIMAL` is a class, it is allowed to groups, whose members need not all
    be classes, and it is what remains to labels without any.
    Labels that allow nothing are not in the result, nor groups of a single class: they would say
    that every monkey is the one monkey the classifier knows.
    """
    animals = [name for name in classes if name not in (OTHER_ANIMAL, NOT_ANIMAL)]
    taxonomy = taxonomy.with_classes(animals)
    result = {}
    for label in labels:
        concept = taxonomy.concept_of(label)
        below = taxonomy.classes_at_or_below(concept, animals)
        if label in classes:
            inside = {label}
        elif label == NOT_ANIMAL:
            continue
        elif below:
            inside = below | {OTHER_ANIMAL}
            if len(inside.intersection(classes)) == 1:
                continue
        else:
            inside = taxonomy.nearest_above(concept, animals) or {OTHER_ANIMAL}
        row = np.array([name in inside for name in classes])
        if row.any():
            result[label] = row
    return result


class PhotoDataset(Dataset):
    """Augmented photos with the classes that their labels allow.

    An unreadable photo is replaced by the next one, and each process that reads reports it once.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        allowed: dict[str, np.ndarray],
        transform: Callable[[Image.Image], torch.Tensor],
    ):
        self.photos, self.allowed, self.transform = photos, allowed, transform
        self.broken: set[int] = set()

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        for i in range(index, index + len(self.photos)):
            i %= len(self.photos)
            if i in self.broken:
                continue
            photo = self.photos[i]
            try:
                image = load_image(photo.path)
            except InputError as error:
                self.broken.add(i)
                print(f"skipped: {error}", file=sys.stderr)
                continue
            return self.transform(image), torch.from_numpy(self.allowed[photo.label])
        raise InputError(f"none of {len(self.photos)} photos can be read, e.g. {photo.path}")


def sampling_weights(photos: Sequence[Photo], balance: float, source_balance: float) -> list[float]:
    """Return how often each photo is drawn, relative to the others.

    Args:
        photos: The training photos.
        balance: 0 draws photos evenly, 1 draws classes evenly; a class of n photos is drawn in
            proportion to ``n ** (1 - balance)``.
        source_balance: The same for the sources within a class.
    """
    labels = Counter(photo.label for photo in photos)
    sources = Counter((photo.label, photo.source) for photo in photos)
    return [
        labels[p.label] ** -balance
        * (sources[p.label, p.source] / labels[p.label]) ** -source_balance
        for p in photos
    ]


def train_loader(dataset: PhotoDataset, config: ClassifierTrainingConfig) -> DataLoader:
    """Return the batches of an epoch, drawn by `sampling_weights`."""
    weights = sampling_weights(dataset.photos, config.balance, config.source_balance)
    sampler = WeightedRandomSampler(weights, len(weights))
    batches = BatchSampler(sampler, config.batch_size, drop_last=len(weights) >= config.batch_size)
    sharded = ShardedBatchSampler(batches)
    return DataLoader(dataset, batch_sampler=sharded, num_workers=config.workers)


def select(photos: Sequence[Photo], split: str, classes: Sequence[str]) -> list[Photo]:
    """The photos of one split whose label is a class."""
    return [photo for photo in photos if photo.split == split and photo.label in classes]


def ood_groups(photos: Sequence[Photo], split: str, config: ModelConfig) -> dict[str, list[Photo]]:
    """The photos of one split that show nothing the model has a name for, by what they are.

    Photos of a kind below a class (a wildebeest is an antelope) or of a group with classes ("ape")
    are neither known nor unknown for sure, and left out.
    """
    photos = [photo for photo in photos if photo.split == split]
    classes = [*config.animals, OTHER_ANIMAL]
    allowed = allowed_classes({photo.label for photo in photos}, classes, Taxonomy.load())
    other = {label for label, row in allowed.items() if row[-1] and row.sum() == 1}
    groups = {
        NOT_ANIMAL: [photo for photo in photos if photo.label == NOT_ANIMAL],
        OTHER_ANIMAL: [photo for photo in photos if photo.label in other],
    }
    return {name: members for name, members in groups.items() if members}
