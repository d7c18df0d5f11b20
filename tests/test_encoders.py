"""Image encoders by name: what each says about itself, and each through the same commands."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import error_of, random_weights, script
from timm.models.resnet import ResNet

from common.encoders.features import cached_features
from common.encoders.image import create_image_encoder, unit_variance
from common.errors import InputError
from common.runtime.session import Session

NAMES = ["test_vit", "test_resnet", "resnet50", "vit_small_patch14_dinov2"]


@pytest.mark.parametrize("name", NAMES)
def test_each_parameter_is_in_one_stage(name):
    encoder = create_image_encoder(name)
    grouped = [id(p) for stage in encoder.stages() for p in stage]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in encoder.parameters()}
    first, last = encoder.stages()[-1], encoder.stages()[0]
    names = {id(p): key for key, p in encoder.network.named_parameters()}
    assert any(names[id(p)].startswith(("conv1", "patch_embed")) for p in first)
    assert any(names[id(p)].startswith(("layer4", "norm")) for p in last)


@pytest.mark.parametrize(
    ("name", "width", "crop", "mean", "interpolation", "quantization", "places"),
    [
        ("test_vit", 64, 160, 0.5, "bicubic", "dynamic", (4, 6)),
        ("test_resnet", 96, 160, 0.5, "bilinear", "static", (2, 3)),
        ("resnet50", 2048, 224, 0.485, "bicubic", "static", (2, 3)),
        ("vit_small_patch14_dinov2", 384, 518, 0.485, "bicubic", "dynamic", (5, 7)),
    ],
)
def test_what_an_encoder_says(name, width, crop, mean, interpolation, quantization, places):
    encoder = create_image_encoder(name).eval()
    seen = encoder.preprocess
    assert (encoder.width, encoder.quantization) == (width, quantization)
    assert (seen.crop, seen.mean[0], seen.interpolation) == (crop, mean, interpolation)
    images = torch.randn(1, 3, encoder.fitting_size(64), encoder.fitting_size(96))
    with torch.no_grad():
        maps = encoder.feature_maps(images)
        assert maps.shape == (1, width, *places)
        assert torch.equal(encoder.pool(maps), maps.mean((2, 3)))


def test_maps_of_a_vit_are_where_the_patches_are():
    """The last patch of the first row differs most where its pixels do."""
    torch.manual_seed(0)
    encoder = create_image_encoder("test_vit").eval()
    images = torch.randn(2, 3, 64, 96)
    images[1] = images[0]
    images[1, :, :16, -16:] += 3
    with torch.no_grad():
        change = encoder.feature_maps(images).diff(dim=0).norm(dim=1)[0]
    assert change.shape == (4, 6) and change.argmax() == 5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet51", "no image encoder 'resnet51'; near: .*resnet50"),
        ("zzzzzzzz", "no image encoder 'zzzzzzzz'; near: none"),
        ("resnet50.tv9", "no image encoder 'resnet50.tv9': Invalid pretrained tag"),
        ("hf-hub:someone/something", "no image encoder"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(InputError, match=message):
        create_image_encoder(name)


def test_a_vit_sees_whole_patches(capsys):
    encoder = create_image_encoder("vit_small_patch14_dinov2", size=224)
    assert encoder.preprocess.crop == encoder.preprocess.resize == 224
    assert capsys.readouterr().err == ""
    assert encoder.fitting_size(160) == 154
    assert "154 pixels for 160" in capsys.readouterr().err


def test_weights_of_another_shape(tiny_backbone):
    with pytest.raises(InputError, match="weights of another shape"):
        create_image_encoder("test_vit", str(tiny_backbone))


def test_heads_are_kept_where_they_read_the_mean(tmp_path):
    """A ViT's head reads the class token, which is no mean of places."""
    for name, kept in {"test_resnet": True, "test_vit": False}.items():
        path = random_weights(tmp_path / f"{name}.safetensors", name)
        assert (create_image_encoder(name, str(path)).pretrained_head is not None) == kept


def test_statistics_stay_in_training():
    encoder = create_image_encoder("test_resnet").train()
    before = encoder.network.bn1.running_mean.clone()
    encoder(torch.randn(4, 3, 64, 64) + 5)
    assert torch.equal(encoder.network.bn1.running_mean, before) and encoder.training


