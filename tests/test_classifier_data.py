"""Layouts, splits, partial labels and sampling."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import model_config
from PIL import Image

from classifier.augment import Degrade, mix, train_transform
from classifier.data import (
    Photo,
    PhotoDataset,
    allowed_classes,
    read_classes,
    read_photos,
    save_splits,
    train_loader,
)
from common.errors import InputError
from common.paths import ROOT
from matching.taxonomy import Taxonomy

AWA2 = read_classes(ROOT / "data/awa2_classes.txt")


def test_class_tree(photos):
    found = read_photos(photos)
    assert Counter(photo.label for photo in found) == {"cow": 25, "lion": 25, "raccoon": 25}
    assert Counter(photo.split for photo in found) == {"train": 60, "val": 6, "test": 9}


def test_awa2_as_published(photos, tmp_path):
    images = tmp_path / "JPEGImages"
    shutil.copytree(photos / "cow", images / "grizzly+bear")
    shutil.copytree(photos / "lion", images / "ox")
    assert {photo.label for photo in read_photos(tmp_path)} == {"grizzly_bear", "ox"}


def test_manifest_and_saved_splits_are_the_same(photos, tmp_path):
    expected = read_photos(photos, seed=3)
    root = tmp_path / "copy"
    shutil.copytree(photos, root)
    save_splits(expected, photos, root / "manifest.csv")
    found = read_photos(root, seed=99)  # splits come from the manifest, not from the seed
    assert [(p.path.relative_to(root), p.label, p.split) for p in found] == [
        (p.path.relative_to(photos), p.label, p.split) for p in expected
    ]


def test_saved_splits_name_photos_elsewhere_by_their_whole_path(photos, tmp_path):
    expected = read_photos(photos)
    save_splits(expected, tmp_path, tmp_path / "manifest.csv")
    assert [p.path for p in read_photos(tmp_path)] == [p.path for p in expected]


def test_splits_depend_on_the_seed_alone(photos):
    def splits(seed):
        return {p.path: p.split for p in read_photos(photos, seed)}

    assert splits(1) == splits(1) != splits(2)


def test_small_strata_are_not_all_training(tmp_path):
    for i in range(300):
        folder = tmp_path / f"class{i:03}"
        folder.mkdir()
        (folder / "a.jpg").touch()
    counts = Counter(photo.split for photo in read_photos(tmp_path))
    assert counts["val"] > 10 and counts["test"] > 18


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("path,kind\na.jpg,cow\n", "no column label; needs path,label"),
        ("path,label,split\na.jpg,cow,dev\n", "split 'dev'; expected one of train, val, test"),
        ("path,label\n", "no manifest.csv, JPEGImages/ or <class>/ folder with photos"),
    ],
)
def test_bad_manifest(manifest, message, tmp_path):
    (tmp_path / "manifest.csv").write_text(manifest)
    with pytest.raises(InputError, match=message):
        read_photos(tmp_path)


def test_class_lists(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("     1\tantelope\n     2\tgrizzly+bear\n")
    assert read_classes(path) == ["antelope", "grizzly_bear"]
    path.write_text("\n")
    with pytest.raises(InputError, match="empty; expected one class name a line"):
        read_classes(path)
    assert len(AWA2) == 50


def test_labels_allow_what_they_mean():
    labels = ("cow", "dog", "cat", "monkey", "penguin", "not_animal")
    allowed = allowed_classes(labels, AWA2, Taxonomy.load())
    names = {label: {AWA2[i] for i in np.flatnonzero(mask)} for label, mask in allowed.items()}
    assert names == {
        "cow": {"cow"},
        "dog": {"chihuahua", "collie", "dalmatian", "german_shepherd"},
        "cat": {"persian_cat", "siamese_cat"},
    }


def test_a_wider_vocabulary_leaves_room_for_animals_without_a_class():
    classes = ("chihuahua", "dog", "spider_monkey", "monkey", "chimpanzee", "gorilla")
    classes += ("antelope", "turtle", "deer", "moose", "other_animal", "not_animal")
    labels = ("dog", "chihuahua", "monkey", "ape", "deer", "wildebeest", "hawksbill", "penguin")
    labels += ("not_animal",)
    allowed = allowed_classes(labels, classes, Taxonomy.load())
    names = {label: {classes[i] for i in np.flatnonzero(row)} for label, row in allowed.items()}
    assert names == {
        "dog": {"dog"},  # of another breed
        "chihuahua": {"chihuahua"},
        "monkey": {"monkey"},  # a spider monkey would have been called so
        "ape": {"chimpanzee", "gorilla", "other_animal"},
        "deer": {"deer"},
        "wildebeest": {"antelope"},
        "hawksbill": {"turtle"},
        "penguin": {"other_animal"},
        "not_animal": {"not_animal"},
    }


def test_degraded_photos_keep_their_size():
    import torch

    torch.manual_seed(0)
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    assert Degrade(0.0)(image) is image
    changed = Degrade(1.0)(image)
    assert changed.size == image.size and changed.mode == "RGB"
    assert np.ptp(np.asarray(changed, int), axis=2).max() <= 12  # grey but for JPEG and noise
    assert np.asarray(changed).mean() < np.asarray(image).mean()  # darker


def test_mixed_batches_are_made_of_the_stated_shares():
    import torch

    torch.manual_seed(0)
    images = torch.arange(6.0)[:, None, None, None].expand(6, 3, 20, 20).clone()
    shares = set()
    for _ in range(20):
        mixed, partner, own = mix(images)
        values = torch.arange(6.0)
        expected = own * values + (1 - own) * values[partner]
        assert torch.allclose(mixed.mean((1, 2, 3)), expected, atol=1e-4)
        shares.add(round(own, 3))
    assert len(shares) > 15 and torch.equal(images[:, 0, 0, 0], torch.arange(6.0))


def dataset(photos, labels=("cow", "lion")):
    read = [p for p in read_photos(photos) if p.label in labels]
    allowed = {label: np.eye(len(labels), dtype=bool)[i] for i, label in enumerate(labels)}
    return PhotoDataset(read, allowed, train_transform(32, model_config(labels)))


def test_augmented_photos_have_their_size_and_label(photos):
    import torch

    data = dataset(photos)
    torch.manual_seed(0)
    for i in range(0, 50, 5):
        image, allowed = data[i]
        assert image.shape == (3, 32, 32) and image.dtype == torch.float32
        assert allowed.tolist() == [data.photos[i].label == "cow", data.photos[i].label == "lion"]


def test_a_damaged_photo_is_reported_once_and_replaced(photos, tmp_path, capsys):
    data = dataset(photos)
    bad = tmp_path / "bad.jpg"
    bad.write_text("")
    data.photos[3] = Photo(bad, "cow", "train")
    for _ in range(2):
        assert data[3][0].shape == (3, 32, 32)
    assert capsys.readouterr().err.count("skipped: ") == 1


def test_no_readable_photo_at_all(tmp_path):
    data = PhotoDataset([Photo(tmp_path / "none.jpg", "cow", "train")], {}, None)
    with pytest.raises(InputError, match="none of 1 photos can be read"):
        data[0]


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)])
def test_balance(balance, share):
    """Of 900 + 100 photos the rare class is drawn as often as ``n ** (1 - balance)`` says."""
    import torch

    photos = [Photo(Path(str(i)), "cow" if i < 900 else "lion", "train") for i in range(1000)]
    loader = train_loader(PhotoDataset(photos, {}, None), 10, balance, 0, 0)
    torch.manual_seed(0)
    drawn = [i for _ in range(5) for batch in loader.batch_sampler for i in batch]
    assert np.mean(np.array(drawn) >= 900) == pytest.approx(share, abs=0.02)


def test_balance_of_sources():
    """The rare source is drawn more often, the classes as often as without."""
    import torch

    photos = [Photo(Path(str(i)), "cow", "train", "web" if i < 450 else "zoo") for i in range(500)]
    photos += [Photo(Path(str(i)), "lion", "train", "web") for i in range(500)]
    loader = train_loader(PhotoDataset(photos, {}, None), 10, 0, 1.0, 0)
    torch.manual_seed(0)
    drawn = np.array([i for _ in range(5) for batch in loader.batch_sampler for i in batch])
    cows = drawn[drawn < 500]
    assert np.mean(cows >= 450) == pytest.approx(0.5, abs=0.03)
