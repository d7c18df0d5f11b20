"""Weights as safetensors files hold them: under a network's own names, whatever it is part of."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from common.errors import InputError


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a safetensors file, in fp32.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        weights = load_file(path)
    except Exception as error:  # safetensors has its own error class besides OSError
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: no readable safetensors file ({reason})") from error
    return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}


def put_weights(model: nn.Module, weights: Mapping[str, torch.Tensor], source: object) -> None:
    """Put weights into all layers of a model.

    Raises:
        InputError: If they are of another shape; the message names the source.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{source}: weights of another shape than the model ({reason})") from error


def keep_names_of(model: nn.Module, child: str) -> None:
    """Leave a child's name out of the state dict's keys: it holds the child's own names."""

    def drop(model: nn.Module, state: dict, prefix: str, _: object) -> None:
        for key in [key for key in state if key.startswith(f"{prefix}{child}.")]:
            state[prefix + key.removeprefix(f"{prefix}{child}.")] = state.pop(key)

    def add(model: nn.Module, state: dict, prefix: str, *_: object) -> None:
        others = {name for name, _ in model.named_children()} - {child}
        for own in [key.removeprefix(prefix) for key in state if key.startswith(prefix)]:
            if own.split(".")[0] not in others:
                state[f"{prefix}{child}.{own}"] = state.pop(prefix + own)

    model.register_state_dict_post_hook(drop)
    model.register_load_state_dict_pre_hook(add)
