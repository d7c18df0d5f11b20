"""Does the picture show the animal that the text names?

    python pipeline.py --text "There is a cow in the picture." --image photo.jpg
    python pipeline.py --text "No cats here, only dogs." --image photo.jpg --format json
    python pipeline.py --text "A raccoon." --image photo.jpg --explain why.png
    python pipeline.py --pairs pairs.csv --output answers.csv     # columns text,image; others stay
    cat pairs.jsonl | python pipeline.py --pairs - --output - | head
    python pipeline.py --list-animals

prints True or False; what cannot be decided prints False and says so on stderr. Tables are csv,
tsv, jsonl or parquet by their ending; a batch ends with a summary on stderr. Exit codes: 0
answered, 2 bad usage or input, 3 a batch finished with failed rows; with --exit-code 0 is true and
10 is false.

From Python: ``from pipeline import Verifier``, see ``engine/verifier.py``.
"""

import json
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path

from common.cli import EXIT_FALSE, EXIT_ROWS_FAILED, ArgumentParser, checked_text, printable, run
from engine.answer import Answer
from engine.options import add_explain, add_models
from engine.verifier import Verifier
from matching.verdict import MATCHES

__all__ = ["Answer", "Verifier"]


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--text", help="what is said about the picture")
    parser.add_argument(
        "--image", "--image-path", "--image_path", dest="image", metavar="FILE", help="the picture"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--pairs", type=Path, metavar="FILE", help="a table with columns text,image; - for stdin"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the table of answers; - for stdout"
    )
    for name, usual in {"text": "text or caption", "image": "image or path"}.items():
        parser.add_argument(
            f"--{name}-column", metavar="NAME", help=f"its column of the {name} ({usual})"
        )
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--resume", action="store_true", help="go on after what --output holds")
    kept.add_argument("--overwrite", action="store_true", help="replace --output")
    parser.add_argument(
        "--errors",
        choices=("report", "stop"),
        default="report",
        help="a pair that cannot be answered: a row with an error (default), or the end",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="local: this machine's cores (default); ray: a cluster, see requirements-cluster.txt",
    )
    add_explain(parser)
    parser.add_argument("--list-animals", action="store_true", help="classes and their names")
    parser.add_argument(
        "--match",
        choices=MATCHES,
        default="any",
        help="any: one named animal is there; all: every claim holds (default: any)",
    )
    parser.add_argument("--exit-code", action="store_true", help="exit with 0 for true, 10 else")
    add_models(parser)
    return parser


def main() -> int:
    """Answer one pair or a file of pairs."""
    parser = get_args_parser()
    args = parser.parse_args()
    single, batch = (args.text, args.image), (args.pairs, args.output)
    if args.list_animals:
        return list_animals(args.classifier_model)
    if any(value is not None for value in batch):
        if None in batch or any(value is not None for value in (*single, args.explain)):
            parser.error("a batch needs --pairs and --output, without --text, --image, --explain")
        return answer_batch(args)
    if None in single:
        parser.error("needs --text and --image, or --pairs and --output, or --list-animals")
    checked_text(args.text)
    verifier = Verifier.load(args.classifier_model, args.ner_model, args.match, args.device)
    answer = verifier.verify(args.text, args.image)
    if args.explain:
        from classifier.explain import save_picture

        save_picture(verifier.explain(answer, args.image), args.explain)
    if args.format == "json":
        print(json.dumps(answer.to_json(), ensure_ascii=False))
    else:
        print(answer.answer)
    if answer.verdict.value is None:
        print(f"undecided: {printable(answer.verdict.explanation)}", file=sys.stderr)
    return EXIT_FALSE if args.exit_code and answer.answer == "False" else 0


def list_animals(folder: Path) -> int:
    """Print every class with the names it answers to."""
    from classifier.config import ModelConfig
    from matching.taxonomy import Taxonomy

    for label, names in Taxonomy.load().names_for_classes(ModelConfig.load(folder).animals).items():
        print(f"{label}: {', '.join(names)}")
    return 0


def answer_batch(args: Namespace) -> int:
    """Answer a table of pairs and print the summary."""
    from common.pairs.table import answer_table, check_output

    check_output(args.pairs, args.output, args.resume, args.overwrite)
    paths = [folder.resolve() for folder in (args.classifier_model, args.ner_model)]
    models = (*paths, args.match, args.device)
    if args.engine == "ray":
        from common.pairs.ray import ray_rows

        rows = ray_rows(partial(Verifier.load, *models, threads=1), args.device)
    else:
        rows = Verifier.load(*models).rows
    summary = answer_table(
        *(rows, Verifier.columns, args.pairs, args.output),
        *(args.resume, args.overwrite, args.errors, args.text_column, args.image_column),
    )
    print(summary, file=sys.stderr)
    return EXIT_ROWS_FAILED if summary.failed else 0


if __name__ == "__main__":
    run(main)
