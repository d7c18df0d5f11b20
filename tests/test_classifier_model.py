"""The network: the same function in other weights, and what is trained of it."""

import numpy as np
import pytest
import torch

from classifier.config import ModelConfig
from classifier.model import (
    STAGES,
    UNFREEZE,
    Classifier,
    ClassifierWithMaps,
    config_for,
    load_backbone,
    read_backbone,
    save,
    unit_variance,
)
from classifier.probe import fit_head, fit_probe, head_prior
from classifier.train import blend
from matching.taxonomy import Taxonomy


@pytest.fixture
def config():
    return ModelConfig(["cow", "lion", "raccoon"], layers=[1, 1, 1, 1], width=4)


def test_unit_variances_leave_the_function_as_it_is(tiny_backbone, config):
    torch.manual_seed(0)
    weights = {
        k: v * 30 if "conv" in k or "downsample.0" in k else v
        for k, v in read_backbone(str(tiny_backbone)).items()
    }
    for key in weights:  # statistics as another training would have left them
        if key.endswith(("running_mean", "running_var")):
            weights[key] = weights[key] + 500 * torch.rand_like(weights[key])
    plain, scaled = Classifier(config).eval(), Classifier(config).eval()
    head = {k: v for k, v in plain.state_dict().items() if k.startswith("fc.")}
    plain.load_state_dict(weights | head)
    scaled.load_state_dict(unit_variance(weights) | head)
    images = torch.randn(2, 3, 64, 64)
    assert torch.allclose(plain(images), scaled(images), rtol=1e-4, atol=1e-6)
    for name, value in scaled.state_dict().items():
        if name.endswith("running_var"):
            assert torch.allclose(value, torch.ones_like(value), atol=1e-4)
    assert scaled.conv1.weight.std() < plain.conv1.weight.std() / 2


def test_the_maps_average_to_the_logits(tiny_backbone, config):
    model = Classifier(config).eval()
    load_backbone(model, read_backbone(str(tiny_backbone)))
    images = torch.randn(2, 3, 96, 64)
    logits, maps = ClassifierWithMaps(model)(images)
    assert maps.shape == (2, 3, 3, 2)
    assert torch.allclose(logits, model(images), atol=1e-5)


@pytest.fixture
def imagenet_backbone(tiny_backbone):
    """The tiny backbone with a random head over ImageNet's categories."""
    torch.manual_seed(0)
    weights = read_backbone(str(tiny_backbone))
    depth = weights["fc.weight"].shape[1]
    return weights | {"fc.weight": torch.randn(1000, depth), "fc.bias": torch.randn(1000)}


def test_what_imagenet_calls_a_thing_is_no_animal(imagenet_backbone):
    model = Classifier(config_for(["cow", "not_animal", "lion"], imagenet_backbone)).eval()
    own = model.fc.weight.clone()
    load_backbone(model, imagenet_backbone)
    assert torch.equal(model.fc.weight, own)
    assert torch.equal(model.imagenet.weight, imagenet_backbone["fc.weight"])

    features = torch.randn(4, model.fc.in_features)
    before, after = model.fc(features), model.logits(features)
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    categories = model.imagenet(features).softmax(1)
    odds = categories[:, 398:].sum(1) / categories[:, :398].sum(1)
    animals = before[:, [0, 2]].exp().sum(1)
    nothing = before[:, 1].exp() + before.exp().sum(1) * odds * np.exp(-3)
    assert torch.allclose(after.softmax(1)[:, 1], nothing / (nothing + animals), atol=1e-5)

    model.imagenet.bias.data[:398] += 100  # surely an animal
    assert torch.allclose(model.logits(features), before)
    model.imagenet.bias.data[398:] += 200  # surely a thing
    assert (model.logits(features).softmax(1)[:, 1] > 0.999).all()


def test_imagenet_has_no_say_without_its_head_or_that_class(tiny_backbone, imagenet_backbone):
    other = read_backbone(str(tiny_backbone))  # its head has five rows
    assert not config_for(["cow", "not_animal"], other).imagenet
    config = config_for(["cow", "lion"], imagenet_backbone)
    assert not config.imagenet
    model = Classifier(config).eval()
    load_backbone(model, imagenet_backbone)
    assert not any("imagenet" in name for name in model.state_dict())


