"""The network: the same function in other weights, and what is trained of it."""

import json

import numpy as np
import pytest
import torch
from conftest import model_config, random_weights
from safetensors.torch import load_file

from classifier.config import ModelConfig
from classifier.model import (
    UNFREEZE,
    Classifier,
    ClassifierWithMaps,
    config_for,
    load,
    save,
)
from classifier.probe import fit_head, head_prior
from common.config import fingerprint
from common.encoders.image import create_image_encoder
from common.errors import InputError
from matching.taxonomy import Taxonomy

CLASSES = ["cow", "lion", "raccoon"]


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_the_maps_average_to_the_logits(name):
    torch.manual_seed(0)
    model = Classifier(model_config(CLASSES, name)).eval()
    torch.nn.init.normal_(model.fc.weight)
    images = torch.randn(2, 3, 96, 64)
    logits, maps, features = ClassifierWithMaps(model)(images)
    assert maps.shape[:2] == (2, 3) and maps.shape[2] / maps.shape[3] == 1.5
    assert torch.allclose(maps.mean((2, 3)), model(images), atol=1e-4)
    assert torch.allclose(logits, model(images), atol=1e-5)
    assert torch.allclose(model.fc(features), logits, atol=1e-5)


def test_files_have_the_names_of_the_encoder_alone():
    model = Classifier(model_config(["cow", "not_animal"], imagenet=True))
    heads = {f"{head}.{part}" for head in ("fc", "imagenet") for part in ("weight", "bias")}
    own = create_image_encoder("test_resnet").network.state_dict().keys()
    assert model.state_dict().keys() == own | heads
    other = Classifier(model_config(["cow", "not_animal"], imagenet=True))
    other.load_state_dict(model.state_dict())
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(model.eval()(images), other.eval()(images))


@pytest.fixture(scope="module")
def knows_imagenet(tmp_path_factory):
    """A file of a tiny ResNet with a random head over ImageNet's categories."""
    folder = tmp_path_factory.mktemp("imagenet")
    return random_weights(folder / "resnet.safetensors", "test_resnet")


def encoder_of(path):
    return create_image_encoder("test_resnet", str(path), 64)


def test_what_imagenet_calls_a_thing_is_no_animal(knows_imagenet):
    encoder = encoder_of(knows_imagenet)
    model = Classifier(config_for(["cow", "not_animal", "lion"], encoder), encoder).eval()
    assert torch.equal(model.imagenet.weight, load_file(knows_imagenet)["fc.weight"])

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


def test_the_margin_is_the_models_own():
    torch.manual_seed(0)
    features = torch.randn(4, 96)
    models = [
        Classifier(model_config(["cow", "not_animal"], imagenet=True, imagenet_margin=margin))
        for margin in (100.0, 0.0)
    ]
    models[1].load_state_dict(models[0].state_dict())
    (wide, none), own = (model.logits(features) for model in models), models[0].fc(features)
    assert torch.allclose(wide, own) and not torch.allclose(none, own)


def test_imagenet_has_no_say_without_its_head_or_that_class(tiny_backbone, knows_imagenet):
    other = encoder_of(tiny_backbone)  # its head has five rows
    assert not config_for(["cow", "not_animal"], other).imagenet
    encoder = encoder_of(knows_imagenet)
    config = config_for(["cow", "lion"], encoder)
    assert not config.imagenet
    assert not any("imagenet" in name for name in Classifier(config, encoder).state_dict())


def test_a_classifier_is_an_encoder_that_knows_imagenet(knows_imagenet, tmp_path):
    encoder = encoder_of(knows_imagenet)
    config = config_for(["cow", "not_animal"], encoder)
    save(Classifier(config, encoder), config, tmp_path)
    again = encoder_of(tmp_path / "model.safetensors")
    rows = load_file(knows_imagenet)["fc.weight"]
    assert torch.allclose(again.pretrained_head[0], rows, atol=2e-3)
    for name, value in encoder.state_dict().items():
        assert torch.allclose(again.state_dict()[name].float(), value.float(), atol=2e-3), name