@pytest.mark.parametrize("name", ["test_resnet", "resnet18"])
def test_unit_variances_leave_the_function_as_it_is(name):
    torch.manual_seed(0)
    network: ResNet = create_image_encoder(name).network.eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight *= 30
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean += 500 * torch.rand_like(module.running_mean)
                module.running_var += 500 * torch.rand_like(module.running_var)
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        images = torch.randn(2, 3, 64, 64)
        before, spread = network(images), network.layer4[0].conv1.weight.std()
        unit_variance(network)
        assert torch.allclose(before, network(images), rtol=1e-3, atol=1e-5)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            assert torch.allclose(value, torch.ones_like(value), atol=1e-4)
    assert network.layer4[0].conv1.weight.std() < spread / 2


def test_features_are_computed_once(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("FAUNACHECK_CACHE", str(tmp_path / "cache"))
    seen = []

    def model(batch):
        seen.append(len(batch))
        return batch.mean((2, 3))

    copy, broken = tmp_path / "copy.jpg", tmp_path / "broken.jpg"
    copy.write_bytes((photos / "cow/00.jpg").read_bytes())
    broken.write_text("no photo")
    files = [photos / "cow/00.jpg", photos / "lion/00.jpg", broken, copy, tmp_path / "none.jpg"]
    own = create_image_encoder("test_resnet", size=32).preprocess
    first = cached_features(model, own, "sha256:1", files)
    assert sum(seen) == 2  # equal photos have equal features
    assert isinstance(first[2], InputError) and "none.jpg" in str(first[4])
    assert np.array_equal(first[0], first[3]) and not np.array_equal(first[0], first[1])
    again = cached_features(model, own, "sha256:1", files[:2])
    assert sum(seen) == 2 and np.array_equal(again, first[:2])
    files[1].touch()  # another time, the same content
    cached_features(model, own, "sha256:1", files[:2])
    assert sum(seen) == 2
    cached_features(model, own, "sha256:2", files[:1])  # another encoder
    cached_features(model, replace(own, crop=16), "sha256:1", files[:1])  # other inputs
    assert sum(seen) == 4
    copy.write_bytes(files[1].read_bytes())  # another photo under the same name
    assert np.array_equal(cached_features(model, own, "sha256:1", [copy])[0], first[1])


@pytest.fixture(scope="module", params=["test_vit", "test_resnet"])
def trained(request, photos, tmp_path_factory):
    """A model folder, trained and exported by the same commands for each name."""
    folder = tmp_path_factory.mktemp(request.param)
    weights = random_weights(folder / "start.safetensors", request.param)
    script(
        *("classifier/train.py", "--data", photos, "--output", folder, "--epochs", 1),
        *("--encoder", request.param, "--weights", weights, "--crop", 64, "--size", 60),
        *("--batch-size", 16, "--workers", 0, "--unfreeze", "last-two-stages"),
    )
    script("classifier/export.py", "--model", folder, "--data", photos)
    return request.param, folder


def test_an_encoder_is_a_name(trained, photos):
    name, folder = trained
    config = json.loads((folder / "config.json").read_text())
    own = create_image_encoder(name).preprocess
    assert config["encoder"] == name and config["interpolation"] == own.interpolation
    assert (config["crop"], config["mean"], config["std"]) == (64, [*own.mean], [*own.std])

    image = photos / "lion/03.jpg"
    done = script("classifier/inference.py", "--model", folder, "--image", image)
    assert done.stdout.split()[1] == "lion"

    from classifier.model import load
    from common.images.load import load_image

    model, loaded = load(folder)
    inputs = loaded.preprocess(load_image(image))[None]
    outputs = Session(folder / "model.onnx")({"images": inputs}, ["logits", "maps", "features"])
    with torch.no_grad():
        features = model.features(torch.from_numpy(inputs)).numpy()
    assert json.loads((folder / "export.json").read_text())["kept"] == "int8"
    assert outputs["features"].shape == features.shape
    assert np.corrcoef(outputs["features"][0], features[0])[0, 1] > 0.99
    assert np.allclose(outputs["maps"].mean((2, 3)), outputs["logits"], atol=1e-5)


def test_an_export_of_other_weights_is_refused(trained, photos, tmp_path):
    _, folder = trained
    for name in ("config.json", "model.safetensors", "model.onnx"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    from classifier.model import load, save

    model, config = load(tmp_path)
    model.fc.bias.data += 1
    save(model, config, tmp_path)
    image = ("--image", photos / "cow/00.jpg")
    done = script("classifier/inference.py", "--model", tmp_path, *image, check=False)
    assert "was exported from other weights; run export.py again" in error_of(done)
