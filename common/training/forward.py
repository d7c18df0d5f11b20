"""Torch models as functions from numpy to numpy."""

from collections.abc import Callable

import numpy as np
import torch

from common.training.loop import autocast


def torch_model(
    forward: Callable[..., torch.Tensor], device: torch.device, precision: str = "fp32"
) -> Callable[..., np.ndarray]:
    """Return a torch model that is on ``device``, or one of its methods, as a function of arrays.

    The precision is ``auto``, ``bf16`` or ``fp32``.
    """

    @torch.inference_mode()
    def infer(*arrays: np.ndarray) -> np.ndarray:
        tensors = [torch.from_numpy(array).to(device) for array in arrays]
        tensors = [  # images ``(B, C, H, W)`` in the layout in which convolutions are fastest
            t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t for t in tensors
        ]
        with autocast(device, precision):  # here, because it holds for one thread only
            return forward(*tensors).float().cpu().numpy()

    return infer
