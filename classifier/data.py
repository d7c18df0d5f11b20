"""Labelled photos: the three layouts, splits, partial labels and loaders."""

import csv
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, Dataset, WeightedRandomSampler

from classifier.config import ModelConfig
from common.errors import InputError
from common.images.load import list_images, load_image
from common.training.distributed import ShardedBatchSampler
from matching.taxonomy import NOT_ANIMAL, OTHER_ANIMAL, Taxonomy

if TYPE_CHECKING:
    from classifier.data import Photo

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Photo:
    """A file with its label; ``source`` is the collection that it came from."""

    path: Path
    label: str
    split: str
    source: str = ""


def read_photos(root: Path, seed: int = 0) -> list[Photo]:
    """Read labelled photos in any of three layouts.

    1. a folder with ``manifest.csv`` (columns ``path,label``, optionally ``source,split``);
    2. AwA2 as published, ``JPEGImages/<class>/*.jpg`` with names such as ``grizzly+bear``;
    3. any ``<class>/*.jpg`` tree.

    Without splits in the manifest, each class is split 80/8/12 with ``seed``.

    Raises:
        InputError: If ``root`` has none of these.
    """
    root = Path(root)
    manifest = root / "manifest.csv"
    if manifest.exists():
        photos = _read_manifest(manifest)
    else:
        images = root / "JPEGImages" if (root / "JPEGImages").is_dir() else root
        photos = [
            Photo(path, _label(path.parent.name), "")
            for path in list_images(images)
            if path.parent != images
        ]
    if not photos:
        raise InputError(f"{root}: no manifest.csv, JPEGImages/ or <class>/ folder with photos")
    return photos if all(photo.split for photo in photos) else _split(photos, seed)


def _label(name: str) -> str:
    return name.strip().lower().replace("+", "_").replace(" ", "_")


def _read_manifest(path: Path) -> list[Photo]:
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"path", "label"} - set(reader.fieldnames or ())
        if missing:
            raise InputError(f"{path}: no column {' or '.join(sorted(missing))}; needs path,label")
        rows = list(reader)
    for row in rows:
        if row.get("split") not in (None, "", *SPLITS):
            raise InputError(f"{path}: split {row['split']!r}; expected one of {', '.join(SPLITS)}")
    return [
        Photo(
            path.parent / row["path"],
            _label(row["label"]),
            row.get("split") or "",
            row.get("source") or "",
        )
        for row in rows
    ]


def _split(photos: Sequence[Photo], seed: int) -> list[Photo]:
    """Stratified by class and source: of each 25 photos 2 go to val and 3 to test."""
    strata = defaultdict(list)
    for photo in sorted(photos, key=lambda p: str(p.path)):
        strata[photo.label, photo.source].append(photo)
    chance, result = random.Random(seed), []
    for stratum in strata.values():
        chance.shuffle(stratum)
        offset = chance.random()  # so that small strata are not all rounded the same way
        for i, photo in enumerate(stratum):
            place = (i + 25 * offset) % 25
            split = "val" if place < 2 else "test" if place < 5 else "train"
            result.append(replace(photo, split=split))
    return result


def save_splits(photos: Sequence[Photo], root: Path, path: Path) -> None:
    """Write which photo was in which split, as a manifest relative to ``root``.

    Photos elsewhere keep their paths.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "source", "split"])
        for photo in photos:
            inside = photo.path.is_relative_to(root)
            name = (photo.path.relative_to(root) if inside else photo.path).as_posix()
            writer.writerow([name, photo.label, photo.source, photo.split])


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


def train_loader(
    dataset: PhotoDataset, batch_size: int, balance: float, source_balance: float, workers: int
) -> DataLoader:
    """Batches in which rare classes and rare sources are drawn more often.

    Args:
        dataset: The training photos.
        batch_size: Photos in a batch.
        balance: 0 draws photos evenly, 1 draws classes evenly; a class of n photos is drawn in
            proportion to ``n ** (1 - balance)``.
        source_balance: The same for the sources within a class.
        workers: Processes that read and augment.
    """
    labels = Counter(photo.label for photo in dataset.photos)
    sources = Counter((photo.label, photo.source) for photo in dataset.photos)
    weights = [
        labels[photo.label] ** -balance
        * (sources[photo.label, photo.source] / labels[photo.label]) ** -source_balance
        for photo in dataset.photos
    ]
    sampler = WeightedRandomSampler(weights, len(weights))
    batches = BatchSampler(sampler, batch_size, drop_last=len(weights) >= batch_size)
    return DataLoader(dataset, batch_sampler=ShardedBatchSampler(batches), num_workers=workers)


def select(photos: "Sequence[Photo]", split: str, classes: Sequence[str]) -> "list[Photo]":
    """The photos of one split whose label is a class."""
    return [photo for photo in photos if photo.split == split and photo.label in classes]


def ood_groups(
    photos: "Sequence[Photo]", split: str, config: ModelConfig
) -> "dict[str, list[Photo]]":
    """The photos of one split that show nothing the model has a name for, by what they are.

    Photos of a kind below a class (a wildebeest is an antelope) or of a group with classes ("ape")
    are neither known nor unknown for sure, and left out.
    """
    from classifier.data import allowed_classes
    from matching.taxonomy import Taxonomy

    photos = [photo for photo in photos if photo.split == split]
    classes = [*config.animals, OTHER_ANIMAL]
    allowed = allowed_classes({photo.label for photo in photos}, classes, Taxonomy.load())
    other = {label for label, row in allowed.items() if row[-1] and row.sum() == 1}
    groups = {
        NOT_ANIMAL: [photo for photo in photos if photo.label == NOT_ANIMAL],
        OTHER_ANIMAL: [photo for photo in photos if photo.label in other],
    }
    return {name: members for name, members in groups.items() if members}
