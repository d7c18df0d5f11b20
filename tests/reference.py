"""Write docs/reference.md: every command with its flags, exit codes, variables and JSON fields.

    python tests/reference.py            # writes the page
    python tests/reference.py --check    # exits with 3 where it is stale

The flags come from the parsers, so that the page and ``--help`` say the same.
"""

import argparse
import importlib
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common.cli import EXIT_ROWS_FAILED, ArgumentParser, run
from common.paths import ROOT, data_root

PAGE = ROOT / "docs/reference.md"
COMMANDS = (
    *("pipeline.py", "service.py", "app.py", "matching/claims.py"),
    *(f"classifier/{name}.py" for name in ("inference", "train", "evaluate", "export")),
    *(f"ner/{name}.py" for name in ("inference", "train", "evaluate", "export")),
    *(f"data/{name}.py" for name in ("awa2", "multinerd", "everyday", "wordnet_names", "taxonomy")),
)
EXIT_CODES = {
    0: "answered, true and false alike",
    1: "a crash: a defect, please report it",
    2: "bad usage or input; one line on stderr names it",
    3: "a batch finished with failed rows; with `--check`, something is stale",
    10: "not true, with `--exit-code`",
}
VARIABLES = {
    "FAUNACHECK_CACHE": "the folder of cached features (default: in the user's cache folder)",
    "FAUNACHECK_DATA": "the folder with the training data (default: `../shared/data`)",
    "FAUNACHECK_TOKEN": "the bearer token that the service asks for; none without it",
    "RAY_ADDRESS": "the cluster for `--engine ray`; this machine without it",
}
JSON = {
    "pipeline.py --format json, POST /v1/verify": {
        "text, image": "the pair as it was given; `image` is null for an uploaded photo",
        "verdict": "true, false, or null where the text cannot be decided on this photo",
        "answer": '"True" or "False"; undecided is "False"',
        "reason": "NAMED_ANIMAL_FOUND, DENIALS_HOLD, NAMED_ANIMAL_ABSENT, UNKNOWN_IMAGE,"
        " DENIED_ANIMAL_FOUND, OUTSIDE_KNOWLEDGE or NO_ANIMAL_NAMED",
        "explanation": "the reason in words",
        "claims[].mention, start, end": "the words that name the animal, and their offsets",
        "claims[].animal": "the concept of the taxonomy; null for an unknown name",
        "claims[].negated, cue": "whether the text denies the animal, and the words that do",
        "claims[].probability": "that the animal is there; null outside the model's knowledge",
        "claims[].holds": "true, false, or null for undecided",
        "prediction.label, probability": "the most probable class",
        "prediction.known": "false where the photo shows none of the classes",
        "prediction.concept.name, probability": "the most specific kind that is sure",
        "prediction.top[]": "the five most probable classes with their probabilities",
        "error": "why there is no answer; all but `text` and `image` are null then",
    },
    "classifier/inference.py --format json": {
        "image": "the path as it was given",
        "known": "false where the photo shows none of the classes",
        "predictions[].label, probability": "the classes, most probable first",
        "concept.name, probability": "the most specific kind that the photo surely shows",
        "error": "why the photo cannot be read",
    },
    "ner/inference.py --format json": {
        "text": "the text",
        "entities[].text, label, start, end": "the entity, its type and its offsets in the text",
        "entities[].score": "the mean probability of its labels",
    },
    "matching/claims.py --format jsonl": {
        "text": "the text",
        "claims[].mention, start, end, animal, negated, cue": "as in pipeline.py",
    },
}


def parser_of(command: str) -> ArgumentParser:
    """Return the parser of a command."""
    module = command.removesuffix(".py").replace("/", ".")
    parser = importlib.import_module(module).get_args_parser()
    parser.prog = command
    return parser


def option_row(action: argparse.Action) -> str:
    """Return an option as a row of a table."""
    flags = ", ".join(f"`{flag}`" for flag in action.option_strings)
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if action.choices:
        value = r" \| ".join(map(str, action.choices))
    text = (action.help or "").replace(str(data_root()), "FAUNACHECK_DATA")
    return f"| {flags} | {value} | {text.replace('|', chr(92) + '|')} |"


def page() -> str:
    """Return the page."""
    lines = [
        "# Reference",
        "",
        "Written by `python tests/reference.py` from the parsers; do not edit it by hand.",
    ]
    for command in COMMANDS:
        parser = parser_of(command)
        title = parser.description.split("\n", 1)[0]
        lines += [
            "",
            f"## {command}",
            "",
            title,
            "",
            "| option | value | meaning |",
            "|---|---|---|",
        ]
        lines += [
            option_row(action)
            for action in parser._actions
            if not isinstance(action, argparse._HelpAction)
        ]
    tables = {
        "Exit codes": ("code", EXIT_CODES),
        "Environment variables": ("variable", VARIABLES),
        **{f"JSON of {name}": ("field", fields) for name, fields in JSON.items()},
    }
    for title, (head, rows) in tables.items():
        lines += ["", f"## {title}", "", f"| {head} | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {text} |" for name, text in rows.items()]
    return "\n".join(lines) + "\n"


def fields_of(value: object, prefix: str = "") -> set[str]:
    """Return the names of all fields of a JSON value: ``claims[].start``."""
    if isinstance(value, dict):
        parts = (
            fields_of(part, f"{prefix}.{name}" if prefix else name) for name, part in value.items()
        )
        return set().union(*parts)
    if isinstance(value, list):
        inside = [fields_of(part, f"{prefix}[]") for part in value if isinstance(part, dict)]
        return set().union(*inside) if inside else {prefix + "[]"}
    return {prefix}


def documented(name: str) -> set[str]:
    """Return the documented fields of one JSON output: "a.b, c" stands for a.b and a.c."""
    found = set()
    for row in JSON[name]:
        first, *others = row.split(", ")
        stem = re.sub(r"[^.]*$", "", first)
        found |= {first, *(stem + other for other in others)}
    return found


def get_args_parser() -> ArgumentParser:
    """Return the command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the page is stale")
    return parser


def main() -> int:
    """Write the page, or compare it."""
    args = get_args_parser().parse_args()
    if not args.check:
        PAGE.write_text(page(), encoding="utf-8")
    stale = PAGE.read_text(encoding="utf-8") != page()
    if stale:
        print("docs/reference.md is stale; run python tests/reference.py", file=sys.stderr)
    return EXIT_ROWS_FAILED if stale else 0


if __name__ == "__main__":
    run(main)
