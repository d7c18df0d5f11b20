"""From words to the model's input and its probabilities, without torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from common.errors import InputError
from common.numeric import softmax
from common.text.words import word_shape
from matching.taxonomy import Taxonomy
from ner.labels import OUTPUTS, SLICES

Forward = Callable[[dict[str, np.ndarray]], np.ndarray]
"""A model: from a batch of `pad` to logits ``(B, T, L)``."""

SHAPES = 4  # values of `word_shape`


NAMES = 5  # values of `Preprocess.names`


MAX_LENGTH = 512  # sub-words in a window, BERT's positions


OVERLAP = 128  # sub-words that neighbouring windows share


# Training shows animal words in other senses far more often than people use them, so a name that
# has no other everyday sense gets that much better odds to be a mention.
NAME_ODDS = 4.0


@dataclass(frozen=True)
class Window:
    """At most `MAX_LENGTH` sub-words, and where in it which word's label is read."""

    input_ids: np.ndarray  # (T,) with [CLS] and [SEP]
    token_type_ids: np.ndarray  # (T,) what `Preprocess` knows of the word
    words: np.ndarray  # (W,) indices into the sentence's words
    positions: np.ndarray  # (W,) positions of these words' first sub-words


class Preprocess:
    """The tokenizer with windows, word shapes and the names of animals.

    Each sub-word carries in BERT's otherwise unused token types what its vocabulary does not tell:
    the shape of its word, because the vocabulary is uncased but capitals tell names from words, and
    whether the taxonomy lists the word as a name (a gazetteer feature, as in Ratinov & Roth, CoNLL
    2009). So the model learns when a name means the animal, and names that are added to the
    taxonomy later are known to it at once.
    """

    def __init__(self, tokenizer: Tokenizer, taxonomy: Taxonomy):
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer, self.taxonomy = tokenizer, taxonomy
        self.cls, self.sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))

    @classmethod
    def load(cls, folder: Path, taxonomy: Taxonomy | None = None) -> "Preprocess":
        """Read ``tokenizer.json`` from a model folder.

        Args:
            folder: The model folder.
            taxonomy: Knows the names of animals; the one that ships without it.

        Raises:
            InputError: If the folder has no tokenizer.
        """
        path = Path(folder) / "tokenizer.json"
        if not path.exists():
            raise InputError(f"no tokenizer at {path}; a model folder holds tokenizer.json")
        return cls(Tokenizer.from_file(str(path)), taxonomy or Taxonomy.load())

    def names(self, words: Sequence[str]) -> np.ndarray:
        """Which words are names in the taxonomy.

        Returns:
            ``(W,)`` int64: 0 no name, 1 first word of one, 2 a further word; 3 and 4 the same for a
            name with other everyday senses, as "seal".
        """
        starts = np.cumsum([0, *(len(word) + 1 for word in words)])  # in the joined text
        marks = np.zeros(len(words), np.int64)
        for name in self.taxonomy.find(" ".join(words)):
            first, stop = np.searchsorted(starts, (name.start, name.end + 1))
            if starts[first] == name.start and starts[stop] == name.end + 1:  # whole words
                marks[first:stop] = 2
                marks[first] = 1
                marks[first:stop] += 2 * name.ambiguous
        return marks

    def windows(self, words: Sequence[str], use_names: bool = True) -> list[Window]:
        """Encode a sentence or a long text; no sub-word is cut off.

        A word is read from the window in which it has context on both sides. Words that the
        vocabulary does not see at all (control characters) are in no window.

        Args:
            words: The words of the text, in order.
            use_names: False hides what the taxonomy says, as training does now and then.

        Returns:
            Overlapping windows in reading order, at least one.
        """
        readable = [word.encode(errors="replace").decode() for word in words]  # lone surrogates
        encoding = self.tokenizer.encode(readable, is_pretokenized=True, add_special_tokens=False)
        ids = np.array(encoding.ids, np.int64)  # (N,)
        owner = np.array(encoding.word_ids, np.int64)  # (N,) the word of each sub-word
        known = np.array([word_shape(word) for word in words], np.int64)
        if use_names:
            known += SHAPES * self.names(words)
        types = known[owner]  # (N,)
        first = np.flatnonzero(np.diff(owner, prepend=-1))  # (W,) each word's first sub-word

        size = MAX_LENGTH - 2  # room for [CLS] and [SEP]
        step = size - OVERLAP
        count = 1 + max(0, -(-(len(ids) - size) // step))
        window_of = np.clip((first - OVERLAP // 2) // step, 0, count - 1)
        windows = []
        for k in range(count):
            part, begin = slice(k * step, k * step + size), k * step
            mine = first[window_of == k]
            windows.append(
                Window(
                    input_ids=np.concatenate(([self.cls], ids[part], [self.sep])),
                    token_type_ids=np.concatenate(([0], types[part], [0])),
                    words=owner[mine],
                    positions=mine - begin + 1,
                )
            )
        return windows


def pad(windows: Sequence[Window]) -> dict[str, np.ndarray]:
    """Stack windows into one batch.

    Returns:
        ``input_ids``, ``attention_mask`` and ``token_type_ids``, each int64 of shape ``(B, T)``,
        T the length of the longest window; padding is 0, BERT's ``[PAD]``.
    """
    width = max(len(window.input_ids) for window in windows)
    batch = {
        name: np.zeros((len(windows), width), np.int64)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    for row, window in enumerate(windows):
        length = len(window.input_ids)
        batch["input_ids"][row, :length] = window.input_ids
        batch["attention_mask"][row, :length] = 1
        batch["token_type_ids"][row, :length] = window.token_type_ids
    return batch


def word_probabilities(
    model: Forward,
    preprocess: Preprocess,
    sentences: Sequence[Sequence[str]],
) -> list[np.ndarray]:
    """Probabilities of all heads for each word of each sentence.

    Each window runs alone. In a batch, int8 would round by the largest value of all its sentences,
    so that a text would be read differently in other company; and it would not be faster.

    Args:
        model: From a batch of `pad` to logits ``(B, T, L)``.
        preprocess: Words to windows.
        sentences: The words of each sentence.

    Returns:
        For each sentence an array ``(W, L)``, in which the `SLICES` of a row add up to 1 each;
        words that are in no window certainly have each head's first label.
    """
    outside = np.zeros((1, len(OUTPUTS)), np.float32)
    outside[0, [part.start for part in SLICES.values()]] = 1
    results = [np.repeat(outside, len(words), axis=0) for words in sentences]
    for result, words in zip(results, sentences, strict=True):
        for window in preprocess.windows(words):
            (row,) = model(pad([window]))
            for part in SLICES.values():
                result[window.words, part] = softmax(row[window.positions, part])
            known = window.token_type_ids[window.positions] // SHAPES
            names = window.words[(known == 1) | (known == 2)]
            result[names, SLICES["mention"]] = _favour_names(result[names, SLICES["mention"]])
    return results


def _favour_names(probabilities: np.ndarray) -> np.ndarray:
    """Multiply the odds of ``B`` and ``I`` against ``O`` by `NAME_ODDS`, ``(N, 3)``."""
    weighted = probabilities * (1, NAME_ODDS, NAME_ODDS)
    return weighted / weighted.sum(axis=1, keepdims=True)
