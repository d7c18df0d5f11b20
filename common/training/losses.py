"""The one loss of all models: cross-entropy that also takes partial labels."""

import torch


def partial_label_loss(
    logits: torch.Tensor,
    allowed: torch.Tensor,
    smoothing: float = 0.0,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Negative log of the summed probability of the labels that may be right.

    A fully labelled example allows one label, and the loss is plain cross-entropy. A photo that is
    only known to show *a dog* allows every dog breed; a token that is only known to be no person
    allows every label but those of persons. Marginal likelihood of partial labels, as in
    Jin & Ghahramani, "Learning with Multiple Labels" (NIPS 2002).

    Args:
        logits: ``(N, C)``.
        allowed: ``(N, C)`` bool; a row without any allowed label is left out of the mean.
        smoothing: Share of the target spread evenly over all classes (label smoothing).
        weights: ``(N,)``, how much each row counts; equally without it.

    Returns:
        The mean loss over the rows that allow a label, a scalar in nats.
    """
    counted = allowed.any(dim=1)
    log_probabilities = logits.float().log_softmax(dim=1)[counted]  # (M, C)
    inside = log_probabilities.masked_fill(~allowed[counted], -torch.inf).logsumexp(dim=1)  # (M,)
    losses = -((1 - smoothing) * inside + smoothing * log_probabilities.mean(dim=1))
    if weights is None:
        return losses.mean()
    return (losses * weights[counted]).sum() / weights[counted].sum()
