"""Another model than ours through everything that answers pairs, in process."""

import csv
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from pyarrow import parquet

from common.errors import InputError
from common.pairs.ray import Answerer
from common.pairs.stream import CHUNK, Answering, answer_pairs
from common.pairs.table import answer_table
from common.tables import open_table
from web.batcher import Batcher


@dataclass
class Overlap:
    """The share of a text's words that are in the name of the photo."""

    text: str
    image: str | None
    share: float | None = None
    error: str | None = None

    def to_json(self):
        return asdict(self)

    to_row = to_json


class NameReader(Answering):
    """A `PairModel` without a column of true and false."""

    def __init__(self):
        self.columns = {"text": str, "image": str, "share": float, "error": str}
        self.asked = []

    def read_texts(self, texts):
        self.asked += texts
        return [set(re.findall("[a-z]+", text.lower())) for text in texts]

    def read_photos(self, photos):
        for photo in map(Path, photos):
            missing = photo.stem == "none"
            yield (
                InputError(f"{photo.name}: no such file") if missing else set(photo.stem.split("_"))
            )

    def answer(self, text, image, said, shown):
        return Overlap(text, image, len(said & shown) / len(said))

    def failure(self, text, image, error):
        return Overlap(text, image, error=error)


PAIRS = [
    *[("red fox", "red_fox.jpg"), ("grey fox", "red_fox.jpg"), ("", "cow.jpg")],
    *[("a cow", "none.jpg"), ("Cow!", "cow.jpg"), ("red fox", "cow.jpg")],
]
SHARES = [1.0, 0.5, None, None, 1.0, 0.0]
ERRORS = [
    None,
    None,
    "the text is empty; expected a sentence",
    "none.jpg: no such file",
    None,
    None,
]


@pytest.fixture
def model():
    return NameReader()


def test_a_stream(model):
    found = list(answer_pairs(model, PAIRS, Path("/photos"), 2))
    assert [(a.text, a.image, a.share, a.error) for a in found] == [
        (*pair, share, error) for pair, share, error in zip(PAIRS, SHARES, ERRORS, strict=True)
    ]
    assert sorted(model.asked) == ["Cow!", "a cow", "grey fox", "red fox"]
    assert model.verify("Red, blue", "red_fox.jpg").share == 0.5
    with pytest.raises(InputError, match="no such file"):
        model.verify("cow", "none.jpg")


def test_requests(model):
    batcher = Batcher(model, threads=2)
    futures = batcher.submit(PAIRS)
    assert [future.result(10).share for future in futures] == SHARES
    batcher.close()


def test_an_actor_of_the_cluster(model):
    rows = Answerer(NameReader, Path("/photos")).rows(PAIRS)
    assert rows == list(model.rows(PAIRS, Path("/photos")))
    assert [row["share"] for row in rows] == SHARES


def write_pairs(path, count=3 * CHUNK):
    """A table of captions with further columns: texts, and numbers where the format has them."""
    typed = path.suffix in (".jsonl", ".parquet")
    columns = {"id": int if typed else str, "caption": str, "path": str, "note": str}
    rows = []
    for i in range(count):
        text, image = PAIRS[i % len(PAIRS)]
        number = i if typed else str(i)
        rows.append({"id": number, "caption": text, "path": image, "note": f"line\n{i}, ä"})
    with open_table(path, columns) as write:
        write(rows)
    return rows


def read(path):
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return list(
        csv.DictReader(path.open(newline=""), dialect="excel" + "-tab" * (path.suffix == ".tsv"))
    )


