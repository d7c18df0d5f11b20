"""Bring a classifier's folder of an older version up to date.

    python models/migrate.py models/classifier

Weights and answers stay as they are.
"""

import json
import sys
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.config import fingerprint, save_json
from common.errors import InputError


def classifier(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the configuration of a classifier; ``model.onnx`` gets the output ``features``."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from classifier.config import ModelConfig
    from common.runtime.export import store

    if (values.pop("layers"), values.pop("width")) != ([3, 4, 6, 3], 64):
        raise InputError(f"{folder}: not a ResNet50; train it anew")
    values |= {"encoder": "resnet50", "interpolation": "bilinear"}
    values["max_aspect"] = values.pop("squash")
    values["weights"] = fingerprint(folder / "model.safetensors")
    if (path := folder / "model.onnx").exists():
        model = onnx.load(path)
        (head,) = (node for node in model.graph.node if "maps" in node.output)
        axes = numpy_helper.from_array(np.array([2, 3]), "features_axes")
        pool = helper.make_node("ReduceMean", [head.input[0], axes.name], ["features"], keepdims=0)
        features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 2048])
        model.graph.initializer.append(axes)
        model.graph.node.append(pool)
        model.graph.output.append(features)
        onnx.save(model, path)
        store(path, path, values["weights"])
    return vars(ModelConfig(**values))


def main() -> None:
    """Migrate."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the model folder")
    folder = parser.parse_args().folder
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text())
        if "layers" not in values:
            raise InputError(f"{folder}: nothing to migrate")
        save_json(classifier(values, folder), path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: no older model's configuration ({error})") from error


if __name__ == "__main__":
    run(main)
