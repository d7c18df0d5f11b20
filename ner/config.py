"""What a text model's folder says about itself, in a key of Hugging Face's ``config.json``."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from common.config import check_values
from common.errors import InputError
from ner.labels import HEADS, MARKS

KEY = "faunacheck"
POSSIBLE: dict[str, Callable[[Any], bool]] = {  # values under it, see `check_values`
    "heads": lambda v: [*v] == [*HEADS] and {**v, "entity": 0} == {**HEADS, "entity": 0},
    "marks": lambda v: v == MARKS,
    "window": lambda v: 8 <= v < 100_000,
    "overlap": lambda v: v >= 0,
    "weights": lambda v: isinstance(v, str),
}


@dataclass(frozen=True)
class ModelConfig:
    """Heads, marks and windows of one text model.

    Attributes:
        heads: The labels of each head, in the order of the outputs.
        marks: How many shapes of words and how many marks of names a token carries.
        window: Sub-words in a window, special tokens included.
        overlap: Sub-words that neighbouring windows share.
        weights: Fingerprint of ``model.safetensors``.
    """

    heads: Mapping[str, Sequence[str]] = field(default_factory=lambda: HEADS)
    marks: Mapping[str, int] = field(default_factory=lambda: MARKS)
    window: int = 256
    overlap: int = 64
    weights: str | None = None

    @cached_property
    def outputs(self) -> list[str]:
        """Names of all outputs, those of the first head without its name."""
        named = [f"{head}:{label}" for head, labels in self.heads.items() for label in labels]
        return [name.removeprefix("entity:") for name in named]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each head's logits are among the outputs."""
        ends = np.cumsum([0, *map(len, self.heads.values())])
        return {head: slice(*ends[i : i + 2]) for i, head in enumerate(self.heads)}

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read ``config.json``.

        Raises:
            InputError: If the folder has none, it is older than the key, or a value is impossible.
        """
        path = Path(folder) / "config.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            labels = list(raw["id2label"].values())
            values = raw.get(KEY) or {}
            if "claim" not in values.get("heads", ()):
                raise InputError(f"{path} is of an older version; train it anew: ner/train.py")
            config = cls(**values)
        except OSError as error:
            raise InputError(f"no text model in {folder}: it has no config.json") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a text model's configuration: {error}") from error
        check_values({name: values.get(name) for name in POSSIBLE}, POSSIBLE, path)
        if config.outputs != labels:
            raise InputError(f"{path}: heads must have the labels of id2label in their order")
        if config.overlap > config.window // 2:
            raise InputError(f"{path}: overlap cannot be {config.overlap}, over half the window")
        return config
