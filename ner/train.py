"""Train the token classifier and write a model folder.

    python ner/train.py                                    # hub's bert-base-uncased, MultiNERD
    python ner/train.py --base-model FOLDER --partial PER,LOC,ORG=wikineural_en/val.jsonl
    python ner/train.py --resume                           # go on after a stop

``--data`` is a folder with ``train.jsonl`` and ``validation.jsonl``. ``--partial`` adds files that
annotate only some types: their other words count as "none of these types" and no more.
``--everyday`` adds sentences in which animals are marked as affirmed or denied (data/everyday.py).
The model folder (``--output``) gets weights, tokenizer, configuration, log and curve;
``checkpoint.pt`` in it is for ``--resume`` and may be deleted.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.config import TrainConfig, add_options, from_args, option, save_json
from common.errors import InputError
from common.paths import ROOT


@dataclass(frozen=True)
class NerConfig(TrainConfig):
    """Hyper-parameters of the token classifier."""

    base_model: str = option("bert-base-uncased", "pretrained encoder: a hub name or a folder")
    partial: tuple[str, ...] = option((), "TYPES=FILE: data that annotates only some types")
    recase: float = option(0.1, "share of sentences shown in lower case, half of it in capitals")
    mask: float = option(0.1, "share of sub-words hidden in training")
    replace: float = option(0.3, "share of mentions replaced by another name of their type")
    names: Path | None = option(None, "JSON with names by type (data/wordnet_names.py) for that")
    learning_rate: float = option(3e-4, "peak learning rate of the encoder")
    typo: float = option(0.15, "share of mentions misspelt in everyday data")
    gazetteer_dropout: float = option(0.2, "share of sentences without marks of names")
    partial_share: float = option(1.0, "sentences of --partial an epoch for each one of --data")
    everyday_share: float = option(1.5, "sentences of --everyday an epoch for each one of --data")
    entity_weight: float = option(1.0, "weight of the entity loss beside those of the other heads")
    label_smoothing: float = option(0.0, "share of the target spread over all labels")

    def __post_init__(self):
        super().__post_init__()
        for name in ("recase", "mask", "replace", "typo", "gazetteer_dropout"):
            if not 0 <= getattr(self, name) <= 0.5:
                raise InputError(f"{name} must be in [0, 0.5], not {getattr(self, name)}")
        for name in ("partial_share", "everyday_share", "entity_weight"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be below 0, but is {getattr(self, name)}")


def get_args_parser() -> ArgumentParser:
    """The command line: paths here, hyper-parameters from `NerConfig`."""
    parser = ArgumentParser(__doc__)
    parser.add_data("multinerd_en", "folder of fully annotated sentences")
    parser.add_argument(
        "--everyday",
        type=Path,
        metavar="DIR",
        help="folder of sentences with mentions (data/everyday.py)",
    )
    parser.add_run(ROOT / "runs/ner")
    parser.add_device()
    add_options(parser, NerConfig)
    return parser


def main() -> int:
    """Train."""
    args = get_args_parser().parse_args()
    config = from_args(NerConfig, args)

    import torch

    from common.training.distributed import is_main_process
    from common.training.loop import fit, pick_device
    from common.training.losses import partial_label_loss
    from ner.data import (
        Augmentation,
        Batch,
        Batches,
        read_jsonl,
        read_mentions,
        read_names,
        read_partial,
    )
    from ner.labels import TYPES
    from ner.model import as_function, build, head_parameters, save
    from ner.report import count_matches, f1, mention_scores, predict_tags

    device = pick_device(args.device)
    training = read_jsonl(args.data / "train.jsonl")
    validation = read_jsonl(args.data / "validation.jsonl")
    partial = [sentence for spec in config.partial for sentence in read_partial(spec)]
    everyday, everyday_validation = [], []
    if args.everyday:
        everyday = read_mentions(args.everyday / "train.jsonl")
        everyday_validation = read_mentions(args.everyday / "validation.jsonl")
    if is_main_process():
        print(
            f"{len(training)} training sentences, {len(partial)} partly annotated,"
            f" {len(everyday)} with mentions, {len(validation)} for validation",
            file=sys.stderr,
        )

    torch.manual_seed(config.seed)
    model, preprocess = build(config.base_model)
    model.to(device)
    if is_main_process():
        args.output.mkdir(parents=True, exist_ok=True)
        save_json(config, args.output / "train_config.json")

    weights = dict.fromkeys(preprocess.config.heads, 1.0) | {"entity": config.entity_weight}

    def loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        inputs = {name: value.to(device) for name, value in batch.inputs.items()}
        logits = model(**inputs).flatten(0, 1)  # (B * T, L)
        mask = batch.label_mask.flatten(0, 1).to(device)
        losses = [
            weights[name]
            * partial_label_loss(logits[:, head], mask[:, head], config.label_smoothing)
            for name, head in preprocess.config.slices.items()
            if mask[:, head].any()
        ]
        return torch.stack(losses).sum()

    def score(model: torch.nn.Module) -> dict[str, float]:
        predicted = predict_tags(as_function(model, device), preprocess, validation)
        counts = count_matches([s.tags for s in validation], predicted)
        scores = {"micro_f1": f1(counts), "anim_f1": f1(counts[:, TYPES.index("ANIM")])}
        if not everyday_validation:
            return scores
        scores |= mention_scores(as_function(model, device), preprocess, everyday_validation)
        return {"score": (scores["micro_f1"] + scores["claim_f1"]) / 2} | scores

    head = head_parameters(model)
    encoder = [p for p in model.parameters() if all(p is not q for q in head)]
    groups = [
        {"params": encoder, "lr": config.learning_rate},
        {"params": head, "lr": config.head_learning_rate},
    ]
    names = read_names(config.names) if config.names else {}
    augmentation = Augmentation(config.recase, config.mask, config.replace, names, config.typo)
    batches = Batches(
        *(training, partial, preprocess, config.batch_size, augmentation),
        *(config.partial_share, everyday, config.everyday_share, config.gazetteer_dropout),
    )
    fit(model, groups, batches, loss, score, config, args.output, device, args.resume)
    if is_main_process():
        save(model, preprocess, args.output)
        print(f"model folder: {args.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run(main)
