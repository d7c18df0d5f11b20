"""Write the tables of README and model cards from the models' evaluation.json.

    python benchmarks/cards.py          # after evaluate.py
    python benchmarks/cards.py --check  # which tables are stale; exit code 3 if any is

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; only what is between changes.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import EXIT_ROWS_FAILED, ArgumentParser, run
from common.errors import InputError
from common.evaluation.tables import cell
from common.paths import CLASSIFIER_MODEL, NER_MODEL, ROOT

CARDS = (ROOT / "README.md", CLASSIFIER_MODEL / "README.md", NER_MODEL / "README.md")
PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
WORST = 6  # classes with the lowest F1 that the card names
AWA2 = "awa2_classes"

Report = dict[str, Any]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def classifier_scores(report: Report) -> str:
    """Return accuracy and calibration: all classes, AwA2's answers, weights, baseline."""
    awa2 = report["restricted"][AWA2]
    columns = {
        f"{len(report['confusion_matrix']) - 2} animals, {report['photos']:,} photos": report,
        f"restricted to AwA2's 50, {awa2['photos']:,} photos": awa2,
        "all, fp32 weights": report["weights"],
        "all, always the most frequent class": report["majority_class"],
    }
    names = {
        "accuracy": "accuracy",
        "macro_accuracy": "macro accuracy",
        "calibration_error": "expected calibration error, 15 bins",
    }
    rows = [
        [label, *(cell(part[name]) if name in part else "" for part in columns.values())]
        for name, label in names.items()
    ]
    return table(["figure", *columns], rows)


def classifier_unknown(report: Report) -> str:
    """Return how each detector separates unknown photos, and what is called known."""
    unknown = report["unknown"]
    groups = {
        f"{unknown[name]['photos']} photos {what}": unknown[name]
        for name, what in (("not_animal", "without animals"), ("other_animal", "of other animals"))
    }
    rows = []
    for detector in next(iter(groups.values()))["detectors"]:
        name = detector.replace("_", " ")
        name = f"**{name}**" if detector == unknown["detector"] else name
        scores = [group["detectors"][detector] for group in groups.values()]
        rows.append([name, *(f"{cell(s['auroc'])}, {s['fpr95']:.3f}" for s in scores)])
    called = [cell(group["called_known"]) for group in groups.values()]
    known = cell(unknown["known_called_known"])
    rows.append([f"called known (of the known animals {known})", *called])
    return table(["detector", *groups], rows)


def classifier_worst(report: Report) -> str:
    """Return the classes with the lowest F1."""
    rows = []
    for answer, part in {"all": report, "AwA2's 50": report["restricted"][AWA2]}.items():
        worst = sorted(part["classes"].items(), key=lambda row: row[1]["f1"])[:WORST]
        shown = (f"{k.replace('_', ' ')} {row['f1']:.2f} ({row['photos']})" for k, row in worst)
        rows.append([answer, ", ".join(shown)])
    return table(["answer", "lowest F1 (test photos)"], rows)


def ner_claims(report: Report, texts: str = "claims") -> str:
    """Return the scores of claims by half of the texts, of which the report has several sets."""
    names = ("claims_f1", "mentions_f1", "polarity")
    rows = [
        [half, who, scores["texts"], *(cell(scores[name]) for name in names)]
        for who, key in (("the model", texts), ("listed names", f"{texts}_of_gazetteer"))
        for half, scores in report[key].items()
    ]
    heads = ["half", "read by", "texts", "claims F1", "mentions F1", "polarity of mentions found"]
    return table(heads, rows)


def ner_entities(report: Report) -> str:
    """Return the entity scores by type, most frequent first, beside weights and baseline."""
    kinds = sorted(report["types"].items(), key=lambda row: -row[1]["entities"])
    parts = {"**micro**": report["micro"], "**macro**": report["macro"], **dict(kinds)}
    parts |= {f"{name}, fp32 weights": row for name, row in report["weights"].items()}
    keys = ("precision", "recall", "f1", "entities")
    rows = [[name, *(cell(row[key]) for key in keys)] for name, row in parts.items()]
    rows.append(["ANIM, listed names", "", "", cell(report["gazetteer"]["ANIM_f1"]), ""])
    return table(["type", "precision", "recall", "F1", "entities"], rows)


