"""Training speed: photos and sentences a second, against plain torch loops.

    python benchmarks/training.py --base-model microsoft/MiniLM-L12-H384-uncased

The same steps of the same models on real data: the loops of ``classifier/train.py`` and
``ner/train.py`` with their loaders, plain fp32 loops with torch's defaults, the same in bf16, and
the model alone on a batch that is there already. Medians over rounds in turns.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.measure import machine, print_table
from common.cli import ArgumentParser, run
from common.paths import data_root


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--base-model", default="", help="a BERT; without it photos only")
    parser.add_argument("--steps", type=int, default=8, help="steps in a round (8)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in turns (3)")
    parser.add_argument("--size", type=int, default=160, help="pixels (160)")
    return parser


@dataclass
class Loop:
    """A way to train.

    Attributes:
        batches: Endless.
        step: Trains on one batch.
        size: Examples in a batch.
    """

    batches: Iterator[Any]
    step: Callable[[Any], None]
    size: int

    def rate(self, steps: int) -> float:
        """Examples a second."""
        started = time.perf_counter()
        for batch in islice(self.batches, steps):
            self.step(batch)
        return steps * self.size / (time.perf_counter() - started)


def endless(loader: Iterable[Any]) -> Iterator[Any]:
    """Epoch after epoch."""
    while True:
        yield from loader


def trainer(
    model: Any, loss: Callable[[Any, Any], Any], parameters: list[Any], precision: str
) -> Callable[[Any], None]:
    """A training step."""
    import torch

    from common.training.loop import autocast

    optimizer = torch.optim.AdamW(parameters, lr=1e-5)

    def step(batch: Any) -> None:
        with autocast(torch.device("cpu"), precision):
            value = loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()

    return step


def photo_loops(data: Path, size: int) -> dict[str, Loop]:
    """Ways to train the image classifier, by name."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision.models import resnet50

    from classifier.augment import train_transform
    from classifier.data import PhotoDataset, allowed_classes, read_photos, train_loader
    from classifier.model import UNFREEZE, Classifier, config_for
    from classifier.training_config import ClassifierTrainingConfig
    from common.encoders.image import create_image_encoder
    from common.training.losses import partial_label_loss
    from matching.taxonomy import Taxonomy

    photos = [photo for photo in read_photos(data) if photo.split == "train"]
    classes = sorted({photo.label for photo in photos})
    config = config_for(classes, create_image_encoder("resnet50"))
    allowed = allowed_classes(set(classes), classes, Taxonomy.load())
    training = ClassifierTrainingConfig()
    dataset = PhotoDataset(photos, allowed, train_transform(size, config, training))
    loops = {}

    def own_loss(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        images = batch[0].contiguous(memory_format=torch.channels_last)
        return partial_label_loss(model(images), batch[1], 0.05)

    def plain_loss(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1].int().argmax(1))

    for policy in [name for name in UNFREEZE if name != "none"]:
        model = Classifier(config).to(memory_format=torch.channels_last).train()
        parameters = [p for stage in model.unfreeze(policy) for p in stage]
        loader = train_loader(dataset, training)
        step = trainer(model, own_loss, parameters, "auto")
        loops[f"classifier/train.py, {policy}"] = Loop(endless(loader), step, 64)
    for precision in ("fp32", "bf16"):
        model = resnet50(num_classes=len(classes)).train()
        step = trainer(model, plain_loss, list(model.parameters()), precision)
        loader = DataLoader(dataset, 64, shuffle=True, num_workers=1)
        loops[f"plain loop, all, {precision}"] = Loop(endless(loader), step, 64)
    batch = next(iter(loader))
    model = Classifier(config).to(memory_format=torch.channels_last).train()
    parameters = [p for stage in model.unfreeze("all") for p in stage]
    step = trainer(model, own_loss, parameters, "auto")
    loops["the model alone, all"] = Loop(endless([batch]), step, 64)
    return loops


def text_loops(base_model: str) -> dict[str, Loop]:
    """Ways to train the recogniser, by name."""
    import torch
    from torch import nn

    from common.training.losses import partial_label_loss
    from ner.data import Batches, read_jsonl
    from ner.model import build
    from ner.training_config import NerTrainingConfig

    sentences = read_jsonl(data_root() / "multinerd_en/train.jsonl")
    loops = {}

    def loss(model: nn.Module, batch: Any) -> torch.Tensor:
        logits = model(**batch.inputs).flatten(0, 1)
        return partial_label_loss(logits, batch.label_mask.flatten(0, 1), 0.1)

    for name, precision in {"ner/train.py": "auto", "plain loop, fp32": "fp32"}.items():
        model, preprocess = build(base_model)
        batches = Batches(NerTrainingConfig(gazetteer_dropout=0.0), preprocess, sentences)
        step = trainer(model.train(), loss, list(model.parameters()), precision)
        loops[name] = Loop(endless(batches), step, 32)
    model, _ = build(base_model)
    step = trainer(model.train(), loss, list(model.parameters()), "auto")
    loops["the model alone"] = Loop(endless(list(islice(batches, 8))), step, 32)
    return loops


def measure(loops: dict[str, Loop], steps: int, rounds: int, unit: str) -> None:
    """Print a table."""
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(rounds + 1):
        for name, loop in loops.items():
            rate = loop.rate(steps)
            if turn:  # the first round warms up
                rates[name].append(rate)
    print_table((unit, "median"), [(n, f"{statistics.median(r):.0f}") for n, r in rates.items()])


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    import torch

    torch.manual_seed(0)
    print(f"{machine()}, torch {torch.__version__}\n")
    measure(photo_loops(args.data, args.size), args.steps, args.rounds, "photos a second")
    if args.base_model:
        print()
        measure(text_loops(args.base_model), args.steps, args.rounds, "sentences a second")
    return 0


if __name__ == "__main__":
    run(main)
