"""Quality of reading claims, against what people do without such a reader.

    python benchmarks/claims.py                       # all tables
    python benchmarks/claims.py --split look --errors # the half to look at, with every error
    python benchmarks/claims.py --existence existence.json  # and VALSE's statements

The sentences are those of ``tests/data/claims.jsonl`` and, in other registers, ``registers.jsonl``,
written by hand: ``{"text", "category", "split", "claims": [{"mention", "start", "end", "negated"}],
"photos": {class: answer}}``; one half is for development, the other for testing. Compared:

- ours: the recogniser with its polarity.
- NegEx: our mentions, with the polarity of the ``negspacy`` package (Chapman et al. 2001), where
  that is installed (``pip install -r benchmarks/requirements.txt``).
- whole-text flip: our mentions, all denied when a negation stands anywhere in the text.
- exact match: words that equal the name of one of the classifier's classes, always affirmed.
- any substring: names of classes anywhere, inside words too, always affirmed.

A claim is right when span and polarity are. Photo checks ask for the answer on a photo that
certainly shows the class; compared with our decision are rules that public projects for this task
use, each given our mentions:

- label among mentions: the class is one of the words found.
- label within a mention or the reverse: either contains the other.
- the same, turned round: the opposite where a negation stands anywhere in the text.

Tables of things that are read as animals, of VALSE's statements of existence (a file of
github.com/Heidelberg-NLP/VALSE), and of changes that should not matter follow, see ``probes.py``.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.probes import Rows, changes, existence, things
from common.cli import ArgumentParser, run
from common.evaluation.bootstrap import bootstrap
from common.evaluation.metrics import f1
from common.evaluation.tables import cell
from common.paths import CLASSIFIER_MODEL, NER_MODEL, ROOT, data_root
from engine.claims import ClaimExtractor
from matching.claim import Claim
from matching.taxonomy import Taxonomy
from matching.verdict import ImageEvidence, decide
from ner.report import (
    ClaimExample,
    Spans,
    claim_spans,
    count_claims,
    read_captions,
    read_claims,
    report_claims,
)

if TYPE_CHECKING:
    from classifier.config import ModelConfig

SENTENCES = ROOT / "tests/data/claims.jsonl"
CAPTIONS = ROOT / "tests/data/captions.jsonl"
REGISTERS = ROOT / "tests/data/registers.jsonl"
THINGS = ROOT / "tests/data/things.json"
NEGATION = re.compile(
    r"\b(no|not|never|none|nothing|neither|nor|without)\b|n['’]t\b", re.IGNORECASE
)


def exact(text: str, classes: Sequence[str]) -> Spans:
    """Class names as whole words."""
    names = "|".join(re.escape(c.replace("_", " ")) for c in classes)
    return {(m.start(), m.end(), False) for m in re.finditer(rf"\b({names})\b", text)}


def substring(text: str, classes: Sequence[str]) -> Spans:
    """Class names anywhere, in any case."""
    names = "|".join(re.escape(c.replace("_", " ")) for c in classes)
    return {(m.start(), m.end(), False) for m in re.finditer(f"({names})", text, re.IGNORECASE)}


def flip(text: str, mentions: Spans) -> Spans:
    """All mentions denied when the text has any negation."""
    return {(start, end, bool(NEGATION.search(text))) for start, end, _ in mentions}


def negex() -> Callable[[str, Spans], Spans] | None:
    """NegEx for given mentions, None where the package is not installed."""
    try:
        import spacy
        from negspacy.negation import Negex  # noqa: F401  (registers the pipe)
    except ImportError:
        return None
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("negex")

    def read(text: str, mentions: Spans) -> Spans:
        document = pipeline.make_doc(text)
        places = sorted(mentions)
        spans = [
            document.char_span(start, end, label="ANIMAL", alignment_mode="expand")
            for start, end, _ in places
        ]
        document.set_ents(spacy.util.filter_spans(spans))
        for _, pipe in pipeline.pipeline:
            document = pipe(document)
        denied = {(e.start_char, e.end_char): e._.negex for e in document.ents}
        return {
            (start, end, denied.get((span.start_char, span.end_char), False))
            for (start, end, _), span in zip(places, spans, strict=True)
        }

    return read


def photo_rules(
    examples: Sequence[ClaimExample], claims: Sequence[Sequence[Claim]], config: "ModelConfig"
) -> dict[str, Callable[[int, str], bool]]:
    """Ways to answer an example, by its index, on a photo that certainly shows a class."""
    taxonomy = Taxonomy.load().with_classes(config.classes)

    def ours(i: int, label: str) -> bool:
        seen = ImageEvidence({c: float(c == label) for c in config.classes}, True)
        return decide(claims[i], seen, taxonomy, config.claim_threshold).value is True

    def words(i: int, label: str) -> tuple[str, list[str]]:
        return label.replace("_", " "), [claim.mention.lower() for claim in claims[i]]

    def among(i: int, label: str) -> bool:
        name, mentions = words(i, label)
        return name in mentions

    def within(i: int, label: str) -> bool:
        name, mentions = words(i, label)
        return any(name in mention or mention in name for mention in mentions)

    def turned(i: int, label: str) -> bool:
        return within(i, label) != bool(NEGATION.search(examples[i].text))

    return {
        "ours": ours,
        "label among mentions": among,
        "label within a mention or the reverse": within,
        "the same, turned round": turned,
    }


def print_reading(
    examples: Sequence[ClaimExample], reader: ClaimExtractor, config: "ModelConfig", errors: bool
) -> None:
    """Print how a set of sentences is read: by whom, on photos, by category."""
    gold = [example.spans for example in examples]
    texts = [example.text for example in examples]
    reader.read(texts[:1])
    started = time.perf_counter()
    claims = [reader.read([text])[0] for text in texts]
    seconds = (time.perf_counter() - started) / len(texts)
    ours = list(map(claim_spans, claims))

    systems: dict[str, list[Spans]] = {"ours": ours}
    if check := negex():
        systems["NegEx"] = [check(t, spans) for t, spans in zip(texts, ours, strict=True)]
    systems["whole-text flip"] = [flip(t, spans) for t, spans in zip(texts, ours, strict=True)]
    systems["exact match"] = [exact(text, config.classes) for text in texts]
    systems["any substring"] = [substring(text, config.classes) for text in texts]

    print(f"{len(examples)} sentences, {seconds * 1000:.1f} ms each\n")
    print(f"{'':16} {'claims F1':22} {'mentions F1':22} polarity of found mentions")
    for name, found in systems.items():
        scores = report_claims(gold, found)
        cells = [cell(scores[key]) for key in ("claims_f1", "mentions_f1", "polarity")]
        print(f"{name:16} {cells[0]:22} {cells[1]:22} {cells[2]}")
    photos = [(i, label) for i, example in enumerate(examples) for label in example.photos]
    print(f"\n{len(photos)} answers on photos that certainly show a class{'':11}right")
    rules = photo_rules(examples, claims, config)
    for name, answer in rules.items():
        right = np.array([answer(i, label) == examples[i].photos[label] for i, label in photos])
        estimate = bootstrap(
            lambda drawn, right=right: right[drawn].mean(), len(right), [i for i, _ in photos]
        )
        print(f"{name:58} {estimate}")
    print()
    print(f"{'category':26} sentences  all right  claims F1")
    rows = count_claims(gold, ours)
    for category in dict.fromkeys(example.category for example in examples):
        part = np.array([i for i, e in enumerate(examples) if e.category == category])
        whole = np.mean([ours[i] == gold[i] for i in part])
        shown = f"{f1(rows[part, :3]):10.3f}" if rows[part, 2].any() else f"{'-':>10}"
        print(f"{category:26} {len(part):9} {whole:10.3f} {shown}")
    print()
    if errors:
        for example, spans in zip(examples, ours, strict=True):
            if spans != example.spans:
                print(f"{example.category}: {example.text[:300]}")
                for what, wrong in (
                    ("missed", example.spans - spans),
                    ("false", spans - example.spans),
                ):
                    shown = [f"{'-' * n}{example.text[s:e]}" for s, e, n in sorted(wrong)]
                    if shown:
                        print(f"   {what}: {', '.join(shown)}")
        for i, label in photos:
            if rules["ours"](i, label) != (expected := examples[i].photos[label]):
                print(f"photo {label}, expected {expected}: {texts[i][:200]}")


def print_captions(folder: Path, reader: ClaimExtractor, errors: bool) -> None:
    """Print precision and recall on captions that are annotated by their place in a file."""
    examples = read_captions(CAPTIONS, folder)
    gold = [example.spans for example in examples]
    found = list(map(claim_spans, reader.read([example.text for example in examples])))
    rows = count_claims(gold, found)
    scores = {
        "precision": lambda drawn: rows[drawn, 0].sum() / max(1, rows[drawn, 1].sum()),
        "recall": lambda drawn: rows[drawn, 0].sum() / max(1, rows[drawn, 2].sum()),
    }
    named = ", ".join(f"{name} {bootstrap(score, len(rows))}" for name, score in scores.items())
    print(f"\n{len(examples)} image captions, {rows[:, 2].sum()} claims: {named}")
    for example, spans in zip(examples, found, strict=True):
        if errors and spans != example.spans:
            print(f"   {example.text[:200]!r}: {sorted(spans ^ example.spans)}")


def print_probes(rows: Rows, errors: bool) -> None:
    """Print which share of the texts of each probe is read wrongly."""
    print(f"\n{'probe':36} texts  read wrongly")
    for name, found in rows.items():
        flags = np.array([flag for _, flag in found], float)
        estimate = bootstrap(lambda drawn, flags=flags: flags[drawn].mean(), len(flags))
        print(f"{name:36} {len(flags):5}  {estimate}")
        for text, flag in found if errors else ():
            if flag is True:
                print(f"   {text[:200]!r}")


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--split", choices=("look", "report"), help="one half only")
    parser.add_argument("--count", type=int, metavar="N", help="the first of each kind only")
    parser.add_argument("--errors", action="store_true", help="print what is read wrongly")
    parser.add_argument("--file", type=Path, metavar="FILE", help="sentences in place of both sets")
    parser.add_argument("--existence", type=Path, metavar="FILE", help="VALSE's existence.json")
    parser.add_model("--model", NER_MODEL)
    return parser


def main() -> int:
    """Print the tables."""
    args = get_args_parser().parse_args()
    from classifier.config import ModelConfig

    statements = json.loads(args.existence.read_text("utf-8")).values() if args.existence else ()
    config = ModelConfig.load(CLASSIFIER_MODEL)
    reader = ClaimExtractor.load(args.model)
    everything = []
    for file in [args.file] if args.file else [SENTENCES, REGISTERS]:
        rows = read_claims(file)
        for half in [args.split] if args.split else sorted({row.split for row in rows}):
            examples = [row for row in rows if row.split == half][: args.count]
            print(f"{file.name}, {half}: ", end="")
            print_reading(examples, reader, config, args.errors)
            everything += examples
    listed = json.loads(THINGS.read_text("utf-8"))
    words = {kind: part[: args.count] for kind, part in listed.items()}
    captions = data_root() / "captions"
    if captions.is_dir():
        print_captions(captions, reader, args.errors)
    print_probes(things(reader.read, words), args.errors)
    if args.existence:
        print_probes(existence(reader.read, statements, reader.taxonomy), args.errors)
    print_probes(changes(reader.read, everything, reader.taxonomy, words["nouns"]), args.errors)
    return 0


if __name__ == "__main__":
    run(main)
