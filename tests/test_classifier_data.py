"""Layouts, splits, partial labels and sampling."""

import shutil
from collections import Counter
from dataclasses import replace
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
    as_examples,
    choose,
    read_classes,
    read_photos,
    sampling_weights,
    train_loader,
)
from classifier.training_config import ClassifierTrainingConfig
from common.errors import InputError
from common.paths import ROOT
from common.training.splits import write_splits
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


def test_trees_of_splits(photos, tmp_path):
    for split, names in {"train": ("cow", "lion"), "val": ("cow",), "test": ("lion",)}.items():
        for name in names:
            shutil.copytree(photos / name, tmp_path / split / name)
    found = Counter((photo.split, photo.label) for photo in read_photos(tmp_path, seed=5))
    expected = [("train", "cow"), ("train", "lion"), ("val", "cow"), ("test", "lion")]
    assert found == dict.fromkeys(expected, 25)


def test_a_class_is_the_folder_below_the_root(photos, tmp_path):
    for site in ("a", "b"):
        shutil.copytree(photos / "cow", tmp_path / f"cow/{site}")
        shutil.copytree(photos / "lion", tmp_path / f"lion/{site}")
    assert {photo.label for photo in read_photos(tmp_path)} == {"cow", "lion"}


def test_a_manifest_as_excel_writes_it(tmp_path):
    (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbfpath,label,split\r\na.jpg,Cow,val\r\n")
    assert read_photos(tmp_path) == [Photo(tmp_path / "a.jpg", "cow", "val")]


def test_saved_splits_are_a_manifest(photos, tmp_path):
    expected = read_photos(photos, seed=3)
    root = tmp_path / "copy"
    shutil.copytree(photos, root)
    write_splits(as_examples(expected, photos), root / "manifest.csv")
    found = read_photos(root, seed=99)  # splits come from the manifest, not from the seed
    assert [(p.path.relative_to(root), p.label, p.split) for p in found] == [
        (p.path.relative_to(photos), p.label, p.split) for p in expected
    ]


def test_photos_elsewhere_are_named_by_their_whole_path(photos, tmp_path):
    expected = read_photos(photos)
    write_splits(as_examples(expected, tmp_path), tmp_path / "manifest.csv")
    assert [p.path for p in read_photos(tmp_path)] == [p.path for p in expected]


def test_the_splits_of_a_model_are_those_it_saved(photos, tmp_path, capsys):
    expected = read_photos(photos, seed=3)
    write_splits(as_examples(expected, photos)[5:], tmp_path / "splits.csv")
    assert read_photos(photos, tmp_path) == expected[5:]
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"left out: 5 photos that {tmp_path}/splits.csv does not list, e.g. cow/00.jpg"


def test_photos_with_splits_that_nobody_knows_are_refused(photos, tmp_path):
    message = f"{photos}: whether {tmp_path} was trained on cow/00.jpg is unknown; name splits in"
    with pytest.raises(InputError, match=message):
        read_photos(photos, tmp_path)


def test_another_collection_has_its_own_splits(photos, tmp_path):
    given = read_photos(photos, seed=1)
    write_splits(as_examples(given, photos), tmp_path / "splits.csv")
    shutil.copytree(photos / "cow", tmp_path / "new/test/cow")
    shutil.copytree(photos / "lion", tmp_path / "new/train/lion")
    found = read_photos(tmp_path / "new", tmp_path)
    assert Counter((p.label, p.split) for p in found) == {
        ("cow", "test"): 25,
        ("lion", "train"): 25,
    }


def write_manifest(folder, rows):
    lines = ["path,label,source,group,split", *(",".join(row) for row in rows)]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")


def test_a_row_without_split_leaves_the_others_as_they_are(tmp_path):
    given = [("train", "val", "test", "test")[i % 4] for i in range(40)]
    given[9] = ""
    write_manifest(tmp_path, [(f"{i:02}.jpg", "cow", "web", "", s) for i, s in enumerate(given)])
    found = [photo.split for photo in read_photos(tmp_path)]
    assert found[9] in ("train", "val", "test")
    assert [s for i, s in enumerate(found) if i != 9] == [s for i, s in enumerate(given) if i != 9]


def test_groups_and_equal_photos_share_a_split(tmp_path):
    rows = [
        (f"{i:02}.jpg", "cow", "web", f"burst{i // 4}" if i < 40 else "", "") for i in range(60)
    ]
    for i, row in enumerate(rows):
        (tmp_path / row[0]).write_bytes(b"%02d" % (i % 50))  # the last ten equal the first ten
    write_manifest(tmp_path, rows)
    for seed in range(5):
        splits = [photo.split for photo in read_photos(tmp_path, seed=seed)]
        assert all(len(set(splits[i : i + 4])) == 1 for i in range(0, 40, 4))
        assert splits[:10] == splits[50:]


def test_splits_depend_on_the_seed_alone(photos):
    def splits(seed):
        return {p.path: p.split for p in read_photos(photos, seed=seed)}

    assert splits(1) == splits(1) != splits(2)


def test_small_strata_are_not_all_training(tmp_path, capsys):
    for i in range(300):
        folder = tmp_path / f"class{i:03}"
        folder.mkdir()
        (folder / "a.jpg").write_text(str(i))
    counts = Counter(photo.split for photo in read_photos(tmp_path))
    assert counts["val"] > 10 and counts["test"] > 18
    assert "too few examples for all splits: 300 labels" in capsys.readouterr().err


def test_listed_classes_without_training_photos_are_named(tmp_path, capsys):
    photos = [Photo(Path(str(i)), ("cow", "lion")[i % 2], "train") for i in range(4)]
    photos += [Photo(Path("v"), "cow", "val"), Photo(Path("w"), "wolf", "val")]
    (tmp_path / "classes.txt").write_text("cow\nlion\nother_animal\nunicorn\nwolf\n")
    classes, _, training, validation = choose(photos, tmp_path / "classes.txt", Taxonomy.load())
    assert classes == ["cow", "lion", "other_animal"]
    assert (len(training), [p.label for p in validation]) == (4, ["cow"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "classes without training photos, left out: unicorn, wolf"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("path,kind\na.jpg,cow\n", "no column label; found path,kind"),
        ("path,label\na.jpg\n", "row 1 lacks its path or label"),
        ("path,label\na.jpg,cow\nb.jpg,\n", "row 2 lacks its path or label"),
        ("path,label\n,cow\n", "row 1 lacks its path or label"),
        ("path,label\na.jpg,cow,x\n", "broken row near line 2 .3 fields, 2 columns"),
        ("path,label,label\na.jpg,cow,ox\n", "the column 'label' is there twice"),
        ("path,label\nKüken.jpg,hen\n", "not UTF-8 text in line 1"),
        ("path,label,split\na.jpg,cow,dev\n", "split 'dev'; expected one of train, val, test"),
        ("path,label\n", "no manifest.csv, JPEGImages/ or <class>/ folder with photos"),
    ],
)
def test_bad_manifest(manifest, message, tmp_path):
    (tmp_path / "manifest.csv").write_text(manifest, encoding="latin-1")
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


TRAINING = ClassifierTrainingConfig(batch_size=10, balance=0, source_balance=0, workers=0)


def dataset(photos, labels=("cow", "lion")):
    read = [p for p in read_photos(photos) if p.label in labels]
    allowed = {label: np.eye(len(labels), dtype=bool)[i] for i, label in enumerate(labels)}
    return PhotoDataset(read, allowed, train_transform(32, model_config(labels), TRAINING))


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


# Two sources of cows (3 + 1 photos) and one lion; each weight by hand.
@pytest.mark.parametrize(
    ("balance", "source_balance", "expected"),
    [
        (0.0, 0.0, (1, 1, 1, 1, 1)),
        (1.0, 0.0, (1 / 4, 1 / 4, 1 / 4, 1 / 4, 1)),
        (0.5, 0.0, (1 / 2, 1 / 2, 1 / 2, 1 / 2, 1)),
        (0.0, 1.0, (4 / 3, 4 / 3, 4 / 3, 4, 1)),
        (1.0, 1.0, (1 / 3, 1 / 3, 1 / 3, 1, 1)),
    ],
)
def test_weights_of_photos(balance, source_balance, expected):
    photos = [Photo(Path("a"), "cow", "train", "web")] * 3
    photos += [Photo(Path("b"), "cow", "train", "zoo"), Photo(Path("c"), "lion", "train", "web")]
    assert sampling_weights(photos, balance, source_balance) == pytest.approx(expected)


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)])
def test_balance(balance, share):
    """Of 900 + 100 photos the rare class is drawn as often as ``n ** (1 - balance)`` says."""
    import torch

    photos = [Photo(Path(str(i)), "cow" if i < 900 else "lion", "train") for i in range(1000)]
    loader = train_loader(PhotoDataset(photos, {}, None), replace(TRAINING, balance=balance))
    torch.manual_seed(0)
    drawn = [i for _ in range(5) for batch in loader.batch_sampler for i in batch]
    assert np.mean(np.array(drawn) >= 900) == pytest.approx(share, abs=0.02)


def test_balance_of_sources():
    """The rare source is drawn more often, the classes as often as without."""
    import torch

    photos = [Photo(Path(str(i)), "cow", "train", "web" if i < 450 else "zoo") for i in range(500)]
    photos += [Photo(Path(str(i)), "lion", "train", "web") for i in range(500)]
    loader = train_loader(PhotoDataset(photos, {}, None), replace(TRAINING, source_balance=1.0))
    torch.manual_seed(0)
    drawn = np.array([i for _ in range(5) for batch in loader.batch_sampler for i in batch])
    cows = drawn[drawn < 500]
    assert np.mean(cows >= 450) == pytest.approx(0.5, abs=0.03)
