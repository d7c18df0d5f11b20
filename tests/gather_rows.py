"""A contrastive loss over all processes' rows: ``test_common_training_distributed.py`` starts it.

Prints the loss and the gradient of the weights, which must not depend on the number of processes.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common.training import distributed
from common.training.loop import pick_device


def main():
    """Compute and print."""
    pick_device("cpu")
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    images, texts = torch.randn(2, 5, 4)  # an odd number: two processes have 3 and 2 pairs
    part = distributed.local_shard(list(range(5)))
    world = distributed.world_size()
    order = [i for rank in range(world) for i in range(5)[rank::world]]
    wrapped = distributed.parallel(model)
    rows = wrapped(torch.cat([images[part], texts[part]]))
    left, right = (distributed.gather(half) for half in rows.chunk(2))
    assert torch.allclose(left, model(images[order]), atol=1e-6)
    loss = nn.functional.cross_entropy(left @ right.T, torch.arange(5))
    loss.backward()
    if distributed.is_main_process():
        print(f"{loss.item():.5f}", *(f"{g:.4f}" for g in model.weight.grad.flatten().tolist()))
    distributed.broadcast(None, torch.device("cpu"))  # neither ends while the other computes


main()
