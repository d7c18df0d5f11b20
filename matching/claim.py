"""Mentions and claims: plain values."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Mention:
    """A span of a text that names a kind of animal."""

    text: str
    start: int
    end: int
    status: str = "affirmed"
    """``affirmed``, ``denied``, or ``referring``: a group that stands for a kind named elsewhere,
    as in "the animal is a cow"."""
    cue: tuple[int, int] | None = None
    """Start and end of the words that would deny it, None where there are none."""


@dataclass(frozen=True)
class Claim:
    """A mention with its concept and its polarity."""

    mention: str
    start: int
    end: int
    animal: str | None
    """Concept of the taxonomy, None for a name that it does not know."""
    negated: bool
    cue: str | None = None
    """The words that deny the animal, None for an affirmed one."""

    def to_json(self) -> dict[str, Any]:
        """Return the claim as the JSON outputs show it."""
        return asdict(self)
