"""``data/multinerd.py``: the tag table, the cleaning, and the script on a small made-up dataset."""

import functools
import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from data.multinerd import TAGS, clean, deduplicate, parse, remove_overlap, tag_names

ROOT = Path(__file__).resolve().parents[1]


def sentence(text, tag="O"):
    return {"tokens": text.split(), "tags": [tag] * len(text.split())}


def texts(sentences):
    return [" ".join(s["tokens"]) for s in sentences]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "O"),
        (1, "B-PER"),
        (2, "I-PER"),
        (3, "B-ORG"),
        (5, "B-LOC"),
        (7, "B-ANIM"),
        (8, "I-ANIM"),
        (9, "B-BIO"),
        (11, "B-CEL"),
        (13, "B-DIS"),
        (15, "B-EVE"),
        (17, "B-FOOD"),
        (19, "B-INST"),
        (21, "B-MEDIA"),
        (23, "B-MYTH"),
        (25, "B-PLANT"),
        (27, "B-TIME"),
        (29, "B-VEHI"),
        (30, "I-VEHI"),
    ],
)
def test_tag_table(number, name):
    assert tag_names([number]) == [name]
    assert len(TAGS) == len(set(TAGS)) == 31


@pytest.mark.parametrize("bad", [31, -1, 1.0, True, "7", None])
def test_unknown_tags(bad):
    with pytest.raises(ValueError, match=r"not in 0\.\.30"):
        tag_names([0, bad])


def test_parse():
    line = '{"tokens": ["A", "bear"], "ner_tags": [0, 7], "lang": "en"}'
    assert parse(line) == {"tokens": ["A", "bear"], "tags": ["O", "B-ANIM"]}
    assert parse(line.replace('"en"', '"de"')) is None
    assert parse(line.replace(', "lang": "en"', "")) is not None


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"tokens": "A", "ner_tags": [0]}', '{"tokens": ["A"], "ner_tags": [0, 0]}'],
)
def test_parse_rejects(line):
    with pytest.raises(ValueError):
        parse(line)


def test_deduplicate_keeps_the_first_and_the_order():
    rows = [sentence("b"), sentence("a", "B-ANIM"), sentence("b c"), sentence("a"), sentence("b")]
    assert deduplicate(rows) == [rows[0], rows[1], rows[2]]


def test_remove_overlap():
    kept = remove_overlap([sentence("a"), sentence("b"), sentence("A")], [sentence("b", "B-ANIM")])
    assert texts(kept) == ["a", "A"]


def test_clean():
    splits = {
        "train": [sentence(t) for t in ("a", "a", "b", "in test", "in val", "in both", "c", "c")],
        "validation": [sentence(t) for t in ("in val", "in val", "in both", "in test too")],
        "test": [sentence(t) for t in ("in test", "in both", "in test too", "in test", "d")],
    }
    kept, dropped = clean(splits)
    assert {name: texts(rows) for name, rows in kept.items()} == {
        "train": ["a", "b", "c"],
        "validation": ["in val"],
        "test": ["in test", "in both", "in test too", "d"],
    }
    assert dropped == {
        "train": {"copies": 2, "also in test": 2, "also in validation": 1},
        "validation": {"copies": 1, "also in test": 2},
        "test": {"copies": 1},
    }


