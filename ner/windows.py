"""Turn words into the model's input and its output into probabilities, without torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.errors import InputError
from common.numeric import softmax
from common.text.words import word_shape
from matching.taxonomy import Taxonomy
from ner.config import ModelConfig
from ner.labels import MARKS, Mark

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Forward = Callable[[dict[str, np.ndarray]], np.ndarray]
"""A model: from a batch of `pad` to logits ``(B, T, L)``."""

SHAPES = MARKS["shapes"]

SIGNS = {"\n": "¶", "\t": "|"}  # how the vocabulary spells the ends of lines and cells


@dataclass(frozen=True)
class Window:
    """Sub-words that the model reads at once, and where in it which word's label is read."""

    input_ids: np.ndarray  # (T,) with special tokens
    marks: np.ndarray  # (T,) what `Preprocess` knows of the word; 0 for special tokens
    words: np.ndarray  # (W,) indices into the sentence's words
    positions: np.ndarray  # (W,) positions of these words' first sub-words


class Preprocess:
    """The tokenizer with windows, word shapes and the names of animals.

    Each sub-word carries a mark, which tells what its vocabulary does not: the shape of its word,
    because the vocabulary is uncased but capitals tell names from words, and whether the taxonomy
    lists the word as a name (a gazetteer feature, as in Ratinov & Roth, CoNLL 2009). So the model
    learns when a name means the animal, and names that are added to the taxonomy later are known to
    it at once.

    Training pads batches with ``pad_id`` and hides sub-words behind ``mask_id``.
    """

    def __init__(
        self,
        tokenizer: "Tokenizer",
        taxonomy: Taxonomy,
        config: ModelConfig,
        pad_id: int = 0,
        mask_id: int | None = None,
    ):
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer, self.taxonomy, self.config = tokenizer, taxonomy, config
        self.pad_id, self.mask_id = pad_id, mask_id
        example = tokenizer.encode(["a"], is_pretokenized=True)
        ids = np.array(example.ids, np.int64)
        body = np.flatnonzero(np.equal(example.special_tokens_mask, 0))
        self.before, self.behind = ids[: body[0]], ids[body[-1] + 1 :]  # special tokens around it

    @classmethod
    def load(cls, folder: Path, taxonomy: Taxonomy | None = None) -> "Preprocess":
        """Read ``config.json`` and ``tokenizer.json`` from a model folder.

        Raises:
            InputError: If either is missing or cannot be read.
        """
        from tokenizers import Tokenizer  # while the other model is opened

        config, path = ModelConfig.load(folder), Path(folder) / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises no other class, whatever is wrong
            raise InputError(f"{path}: not a readable tokenizer ({error})") from error
        return cls(tokenizer, taxonomy or Taxonomy.load(), config)

    def names(self, words: Sequence[str]) -> np.ndarray:
        """Return the `Mark` of each word, ``(W,)`` int64; a name may go on in the next line."""
        places = [i for i, word in enumerate(words) if word != "\n"]
        spelt = [SIGNS.get(words[i], words[i]) for i in places]
        starts = np.cumsum([0, *(len(word) + 1 for word in spelt)])  # in the joined text
        marks = np.full(len(words), Mark.NONE, np.int64)
        for name in self.taxonomy.find(" ".join(spelt)):
            begin, end = np.searchsorted(starts, (name.start, name.end + 1))
            if starts[begin] == name.start and starts[end] == name.end + 1:  # whole words
                first, stop = places[begin], places[end - 1] + 1
                marks[first:stop] = Mark.AMBIGUOUS_INSIDE if name.ambiguous else Mark.NAME_INSIDE
                marks[first] = Mark.AMBIGUOUS if name.ambiguous else Mark.NAME
        return marks

    def windows(self, words: Sequence[str], use_names: bool = True) -> list[Window]:
        """Encode a sentence or a long text; no sub-word is cut off.

        A word is read from the window in which it has context on both sides. Words that the
        vocabulary does not see at all (control characters) are in no window. Without ``use_names``
        what the taxonomy says is hidden, as training does now and then.

        Returns:
            Overlapping windows in reading order, at least one.
        """
        readable = [SIGNS.get(word, word) for word in words]
        readable = [word.encode(errors="replace").decode() for word in readable]  # lone surrogates
        encoding = self.tokenizer.encode(readable, is_pretokenized=True, add_special_tokens=False)
        ids = np.array(encoding.ids, np.int64)  # (N,)
        owner = np.array(encoding.word_ids, np.int64)  # (N,) the word of each sub-word
        known = np.array([word_shape(word) for word in words], np.int64)
        if use_names:
            known += SHAPES * self.names(words)
        marks = known[owner]  # (N,)
        first = np.flatnonzero(np.diff(owner, prepend=-1))  # (W,) each word's first sub-word

        overlap, around = self.config.overlap, len(self.before) + len(self.behind)
        size = self.config.window - around
        step = size - overlap
        count = 1 + max(0, -(-(len(ids) - size) // step))
        window_of = np.clip((first - overlap // 2) // step, 0, count - 1)
        windows = []
        for k in range(count):
            part, mine = slice(k * step, k * step + size), first[window_of == k]
            rows = np.concatenate((self.before, ids[part], self.behind))
            padded = np.pad(marks[part], (len(self.before), len(self.behind)))
            places = mine - k * step + len(self.before)
            windows.append(Window(rows, padded, owner[mine], places))
        return windows


def pad(windows: Sequence[Window], pad_id: int = 0) -> dict[str, np.ndarray]:
    """Stack windows into one batch.

    Returns:
        ``input_ids``, ``attention_mask`` and ``marks``, each int64 of shape ``(B, T)``, T the
        length of the longest window; behind a shorter one are ``pad_id``, 0 and 0.
    """
    width = max(len(window.input_ids) for window in windows)
    rows = {
        "input_ids": ([window.input_ids for window in windows], pad_id),
        "attention_mask": ([np.ones_like(window.input_ids) for window in windows], 0),
        "marks": ([window.marks for window in windows], 0),
    }
    return {
        name: np.stack([np.pad(v, (0, width - len(v)), constant_values=fill) for v in values])
        for name, (values, fill) in rows.items()
    }


def word_probabilities(
    model: Forward, preprocess: Preprocess, sentences: Sequence[Sequence[str]]
) -> list[np.ndarray]:
    """Return the probabilities of all heads for each word of each sentence.

    Each window runs alone. In a batch, int8 would round by the largest value of all its sentences,
    so that a text would be read differently in other company; and it would not be faster.

    Returns:
        For each sentence an array ``(W, L)``, in which the slices of the heads add up to 1 each;
        words that are in no window certainly have each head's first label.
    """
    config = preprocess.config
    outside = np.zeros((1, len(config.outputs)), np.float32)
    outside[0, [part.start for part in config.slices.values()]] = 1
    results = [np.repeat(outside, len(words), axis=0) for words in sentences]
    for result, words in zip(results, sentences, strict=True):
        for window in preprocess.windows(words):
            (row,) = model(pad([window]))
            for part in config.slices.values():
                result[window.words, part] = softmax(row[window.positions, part])
    return results
