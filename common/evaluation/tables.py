"""Reports as text."""

from typing import Any

from common.evaluation.bootstrap import Estimate


def cell(value: Any) -> str:
    """Return a figure of a report as text; an estimate as JSON is shown with its interval."""
    if isinstance(value, dict):
        return str(Estimate(**value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def as_text(report: Any, path: str = "") -> str:
    """Return a report for the terminal, a line for the figures of each of its parts.

    Args:
        report: A dict or list of figures (numbers, texts, estimates as JSON) and of such parts.
        path: The names of the parts that this one is in.
    """
    items = report.items() if isinstance(report, dict) else enumerate(report, 1)
    figures, parts = [], []
    for name, value in items:
        if isinstance(value, list) or (isinstance(value, dict) and "low" not in value):
            parts.append(as_text(value, f"{path} {name}".strip()))
        else:
            figures.append(f"{name} {cell(value)}")
    return "\n".join([f"{path:24} {'  '.join(figures)}".strip()] * bool(figures) + parts)
