"""Image encoders by name, from timm. Needs torch; inference runs what was exported of them."""

import difflib
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Literal

import timm
import torch
from timm.data import resolve_model_data_config
from timm.models import group_parameters
from timm.models.resnet import ResNet
from torch import nn
from torchvision.models import ResNet50_Weights

from common.encoders.weights import keep_names_of, put_weights, read_weights
from common.errors import InputError
from common.images.preprocess import Preprocess

IMAGENET_CATEGORIES = ResNet50_Weights.IMAGENET1K_V2.meta["categories"]  # names, by index


class ImageEncoder(nn.Module):
    """An image encoder of any architecture: ``(B, 3, H, W)`` to features ``(B, D)``.

    Batch normalisation keeps its statistics in training too: a few thousand photos from a few dozen
    sources are a worse estimate of them than those of the pretraining.

    Attributes:
        name: timm's.
        width: D.
        preprocess: What the pretrained weights expect.
        multiple: Heights and widths of inputs are multiples of this.
        quantization: ``static`` where most weights are those of convolutions; else ``dynamic``:
            only matrices of weights become int8.
        pretrained_head: ImageNet's, ``(1000, D)`` and ``(1000,)``, if it came with the weights and
            reads the features as they are here.
    """

    def __init__(self, name: str):
        super().__init__()
        self.name, self.network = name, _network(name)
        self.width: int = self.network.num_features
        data = resolve_model_data_config(self.network)
        crop, resize = data["input_size"][-1], round(data["input_size"][-1] / data["crop_pct"])
        normal = data["mean"], data["std"]
        self.preprocess = Preprocess(resize, crop, *normal, 1.0, data["interpolation"])
        patches = getattr(self.network, "patch_embed", None)
        self.multiple: int = patches.patch_size[0] if patches else 1
        convolutions = sum(m.weight.numel() for m in self.modules() if isinstance(m, nn.Conv2d))
        most = 2 * convolutions > sum(p.numel() for p in self.parameters())
        self.quantization: Literal["static", "dynamic"] = "static" if most else "dynamic"
        self.pretrained_head: tuple[torch.Tensor, torch.Tensor] | None = None
        keep_names_of(self, "network")

    def train(self, mode: bool = True) -> "ImageEncoder":
        """Set the mode of all layers but the batch normalisations."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def feature_maps(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features of each place, ``(B, D, h, w)``; a place may be a patch."""
        maps = self.network.forward_features(images)
        if maps.dim() == 3:  # tokens; the first ones stand for no place
            maps = maps[:, self.network.num_prefix_tokens :].transpose(1, 2)
            return maps.unflatten(2, [side // self.multiple for side in images.shape[2:]])
        return maps.movedim(3, 1) if getattr(self.network, "output_fmt", "") == "NHWC" else maps

    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Return ``(B, D)``: a mean, so that maps of a linear head average to its logits."""
        return maps.mean((2, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``(B, 3, H, W)`` to features ``(B, D)``."""
        return self.pool(self.feature_maps(images))

    def stages(self) -> list[list[nn.Parameter]]:
        """Return the parameters in groups from output to input, each parameter in one."""
        matcher = self.network.group_matcher(coarse=True)
        groups = group_parameters(self.network, matcher, return_values=True)
        return [groups[depth] for depth in sorted(groups, reverse=True)]

    def fitting_size(self, size: int) -> int:
        """Return the nearest size in whole patches; say so on stderr if it is another one."""
        fitting = max(1, round(size / self.multiple)) * self.multiple
        if fitting != size:
            print(f"{self.name}: {fitting} pixels for {size}, in whole patches", file=sys.stderr)
        return fitting

    @torch.no_grad()
    def load_pretrained(self, weights: dict[str, torch.Tensor], source: str) -> None:
        """Put weights into all layers, of this encoder or of a classifier on it.

        Raises:
            InputError: If they are of another shape; the message names the source.
        """
        own = self.network.pretrained_cfg["classifier"]
        heads = {
            name: [weights.pop(f"{name}.{part}", None) for part in ("weight", "bias")]
            for name in {"imagenet", "fc", own}
        }
        put_weights(self, weights, source)
        if isinstance(self.network, ResNet):
            unit_variance(self.network)
        weight, bias = heads["imagenet" if heads["imagenet"][0] is not None else own]
        if weight is not None and len(weight) == len(IMAGENET_CATEGORIES):
            crop, network = self.preprocess.crop, self.network.eval()
            images = torch.linspace(-1, 1, 3 * crop**2).view(1, 3, crop, crop)
            read = network.forward_head(network.forward_features(images), pre_logits=True)
            features = self(images)  # a head over anything but their mean cannot read them
            if read.shape == features.shape and torch.allclose(read, features, atol=1e-5):
                self.pretrained_head = weight, bias


def create_image_encoder(
    name: str, weights: str | None = None, size: int | None = None
) -> ImageEncoder:
    """Return an encoder.

    Args:
        name: One of timm's, such as ``resnet50`` or ``vit_small_patch14_dinov2``.
        weights: ``imagenet`` for those that timm has (downloaded once; some were trained on other
            photos), or a safetensors file of this encoder or of a classifier on it; random if None.
        size: Height and width of inputs; the encoder's own if None.

    Raises:
        InputError: If there is no such encoder (with names like it) or no such weights.
    """
    encoder = ImageEncoder(name)
    if weights is not None:
        pretrained = _download(name) if weights == "imagenet" else read_weights(Path(weights))
        encoder.load_pretrained(pretrained, f"--weights {weights}")
    seen = encoder.preprocess
    if size not in (None, seen.crop):
        size = encoder.fitting_size(size)
        if hasattr(encoder.network, "set_input_size"):  # interpolates what is known of positions
            encoder.network.set_input_size(img_size=size)
        resize = round(seen.resize * size / seen.crop)
        encoder.preprocess = replace(seen, resize=resize, crop=size)
    return encoder


@torch.no_grad()
def unit_variance(network: ResNet) -> None:
    """Make all running variances 1 and leave the function as it is.

    What the batch normalisations divided by goes into the convolutions before them. A step of AdamW
    is as long as the learning rate, whatever the scale of the weights: in a network whose weights
    happen to be 20 times as large as usual, the convolutions would hardly move.
    """
    for module in network.modules():  # of a ResNet: each normalisation after its convolution
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, nn.BatchNorm2d):
            scale = (module.running_var + module.eps).rsqrt()
            convolution.weight *= scale[:, None, None, None]
            module.running_mean *= scale
            module.running_var.fill_(1 - module.eps)


def _network(name: str) -> nn.Module:
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), 5, 0.5)
        raise InputError(f"no image encoder {name!r}; near: {', '.join(near) or 'none'}")
    try:
        return timm.create_model(name, num_classes=0, dynamic_img_size=True)
    except TypeError:  # a network that takes any size as it is
        return timm.create_model(name, num_classes=0)
    except RuntimeError as error:  # of the tag behind the name's point
        raise InputError(f"no image encoder {name!r}: {error}") from error


def _download(name: str) -> dict[str, torch.Tensor]:
    try:
        with redirect_stdout(sys.stderr):  # torch prints what it downloads
            return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # urllib, huggingface_hub and timm have a class each
        reason = f"download of {name} failed ({' '.join(str(error).split())[:160]})"
        raise InputError(f"--weights imagenet: {reason}; or give a safetensors file") from error
