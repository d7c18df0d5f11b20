"""Write torch models as ONNX, and keep the better precision."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.config import save_json
from common.runtime.session import Session

if TYPE_CHECKING:
    import torch


OPSET = 18


INT8_COST = 0.005  # what int8 may lose of the validation score before fp32 is kept


def export(
    model: "torch.nn.Module",
    inputs: dict[str, "torch.Tensor"],
    axes: Sequence[str],
    path: Path,
    outputs: Sequence[str] = ("logits",),
) -> None:
    """Write a torch model as fp32 ONNX.

    Args:
        model: Returns what ``outputs`` names.
        inputs: Example inputs by name, in the order of the model's arguments.
        axes: Names of the inputs' first axes; their lengths vary.
        path: The file.
        outputs: Names of what the model returns.
    """
    import torch

    sizes = {axis: torch.export.Dim(name) for axis, name in enumerate(axes)}
    program = torch.onnx.export(
        model.eval(),
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=tuple(sizes for _ in inputs),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    program.save(path, external_data=False)


def choose_precision(
    fp32: Path,
    int8: Path,
    score: Callable[[Session], float],
    precision: str,
    folder: Path,
) -> None:
    """Put one of two models into a folder as ``model.onnx``, with the comparison beside it.

    Args:
        fp32: The exact model.
        int8: The quantized one.
        score: A model to its validation score, higher is better.
        precision: ``fp32``, ``int8``, or ``auto`` for int8 where it costs at most `INT8_COST`.
        folder: The model folder.
    """
    report: dict[str, Any] = {}
    for name, path in {"fp32": fp32, "int8": int8}.items():
        value = score(Session(path))
        report[name] = {"score": round(value, 4), "megabytes": round(path.stat().st_size / 1e6, 1)}
    if precision == "auto":
        cost = report["fp32"]["score"] - report["int8"]["score"]
        precision = "int8" if cost <= INT8_COST else "fp32"
    report["kept"] = precision
    shutil.copyfile(int8 if precision == "int8" else fp32, folder / "model.onnx")
    save_json(report, folder / "export.json")
    print(json.dumps(report))
