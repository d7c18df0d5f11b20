"""Several processes that train one model, as ``torchrun`` starts them.

    torchrun --nproc-per-node 4 classifier/train.py …                              # four GPUs
    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-endpoint HOST:29500 ner/train.py …

Every process draws the same batches, works on its share of each, and the gradients are averaged
(torch's DistributedDataParallel), so that the batch size means the same with any number of them.
The first process alone measures, prints and writes. Without ``torchrun`` there is only that one.
"""

import atexit
import gc
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed, nn

Item = TypeVar("Item")

TIMEOUT = timedelta(hours=2)  # the others wait while the first one measures


def init_process_group(device: torch.device) -> torch.device:
    """Meet the other processes, if ``torchrun`` started this one; return the device to use."""
    if "LOCAL_RANK" not in os.environ:
        return device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=TIMEOUT)
        atexit.register(leave_process_group)
    return device


def leave_process_group():
    """Stop the group's threads, which would abort the process if they outlived it."""
    gc.collect()  # a wrapped model is part of a cycle and keeps the group alive
    distributed.destroy_process_group()


def rank() -> int:
    """The number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world_size() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_main_process() -> bool:
    """Whether this process measures, prints and writes."""
    return rank() == 0


def parallel(model: nn.Module) -> nn.Module:
    """The model with gradients averaged over all processes; all start from the first one's."""
    if world_size() == 1:
        return model
    return nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)


def local_shard(batch: Sequence[Item]) -> Sequence[Item]:
    """What this process has to do of a batch, never nothing."""
    return batch[rank() :: world_size()] or batch[:1]


def mean(value: float, device: torch.device) -> float:
    """The mean of a number over all processes."""
    if world_size() == 1:
        return value
    total = torch.tensor(value, device=device)
    distributed.all_reduce(total)
    return total.item() / world_size()


def gather(rows: torch.Tensor) -> torch.Tensor:
    """Return the rows of all processes, ``(B, ...)`` to ``(sum of B, ...)``, the first's first.

    For losses that compare each row with every other, which every process then computes alike. Its
    own rows alone get a gradient there, times the number of processes: the mean over them that
    `parallel` takes is the gradient of one process that has the whole batch.
    """
    if world_size() == 1:
        return rows
    counts = [torch.zeros(1, dtype=torch.long, device=rows.device) for _ in range(world_size())]
    distributed.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
    padding = rows.new_zeros(max(map(int, counts)) - len(rows), *rows.shape[1:])
    padded = torch.cat([rows.detach(), padding])
    parts = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(parts, padded)
    parts = [part[: int(count)] for part, count in zip(parts, counts, strict=True)]
    parts[rank()] = rows + (world_size() - 1) * (rows - rows.detach())
    return torch.cat(parts)


def broadcast(value: Any, device: torch.device) -> Any:
    """The first process's value, for all."""
    if world_size() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, device=device)
    return values[0]


class ShardedBatchSampler:
    """Of each batch of a sampler, the same in every process, this one's share of the indices."""

    def __init__(self, batches: Iterable[list[int]]):
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return map(local_shard, self.batches)
