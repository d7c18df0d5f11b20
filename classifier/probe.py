"""The head before fine-tuning: a linear probe on frozen features, anchored at the ImageNet head.

Fine-tuning from a random head distorts the features before the head is any good; fitting the head
first avoids that (Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022). A class
with a handful of photos keeps close to the ImageNet row of the same animal, where there is one.
"""

from collections.abc import Sequence

import torch
from torchvision.models import ResNet50_Weights

from common.losses import partial_label_loss
from matching.taxonomy import Taxonomy

IMAGENET_ANIMALS = 398  # the first classes of ImageNet-1k are animals; later "mouse" is a device


def imagenet_prior(
    head: tuple[torch.Tensor, torch.Tensor], classes: Sequence[str], taxonomy: Taxonomy
) -> tuple[torch.Tensor, torch.Tensor]:
    """Start rows for a new head: the mean of the ImageNet rows of the same animal.

    Args:
        head: ImageNet's weight ``(1000, D)`` and bias ``(1000,)``.
        classes: The new classes.
        taxonomy: Tells which ImageNet categories a class covers ("red fox" is a fox).

    Returns:
        Weight ``(C, D)`` and bias ``(C,)``; classes without a category have zeros.
    """
    taxonomy = taxonomy.with_classes(classes)
    names = ResNet50_Weights.IMAGENET1K_V2.meta["categories"][:IMAGENET_ANIMALS]
    concepts = [taxonomy.resolve(name) for name in names]
    weight = torch.zeros(len(classes), head[0].shape[1])
    bias = torch.zeros(len(classes))
    for i, name in enumerate(classes):
        own = taxonomy.concept_of(name)
        rows = [
            k for k, concept in enumerate(concepts) if concept and taxonomy.is_below(concept, own)
        ]
        if rows:
            weight[i], bias[i] = head[0][rows].float().mean(0), head[1][rows].float().mean()
    return weight, bias


def fit_probe(
    features: torch.Tensor,
    allowed: torch.Tensor,
    prior: tuple[torch.Tensor, torch.Tensor],
    weights: torch.Tensor,
    strength: float = 1e-4,
    iterations: int = 60,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multinomial logistic regression with a Gaussian prior around given rows (L-BFGS).

    Args:
        features: ``(N, D)``.
        allowed: ``(N, C)`` bool, the classes that each label leaves possible.
        prior: Weight ``(C, D)`` and bias ``(C,)`` that the solution is drawn to.
        weights: ``(N,)``, how much each example counts.
        strength: Weight of the squared distance to the prior.
        iterations: At most so many steps of L-BFGS.

    Returns:
        Weight ``(C, D)`` and bias ``(C,)``.
    """
    weight, bias = (tensor.clone().requires_grad_() for tensor in prior)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=iterations, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = partial_label_loss(features @ weight.T + bias, allowed, weights=weights)
        loss = loss + strength * (weight - prior[0]).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()