def multinerd(*args, module=False):
    script = ["-m", "data.multinerd"] if module else ["data/multinerd.py"]
    command = [sys.executable, *script, *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def one_line(result):
    """The error of a failed run: exit code 2, nothing on stdout, one line on stderr."""
    assert (result.returncode, result.stdout) == (2, ""), result
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def row(text, *tags, lang="en"):
    tokens = text.split()
    ids = [*tags, *[0] * (len(tokens) - len(tags))]
    return json.dumps({"tokens": tokens, "ner_tags": ids, "lang": lang}) + "\n"


@pytest.fixture
def hub(tmp_path):
    """The hub's three files, every sentence twice, one of them in another language."""
    shared, german = row("A brown bear .", 0, 7, 8), row("Ein Bär .", 0, 7, lang="de")
    files = {
        "train/train_en.jsonl": row("Zoë sees a cow .", 1, 0, 0, 7) + shared + german,
        "val/val_en.jsonl": row("Nothing here ."),
        "test/test_en.jsonl": shared + row("Two cats and dogs", 0, 7, 0, 7),
    }
    for name, text in files.items():
        path = tmp_path / "hub" / name
        path.parent.mkdir(parents=True)
        path.write_text(text * 2, encoding="utf-8")
    return tmp_path / "hub"


def check_output(result, out):
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"{out}/train.jsonl: 1 sentences, 1 animal mentions",
        f"{out}/validation.jsonl: 1 sentences, 0 animal mentions",
        f"{out}/test.jsonl: 2 sentences, 3 animal mentions",
    ]
    assert result.stderr.splitlines() == [
        "train: 4 read, dropped 2 copies, 1 also in test, 0 also in validation",
        "validation: 2 read, dropped 1 copies, 0 also in test",
        "test: 4 read, dropped 2 copies",
    ]
    assert json.loads((out / "train.jsonl").read_text(encoding="utf-8")) == {
        "tokens": ["Zoë", "sees", "a", "cow", "."],
        "tags": ["B-PER", "O", "O", "B-ANIM", "O"],
    }


def test_local_folder(hub, tmp_path):
    result = multinerd("--source", hub, "--output", tmp_path / "out")
    check_output(result, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_flat_folder(hub, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for split, short in (("train", "train"), ("validation", "val"), ("test", "test")):
        (hub / short / f"{short}_en.jsonl").rename(flat / f"{split}.jsonl")
    check_output(multinerd("--source", flat, "--output", tmp_path / "out"), tmp_path / "out")
    before = (flat / "train.jsonl").read_bytes()
    assert "overwrite" in one_line(multinerd("--source", flat, "--output", flat))
    assert (flat / "train.jsonl").read_bytes() == before


def test_mirror(hub, tmp_path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    out = tmp_path / "out"
    handler = functools.partial(Handler, directory=hub)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        results = [multinerd("--base-url", url, "--output", out)]
        results.append(multinerd("--base-url", f"{url}/none/", "--output", tmp_path / "other"))
        server.shutdown()
        thread.join()
    check_output(results[0], out)
    assert "none/train/train_en.jsonl: HTTP 404" in one_line(results[1])

    # The server is gone: the second run lives on what the first one kept.
    check_output(multinerd("--base-url", url, "--output", out, module=True), out)
    (out / "raw/test/test_en.jsonl").write_text("something else")
    assert "expected sha256:" in one_line(multinerd("--base-url", url, "--output", out))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("oops", "val_en.jsonl, line 3"),
        ('{"tokens": ["A"], "ner_tags": [99]}', "line 3: tag id 99"),
        ('{"tokens": ["A"], "tags": ["O"]}', "line 3: expected"),
    ],
)
def test_bad_rows_are_named(hub, tmp_path, line, message):
    with (hub / "val/val_en.jsonl").open("a") as file:
        file.write(line + "\n")
    assert message in one_line(multinerd("--source", hub, "--output", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_missing_file_and_an_empty_one(hub, tmp_path):
    (hub / "val/val_en.jsonl").write_text(row("Nichts .", lang="de"))
    assert "no English" in one_line(multinerd("--source", hub, "--output", tmp_path / "out"))
    (hub / "val/val_en.jsonl").unlink()
    assert "val_en.jsonl" in one_line(multinerd("--source", hub, "--output", tmp_path / "out"))


def test_bad_usage(tmp_path):
    assert "--output" in one_line(multinerd())
    assert "no such folder" in one_line(multinerd("--source", "nowhere", "--output", tmp_path))


@pytest.mark.parametrize("module", [False, True])
def test_help(module):
    result = multinerd("--help", module=module)
    assert (result.returncode, result.stderr) == (0, "")
    assert "python data/multinerd.py --output DIR" in result.stdout
