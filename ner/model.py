"""The token classifier: BERT with a linear head over BIO labels. Needs torch; does no training.

The model folder is in Hugging Face's format, so that
``BertForTokenClassification.from_pretrained("models/ner")`` loads it too.
"""

from pathlib import Path

import torch
from torch import nn

from common.errors import InputError
from ner.preprocess import LABELS, Preprocess

SHAPES = 4  # values of ner.preprocess.word_shape


def build(base_model: str) -> tuple[nn.Module, Preprocess]:
    """A new classifier on a pretrained encoder, and the preprocessing that goes with it.

    The token type embedding grows to one row for each word shape; all start as the encoder's row 0,
    so that the encoder computes at first what it was trained to compute.

    Args:
        base_model: A folder or a name on the Hugging Face hub.

    Raises:
        InputError: If there is no such BERT model.
    """
    from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

    try:
        config = BertConfig.from_pretrained(
            base_model,
            num_labels=len(LABELS),
            id2label=dict(enumerate(LABELS)),
            label2id={label: i for i, label in enumerate(LABELS)},
        )
        tokenizer = AutoTokenizer.from_pretrained(base_model)
        model = BertForTokenClassification.from_pretrained(base_model, config=config)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"--base-model {base_model}: no BERT model there ({reason})") from error
    embeddings = model.bert.embeddings
    first_row = embeddings.token_type_embeddings.weight.data[:1]
    embeddings.token_type_embeddings = nn.Embedding.from_pretrained(
        first_row.repeat(SHAPES, 1), freeze=False
    )
    model.config.type_vocab_size = SHAPES
    return model, Preprocess(tokenizer.backend_tokenizer)


def load(folder: Path) -> tuple[nn.Module, Preprocess]:
    """A trained classifier and its preprocessing.

    Raises:
        InputError: If the folder holds no such model or one of another shape.
    """
    from transformers import BertForTokenClassification

    preprocess = Preprocess.load(folder)
    try:
        model = BertForTokenClassification.from_pretrained(folder, torch_dtype=torch.float32)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"no token classifier in {folder}: {reason}") from error
    return model.eval(), preprocess


def save(model: nn.Module, preprocess: Preprocess, folder: Path) -> None:
    """Write ``config.json``, ``model.safetensors`` (fp16) and ``tokenizer.json``."""
    from copy import deepcopy

    deepcopy(model).half().save_pretrained(folder)
    preprocess.tokenizer.save(str(folder / "tokenizer.json"))


def head_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Parameters that start untrained."""
    return list(model.classifier.parameters())


class Logits(nn.Module):
    """The classifier as a function from three tensors to logits, for export.

    Args:
        model: A `BertForTokenClassification`.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
    ) -> torch.Tensor:
        """``(B, T)`` each to ``(B, T, L)``."""
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).logits