def test_the_head_over_imagenet_is_never_trained():
    model = Classifier(model_config(["cow", "not_animal"], imagenet=True))
    model.unfreeze("all")
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {"imagenet.weight", "imagenet.bias"}


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
@pytest.mark.parametrize("policy", UNFREEZE)
def test_policies_train_from_the_top(policy, name):
    model = Classifier(model_config(CLASSES, name))
    stages = model.unfreeze(policy)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert {*map(id, trained)} == {id(p) for stage in stages for p in stage}
    counts = {"none": 0, "head": 1, "last-stage": 2, "last-two-stages": 3}
    assert len(stages) == counts.get(policy, len(model.encoder.stages()) + 1)
    if policy == "all":
        assert len(trained) == len(list(model.parameters()))
    if stages:
        assert stages[0] == [model.fc.weight, model.fc.bias]


def test_the_folder_names_its_weights(tmp_path):
    config = model_config(CLASSES)
    save(Classifier(config), config, tmp_path)
    assert load(tmp_path)[1].weights == fingerprint(tmp_path / "model.safetensors")
    assert json.loads((tmp_path / "config.json").read_text())["known_threshold"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("classes", value) for value in ([], ["cow", "cow"], ["cow", 1], "cow")),
        *(("crop", value) for value in (0, 10_001, 224.0, "224", True)),
        *(("mean", value) for value in ([0.5, 0.5], [0.5, 0.5, "0.5"], 0.5)),
        *(("std", value) for value in ([0.5, 0.5, 0], [0.5, 0.5, float("nan")])),
        *(("max_aspect", 0.5), ("interpolation", "cubic"), ("imagenet", 1), ("encoder", None)),
        *(("temperature", value) for value in (0, -1, float("inf"), None)),
        *(("detector", "oracle"), ("known_threshold", float("-inf")), ("claim_threshold", 1.5)),
        *(("unknown_claim_threshold", -1), ("concept_threshold", "0.8"), ("weights", 5)),
    ],
)
def test_impossible_values_are_named(name, value, tmp_path):
    model_config(CLASSES).save(tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    ModelConfig.load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(values | {name: value}))
    with pytest.raises(InputError, match=rf"config\.json: {name} cannot be "):
        ModelConfig.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"classes": ["cow"], "layers": [3, 4, 6, 3]}', "older version: python models/migrate.py"),
        ('{"classes": ["cow"]}', "not a classifier's configuration"),
        ("[1]", "not a classifier's configuration"),
        ("{", "not a classifier's configuration"),
    ],
)
def test_other_configurations_are_refused(text, message, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=message):
        ModelConfig.load(tmp_path)


def test_a_new_head_starts_from_rows_of_imagenet():
    rows = torch.arange(1000.0)
    encoder = create_image_encoder("test_resnet")
    encoder.pretrained_head = rows[:, None].repeat(1, encoder.width), -rows
    classes = ["bobcat", "fox", "giraffe", "not_animal"]
    weight, bias = head_prior(encoder, classes, Taxonomy.load())
    lynx, foxes = 287.0, (277 + 278 + 279 + 280) / 4  # red, kit, Arctic and grey
    things = (398 + 999) / 2
    assert weight[:, 0].tolist() == [lynx, foxes, 0, things]  # ImageNet has no giraffe
    assert bias.tolist() == [-lynx, -foxes, 0, -things]
    encoder.pretrained_head = None
    assert not any(part.any() for part in head_prior(encoder, classes, Taxonomy.load()))


def test_a_class_with_few_photos_stays_near_its_prior():
    features = torch.tensor([[1.0, 0.0]] * 99 + [[0.0, 1.0]])
    labels, allowed = (
        ["cow"] * 99 + ["lion"],
        dict(zip(("cow", "lion"), np.eye(2) > 0, strict=True)),
    )
    prior = torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.zeros(2)
    strong, weak = (
        fit_head(features, labels, allowed, prior, 0.0, strength)[0] for strength in (1.0, 1e-6)
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
