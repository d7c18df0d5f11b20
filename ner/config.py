"""What a text model's folder says about itself in ``config.json``.

The file is Hugging Face's; what that has no place for stands under ``faunacheck``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from common.config import save_json
from common.errors import InputError
from ner.labels import HEADS, MARKS

KEY = "faunacheck"


def _are_heads(heads: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether heads are those of `HEADS` in its order; the entity types are free."""
    entity = list(heads["entity"])
    bio = ["O", *(prefix + label[1:] for label in entity[1::2] for prefix in "BI")]
    found = {name: list(labels) for name, labels in heads.items()}
    expected = {name: list(labels) for name, labels in HEADS.items()} | {"entity": bio}
    return list(found.items()) == list(expected.items())


_RULES = {  # a key: what its value must be, and the check
    "heads": (f"{', '.join(HEADS)} in this order, each with its labels", _are_heads),
    "marks": (f"{json.dumps(MARKS)}", lambda value: value == MARKS),
    "window": ("a number of sub-words from 8 on", lambda value: value == int(value) >= 8),
    "overlap": ("a number of sub-words", lambda value: value == int(value) >= 0),
    "name_odds": ("above 0", lambda value: 0 < value < float("inf")),
    "denied": ("between 0 and 1", lambda value: 0 < value < 1),
    "cue": ("between 0 and 1", lambda value: 0 < value < 1),
    "weights": ("a fingerprint", lambda value: not value or value.startswith("sha256:")),
}


@dataclass(frozen=True)
class ModelConfig:
    """Heads, marks, windows and thresholds of one text model.

    Attributes:
        heads: The labels of each head, in the order of the outputs.
        marks: How many shapes of words and how many marks of names a token carries.
        window: Sub-words in a window, special tokens included.
        overlap: Sub-words that neighbouring windows share.
        name_odds: Multiplies the odds that a name without another everyday sense is a mention:
            training shows animal words in other senses far more often than people use them.
        denied: Probability from which a mention counts as denied.
        cue: Probability from which a word counts as a cue.
        weights: Fingerprint of ``model.safetensors``; None before there are any.

    Raises:
        InputError: If a value makes no sense; the message names the key.
    """

    heads: Mapping[str, Sequence[str]] = field(default_factory=lambda: HEADS)
    marks: Mapping[str, int] = field(default_factory=lambda: MARKS)
    window: int = 512
    overlap: int = 128
    name_odds: float = 4.0
    denied: float = 0.5
    cue: float = 0.5
    weights: str | None = None

    def __post_init__(self):
        for name, (expected, is_right) in _RULES.items():
            value = getattr(self, name)
            try:
                right = is_right(value)
            except (AttributeError, KeyError, TypeError, ValueError):  # of another type
                right = False
            if not right:
                raise InputError(f"{name} must be {expected}, not {json.dumps(value)[:100]}")
        if self.overlap > self.window // 2:
            raise InputError(f"overlap must be at most half of window, not {self.overlap}")

    @cached_property
    def outputs(self) -> list[str]:
        """Names of all outputs: entity labels, and ``head:label`` of the other heads."""
        return [
            label if head == "entity" else f"{head}:{label}"
            for head, labels in self.heads.items()
            for label in labels
        ]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each head's logits are among the outputs."""
        begin, found = 0, {}
        for head, labels in self.heads.items():
            found[head] = slice(begin, begin := begin + len(labels))
        return found

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read ``config.json``.

        Raises:
            InputError: If the folder has none, it is older than the key, or a value makes no sense.
        """
        path = Path(folder) / "config.json"
        try:
            raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            labels = [raw["id2label"][str(i)] for i in range(len(raw["id2label"]))]
        except OSError as error:
            raise InputError(f"no text model in {folder}: it has no config.json") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a text model's configuration: {error}") from error
        if KEY not in raw:
            raise InputError(
                f"{path} is of an older version; migrate it: models/migrate.py {folder}"
            )
        own, names = raw[KEY], {f.name for f in fields(cls)}
        if not isinstance(own, dict) or own.keys() != names:
            raise InputError(f"{path}: {KEY} must have the keys {', '.join(sorted(names))}")
        try:
            config = cls(**own)
        except InputError as error:
            raise InputError(f"{path}: {KEY}.{error}") from error
        if config.outputs != labels:
            raise InputError(f"{path}: {KEY}.heads must be the labels of id2label in their order")
        return config

    def save(self, folder: Path, weights: str) -> None:
        """Add the key to the ``config.json`` that is there, with the weights' fingerprint."""
        path = Path(folder) / "config.json"
        raw = json.loads(path.read_text(encoding="utf-8"))
        save_json(raw | {KEY: asdict(self) | {"weights": weights}}, path)
