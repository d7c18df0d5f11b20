"""Interpolation of two weights of one network."""

import math
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the fine-tuned weights


def interpolate(
    model: nn.Module,
    start: dict[str, torch.Tensor],
    evaluate: Callable[[nn.Module], dict[str, float]],
) -> dict[str, Any]:
    """Leave the best mixture of ``start`` and a fine-tuned model's weights in the model.

    Between a probe on frozen features and the fine-tuned network lie models that keep more of what
    the features knew about other sources of photos (WiSE-FT, Wortsman et al., CVPR 2022). The mean
    of the scores decides; of equal mixtures the one nearest to the start is kept, never a NaN.

    Returns:
        The ``share`` of the fine-tuned weights that was chosen, and the ``scores`` of all shares.
    """
    tuned = {name: value.clone() for name, value in model.state_dict().items()}

    def mix(share: float) -> None:
        for name, value in model.state_dict().items():
            mixed = value.is_floating_point()
            value.copy_(start[name].lerp(tuned[name], share) if mixed else tuned[name])

    chosen, best, tried = SHARES[0], -math.inf, {}
    for share in SHARES:
        mix(share)
        scores = {name: float(value) for name, value in evaluate(model).items()}
        tried[f"{share:.2f}"] = scores
        line = "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print(f"interpolation {share:.2f}  {line}", file=sys.stderr)
        if (mean := sum(scores.values()) / len(scores)) > best:
            chosen, best = share, mean
    mix(chosen)
    return {"share": chosen, "scores": tried}
