"""The token classifier: a text encoder with one linear layer for all heads. Needs torch.

The model folder is in Hugging Face's format, so that
``AutoModelForTokenClassification.from_pretrained("models/ner")`` loads it, too.
"""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import nn

from common.config import check_fingerprint, fingerprint, save_json
from common.encoders.text import TextEncoder, create_text_encoder
from common.errors import InputError
from common.training.forward import torch_model
from matching.taxonomy import Taxonomy
from ner.config import KEY, ModelConfig
from ner.windows import Forward, Preprocess

DROPOUT = 0.1  # as transformers' token classifiers have it
WEIGHTS = "model.safetensors"


class TokenClassifier(nn.Module):
    """An encoder and a linear layer with the outputs of all heads."""

    def __init__(self, encoder: TextEncoder, outputs: int):
        super().__init__()
        self.encoder, self.dropout = encoder, nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(encoder.width, outputs)
        nn.init.normal_(self.classifier.weight, std=encoder.model.config.initializer_range)
        nn.init.zeros_(self.classifier.bias)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marks: torch.Tensor
    ) -> torch.Tensor:
        """Return logits, from ``(B, T)`` each ``(B, T, L)``."""
        return self.classifier(self.dropout(self.encoder(input_ids, attention_mask, marks)))

    def stored_name(self, name: str) -> str:
        """Return what Hugging Face's files call a parameter."""
        prefix = self.encoder.model.base_model_prefix
        return name.replace("encoder.model.", f"{prefix}.").removeprefix("encoder.")


def build(base_model: str) -> tuple[TokenClassifier, Preprocess]:
    """Return a new classifier on a pretrained encoder, and its preprocessing.

    The encoder is a folder's or the Hugging Face hub's. A token classifier as base keeps what it
    has learned: its marks, and the rows of the labels that it knows.

    Raises:
        InputError: If there is no such encoder.
    """
    from safetensors.torch import load_file
    from transformers.utils import cached_file

    config = ModelConfig()
    try:
        encoder, tokenizer = create_text_encoder(base_model, math.prod(config.marks.values()))
    except InputError as error:
        raise InputError(f"--base-model {base_model}: {error}") from error
    model, base = TokenClassifier(encoder, len(config.outputs)), encoder.model.config
    if any(name.endswith("ForTokenClassification") for name in base.architectures or ()):
        stored, state = load_file(cached_file(base_model, WEIGHTS)), model.state_dict()
        old = {i: base.label2id.get(label) for i, label in enumerate(config.outputs)}
        known = {i: row for i, row in old.items() if row is not None}
        for name in ("classifier.weight", "classifier.bias"):
            state[name][[*known]] = stored[name][[*known.values()]].float()
        if encoder.marks is not None and "marks.weight" in stored:
            state["encoder.marks.weight"].copy_(stored["marks.weight"])
    window = min(config.window, encoder.max_length, tokenizer.model_max_length)
    config = replace(config, window=window, overlap=window // 4)
    taxonomy, pad, mask = Taxonomy.load(), tokenizer.pad_token_id, tokenizer.mask_token_id
    return model, Preprocess(tokenizer.backend_tokenizer, taxonomy, config, pad, mask)


def load(folder: Path) -> tuple[TokenClassifier, Preprocess]:
    """Return a trained classifier and its preprocessing.

    Raises:
        InputError: If the folder holds no such model or one of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    preprocess = Preprocess.load(folder)
    config = preprocess.config
    try:
        bare = AutoModel.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
        encoder = TextEncoder(bare, math.prod(config.marks.values()))
        model = TokenClassifier(encoder, len(config.outputs))
        stored = load_file(Path(folder) / WEIGHTS)
        model.load_state_dict(
            {name: stored[model.stored_name(name)] for name in model.state_dict()}
        )
    except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"no token classifier in {folder}: {reason}") from error
    check_fingerprint(Path(folder) / WEIGHTS, config.weights)
    return model.eval(), preprocess


def save(model: TokenClassifier, preprocess: Preprocess, folder: Path) -> None:
    """Write ``config.json``, ``model.safetensors`` (fp16) and ``tokenizer.json``."""
    from safetensors.torch import save_file

    state = {model.stored_name(name): value for name, value in model.state_dict().items()}
    tensors = {name: value.half().contiguous().cpu() for name, value in state.items()}
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    preprocess.tokenizer.save(str(folder / "tokenizer.json"))
    base, own = model.encoder.model.config, preprocess.config
    kind = type(model.encoder.model).__name__.removesuffix("Model")
    base.architectures, base.dtype = [f"{kind}ForTokenClassification"], torch.float16
    base.id2label = dict(enumerate(own.outputs))
    base.label2id = {label: i for i, label in enumerate(own.outputs)}
    base.save_pretrained(folder)
    path, own = folder / "config.json", replace(own, weights=fingerprint(folder / WEIGHTS))
    save_json(json.loads(path.read_text()) | {KEY: asdict(own)}, path)  # with the heads in order


def head_parameters(model: TokenClassifier) -> list[nn.Parameter]:
    """Return the parameters that start untrained."""
    return list(model.classifier.parameters())


def as_function(model: TokenClassifier, device: torch.device) -> Forward:
    """Return a classifier that is on ``device`` as a function of a batch in numpy."""
    run = torch_model(model, device)
    return lambda batch: run(*batch.values())
