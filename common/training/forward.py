"""Torch models as functions from numpy to numpy."""

from collections.abc import Callable

import numpy as np
import torch

from common.training.loop import autocast


def torch_model(
    forward: Callable[..., torch.Tensor], device: torch.device, precision: str = "fp32"
) -> Callable[..., np.ndarray]:
    """Return a torch model, or one of its methods, as a function of arrays.

    Args:
        forward: From tensors to a tensor.
        device: Where the model is.
        precision: ``auto``, ``bf16`` or ``fp32``.
    """

    @torch.inference_mode()
    def infer(*arrays: np.ndarray) -> np.ndarray:
        tensors = [torch.from_numpy(array).to(device) for array in arrays]
        with autocast(device, precision):  # here, because it holds for one thread only
            return forward(*map(_channels_last, tensors)).float().cpu().numpy()

    return infer


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """Return images ``(B, C, H, W)`` in the layout in which convolutions are fastest."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
