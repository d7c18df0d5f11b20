"""Model folders of older versions become those of today, by models/migrate.py."""

import json

import numpy as np
import pytest
from conftest import error_of, script
from onnx import TensorProto, helper, numpy_helper, save

from classifier.config import ModelConfig
from common.config import fingerprint
from common.runtime.session import open_model

OLD = {
    **{"classes": ["cow", "lion"], "layers": [3, 4, 6, 3], "width": 64, "imagenet": False},
    **{"resize": 224, "crop": 224, "squash": 1.2, "mean": [0.5] * 3, "std": [0.2] * 3},
    **{"temperature": 0.5, "detector": "energy", "known_threshold": 1.5, "claim_threshold": 0.4},
}


@pytest.fixture
def old(tmp_path):
    """A folder as version 0.2 wrote it, with a network of one convolution."""
    (tmp_path / "config.json").write_text(json.dumps(OLD))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    weight = np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1)
    axes = np.array([2, 3])
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["images", "weight"], ["maps"]),
            helper.make_node("ReduceMean", ["maps", "axes"], ["logits"], keepdims=0),
        ],
        "old",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 4, 4])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2]),
            helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["batch", 2, 4, 4]),
        ],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(axes, "axes")],
    )
    opset = [helper.make_opsetid("", 18)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "model.onnx")
    return tmp_path


def test_a_classifier_names_its_encoder_and_gives_its_features(old):
    script("models/migrate.py", old)
    config = ModelConfig.load(old)
    assert (config.encoder, config.interpolation, config.max_aspect) == (
        "resnet50",
        "bilinear",
        1.2,
    )
    assert (config.max_aspect, config.temperature, config.known_threshold) == (1.2, 0.5, 1.5)
    assert config.weights == fingerprint(old / "model.safetensors")
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    session = open_model(old, 2, config.weights, "cpu")
    outputs = session({"images": images}, ["logits", "features"])
    features = images.mean((2, 3))  # what the last convolution reads, here the photo
    assert np.allclose(outputs["features"], features, atol=1e-6)
    assert np.allclose(outputs["logits"], features @ np.array([[0, 3], [1, 4], [2, 5]]), atol=1e-5)


def test_what_cannot_be_migrated(old):
    (old / "config.json").write_text(json.dumps(OLD | {"width": 4}))
    done = script("models/migrate.py", old, check=False)
    assert "not a ResNet50; train it anew" in error_of(done)
    assert json.loads((old / "config.json").read_text())["width"] == 4
    for values in ({}, {"id2label": {"0": "O"}}):  # neither is a classifier's
        (old / "config.json").write_text(json.dumps(values))
        assert "nothing to migrate" in error_of(script("models/migrate.py", old, check=False))
    (old / "config.json").unlink()
    done = script("models/migrate.py", old, check=False)
    assert "config.json: no older model's configuration" in error_of(done)


@pytest.mark.parametrize("values", [5, {"layers": 1}, OLD | {"classes": None}])
def test_what_is_no_configuration(values, old):
    values = {k: v for k, v in values.items() if v} if isinstance(values, dict) else values
    (old / "config.json").write_text(json.dumps(values))
    done = script("models/migrate.py", old, check=False)
    assert "config.json: no older model's configuration" in error_of(done)