@pytest.mark.parametrize("source", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("target", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_carries_every_further_column(source, target, model, tmp_path):
    pairs, output = tmp_path / f"pairs.{source}", tmp_path / f"answers.{target}"
    given = write_pairs(pairs)
    summary = answer_table(model.rows, model.columns, pairs, output)
    assert str(summary).startswith("16 answered; 8 failed, see the column error")
    found = read(output)
    assert list(found[0]) == [*model.columns, "id", "note"]
    typed = target in ("jsonl", "parquet")
    for i, (row, old) in enumerate(zip(found, given, strict=True)):
        assert (row["text"], row["image"]) == (old["caption"], old["path"])
        assert row["note"] == old["note"]
        assert row["id"] == (old["id"] if typed else str(old["id"]))
        share = SHARES[i % len(SHARES)]
        assert row["share"] == (share if typed else "" if share is None else str(share))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_goes_on(ending, model, tmp_path):
    pairs, whole = tmp_path / "pairs.jsonl", tmp_path / f"whole.{ending}"
    write_pairs(pairs)
    answer_table(model.rows, model.columns, pairs, whole)
    lines = pairs.read_text().splitlines(keepends=True)
    output = tmp_path / f"answers.{ending}"
    for count in (0, 5, 5, CHUNK, len(lines)):
        pairs.write_text("".join(lines[:count]) or lines[0])
        answer_table(model.rows, model.columns, pairs, output, resume=output.exists())
    assert output.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.rows.jsonl"))


def test_values_of_json_are_kept_as_they_are(model, tmp_path):
    pairs, output = tmp_path / "pairs.jsonl", tmp_path / "answers.jsonl"
    odd = [{"tags": ["a", {"b": None}], "n": 1.5, "ok": True}, {"tags": None, "half": "\ud83e"}]
    rows = [{"text": "cow", "image": "cow.jpg"} | further for further in odd]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer_table(model.rows, model.columns, pairs, output)
    names = ("tags", "n", "ok", "half")
    assert [{n: row[n] for n in names} for row in read(output)] == [
        dict.fromkeys(names) | further for further in odd
    ]
    table = output.with_suffix(".csv")
    answer_table(model.rows, model.columns, pairs, table)
    assert [row["tags"] for row in read(table)] == ['["a", {"b": null}]', ""]
    assert [row["ok"] for row in read(table)] == ["true", ""]
    table = output.with_suffix(".parquet")
    answer_table(model.rows, model.columns, pairs, table)
    assert [row["tags"] for row in read(table)] == ['["a", {"b": null}]', None]
    assert [(row["n"], row["ok"]) for row in read(table)] == [(1.5, True), (None, None)]


@pytest.mark.parametrize(
    ("header", "options", "texts"),
    [
        ("text,image,caption", {}, "text"),
        ("caption,path,image", {}, "caption"),
        ("a,b,text", {"text_column": "a", "image_column": "b"}, "the column text is one of"),
        ("a,b,c", {"text_column": "a", "image_column": "b"}, "a"),
        ("a,b,c", {"text_column": "d", "image_column": "b"}, "no column d; found a,b,c"),
        ("a,b,c", {"text_column": "a"}, "no column image or path; found a,b,c"),
        ("text,image,error", {}, "the column error is one of the answers; rename it"),
        ("text,image,share", {}, "the column share is one of the answers; rename it"),
        ("text,image,text", {}, "the column 'text' is there twice"),
    ],
)
def test_columns(header, options, texts, model, tmp_path):
    pairs, output = tmp_path / "pairs.csv", tmp_path / "answers.csv"
    pairs.write_text(f"{header}\ncow,cow.jpg,fox.jpg\n")
    output.write_text("precious")
    arguments = (model.rows, model.columns, pairs, output)
    if " " in texts:
        with pytest.raises(InputError, match=texts):
            answer_table(*arguments, overwrite=True, **options)
        assert output.read_text() == "precious"
        return
    answer_table(*arguments, overwrite=True, **options)
    (row,) = read(output)
    assert (row["text"], row["error"]) == ("cow", "")
    assert row["image"] == ("fox.jpg" if header == "caption,path,image" else "cow.jpg")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_refused_table_keeps_every_byte(ending, model, tmp_path):
    pairs, output = tmp_path / "pairs.csv", tmp_path / f"answers.{ending}"
    write_pairs(pairs)
    answer_table(model.rows, model.columns, pairs, output)
    content = output.read_bytes()
    changed = {
        "answers.* not a table of": "caption,path\nred fox,red_fox.jpg\n",
        "row 2 is not of": pairs.read_text().replace("grey fox", "a fox"),
    }
    for message, table in changed.items():
        pairs.write_text(table)
        with pytest.raises(InputError, match=message):
            answer_table(model.rows, model.columns, pairs, output, resume=True)
        assert output.read_bytes() == content
        assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, "pairs.csv"]


def test_photos_in_a_table_are_no_paths(model, tmp_path):
    pairs, output = tmp_path / "pairs.jsonl", tmp_path / "answers.csv"
    pairs.write_text('{"text": "cow", "image": {"bytes": "abc", "path": "cow.jpg"}}\n')
    with pytest.raises(InputError, match="a path that is no string"):
        answer_table(model.rows, model.columns, pairs, output)
    assert not output.exists()
