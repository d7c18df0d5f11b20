"""Text encoders by name: transformers' models, with marks on their tokens. Training only."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from common.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_TYPES = 2  # token types of pretrained encoders (sentence A and B); more of them are marks


class TextEncoder(nn.Module):
    """A pretrained encoder whose tokens carry marks.

    A mark is a number beside each token. It goes into the token types where the encoder has them,
    else into an embedding of its own that is added to those of the words. All marks start alike, so
    that the encoder computes at first what it was trained to compute.

    Args:
        model: A model of transformers, without a head.
        marks: How many marks there are.
    """

    inputs = ("input_ids", "attention_mask", "marks")

    def __init__(self, model: nn.Module, marks: int):
        super().__init__()
        self.model, self.marks = model, None
        model.pooler = None  # reads the first token, which nothing here asks for
        if getattr(model.config, "type_vocab_size", 0) < MAX_TYPES:
            self.marks = nn.Embedding(marks, self.width)
            nn.init.zeros_(self.marks.weight)
            return
        old = model.embeddings.token_type_embeddings.weight.data
        rows = [i % len(old) if len(old) > MAX_TYPES else 0 for i in range(marks)]
        model.embeddings.token_type_embeddings = nn.Embedding.from_pretrained(
            old[rows], freeze=False
        )
        model.config.type_vocab_size = marks

    @property
    def width(self) -> int:
        """Size of a token's features."""
        return self.model.config.hidden_size

    @property
    def max_length(self) -> int:
        """How many tokens the encoder reads at once."""
        positions = getattr(self.model.embeddings, "position_embeddings", None)
        skipped = getattr(positions, "padding_idx", None)  # RoBERTa counts from the one behind it
        used = 0 if skipped is None else skipped + 1
        return self.model.config.max_position_embeddings - used

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marks: torch.Tensor
    ) -> torch.Tensor:
        """Return the features of each token, ``(B, T)`` each to ``(B, T, D)``."""
        if self.marks is None:
            words = {"input_ids": input_ids, "token_type_ids": marks}
        else:
            words = {
                "inputs_embeds": self.model.get_input_embeddings()(input_ids) + self.marks(marks)
            }
        return self.model(attention_mask=attention_mask, **words).last_hidden_state


def create_text_encoder(name: str, marks: int) -> tuple[TextEncoder, "PreTrainedTokenizerBase"]:
    """Create a pretrained encoder and its tokenizer.

    Args:
        name: A folder, or a name on the Hugging Face hub.
        marks: How many marks a token may carry.

    Raises:
        InputError: If there is no such encoder.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, add_prefix_space=True)
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
