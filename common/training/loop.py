"""The training loop of all models: warm-up and cosine, weight averaging, early stopping, resume.

A training script builds model, loader, loss and score, and hands them to `fit`. What it leaves in
the run's folder: ``best.safetensors`` (the averaged weights of the best epoch), ``checkpoint.pt``
(all that ``--resume`` needs), ``log.csv`` and ``curve.png``.
"""

import csv
import math
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from common.config import TrainConfig
from common.errors import InputError
from common.training import distributed


def pick_device(name: str) -> torch.device:
    """The torch device for ``auto``, ``cpu`` or ``cuda``; under ``torchrun``, this process's own.

    Raises:
        InputError: If CUDA is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device here; use cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return distributed.init_process_group(torch.device(name))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision in bfloat16; ``auto`` turns it on where the hardware computes it natively."""
    if precision == "auto":
        native = (
            torch.cuda.is_bf16_supported()
            if device.type == "cuda"
            else torch.cpu.get_capabilities().get("avx512_bf16", False)  # so have all with AMX
        )
        precision = "bf16" if native else "fp32"
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def fit(
    model: nn.Module,
    groups: list[dict[str, Any]],
    loader: Iterable[Any],
    loss: Callable[[nn.Module, Any], torch.Tensor],
    score: Callable[[nn.Module], dict[str, float]],
    config: TrainConfig,
    folder: Path,
    device: torch.device,
    resume: bool = False,
) -> None:
    """Train ``model`` and leave the best averaged weights in it.

    Args:
        model: Already on ``device``; it is put into training mode each epoch.
        groups: AdamW parameter groups, each with ``params`` and its peak ``lr``.
        loader: Batches of one epoch, with ``len()``; order and augmentation must come from
            torch's global seed, which is set anew each epoch so that a resumed run repeats them.
            Of several processes, each must get its `common.distributed.local_shard` of each batch.
        loss: ``(model, batch) -> scalar``.
        score: ``model -> {name: value}`` on validation data; early stopping watches the first.
        config: Hyper-parameters.
        folder: The run's folder.
        device: Where ``model`` is.
        resume: Continue from ``checkpoint.pt`` in ``folder``.

    Raises:
        InputError: If there is nothing to resume from, or it does not fit the model.
    """
    steps = config.epochs * len(loader)
    rise = max(1, round(config.warmup * steps))
    optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / rise, 0.5 + 0.5 * math.cos(math.pi * step / steps)),
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average))
    history: list[dict[str, float]] = []
    if resume:
        history = _load_checkpoint(folder, model, average, optimizer, schedule, device)
    parallel = distributed.parallel(model)
    first = distributed.is_main_process()

    for epoch in range(len(history) + 1, config.epochs + 1):
        torch.manual_seed(config.seed * 1000 + epoch)
        parallel.train()
        started, total = time.monotonic(), 0.0
        name = f"epoch {epoch}/{config.epochs}"
        bar = tqdm(loader, name, disable=None if first else True, leave=False)
        for batch in bar:
            with autocast(device, config.precision):
                value = loss(parallel, batch)
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            total += value.item()
            bar.set_postfix(loss=f"{value.item():.3f}")
        row = {"epoch": epoch, "train_loss": distributed.mean(total / len(loader), device)}
        if first:
            row |= {name: float(value) for name, value in score(average.module.eval()).items()}
            row["seconds"] = time.monotonic() - started
        row = distributed.broadcast(row, device)
        history.append(row)
        watched = list(row)[2]
        best = max(range(len(history)), key=lambda i: history[i][watched])
        if first:
            print("  ".join(f"{k} {v:.4g}" for k, v in row.items()), file=sys.stderr, flush=True)
            if best == len(history) - 1:
                weights = {k: v.contiguous() for k, v in average.module.state_dict().items()}
                save_file(weights, folder / "best.safetensors")
            _save_log(history, folder)
            _save_checkpoint(folder, model, average, optimizer, schedule, history)
        if len(history) - 1 - best >= config.patience:
            if first:
                print(
                    f"stopped: {watched} has not risen for {config.patience} epochs",
                    file=sys.stderr,
                )
            break
    distributed.broadcast(None, device)  # the weights are written
    model.load_state_dict(load_file(folder / "best.safetensors", device=str(device)))
    model.eval()


def _save_checkpoint(folder: Path, model, average, optimizer, schedule, history) -> None:
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "history": history,
    }
    torch.save(state, folder / "checkpoint.tmp")
    (folder / "checkpoint.tmp").replace(folder / "checkpoint.pt")  # never half a checkpoint


def _load_checkpoint(folder: Path, model, average, optimizer, schedule, device) -> list[dict]:
    path = folder / "checkpoint.pt"
    if not path.exists():
        raise InputError(f"--resume: no checkpoint at {path}; start the run without --resume")
    state = torch.load(path, map_location=device, weights_only=True)
    try:
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise InputError(f"--resume: {path} is of another model: {_first_line(error)}") from error
    schedule.load_state_dict(state["schedule"])
    return state["history"]


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _save_log(history: list[dict[str, float]], folder: Path) -> None:
    """Write the history as CSV and as a picture."""
    with open(folder / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    epochs = [row["epoch"] for row in history]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot(epochs, [row["train_loss"] for row in history], label="train loss")
    for name in list(history[0])[2:-1]:
        right.plot(epochs, [row[name] for row in history], label=name)
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(folder / "curve.png", dpi=100)
    pyplot.close(figure)