def test_a_classifier_is_a_backbone_that_knows_imagenet(imagenet_backbone, tmp_path):
    config = config_for(["cow", "not_animal"], imagenet_backbone)
    model = Classifier(config)
    load_backbone(model, imagenet_backbone)
    save(model, config, tmp_path)
    again = read_backbone(str(tmp_path / "model.safetensors"))
    assert again.keys() == imagenet_backbone.keys()
    assert torch.allclose(again["fc.weight"], imagenet_backbone["fc.weight"], atol=2e-3)
    assert config_for(["lion", "not_animal"], again).imagenet
    plain = Classifier(config_for(["lion", "cow"], again))
    load_backbone(plain, again)
    assert torch.equal(plain.conv1.weight, again["conv1.weight"])


def test_the_head_over_imagenet_is_never_trained(imagenet_backbone):
    model = Classifier(config_for(["cow", "not_animal"], imagenet_backbone))
    model.unfreeze("all")
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {"imagenet.weight", "imagenet.bias"}


@pytest.mark.parametrize("policy", UNFREEZE)
def test_policies_train_from_the_top(policy, config):
    model = Classifier(config)
    stages = model.unfreeze(policy)
    trained = {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == set(STAGES[: len(stages)]) and STAGES[0] == "fc"
    counted = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert sum(p.numel() for stage in stages for p in stage) == counted


def test_statistics_stay_in_training(config):
    model = Classifier(config).train()
    before = model.bn1.running_mean.clone()
    model(torch.randn(4, 3, 64, 64) + 5)
    assert torch.equal(model.bn1.running_mean, before) and model.training


def test_the_best_mixture_of_two_weights_stays():
    model, other = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    model.weight.data.fill_(8.0)  # the other has 1
    blend(model, other.state_dict(), lambda m: {"nearness": -abs(m.weight.item() - 6.0)})
    assert model.weight.item() == 1 + 0.75 * 7
    blend(model, other.state_dict(), lambda m: {"up": m.weight.item(), "down": -1.0})
    assert model.weight.item() == 1 + 0.75 * 7
    assert model.num_batches_tracked.dtype == torch.int64


def test_a_new_head_starts_from_rows_of_imagenet():
    rows = torch.arange(1000.0)
    backbone = {
        "fc.weight": rows[:, None].repeat(1, 2),
        "fc.bias": -rows,
        "layer4.0.downsample.0.weight": torch.zeros(2, 1, 1, 1),
    }
    classes = ["bobcat", "fox", "giraffe", "not_animal"]
    weight, bias = head_prior(backbone, classes, Taxonomy.load())
    lynx, foxes = 287.0, (277 + 278 + 279 + 280) / 4  # red, kit, Arctic and grey
    things = (398 + 999) / 2
    assert weight[:, 0].tolist() == [lynx, foxes, 0, things]  # ImageNet has no giraffe
    assert bias.tolist() == [-lynx, -foxes, 0, -things]
    del backbone["fc.weight"]
    assert not any(part.any() for part in head_prior(backbone, classes, Taxonomy.load()))


def test_a_class_with_few_photos_stays_near_its_prior():
    features = torch.tensor([[1.0, 0.0]] * 99 + [[0.0, 1.0]])
    allowed = torch.eye(2, dtype=torch.bool)[[0] * 99 + [1]]
    prior = torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.zeros(2)
    strong, weak = (
        fit_probe(features, allowed, prior, torch.ones(100), strength)[0]
        for strength in (1.0, 1e-6)
    )
    assert torch.allclose(strong, prior[0], atol=0.2)
    assert weak[0, 0] - weak[1, 0] > 3 > strong[0, 0] - strong[1, 0]


def test_kinds_count_the_same_whatever_their_labels_are_called():
    torch.manual_seed(0)
    features, prior = torch.randn(60, 4), (torch.zeros(2, 4), torch.zeros(2))
    own, other = np.array([True, False]), np.array([False, True])
    one = fit_head(features, ["cow"] * 30 + ["other"] * 30, {"cow": own, "other": other}, prior)
    names = ["cow"] * 30 + [f"bird {i}" for i in range(30)]
    allowed = {name: own if name == "cow" else other for name in names}
    many = fit_head(features, names, allowed, prior)
    assert all(torch.equal(a, b) for a, b in zip(one, many, strict=True))
    few, even = (fit_head(features[:33], names[:33], allowed, prior, b)[1] for b in (0.0, 1.0))
    assert few[0] - few[1] > 0.5 + (even[0] - even[1])  # three of 33
