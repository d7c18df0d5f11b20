"""The token classifier: BERT with one linear layer for all heads. Needs torch; does no training.

The model folder is in Hugging Face's format, so that
``BertForTokenClassification.from_pretrained("models/ner")`` loads it too.
"""

from pathlib import Path

import torch
from torch import nn

from common.errors import InputError
from common.training.forward import torch_model
from matching.taxonomy import Taxonomy
from ner.labels import OUTPUTS
from ner.windows import NAMES, SHAPES, Forward, Preprocess


def build(base_model: str) -> tuple[nn.Module, Preprocess]:
    """A new classifier on a pretrained encoder, and the preprocessing that goes with it.

    The token type embedding grows to one row for each word shape with and without a name; all start
    as the encoder's row 0, so that the encoder computes at first what it was trained to compute. A
    token classifier as base keeps what it has learned: the rows of labels it knows, and its token
    types, repeated where there are more now.

    Args:
        base_model: A folder or a name on the Hugging Face hub.

    Raises:
        InputError: If there is no such BERT model.
    """
    from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

    try:
        tokenizer = AutoTokenizer.from_pretrained(base_model)
        # Without dropout attention runs in one fused kernel; hidden sub-words regularise instead.
        model = BertForTokenClassification.from_pretrained(
            base_model, attention_probs_dropout_prob=0.0, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"--base-model {base_model}: no BERT model there ({reason})") from error
    trained = "BertForTokenClassification" in (
        BertConfig.from_pretrained(base_model).architectures or ()
    )
    _replace_token_types(model, trained)
    _replace_head(model, trained)
    return model, Preprocess(tokenizer.backend_tokenizer, Taxonomy.load())


def _replace_token_types(model: nn.Module, trained: bool) -> None:
    old = model.bert.embeddings.token_type_embeddings.weight.data
    rows = [i % len(old) if trained else 0 for i in range(SHAPES * NAMES)]
    model.bert.embeddings.token_type_embeddings = nn.Embedding.from_pretrained(
        old[rows], freeze=False
    )
    model.config.type_vocab_size = len(rows)


def _replace_head(model: nn.Module, trained: bool) -> None:
    known = model.config.label2id if trained else {}
    old, new = model.classifier, nn.Linear(model.config.hidden_size, len(OUTPUTS))
    nn.init.normal_(new.weight, std=model.config.initializer_range)
    nn.init.zeros_(new.bias)
    for i, label in enumerate(OUTPUTS):
        if label in known:
            new.weight.data[i] = old.weight.data[known[label]]
            new.bias.data[i] = old.bias.data[known[label]]
    model.classifier, model.num_labels = new, len(OUTPUTS)
    model.config.id2label = dict(enumerate(OUTPUTS))
    model.config.label2id = {label: i for i, label in enumerate(OUTPUTS)}


def load(folder: Path) -> tuple[nn.Module, Preprocess]:
    """A trained classifier and its preprocessing.

    Raises:
        InputError: If the folder holds no such model or one of another shape.
    """
    from transformers import BertForTokenClassification

    preprocess = Preprocess.load(folder)
    try:
        model = BertForTokenClassification.from_pretrained(folder, dtype=torch.float32)
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


def as_function(model: nn.Module, device: torch.device) -> Forward:
    """Return a classifier that is on ``device`` as a function of a batch in numpy."""
    run = torch_model(Logits(model), device)
    return lambda batch: run(*batch.values())


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
