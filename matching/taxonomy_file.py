"""The taxonomy's data file: its format, and the checks that let the rest trust it.

``taxonomy.json`` has two parts:

- ``plurals``: the irregular plurals of single words ("wolf": ["wolves"]). They serve every name
  that ends in the word; all other plurals follow a rule (``taxonomy._plurals``).
- ``concepts``: id -> ``names`` (further names; the id is one already), ``is_a`` (ids of the
  concepts above, several where people use both: a killer whale is a whale and an oceanic dolphin),
  and two marks that say what may stand in for a concept finer than any class:

  - ``basic``: the basic level of a category (Rosch 1976), the word at which finer kinds look so
    much alike that one answers for all: a labrador is judged as a dog. "Bear" or "big cat" is not
    marked, because a lion must not answer for a cheetah, nor "animal" for a penguin.
  - ``form``: an age or a sex, not a kind of its own. The concepts right above stand in for it
    ("cub": bear, big cat, wolf or fox), and it gives way to a kind named beside it ("wolf cub").
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import InputError

DEFAULT_FILE = Path(__file__).with_name("taxonomy.json")
ROOT = "animal"  # every concept ends up here, and so does a class that the file does not know

WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s?\b")
_FIELDS = ("is_a", "names", "basic", "form")


@dataclass(frozen=True)
class Concept:
    """One entry of the file; the module's docstring says what the fields mean."""

    names: tuple[str, ...]
    is_a: tuple[str, ...]
    basic: bool = False
    form: bool = False


def normalise(text: str) -> str:
    """Spell a name the way ids are spelt: lower case, single spaces, no punctuation."""
    return " ".join(WORD.findall(_POSSESSIVE.sub(" ", text.lower())))


def read_taxonomy(path: Path) -> tuple[dict[str, Concept], dict[str, tuple[str, ...]]]:
    """Read a taxonomy file and check its entries one by one.

    Args:
        path: A JSON file in the format above.

    Returns:
        The concepts by id, and the irregular plurals by singular word.

    Raises:
        InputError: If the file cannot be read or an entry is malformed; the message names it.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not JSON, or not UTF-8
        reason = str(error).splitlines()[0]
        raise InputError(f"taxonomy: cannot read '{path}': {reason}") from error
    if not isinstance(data, dict) or set(data) != {"plurals", "concepts"}:
        raise InputError(f"taxonomy: '{path}' must have the parts 'plurals' and 'concepts'")
    plurals = {
        word: _strings(forms, f"the plurals of '{word}'")
        for word, forms in _object(data["plurals"], "plurals").items()
    }
    entries = _object(data["concepts"], "concepts")
    if ROOT not in entries:
        raise InputError(f"taxonomy: '{path}' lacks the concept '{ROOT}'")
    return {name: _concept(name, entry) for name, entry in entries.items()}, plurals


def _concept(name: str, entry: Any) -> Concept:
    """Check one entry and turn it into a ``Concept``."""
    if not name or name != normalise(name):
        raise InputError(f"taxonomy: id '{name}' must be lower-case words with single spaces")
    entry = _object(entry, name)
    wrong = set(entry) - set(_FIELDS)
    if wrong or "is_a" not in entry:
        problem = f"has the unknown field '{min(wrong)}'" if wrong else "lacks 'is_a'"
        raise InputError(f"taxonomy: '{name}' {problem}; fields: {', '.join(_FIELDS)}")
    if bool(entry["is_a"]) == (name == ROOT):
        raise InputError(f"taxonomy: 'is_a' of '{name}' is wrong: '{ROOT}' alone has none above")
    marks = {mark: entry.get(mark, False) for mark in ("basic", "form")}
    for mark, value in marks.items():
        if not isinstance(value, bool):
            raise InputError(f"taxonomy: '{mark}' of '{name}' must be true or false")
    names = _strings(entry.get("names", []), f"the names of '{name}'")
    return Concept(names, _strings(entry["is_a"], f"'is_a' of '{name}'"), **marks)


def _object(value: Any, what: str) -> dict[str, Any]:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        raise InputError(f"taxonomy: '{what}' must be an object, not {type(value).__name__}")
    return value


def _strings(value: Any, what: str) -> tuple[str, ...]:
    """Return the value as a tuple if it is a list of words."""
    if not isinstance(value, list) or not all(isinstance(v, str) and normalise(v) for v in value):
        raise InputError(f"taxonomy: {what} must be a list of words")
    return tuple(value)
