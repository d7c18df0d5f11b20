"""The answer to a pair of text and photo."""

from dataclasses import dataclass
from typing import Any

from classifier.predictor import Prediction
from matching.verdict import Verdict

ANSWER_COLUMNS = {
    **{"text": str, "image": str, "answer": str, "verdict": bool, "reason": str},
    **{"animals": str, "predicted": str, "probability": float, "error": str},
}

TOP = 5  # classes that the JSON lists


@dataclass(frozen=True)
class Answer:
    """What came out for one pair; ``error`` is set and the rest None when it has no answer."""

    text: str
    image: str | None
    """The path as it was given, None for a photo that came otherwise."""
    verdict: Verdict | None = None
    prediction: Prediction | None = None
    error: str | None = None

    @property
    def answer(self) -> str | None:
        """``True`` or ``False``; undecided is ``False``."""
        return None if self.verdict is None else str(self.verdict.value is True)

    def to_json(self) -> dict[str, Any]:
        """The whole answer."""
        row: dict[str, Any] = {"text": self.text, "image": self.image}
        if self.verdict is None or self.prediction is None:
            empty = ("verdict", "answer", "reason", "explanation", "claims", "prediction")
            return row | dict.fromkeys(empty) | {"error": self.error}
        (label, probability), *_ = top = self.prediction.top(TOP)
        shown = {"label": label, "probability": probability, "known": self.prediction.known}
        return row | {
            "verdict": self.verdict.value,
            "answer": self.answer,
            "reason": self.verdict.reason.value,
            "explanation": self.verdict.explanation,
            "claims": [claim.to_json() for claim in self.verdict.claims],
            "prediction": shown | {"concept": self.prediction.concept_as_json(), "top": top},
            "error": None,
        }

    def to_row(self) -> dict[str, Any]:
        """The answer as one row of a table, by `ANSWER_COLUMNS`."""
        row = dict.fromkeys(ANSWER_COLUMNS) | {"text": self.text, "image": self.image}
        if self.verdict is None or self.prediction is None:
            return row | {"error": self.error}
        ((label, probability),) = self.prediction.top(1)
        claims = (judged.claim for judged in self.verdict.claims)
        animals = (f"{'no ' * claim.negated}{claim.animal or claim.mention}" for claim in claims)
        return row | {
            "answer": self.answer,
            "verdict": self.verdict.value,
            "reason": self.verdict.reason.value,
            "animals": "; ".join(animals),
            "predicted": label,
            "probability": probability,
        }
