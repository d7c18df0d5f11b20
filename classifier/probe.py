"""The head before fine-tuning: a linear probe on frozen features, anchored at the ImageNet head.

Fine-tuning from a random head distorts the features before the head is any good; fitting the head
first avoids that (Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022). A class
with a handful of photos keeps close to the ImageNet row of the same animal, where there is one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from PIL import Image

from classifier.data import Photo
from classifier.model import IMAGENET_ANIMALS, Classifier
from common.encoders.image import IMAGENET_CATEGORIES, ImageEncoder
from common.errors import InputError
from common.images.batches import run_photos
from common.training.forward import torch_model
from common.training.losses import partial_label_loss
from matching.taxonomy import NOT_ANIMAL, Taxonomy


def photo_features(
    model: Classifier,
    preprocess: Callable[[Image.Image], np.ndarray],
    photos: Sequence[Photo],
    device: torch.device,
    precision: str = "fp32",
    threads: int | None = None,
) -> tuple[torch.Tensor, list[Photo]]:
    """What the frozen network makes of photos.

    Args:
        model: On ``device``.
        preprocess: From image to input, ``(3, H, W)`` float32.
        photos: Unreadable ones are left out.
        device: Where ``model`` is.
        precision: ``auto``, ``bf16`` or ``fp32``.
        threads: As for `run_photos`; what is drawn in ``preprocess`` repeats itself with 1.

    Returns:
        Features ``(N, D)`` and the N photos.

    Raises:
        InputError: If no photo can be read.
    """
    model.eval()
    features = torch_model(model.features, device, precision)
    rows = run_photos(features, preprocess, [photo.path for photo in photos], threads=threads)
    pairs = zip(rows, photos, strict=True)
    read = [(row, photo) for row, photo in pairs if not isinstance(row, InputError)]
    if not read:
        raise InputError(f"none of {len(photos)} training photos can be read")
    return torch.from_numpy(np.stack([row for row, _ in read])), [photo for _, photo in read]


def head_prior(
    encoder: ImageEncoder, classes: Sequence[str], taxonomy: Taxonomy
) -> tuple[torch.Tensor, torch.Tensor]:
    """Start rows for a new head: the mean of ImageNet's rows of the same animal, or of all things.

    Args:
        encoder: Pretrained.
        classes: The new classes.
        taxonomy: Tells which ImageNet categories a class covers ("red fox" is a fox); `NOT_ANIMAL`
            covers all that are no animal.

    Returns:
        Weight ``(C, D)`` and bias ``(C,)``; classes without a category have zeros.
    """
    weight, bias = torch.zeros(len(classes), encoder.width), torch.zeros(len(classes))
    if encoder.pretrained_head is None:
        return weight, bias
    taxonomy = taxonomy.with_classes(classes)
    names = IMAGENET_CATEGORIES[:IMAGENET_ANIMALS]  # later "mouse" is a device
    concepts = [taxonomy.resolve(name) for name in names]
    for i, name in enumerate(classes):
        own = taxonomy.concept_of(name)
        rows = [k for k, c in enumerate(concepts) if c and taxonomy.is_below(c, own)]
        if name == NOT_ANIMAL:
            rows = [*range(IMAGENET_ANIMALS, len(IMAGENET_CATEGORIES))]
        elif not rows and own in taxonomy.concepts:  # the next best: bobcats start as lynxes
            rows = [k for k, c in enumerate(concepts) if c in taxonomy.concepts[own].is_a]
        if rows:
            weight[i], bias[i] = (part[rows].mean(0) for part in encoder.pretrained_head)
    return weight, bias


def fit_head(
    features: torch.Tensor,
    labels: Sequence[str],
    allowed: Mapping[str, np.ndarray],
    prior: tuple[torch.Tensor, torch.Tensor],
    balance: float = 1.0,
    strength: float = 1e-4,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multinomial logistic regression with a Gaussian prior around given rows (L-BFGS).

    Args:
        features: ``(N, D)``; where they are is computed.
        labels: Of the N photos.
        allowed: See `classifier.data.allowed_classes`.
        prior: Weight ``(C, D)`` and bias ``(C,)`` that the solution is drawn to, see `head_prior`.
        balance: 0 counts photos evenly; 1 counts evenly what labels mean, whichever way they say
            it: a penguin and an ostrich that are no classes are both other animals.
        strength: Weight of the squared distance to the prior.

    Returns:
        Weight ``(C, D)`` and bias ``(C,)``.
    """
    device, rows = features.device, [allowed[label] for label in labels]
    possible = torch.from_numpy(np.stack(rows)).to(device)  # (N, C)
    counts = Counter(meanings := [row.tobytes() for row in rows])
    weights = torch.tensor([counts[meaning] ** -balance for meaning in meanings], device=device)
    prior = prior[0].to(device), prior[1].to(device)
    weight, bias = (tensor.clone().requires_grad_() for tensor in prior)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=60, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = partial_label_loss(features @ weight.T + bias, possible, weights=weights)
        loss = loss + strength * (weight - prior[0]).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()
