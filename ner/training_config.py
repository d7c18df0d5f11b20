"""What a training run of the token classifier is made of."""

from dataclasses import dataclass
from pathlib import Path

from common.config import option
from common.training.config import TrainingConfig


@dataclass(frozen=True)
class NerTrainingConfig(TrainingConfig):
    """Hyper-parameters of the token classifier."""

    data: Path | None = option(
        None, "folder of fully annotated sentences (default: multinerd_en under FAUNACHECK_DATA)"
    )
    everyday: Path | None = option(None, "folder of sentences with mentions (data/everyday.py)")
    epochs: int = option(4, "passes over the fully annotated sentences")
    ema_decay: float = option(0.999, "decay of the moving average of the weights; 0: no average")
    base_model: str = option("bert-base-uncased", "pretrained encoder: a hub name or a folder")
    partial: tuple[str, ...] = option((), "TYPES=FILE: data that annotates only some types")
    recase: float = option(0.1, "share of sentences shown in lower case, half of it in capitals")
    mask: float = option(0.1, "share of sub-words hidden in training")
    replace: float = option(0.3, "share of mentions replaced by another name of their type")
    names: Path | None = option(None, "JSON with names by type (data/wordnet_names.py) for that")
    learning_rate: float = option(3e-4, "peak learning rate of the encoder")
    typo: float = option(0.05, "share of words misspelt in everyday data")
    gazetteer_dropout: float = option(0.2, "share of sentences without marks of names")
    partial_share: float = option(0.15, "sentences of --partial an epoch for each one of --data")
    everyday_share: float = option(3.5, "sentences of --everyday an epoch for each one of --data")
    entity_weight: float = option(1.0, "weight of the entity loss beside those of the other heads")
    label_smoothing: float = option(0.0, "share of the target spread over all labels")

    def __post_init__(self):
        super().__post_init__()
        shares = "recase mask replace typo gazetteer_dropout"
        self._require(shares, lambda x: 0 <= x <= 0.5, "in [0, 0.5]")
        shares = "partial_share everyday_share entity_weight"
        self._require(shares, lambda x: x >= 0, "at least 0")
