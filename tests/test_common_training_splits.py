"""Splits: seeded, stratified, and nothing that belongs together is torn apart."""

from collections import Counter

import pytest

from common.errors import InputError
from common.training.splits import Example, draw_splits, equal_files, read_splits, write_splits


def draw(examples, seed=0, contents=None):
    found = draw_splits(examples, contents or [""] * len(examples), seed)
    return {example.key: split for example, split in zip(examples, found, strict=True)}


def animals(counts, **fields):
    """So many examples of each label."""
    return [
        Example(f"{label}/{i:03}", label, **fields)
        for label, count in counts.items()
        for i in range(count)
    ]


def counted(splits, start=""):
    return dict(Counter(split for key, split in splits.items() if key.startswith(start)))


def test_each_label_and_source_has_its_share():
    examples = animals({"cow": 50, "lion": 25}, source="web")
    examples += [e._replace(key=f"zoo/{e.key}", source="zoo") for e in animals({"cow": 100})]
    splits = draw(examples)
    assert counted(splits, "cow") == {"train": 40, "val": 4, "test": 6}
    assert counted(splits, "lion") == {"train": 20, "val": 2, "test": 3}
    assert counted(splits, "zoo") == {"train": 80, "val": 8, "test": 12}


def test_the_seed_and_the_keys_alone_decide():
    examples = animals({"cow": 60, "lion": 40})
    assert draw(examples, 1) == draw(examples[::-1], 1) != draw(examples, 2)


def test_given_splits_are_never_touched():
    given = ["test", "test", "val", "train"] * 10
    examples = [e._replace(split=s) for e, s in zip(animals({"cow": 40}), given, strict=True)]
    examples[7] = examples[7]._replace(split="")
    found = draw_splits(examples, [""] * 40, 0)
    assert [s for i, s in enumerate(found) if i != 7] == [s for i, s in enumerate(given) if i != 7]
    assert found[7] in ("train", "val", "test")


def test_groups_stay_together_also_across_labels_and_with_given_splits():
    examples = [e._replace(group=f"g{i // 5}") for i, e in enumerate(animals({"cow": 200}))]
    splits = draw(examples)
    assert all(len({splits[e.key] for e in examples[i : i + 5]}) == 1 for i in range(0, 200, 5))
    assert counted(splits)["train"] > 120 and len(counted(splits)) == 3
    burst = [Example("a", "cow", group="x"), Example("b", "ox", group="x", split="test")]
    assert draw([*burst, *animals({"cow": 9})])["a"] == "test"


def test_copies_stay_together_and_with_the_groups_of_each():
    examples = animals({"cow": 60})
    examples = [e._replace(group="burst" if i in (3, 40) else "") for i, e in enumerate(examples)]
    contents = ["same" if i in (3, 17) else "pair" if i in (50, 51) else "" for i in range(60)]
    for seed in range(20):
        splits = list(draw(examples, seed, contents).values())
        assert splits[3] == splits[17] == splits[40] and splits[50] == splits[51]


@pytest.mark.parametrize("count", [3, 4, 7])
def test_small_labels_are_in_every_split(count, capsys):
    for seed in range(10):
        splits = draw(animals({"cow": 40, "gnu": count}), seed)
        found = counted(splits, "gnu")
        assert set(found) == {"train", "val", "test"}
        assert found["train"] == max(found.values())
    assert capsys.readouterr().err == ""


def test_a_label_with_two_examples_is_named(capsys):
    draw(animals({"cow": 40, "gnu": 2, "yak": 1}))
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "too few examples for all splits: 2 labels, e.g. gnu, yak"
    draw(animals({"gnu": 2}, split="train"))  # nothing was drawn
    assert capsys.readouterr().err == ""


def test_small_labels_are_not_moved_out_of_given_splits():
    examples = [e._replace(split="train") for e in animals({"cow": 3})]
    examples += [Example("cow/last", "cow")]
    splits = draw(examples)
    assert [splits[e.key] for e in examples[:3]] == ["train"] * 3


def test_equal_files(tmp_path):
    contents = {"a": b"one", "b": b"one", "c": b"two", "d": b"three", "empty": b"", "void": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = equal_files([tmp_path / name for name in [*contents, "missing"]])
    assert found[0] == found[1] != found[2] and len(found[0]) == 64
    assert found[3:] == ["", "", "", ""]


def test_saved_and_read(tmp_path):
    examples = [Example("a,b.jpg", "cow", "web", "g", "val"), Example("ü.jpg", "ox", split="test")]
    write_splits(examples, tmp_path / "splits.csv")
    assert read_splits(tmp_path / "splits.csv") == {"a,b.jpg": "val", "ü.jpg": "test"}
    (tmp_path / "splits.csv").write_text("name\nx\n")
    with pytest.raises(InputError, match=r"splits\.csv: not a table of splits"):
        read_splits(tmp_path / "splits.csv")
