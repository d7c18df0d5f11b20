"""ONNX models: running one with onnxruntime, and writing one from torch.

Inference needs onnxruntime and numpy alone; torch and onnx are imported where a model is written.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from common.config import save_json
from common.errors import InputError

if TYPE_CHECKING:
    import onnxruntime
    import torch

OPSET = 18
RANGE_AVERAGE = 0.01  # weight of one calibration input in the average range of an activation
LAYERS = {"Conv", "Gemm", "MatMul"}  # nodes with weights
INT8_COST = 0.005  # what int8 may lose of the validation score before fp32 is kept

Run = Callable[..., np.ndarray]  # a model: named inputs, and optionally the name of an output


def load(folder: Path, outputs: int, device: str = "auto") -> Run:
    """Open ``model.onnx`` in a model folder.

    Args:
        folder: The model folder.
        outputs: Number of classes or labels that the folder's configuration names.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        A function from named inputs to logits, or to the output that its second argument names.

    Raises:
        InputError: If there is no such model, it has another number of outputs, or no CUDA is there
            where it is asked for.
    """
    path = Path(folder) / "model.onnx"
    if not path.exists():
        raise InputError(f"no model at {path}; export.py writes it from model.safetensors")
    session = open_file(path, device)
    found = next(o.shape[-1] for o in session.get_outputs() if o.name == "logits")
    if found != outputs:
        raise InputError(f"{path} has {found} outputs; its configuration names {outputs}")
    return lambda inputs, output="logits": session.run([output], inputs)[0]


def open_file(path: Path, device: str = "cpu") -> "onnxruntime.InferenceSession":
    """Open an ONNX file; it runs in the thread that calls it, see `common.parallel`.

    Raises:
        InputError: If it is none, or no CUDA is there where it is asked for.
    """
    import onnxruntime

    cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not cuda:
        raise InputError("--device cuda: this onnxruntime has no CUDA; use cpu or auto")
    providers = ["CPUExecutionProvider"]
    if cuda and device != "cpu":
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as error:  # onnxruntime has a class for each kind of damage
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: not a readable ONNX model ({reason})") from error


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


def quantize_static(source: Path, target: Path, batches: Iterable[dict[str, np.ndarray]]) -> None:
    """Quantize weights and activations to int8, per channel, with ranges from example inputs.

    The nodes that write the model's outputs stay exact, and those between them and the last layers
    with weights: they are small, and nothing after them evens out their rounding. Ranges are
    averages over the inputs: one odd input that widens a range would make the steps coarser for
    all. Activations are unsigned, as the int8 instructions of x86 want them; onnxruntime leaves
    part of a network with signed ones in fp32. Weights keep to 7 bits: processors with AVX2 but
    without VNNI add two products in 16 bits, where 8 overflow.

    Args:
        source: The fp32 model.
        target: The int8 model.
        batches: Calibration inputs; training data.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantType,
        quant_pre_process,
        quantize_static,
    )

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = iter(batches)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)  # it does not know all operators
    graph = onnx.load(prepared).graph
    writers = {name: node for node in graph.node for name in node.output}
    last = [writers[output.name] for output in graph.output]
    for node in last:  # grows
        if node.op_type not in LAYERS:
            before = [writers[name] for name in node.input if name in writers]
            last += [n for n in before if n.op_type not in LAYERS and n not in last]
    averaged = {"CalibMovingAverage": True, "CalibMovingAverageConstant": RANGE_AVERAGE}
    quantize_static(
        prepared,
        target,
        Reader(),
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        nodes_to_exclude=[node.name for node in last],
        extra_options=averaged,
    )
    prepared.unlink()


def quantize_dynamic(source: Path, target: Path) -> None:
    """Quantize weights to int8; activations are quantized as they come.

    Matrices per channel and to 7 bits, see `quantize_static`; embeddings, only looked up, to 8.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    matrices = target.with_suffix(".matrices.onnx")
    quantize_dynamic(
        source,
        matrices,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    quantize_dynamic(matrices, target, op_types_to_quantize=["Gather"])
    matrices.unlink()


def keep_best(
    fp32: Path,
    int8: Path,
    score: Callable[[Run], float],
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
        session = open_file(path)
        value = score(lambda inputs, session=session: session.run(["logits"], inputs)[0])
        report[name] = {"score": round(value, 4), "megabytes": round(path.stat().st_size / 1e6, 1)}
    if precision == "auto":
        cost = report["fp32"]["score"] - report["int8"]["score"]
        precision = "int8" if cost <= INT8_COST else "fp32"
    report["kept"] = precision
    shutil.copyfile(int8 if precision == "int8" else fp32, folder / "model.onnx")
    save_json(report, folder / "export.json")
    print(json.dumps(report))
