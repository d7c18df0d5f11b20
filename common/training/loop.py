"""The training loop of all models: warm-up and cosine, weight averaging, early stopping, resume.

A training script hands a `Task` and batches to `fit`. What that leaves in the run's folder:
``best.safetensors`` (the averaged weights of the best epoch), ``checkpoint.pt`` (all that
``--resume`` needs), ``log.csv`` and ``curve.png``.
"""

import csv
import math
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from common.encoders.weights import read_weights
from common.errors import InputError
from common.training import distributed
from common.training.config import TrainingConfig
from common.training.run_folder import CHECKPOINT, RunFolder
from common.training.task import Task

MAX_NORM = 1.0  # gradients are clipped to this
LOOK_EVERY = 20  # steps between looks at the loss: each makes a GPU wait


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
            torch.cuda.is_bf16_supported(including_emulation=False)
            if device.type == "cuda"
            else torch.cpu.get_capabilities().get("avx512_bf16", False)  # so have all with AMX
        )
        precision = "bf16" if native else "fp32"
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def lr_factor(step: int, warmup_steps: int, steps: int) -> float:
    """Return the learning rate of a step, from 0, as a share of its peak: a rise, then a cosine."""
    return min((step + 1) / warmup_steps, 0.5 + 0.5 * math.cos(math.pi * step / steps))


def split_decay(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Split parameter groups, so that biases and norms (one dimension) are not decayed."""
    result = []
    for group in groups:
        decayed = [p for p in group["params"] if p.dim() > 1]
        others = [p for p in group["params"] if p.dim() <= 1]
        result += [group | {"params": decayed}] * bool(decayed)
        result += [group | {"params": others, "weight_decay": 0.0}] * bool(others)
    return result


class _State:
    """All that training changes, as a checkpoint holds it."""

    PARTS = ("model", "average", "optimizer", "schedule")

    def __init__(self, task: Task, steps: int, config: TrainingConfig):
        groups = split_decay(task.param_groups())
        warmup_steps = max(1, round(config.warmup * steps))
        self.model = task.model
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: lr_factor(step, warmup_steps, steps)
        )
        update = get_ema_multi_avg_fn(config.ema_decay)
        self.average = AveragedModel(task.model, multi_avg_fn=update)
        self.history: list[dict[str, float]] = []

    def step(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, MAX_NORM)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.model)

    def best(self, monitor: str) -> int:
        """Return the index of the best epoch so far, the first of equal ones."""
        return max(range(len(self.history)), key=lambda i: self.history[i][monitor])

    def save(self, run: RunFolder) -> None:
        parts = {name: getattr(self, name).state_dict() for name in self.PARTS}
        path = run.path / CHECKPOINT
        state = parts | {"history": self.history, "fingerprint": run.fingerprint}
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)  # never half a checkpoint

    def load(self, run: RunFolder, device: torch.device) -> None:
        path = run.path / CHECKPOINT
        read_weights(run.path / "best.safetensors")  # no later epoch need be better
        try:
            state = torch.load(path, map_location=device, weights_only=True)
        except Exception as error:  # torch and pickle have a class for each kind of damage
            raise InputError(f"--resume: {path} cannot be read; start with --overwrite") from error
        if state.get("fingerprint") != run.fingerprint:
            raise InputError(f"--resume: {path} is of another configuration or other splits")
        try:
            for name in self.PARTS:
                getattr(self, name).load_state_dict(state[name])
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"--resume: {path} is of another model: {reason}") from error
        self.history = state["history"]


def fit(
    task: Task, loader: Iterable[Any], config: TrainingConfig, run: RunFolder, device: torch.device
) -> None:
    """Train a task's model and leave the best averaged weights in it; a checkpoint is resumed.

    Args:
        task: What to train.
        loader: Batches of one epoch, with ``len()``; order and augmentation must come from
            torch's global seed, which is set anew each epoch so that a resumed run repeats them.
            Of several processes, each must get its `distributed.local_shard` of each batch.
        config: Hyper-parameters.
        run: The run's folder, started.
        device: Where the model is.

    Raises:
        InputError: If the checkpoint does not fit, or loss or monitored score are no numbers.
    """
    state, monitor = _State(task, config.epochs * len(loader), config), task.monitor
    distributed.broadcast(None, device)  # the first process has started the folder
    if (run.path / CHECKPOINT).exists():
        state.load(run, device)
    wrapped, first = distributed.parallel(task), distributed.is_main_process()
    for epoch in range(len(state.history) + 1, config.epochs + 1):
        if state.history and epoch - 2 - state.best(monitor) >= config.patience:
            if first:
                message = f"stopped: {monitor} has not risen for {config.patience} epochs"
                print(message, file=sys.stderr)
            break
        torch.manual_seed(config.seed * 1000 + epoch)
        started = time.monotonic()
        row = {"epoch": epoch} | _train_epoch(wrapped, loader, state, config, device, epoch)
        if first:
            scores = task.evaluate(state.average.module.eval())
            row |= {name: float(value) for name, value in scores.items()}
            row["seconds"] = time.monotonic() - started
        row = distributed.broadcast(row, device)
        _check(monitor, row[monitor], epoch, config)
        state.history.append(row)
        if first:
            print("  ".join(f"{k} {v:.4g}" for k, v in row.items()), file=sys.stderr, flush=True)
            if state.best(monitor) == epoch - 1:
                weights = {k: v.contiguous() for k, v in state.average.module.state_dict().items()}
                save_file(weights, run.path / "best.safetensors")
            _save_log(state.history, run.path)
            state.save(run)
    distributed.broadcast(None, device)  # the weights are written
    task.model.load_state_dict(load_file(run.path / "best.safetensors", device=str(device)))
    task.eval()


def _train_epoch(task, loader, state, config, device, epoch) -> dict[str, float]:
    """Train for an epoch; return the mean loss, and those of its parts, over all processes."""
    task.train()
    sums: dict[str, torch.Tensor] = {}
    silent = None if distributed.is_main_process() else True
    bar = tqdm(loader, f"epoch {epoch}/{config.epochs}", disable=silent, leave=False)
    for number, batch in enumerate(bar):
        with autocast(device, config.precision):
            losses = task(batch)
        parts = losses if isinstance(losses, dict) else {}
        loss = torch.stack([*parts.values()]).sum() if parts else losses
        state.step(loss)
        for name, value in {"loss": loss, **parts}.items():
            sums[f"train_{name}"] = sums.get(f"train_{name}", 0) + value.detach()
        if number % LOOK_EVERY == 0:
            bar.set_postfix(loss=f"{_check('the loss', loss.item(), epoch, config):.3f}")
    means = {k: distributed.mean(v.item() / len(loader), device) for k, v in sums.items()}
    _check("the loss", means["train_loss"], epoch, config)
    return means


def _check(name: str, value: float, epoch: int, config: TrainingConfig) -> float:
    """Return a value that is finite, else raise an `InputError`."""
    if not math.isfinite(value):
        raise InputError(
            f"epoch {epoch}: {name} is {value} at --learning-rate {config.learning_rate};"
            " try a lower one (the best weights so far are kept)"
        )
    return value


def _save_log(history: list[dict[str, float]], folder: Path) -> None:
    """Write the history as CSV and as a picture."""
    with open(folder / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)

    from matplotlib.figure import Figure  # without pyplot, which would choose a screen

    epochs, figure = [row["epoch"] for row in history], Figure((9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name in list(history[0])[1:-1]:
        axes = left if name.startswith("train_") else right
        axes.plot(epochs, [row[name] for row in history], label=name.replace("train_", "train "))
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(folder / "curve.png", dpi=100)