def ner_lengths(report: Report) -> str:
    """Return F1 by the length of sentences."""
    heads = ["words", "sentences", "micro F1", "ANIM F1", "ANIM entities"]
    keys = ("words", "sentences", "micro", "ANIM", "ANIM entities")
    return table(heads, [[cell(row[key]) for key in keys] for row in report["by_length"]])


def results(photos: Report, texts: Report) -> str:
    """Return what the README quotes of both models, beside baselines."""
    awa2, unknown = photos["restricted"][AWA2], photos["unknown"]
    majority, claims = photos["majority_class"], texts["claims"]["report"]
    listed, anim = texts["claims_of_gazetteer"]["report"], texts["types"]["ANIM"]
    kinds = (
        f"photos of {len(photos['confusion_matrix']) - 2} kinds of animals, {photos['photos']:,}"
    )
    fifty = f"those of AwA2's 50 classes, the answer restricted to them, {awa2['photos']:,}"
    tagged = f"MultiNERD English (part of its test split), {texts['sentences']:,} sentences"
    written = f"hand-written texts, reported half, {claims['texts']}"
    names = {"f1": texts["gazetteer"]["ANIM_f1"]}
    rows: list[tuple[str, str, Report, Report, str]] = [
        (kinds, "accuracy", photos, majority, "accuracy"),
        ("", "macro accuracy", photos, majority, "macro_accuracy"),
        (fifty, "accuracy", awa2, {}, "accuracy"),
        ("", "macro accuracy", awa2, {}, "macro_accuracy"),
        ("", "expected calibration error", awa2, {}, "calibration_error"),
        ("photos of known animals", "called known", unknown, {}, "known_called_known"),
    ]
    for name, what in (("not_animal", "without animals"), ("other_animal", "of other animals")):
        group = unknown[name]
        scores = group["detectors"][unknown["detector"]]
        label = f"{group['photos']} photos {what}, against the known"
        rows.append((label, "AUROC", scores, {"auroc": 0.5}, "auroc"))
        rows.append(("", "called known", group, {}, "called_known"))
    rows += [
        (written, "F1 of claims (span, polarity)", claims, listed, "claims_f1"),
        ("", "F1 of mentions", claims, listed, "mentions_f1"),
        ("", "polarity of those found", claims, listed, "polarity"),
        (tagged, "strict micro F1", texts["micro"], {}, "f1"),
        ("", f"ANIM F1, {anim['entities']} mentions", anim, names, "f1"),
    ]
    return table(
        ["test data", "figure", "value", "baseline"],
        [
            [what, figure, cell(a[k]), cell(b[k]) if k in b else ""]
            for what, figure, a, b, k in rows
        ],
    )


def tables(photos: Report, texts: Report) -> dict[str, str]:
    """Return all tables by name; that of registers where they were measured."""
    registers = {"ner-registers": ner_claims(texts, "registers")} if "registers" in texts else {}
    return registers | {
        "classifier-scores": classifier_scores(photos),
        "classifier-unknown": classifier_unknown(photos),
        "classifier-worst": classifier_worst(photos),
        "ner-claims": ner_claims(texts),
        "ner-entities": ner_entities(texts),
        "ner-lengths": ner_lengths(texts),
        "results": results(photos, texts),
    }


def filled(text: str, written: dict[str, str]) -> tuple[str, list[str]]:
    """Put tables into a document.

    Returns:
        The document, and the names of the tables that were stale.

    Raises:
        InputError: If it asks for a table that there is none of.
    """
    stale = []

    def fill(match: re.Match[str]) -> str:
        name = match[2]
        if name not in written:
            raise InputError(f"no table {name}; there are {', '.join(written)}")
        if match[0] != (fresh := match[1] + written[name] + match[3]):
            stale.append(name)
        return fresh

    return PLACE.sub(fill, text), stale


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    return parser


def main() -> int:
    """Write or check the tables."""
    args = get_args_parser().parse_args()
    reports = [
        json.loads((folder / "evaluation.json").read_text())
        for folder in (CLASSIFIER_MODEL, NER_MODEL)
    ]
    written, any_stale = tables(*reports), False
    for path in CARDS:
        text, stale = filled(path.read_text(), written)
        for name in stale:
            print(f"{path.relative_to(ROOT)}: {name} {'is stale' if args.check else 'written'}")
        if stale and not args.check:
            path.write_text(text)
        any_stale |= bool(stale)
    return EXIT_ROWS_FAILED if args.check and any_stale else 0


if __name__ == "__main__":
    run(main)
