"""Quantize ONNX models to int8."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import quantization

RANGE_AVERAGE = 0.01  # weight of one calibration input in the average range of an activation

SEVEN_BITS = {"per_channel": True, "reduce_range": True}  # of weights, see `quantize_static`
LAYERS = {"Conv", "Gemm", "MatMul"}  # nodes with weights


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
    inputs = iter(batches)

    class Reader(quantization.CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(inputs, None)

    prepared = target.with_suffix(".prepared.onnx")
    # Symbolic shape inference does not know all operators.
    quantization.quant_pre_process(source, prepared, skip_symbolic_shape=True)
    graph = onnx.load(prepared).graph
    writers = {name: node for node in graph.node for name in node.output}
    last = [writers[output.name] for output in graph.output]
    read = {name for node in graph.node if node.op_type in LAYERS for name in node.input}
    for node in last:  # grows
        if node.op_type not in LAYERS:
            before = [writers[name] for name in node.input if name in writers.keys() - read]
            last += [n for n in before if n.op_type not in LAYERS and n not in last]
    averaged = {"CalibMovingAverage": True, "CalibMovingAverageConstant": RANGE_AVERAGE}
    options = {"nodes_to_exclude": [node.name for node in last], "extra_options": averaged}
    unsigned = {"activation_type": quantization.QuantType.QUInt8}
    quantization.quantize_static(prepared, target, Reader(), **SEVEN_BITS, **unsigned, **options)
    prepared.unlink()


def quantize_dynamic(source: Path, target: Path) -> None:
    """Quantize weights to int8; activations are quantized as they come.

    Matrices per channel and to 7 bits, see `quantize_static`; embeddings, only looked up, to 8.
    """
    matrices = target.with_suffix(".matrices.onnx")
    quantization.quantize_dynamic(source, matrices, ["MatMul"], **SEVEN_BITS)
    quantization.quantize_dynamic(matrices, target, op_types_to_quantize=["Gather"])
    matrices.unlink()
