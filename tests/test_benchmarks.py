"""Benchmarks really run, small; their tables come from what they measure."""

import csv
import json

import numpy as np
import pytest
from conftest import TINY, error_of, script

from benchmarks.cards import filled, tables
from benchmarks.measure import source_folds
from common.paths import CLASSIFIER_MODEL, NER_MODEL, ROOT

SAMPLES = ROOT / "data/samples"


def test_tables_of_the_cards_are_fresh():
    done = script("benchmarks/cards.py", "--check", check=False)
    assert (done.returncode, done.stdout) == (0, ""), "run benchmarks/cards.py"


def test_a_stale_table_is_written_anew():
    reports = [
        json.loads((folder / "evaluation.json").read_text())
        for folder in (CLASSIFIER_MODEL, NER_MODEL)
    ]
    written = tables(*reports)
    text = (NER_MODEL / "README.md").read_text()
    assert filled(text, written) == (text, [])
    row = reports[1]["micro"]
    row["f1"]["value"] = 0.1234
    changed, stale = filled(text, tables(*reports))
    assert stale == ["ner-entities"]
    assert f"| **micro** | {row['precision']:.3f} | {row['recall']:.3f} | 0.123 [" in changed
    assert filled(changed, written) == (text, stale)


def test_the_table_of_registers_is_there_when_they_were_measured():
    photos, texts = (
        json.loads((folder / "evaluation.json").read_text())
        for folder in (CLASSIFIER_MODEL, NER_MODEL)
    )
    for part in ("registers", "registers_of_gazetteer"):
        texts.pop(part, None)
    assert "ner-registers" not in tables(photos, texts)
    texts["registers"] = {"look": texts["claims"]["look"] | {"texts": 123}}
    texts["registers_of_gazetteer"] = {"look": texts["claims"]["look"] | {"texts": 45}}
    _, _, first, second = tables(photos, texts)["ner-registers"].splitlines()
    assert first.startswith("| look | the model | 123 | 0.")
    assert second.startswith("| look | listed names | 45 | 0.")


def test_the_plain_baseline_answers_with_both_models():
    base = ("benchmarks/plain.py", "--image", SAMPLES / "cat.jpg", "--text")
    assert script(*base, "There is a cat.").stdout == "True\n"
    assert script(*base, "There is a cow.", "--mode", "bf16").stdout == "False\n"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.slow
def test_one_shot():
    lines = script("benchmarks/one_shot.py", "--repeats", 1).stdout.splitlines()
    rows = {name: values for name, *values in map(cells, lines[4:])}
    assert len(rows) == 4 and rows["Faunacheck"][1] == "1.0"
    assert all(float(megabytes) > 50 for *_, megabytes in rows.values())


@pytest.mark.slow
def test_throughput():
    small = ("--count", 3, "--share", 3, "--largest", 10, "--repeats", 1)
    done = script("benchmarks/throughput.py", "--data", SAMPLES, *small)
    rows = [cells(line) for line in done.stdout.splitlines() if line.startswith("|")]
    assert [row[0] for row in rows if row[0].startswith("plain")] == [
        "plain loop",
        "plain loop, bf16",
    ]
    assert ["10", "3"] in [row[:2] for row in rows]
    assert "3 pairs, 3 distinct photos" in done.stdout


def test_claims(tmp_path):
    statements = tmp_path / "existence.json"
    texts = ("There is a dog.", "There is no dog."), ("There is a plane.", "There is no plane.")
    rows = {str(i): {"caption": a, "foil": b} for i, (a, b) in enumerate(texts)}
    statements.write_text(json.dumps(rows))
    command = ("benchmarks/claims.py", "--count", 16, "--existence", statements)
    lines = script(*command).stdout.splitlines()
    heads = [line.split(" sentences")[0] for line in lines if " sentences, " in line]
    sets = ("claims.jsonl", "registers.jsonl")
    assert heads == [f"{name}, {half}: 16" for name in sets for half in ("look", "report")]
    rows = {line[:16].strip(): line[16:].strip() for line in reversed(lines)}  # the first of each
    assert rows["ours"].startswith(rows["plain"].split()[-1]) and "[" in rows["ours"]
    assert rows["exact match"] != rows["ours"]
    probes = {line[:36].strip(): line[36:].split() for line in lines}
    assert probes["VALSE, captions with animals"] == ["1", "0.000", "[0.000,", "0.000]"]
    assert probes["VALSE, foils without animals"][0] == "1"
    assert probes["all nouns"][0] == "16" and probes["a space at the end"][0] == "64"


def test_robustness(tiny_classifier, photos):
    command = ("benchmarks/robustness.py", "--model", tiny_classifier, "--data", photos)
    lines = script(*command, "--count", 6).stdout.splitlines()
    assert lines[0] == "6 photos as they are: 1.000 [1.000, 1.000]"
    assert len(lines) == 4 + 8 and lines[-1].startswith("| turned, degrees | 15: ")


def test_unknown(tiny_classifier, photos, tmp_path):
    grey = tmp_path / "not_animal"
    rows = [("path", "label", "source", "split")]
    for i, path in enumerate(sorted(photos.rglob("*.jpg"))):
        label = "not_animal" if path.parent.name == "lion" and i % 2 else path.parent.name
        rows.append((path, label, "ab"[i % 2], ("train", "test")[i % 3 == 0]))
    grey.mkdir()
    with open(grey / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    lines = script("benchmarks/unknown.py", "--model", tiny_classifier, "--data", grey).stdout
    names = [cells(line)[0] for line in lines.splitlines()[4:]]
    assert names == ["max_softmax", "energy", "nearest neighbours", "Mahalanobis"]


def test_folds_hold_sources_together_and_are_of_a_size():
    sources = np.repeat(list("abcdef"), [50, 40, 30, 20, 20, 10])
    folds = source_folds(list(sources))
    assert all(len(set(folds[sources == source])) == 1 for source in "abcdef")
    assert np.bincount(folds).tolist() == [50, 40, 40, 40]


def test_fine_tuning_refuses_a_folder_of_other_runs(photos, tiny_backbone, tmp_path):
    (tmp_path / "settings.sha256").write_text("of other runs")
    command = ("benchmarks/fine_tuning.py", "--data", photos, *TINY, tiny_backbone)
    classes = tmp_path / "classes.txt"
    classes.write_text("cow\nlion\n")
    done = script(*command, "--classes", classes, "--output", tmp_path, check=False)
    assert "runs of other epochs, photos, classes, encoder or weights" in error_of(done)
