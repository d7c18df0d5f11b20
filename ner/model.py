"""The token classifier: a text encoder with one linear layer for all heads. Needs torch.

The model folder is in Hugging Face's format, so that
``AutoModelForTokenClassification.from_pretrained("models/ner")`` loads it, too.
"""

import math
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from common.config import fingerprint
from common.encoders.text import TextEncoder, create_text_encoder
from common.errors import InputError
from common.training.forward import torch_model
from matching.taxonomy import Taxonomy
from ner.config import ModelConfig
from ner.windows import Forward, Preprocess

DROPOUT = 0.1  # as transformers' token classifiers have it
WEIGHTS = "model.safetensors"


class TokenClassifier(nn.Module):
    """An encoder with a linear layer.

    Args:
        encoder: Features of each token.
        outputs: Labels of all heads.
    """

    def __init__(self, encoder: TextEncoder, outputs: int):
        super().__init__()
        self.encoder, self.dropout = encoder, nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(encoder.width, outputs)
        nn.init.normal_(self.classifier.weight, std=encoder.model.config.initializer_range)
        nn.init.zeros_(self.classifier.bias)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marks: torch.Tensor
    ) -> torch.Tensor:
        """Return logits, ``(B, T)`` each to ``(B, T, L)``."""
        return self.classifier(self.dropout(self.encoder(input_ids, attention_mask, marks)))

    @property
    def stored_names(self) -> dict[str, str]:
        """The name in Hugging Face's files of each of our parameters."""
        prefix = self.encoder.model.base_model_prefix
        return {
            name: name.replace("encoder.model.", f"{prefix}.").removeprefix("encoder.")
            for name in self.state_dict()
        }


def build(base_model: str) -> tuple[TokenClassifier, Preprocess]:
    """Return a new classifier on a pretrained encoder, and its preprocessing.

    A token classifier as base keeps what it has learned: its marks, and the rows of the labels that
    it knows.

    Args:
        base_model: A folder or a name on the Hugging Face hub.

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
    base = encoder.model.config
    model = TokenClassifier(encoder, len(config.outputs))
    if any(name.endswith("ForTokenClassification") for name in base.architectures or ()):
        stored = load_file(cached_file(base_model, WEIGHTS))
        for i, label in enumerate(config.outputs):
            if label in base.label2id:
                model.classifier.weight.data[i] = stored["classifier.weight"][base.label2id[label]]
                model.classifier.bias.data[i] = stored["classifier.bias"][base.label2id[label]]
        if encoder.marks is not None and "marks.weight" in stored:
            encoder.marks.weight.data.copy_(stored["marks.weight"])
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
        encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
        model = TokenClassifier(
            TextEncoder(encoder, math.prod(config.marks.values())), len(config.outputs)
        )
        stored = load_file(Path(folder) / WEIGHTS)
        names = model.stored_names.items()
        model.load_state_dict({name: stored[there] for name, there in names})
    except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"no token classifier in {folder}: {reason}") from error
    return model.eval(), preprocess


def save(model: TokenClassifier, preprocess: Preprocess, folder: Path) -> None:
    """Write ``config.json``, ``model.safetensors`` (fp16) and ``tokenizer.json``."""
    from safetensors.torch import save_file

    state, path = model.state_dict(), folder / WEIGHTS
    tensors = {there: state[name].half().cpu() for name, there in model.stored_names.items()}
    save_file(tensors, path, metadata={"format": "pt"})
    preprocess.tokenizer.save(str(folder / "tokenizer.json"))
    own, config = model.encoder.model.config, preprocess.config
    own.architectures = [
        type(model.encoder.model).__name__.removesuffix("Model") + "ForTokenClassification"
    ]
    own.id2label = dict(enumerate(config.outputs))
    own.label2id = {label: i for i, label in enumerate(config.outputs)}
    own.dtype = torch.float16
    own.save_pretrained(folder)
    config.save(folder, fingerprint(path))


def head_parameters(model: TokenClassifier) -> list[nn.Parameter]:
    """Return the parameters that start untrained."""
    return list(model.classifier.parameters())


def as_function(model: TokenClassifier, device: torch.device) -> Forward:
    """Return a classifier that is on ``device`` as a function of a batch in numpy."""
    run = torch_model(model, device)
    return lambda batch: run(*batch.values())
