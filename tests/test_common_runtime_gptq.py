"""Rounded weights: on their steps, and closer in what they compute than the nearest steps."""

import numpy as np
import onnx
import pytest
import torch
from conftest import model_config
from onnx import numpy_helper
from torch import nn

from classifier.model import Classifier, ClassifierWithMaps
from common.runtime.export import export
from common.runtime.gptq import STEPS, gptq_round, round_convolutions
from common.runtime.quantize import quantize_static
from common.runtime.session import Session


@pytest.fixture
def weight():
    torch.manual_seed(0)
    return torch.randn(8, 300)


def nearest(weight):
    step = weight.abs().amax(1, keepdim=True) / STEPS
    return (weight / step).round() * step


def steps_of(weight):
    return weight / weight.abs().amax(1, keepdim=True) * STEPS


def test_every_weight_is_on_a_step_and_the_largest_stays(weight):
    inputs = torch.randn(1000, 300).cumsum(1)
    result = gptq_round(weight, inputs.T @ inputs)
    assert torch.allclose(result.abs().amax(1), weight.abs().amax(1))
    assert torch.allclose(steps_of(result), steps_of(result).round(), atol=1e-3)


def test_inputs_that_are_alike_make_up_for_errors(weight):
    inputs = torch.randn(2000, 300).cumsum(1)
    seen, unseen = inputs[:1000], inputs[1000:]

    def error(changed):
        return (unseen @ (changed - weight).T).square().mean()

    assert error(gptq_round(weight, seen.T @ seen)) < 0.2 * error(nearest(weight))


def test_inputs_without_correlation_leave_nothing_to_gain(weight):
    assert torch.allclose(gptq_round(weight, torch.eye(300)), nearest(weight), atol=1e-6)


@pytest.mark.parametrize("gram", [torch.zeros(300, 300), torch.ones(300, 300)])
def test_inputs_that_say_nothing(weight, gram):
    assert torch.isfinite(gptq_round(weight, gram)).all()
    assert not gptq_round(torch.zeros(8, 300), gram).any()


def test_quantizing_keeps_rounded_weights_as_they_are(tmp_path):
    """And within 7 bits, so that no processor's sums of products overflow."""
    torch.manual_seed(0)
    model = Classifier(model_config(["cow", "lion"])).eval()
    for module in model.modules():  # the last of each block is 0 before it is trained
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)
    images = torch.randn(8, 3, 64, 64)
    round_convolutions(model, [images])
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    expected = [steps_of(m.weight.detach().flatten(1)).round().numpy() for m in convolutions]

    fp32, int8 = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    export(model, {"images": images}, ("batch",), fp32)
    quantize_static(fp32, int8, [{"images": images[i : i + 1].numpy()} for i in range(8)])
    weights = [numpy_helper.to_array(part) for part in onnx.load(int8).graph.initializer]
    found = {w.tobytes() for w in weights if w.dtype == np.int8 and w.ndim == 4}
    assert found == {e.astype(np.int8).tobytes() for e in expected}


def test_what_follows_the_last_layers_stays_exact(tmp_path):
    torch.manual_seed(0)
    config = model_config(["cow", "not_animal", "lion"], imagenet=True)
    model, images = Classifier(config).eval(), torch.randn(8, 3, 64, 64)
    fp32, int8 = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    outputs = ClassifierWithMaps.outputs
    export(ClassifierWithMaps(model), {"images": images}, ("batch",), fp32, outputs)
    quantize_static(fp32, int8, [{"images": images[i : i + 1].numpy()} for i in range(8)])
    logits, maps = Session(int8)({"images": images.numpy()}, ["logits", "maps"]).values()
    own = maps.mean((2, 3))
    assert np.allclose(logits[:, [0, 2]], own[:, [0, 2]], atol=1e-6)
    exact = Session(fp32)({"images": images.numpy()})["logits"]
    assert np.abs(exact - logits).max() < 0.05
    graph = onnx.load(int8).graph
    weights = [numpy_helper.to_array(part) for part in graph.initializer]
    assert any(w.dtype == np.int8 and 1000 in w.shape for w in weights)
    activations = {node.op_type for node in graph.node} & {"Relu", "Clip"}
    assert not activations  # all before the pooled features is int8 (ranges from 0 do their work)


def rounded_one_by_one(weight, gram):
    """The algorithm as the paper states it, without its Cholesky form and blocks."""
    steps, damping = 64, 0.01
    result = weight.clone()
    inverse = torch.linalg.inv(gram + damping * gram.diagonal().mean() * torch.eye(len(gram)))
    step = weight.abs().amax(1) / steps
    for k in range(weight.shape[1]):
        column = (result[:, k] / step).round().clamp(-steps, steps) * step
        kept = weight.abs().argmax(1) == k
        column[kept] = weight[kept, k]
        error = (result[:, k] - column) / inverse[k, k]
        result[:, k] = column
        result[:, k + 1 :] -= error[:, None] * inverse[k, k + 1 :]
        inverse = inverse - torch.outer(inverse[:, k], inverse[k]) / inverse[k, k]
    return result


@pytest.mark.parametrize("columns", [1, 5, 128, 129, 300])
def test_rounding_as_in_the_paper(weight, columns):
    weight = weight[:, :columns].double()
    inputs = torch.randn(200, columns).cumsum(1).double()
    gram = inputs.T @ inputs
    assert torch.allclose(gptq_round(weight, gram.clone()), rounded_one_by_one(weight, gram))


def patches_of(layer, images):
    """What each place of a convolution's output is computed from, ``(places, K)``."""
    (tall, wide), (down, right) = layer.kernel_size, layer.stride
    (top, side), (far, wider) = layer.padding, layer.dilation
    padded = nn.functional.pad(images, (side, side, top, top))
    rows, columns = layer(images).shape[2:]
    places = [(image, y, x) for image in padded for y in range(rows) for x in range(columns)]
    corners = [image[:, y * down :, x * right :] for image, y, x in places]
    patches = [corner[:, : far * tall : far, : wider * wide : wider] for corner in corners]
    return torch.stack([patch.flatten() for patch in patches])


def test_convolutions_are_rounded_for_the_inputs_that_they_see():
    torch.manual_seed(0)
    first = nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0))
    second = nn.Conv2d(4, 2, 2, dilation=2, padding=1, bias=False)
    model = nn.Sequential(first, nn.ReLU(), second, nn.Flatten(), nn.Linear(40, 3)).double()
    batches = [torch.randn(size, 3, 7, 6).double() for size in (1, 2)]
    linear = model[4].weight.clone()
    with torch.no_grad():
        images = torch.cat(batches)
        expected = [
            gptq_round(layer.weight.flatten(1), rows.T @ rows).view_as(layer.weight)
            for layer, rows in (
                (first, patches_of(first, images)),
                (second, patches_of(second, first(images).relu())),
            )
        ]
    round_convolutions(model, batches)
    for layer, weight in zip((first, second), expected, strict=True):
        assert torch.allclose(layer.weight, weight, rtol=0, atol=1e-9)
        assert not layer._forward_hooks
    assert torch.equal(model[4].weight, linear)
