"""Run ONNX models with onnxruntime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.errors import InputError

if TYPE_CHECKING:
    import onnxruntime


class Session:
    """An ONNX model, from named inputs to named outputs.

    It computes in the thread that calls it, see `common.parallel`, and may be shared by several.

    Raises:
        InputError: If it is no ONNX model, or CUDA is asked for and not there.
    """

    def __init__(self, path: Path, device: str = "cpu"):
        self.path = path
        self._session = _open(path, device)
        self.outputs = {output.name: output.shape for output in self._session.get_outputs()}
        self.weights = self._session.get_modelmeta().custom_metadata_map.get("weights")

    def __call__(
        self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ("logits",)
    ) -> dict[str, np.ndarray]:
        """Return the named outputs for named inputs."""
        return dict(zip(outputs, self._session.run(outputs, inputs), strict=True))


def open_model(
    folder: Path, outputs: int, weights: str | None = None, device: str = "auto"
) -> Session:
    """Open ``model.onnx`` in a model folder.

    Args:
        folder: The model folder.
        outputs: How many outputs its configuration names.
        weights: Fingerprint of the weights that it names.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: If there is no such model, it was exported from other weights or has another
            number of outputs, or CUDA is asked for and not there.
    """
    path = Path(folder) / "model.onnx"
    if not path.exists():
        raise InputError(f"no model at {path}; export.py writes it from model.safetensors")
    session = Session(path, device)
    if session.weights != weights:
        raise InputError(f"{path} was exported from other weights; run export.py again")
    found = session.outputs.get("logits", [None])[-1]
    if found != outputs:
        raise InputError(f"{path} has {found} outputs; its configuration names {outputs}")
    return session


def _open(path: Path, device: str) -> "onnxruntime.InferenceSession":
    import onnxruntime

    cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not cuda:
        raise InputError("--device cuda: this onnxruntime has no CUDA; use cpu or auto")
    providers = ["CPUExecutionProvider"]
    if cuda and device != "cpu":
        providers.insert(0, "CUDAExecutionProvider")
    levels = onnxruntime.GraphOptimizationLevel
    try:
        for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_ALL):
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3  # errors only
            options.intra_op_num_threads = 1
            options.graph_optimization_level = level
            session = onnxruntime.InferenceSession(path, options, providers=providers)
            if "optimized" in session.get_modelmeta().custom_metadata_map:
                break  # stored that way
        return session
    except Exception as error:  # onnxruntime has a class for each kind of damage
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: not a readable ONNX model ({reason})") from error
