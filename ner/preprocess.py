"""From text to the model's input and from its output to entities, without torch.

Training, evaluation and inference all go through this file, so that a text is read in one way.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from common.errors import InputError
from common.numeric import softmax
from common.onnx import Run

TYPES = (  # MultiNERD, Tedeschi & Navigli 2022, table 1
    *("PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE"),
    *("FOOD", "INST", "MEDIA", "MYTH", "PLANT", "TIME", "VEHI"),
)
LABELS = ("O", *(f"{prefix}-{type_}" for type_ in TYPES for prefix in "BI"))

MAX_LENGTH = 512  # sub-words in a window, BERT's positions
OVERLAP = 128  # sub-words that neighbouring windows share

# Words as the treebank-style tokens of MultiNERD: clitics and punctuation stand alone, hyphens,
# abbreviations and decimal points stay inside.
_WORD = re.compile(
    r"""
    (?:[^\W\d_]\.){2,}                            # U.S., e.g.
    | [A-Z]\.(?=\s+[A-Z])                         # the J. of "J. Smith"
    | \b(?:Dr|Jr|Mr|Mrs|Ms|Prof|Sr|St|Mt|No|Vol|vs)\.(?=\s)
    | n['’]t\b | ['’](?:s|re|ve|ll|d|m)\b         # clitics
    | \w+?(?=n['’]t\b)                            # the "do" of "don't"
    | \w+(?:[-–&]\w+|[.,:/](?=\d)\w+)*            # red-tailed, 5,000
    | [^\w\s]
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Word:
    """A word and its character offsets in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Entity:
    """A span of the text with its type; ``score`` is the mean probability of its labels."""

    text: str
    label: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Window:
    """At most `MAX_LENGTH` sub-words, and where in it which word's label is read."""

    input_ids: np.ndarray  # (T,) with [CLS] and [SEP]
    token_type_ids: np.ndarray  # (T,) word shapes, see `word_shape`
    words: np.ndarray  # (W,) indices into the sentence's words
    positions: np.ndarray  # (W,) positions of these words' first sub-words


def split_words(text: str) -> list[Word]:
    """Split a text into words with exact character offsets; time is linear in its length."""
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def word_shape(word: str) -> int:
    """What an uncased vocabulary forgets: 0 no capital, 1 initial, 2 all capitals, 3 other."""
    if word.islower() or not any(map(str.isupper, word)):
        return 0
    if len(word) > 1 and word.isupper():
        return 2
    return 1 if word[0].isupper() and not any(map(str.isupper, word[1:])) else 3


class Preprocess:
    """The tokenizer with windows and word shapes.

    The vocabulary is uncased, but capitals tell names from words, so each sub-word carries the
    shape of its word in BERT's otherwise unused token types.
    """

    def __init__(self, tokenizer: Tokenizer):
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self.cls, self.sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))

    @classmethod
    def load(cls, folder: Path) -> "Preprocess":
        """Read ``tokenizer.json`` from a model folder.

        Raises:
            InputError: If the folder has none.
        """
        path = Path(folder) / "tokenizer.json"
        if not path.exists():
            raise InputError(f"no tokenizer at {path}; a model folder holds tokenizer.json")
        return cls(Tokenizer.from_file(str(path)))

    def windows(self, words: Sequence[str]) -> list[Window]:
        """Encode a sentence or a long text; no sub-word is cut off.

        A word is read from the window in which it has context on both sides. Words that the
        vocabulary does not see at all (control characters) are in no window.

        Args:
            words: The words of the text, in order.

        Returns:
            Overlapping windows in reading order, at least one.
        """
        encoding = self.tokenizer.encode(
            list(words), is_pretokenized=True, add_special_tokens=False
        )
        ids = np.array(encoding.ids, np.int64)  # (N,)
        owner = np.array(encoding.word_ids, np.int64)  # (N,) the word of each sub-word
        shapes = np.array([word_shape(word) for word in words], np.int64)[owner]
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
                    token_type_ids=np.concatenate(([0], shapes[part], [0])),
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
    model: Run,
    preprocess: Preprocess,
    sentences: Sequence[Sequence[str]],
    batch_size: int = 32,
) -> list[np.ndarray]:
    """Label probabilities for each word of each sentence.

    Args:
        model: From a batch of `pad` to logits ``(B, T, L)``.
        preprocess: Words to windows.
        sentences: The words of each sentence.
        batch_size: Windows in a batch.

    Returns:
        For each sentence an array ``(W, L)``; words that are in no window are certainly ``O``.
    """
    outside = np.eye(1, len(LABELS), dtype=np.float32)
    results = [np.repeat(outside, len(words), axis=0) for words in sentences]
    rows = [(i, w) for i, words in enumerate(sentences) for w in preprocess.windows(words)]
    rows.sort(key=lambda row: len(row[1].input_ids))  # neighbours of equal length, little padding
    for begin in range(0, len(rows), batch_size):
        batch = rows[begin : begin + batch_size]
        logits = model(pad([window for _, window in batch]))
        for (i, window), row in zip(batch, logits, strict=True):
            results[i][window.words] = softmax(row[window.positions])
    return results


def decode(probabilities: np.ndarray, labels: Sequence[str] = LABELS) -> list[int]:
    """The most probable label sequence that is valid BIO (Viterbi over hard transitions).

    Args:
        probabilities: ``(W, L)``, a row for each word.
        labels: The L labels.

    Returns:
        W indices into ``labels``; ``I-X`` follows only ``B-X`` or ``I-X``.
    """
    if not len(probabilities):
        return []
    barred = np.array(  # (from, to)
        [[to[0] == "I" and start[1:] != to[1:] for to in labels] for start in labels]
    )
    cost = np.where(barred, -np.inf, 0.0)
    emit = np.log(np.maximum(probabilities, 1e-12))
    score = np.where([label[0] == "I" for label in labels], -np.inf, emit[0])
    back = np.zeros(emit.shape, np.int64)
    for i in range(1, len(emit)):
        paths = score[:, None] + cost
        back[i] = paths.argmax(axis=0)
        score = paths.max(axis=0) + emit[i]
    best = [int(score.argmax())]
    for i in range(len(emit) - 1, 0, -1):
        best.append(int(back[i, best[-1]]))
    return best[::-1]


def spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Entities of a valid BIO sequence as ``(first word, last word + 1, type)``."""
    found, begin = [], None
    for i, tag in enumerate([*tags, "O"]):
        if begin is not None and tag[0] != "I":
            found.append((begin, i, tags[begin][2:]))
            begin = None
        if tag[0] == "B":
            begin = i
    return found


def entities(
    text: str, words: Sequence[Word], probabilities: np.ndarray, labels: Sequence[str] = LABELS
) -> list[Entity]:
    """Decode the model's output for one text.

    Args:
        text: The original text.
        words: Its words, from `split_words`.
        probabilities: ``(W, L)``, a row for each word.
        labels: The L labels.
    """
    path = decode(probabilities, labels)
    found = []
    for first, stop, type_ in spans([labels[i] for i in path]):
        start, end = words[first].start, words[stop - 1].end
        score = float(np.mean([probabilities[i, path[i]] for i in range(first, stop)]))
        found.append(Entity(text[start:end], type_, start, end, score))
    return found
