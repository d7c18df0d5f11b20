"""Write torch models as ONNX, and keep the better precision."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime

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
    weights: str | None = None,
) -> None:
    """Put one of two models into a folder as ``model.onnx``, with the comparison beside it.

    Args:
        fp32: The exact model.
        int8: The quantized one.
        score: A model to its validation score, higher is better.
        precision: ``fp32``, ``int8``, or ``auto`` for int8 where it costs at most `INT8_COST`.
        folder: The model folder.
        weights: Fingerprint of the weights that both were exported from.
    """
    report: dict[str, Any] = {}
    for name, path in {"fp32": fp32, "int8": int8}.items():
        value = score(Session(path))
        report[name] = {"score": round(value, 4), "megabytes": round(path.stat().st_size / 1e6, 1)}
    if precision == "auto":
        cost = report["fp32"]["score"] - report["int8"]["score"]
        precision = "int8" if cost <= INT8_COST else "fp32"
    report["kept"] = precision
    store(int8 if precision == "int8" else fp32, folder / "model.onnx", weights)
    save_json(report, folder / "export.json")
    print(json.dumps(report))


def store(source: Path, target: Path, weights: str | None) -> None:
    """Write an ONNX model as a model folder keeps it: naming its weights, ready to run.

    An int8 model is stored as onnxruntime optimises it, which then need not be done each time it is
    opened. An fp32 one is not: its fastest form (``NchwcTransformer``) suits one kind of processor.

    Args:
        source: The exported model.
        target: Where it is stored; it may be the same file.
        weights: Fingerprint of the weights that it was exported from.
    """
    model = onnx.load(source)
    metadata = {} if weights is None else {"weights": weights}
    if {node.op_type for node in model.graph.node} & {"DequantizeLinear", "MatMulInteger"}:  # int8
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(target)
        options.log_severity_level = 3  # errors only
        onnxruntime.InferenceSession(
            model.SerializeToString(),
            options,
            ["CPUExecutionProvider"],
            disabled_optimizers=["NchwcTransformer"],
        )
        model, metadata["optimized"] = onnx.load(target), "true"
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, target)
