"""Text encoders by name: whatever transformers has, with marks on the tokens. Training only."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from common.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TextEncoder(nn.Module):
    """A model of transformers without a head, and a mark (a number) beside each token.

    Marks go into the token types where the model has them, else into an embedding of their own that
    is added to those of the words. New marks are alike, so that a pretrained model computes what it
    was trained to compute.
    """

    inputs = ("input_ids", "attention_mask", "marks")

    def __init__(self, model: nn.Module, marks: int):
        super().__init__()
        self.model, self.marks, self.width = model, None, model.config.hidden_size
        model.pooler = None  # of the first token; nothing here asks for it
        positions = getattr(model.embeddings, "position_embeddings", None)
        skipped = getattr(positions, "padding_idx", None)  # RoBERTa counts from the one behind
        first = 0 if skipped is None else skipped + 1
        self.max_length = model.config.max_position_embeddings - first
        if getattr(model.config, "type_vocab_size", 0) > 1:
            old = model.embeddings.token_type_embeddings.weight.data
            rows = [i % len(old) if len(old) > 2 else 0 for i in range(marks)]  # 2: sentences A, B
            types = nn.Embedding.from_pretrained(old[rows], freeze=False)
            model.embeddings.token_type_embeddings = types
            model.config.type_vocab_size = marks
        else:
            self.marks = nn.Embedding.from_pretrained(torch.zeros(marks, self.width), freeze=False)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marks: torch.Tensor
    ) -> torch.Tensor:
        """Return the features of each token, from ``(B, T)`` each ``(B, T, D)``."""
        if self.marks is None:
            words = {"input_ids": input_ids, "token_type_ids": marks}
        else:
            embedded = self.model.get_input_embeddings()(input_ids)
            words = {"inputs_embeds": embedded + self.marks(marks)}
        return self.model(attention_mask=attention_mask, **words).last_hidden_state


def create_text_encoder(name: str, marks: int) -> tuple[TextEncoder, "PreTrainedTokenizerBase"]:
    """Return a pretrained encoder, a folder or of the Hugging Face hub, and its tokenizer.

    Raises:
        InputError: If there is no such encoder.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, add_prefix_space=True)  # words come split
        config = AutoConfig.from_pretrained(name)
        # Without dropout attention runs in one fused kernel; hidden sub-words regularise instead.
        for key in ("attention_probs_dropout_prob", "attention_dropout"):
            if hasattr(config, key):
                setattr(config, key, 0.0)
        model = AutoModel.from_pretrained(name, config=config, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"no text encoder at {name} ({reason})") from error
    return TextEncoder(model, marks), tokenizer
