"""Rounds a network's weights to few steps so that its outputs change least, not its weights.

GPTQ (Frantar et al., ICLR 2023): the columns of a layer's weights are rounded one after the other,
and those still to come are moved to make up for the error, as far as the layer's inputs allow.
"""

from collections.abc import Iterable

import torch
from torch import nn

STEPS = 64  # of a row's largest weight: what onnxruntime's reduced int8 range has on each side
DAMPING = 0.01  # added to the Gram matrix, of its mean diagonal (as in the paper)
BLOCK = 128  # columns after which all later ones are moved (as in the paper; only for speed)


@torch.no_grad()
def round_convolutions(model: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Round the weights of all convolutions but grouped ones, see `gptq_round`.

    Args:
        model: Changed in place.
        batches: Example inputs ``(B, 3, H, W)``; training data.
    """
    grams: dict[nn.Conv2d, torch.Tensor] = {}

    def collect(layer: nn.Conv2d, inputs: tuple[torch.Tensor], _: torch.Tensor) -> None:
        patches = nn.functional.unfold(
            inputs[0], layer.kernel_size, layer.dilation, layer.padding, layer.stride
        )  # (B, K, places)
        rows = patches.transpose(1, 2).flatten(0, 1)
        grams[layer] = grams.get(layer, 0) + rows.T @ rows

    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.groups == 1]
    hooks = [layer.register_forward_hook(collect) for layer in layers]
    for batch in batches:
        model(batch)
    for hook in hooks:
        hook.remove()
    for layer, gram in grams.items():
        layer.weight.copy_(gptq_round(layer.weight.flatten(1), gram).view_as(layer.weight))


def gptq_round(weight: torch.Tensor, gram: torch.Tensor) -> torch.Tensor:
    """Round a matrix so that its products with typical inputs change least.

    Args:
        weight: ``(N, K)``.
        gram: Sum of the inputs' outer products, ``(K, K)``.

    Returns:
        ``(N, K)``, each row whole multiples of its largest magnitude / `STEPS`, which it keeps.
    """
    result = weight.clone()
    step = weight.abs().amax(1).clamp_min(torch.finfo(weight.dtype).tiny) / STEPS  # (N,)
    largest = weight.abs().argmax(1)
    gram = gram.double()
    gram.diagonal().add_(DAMPING * gram.diagonal().mean() + torch.finfo(weight.dtype).tiny)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
    # Row k says how far the columns from k on move for an error in column k.
    moves = torch.linalg.cholesky(inverse, upper=True).to(weight.dtype)
    moves /= moves.diagonal()[:, None].clone()
    for start in range(0, weight.shape[1], BLOCK):
        stop = min(start + BLOCK, weight.shape[1])
        errors = weight.new_zeros(len(weight), stop - start)
        for k in range(start, stop):
            column = (result[:, k] / step).round().clamp(-STEPS, STEPS) * step
            column = torch.where(largest == k, weight[:, k], column)
            errors[:, k - start] = result[:, k] - column
            result[:, k] = column
            result[:, k + 1 : stop] -= errors[:, k - start, None] * moves[k, k + 1 : stop]
        result[:, stop:] -= errors @ moves[start:stop, stop:]
    return result
