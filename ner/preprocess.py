"""From text to the model's input and from its output to entities, without torch.

Training, evaluation and inference all go through this file, so that a text is read in one way.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from common.errors import InputError
from common.numeric import softmax
from common.onnx import Run
from matching.claims import Mention
from matching.taxonomy import Taxonomy

TYPES = (  # MultiNERD, Tedeschi & Navigli 2022, table 1
    *("PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE"),
    *("FOOD", "INST", "MEDIA", "MYTH", "PLANT", "TIME", "VEHI"),
)
LABELS = ("O", *(f"{prefix}-{type_}" for type_ in TYPES for prefix in "BI"))
MENTION_LABELS = ("O", "B-ANIMAL", "I-ANIMAL")

# One linear layer answers several questions about each word; each is a slice of its outputs.
HEADS = {
    "entity": LABELS,  # as MultiNERD annotates, which leaves most common animals unmarked
    "mention": MENTION_LABELS,  # names of animals in any text
    "polarity": ("affirmed", "denied"),  # read at mentions
    "cue": ("other", "cue"),  # words that deny a mention
}
OUTPUTS = tuple(
    label if head == "entity" else f"{head}:{label}"
    for head, labels in HEADS.items()
    for label in labels
)


def _slices() -> dict[str, slice]:
    """Where each head's logits are among the outputs."""
    begin, found = 0, {}
    for head, labels in HEADS.items():
        found[head] = slice(begin, begin + len(labels))
        begin += len(labels)
    return found


SLICES = _slices()

SHAPES = 4  # values of `word_shape`
NAMES = 5  # values of `Preprocess.names`

MAX_LENGTH = 512  # sub-words in a window, BERT's positions
OVERLAP = 128  # sub-words that neighbouring windows share
# Training shows animal words in other senses far more often than people use them, so a name that
# has no other everyday sense gets that much better odds to be a mention.
NAME_ODDS = 4.0
CUE = 0.5  # probability from which a word counts as a cue

# Words as the treebank-style tokens of MultiNERD: clitics and punctuation stand alone, hyphens,
# abbreviations and decimal points stay inside.
_WORD = re.compile(
    r"""
    (?:[^\W\d_]\.){2,}                            # U.S., e.g.
    | [A-Z]\.(?=\s+[A-Z])                         # the J. of "J. Smith"
    | \b(?:Dr|Jr|Mr|Mrs|Ms|Prof|Sr|St|Mt|No|Vol|vs)\.(?=\s)
    | n['’]t\b | ['’](?:s|re|ve|ll|d|m)\b         # clitics
    | \w+?(?=n['’]t\b)                            # the "do" of "don't"
    | \w+(?=-free\b)                             # the "cow" of "cow-free"
    | \w+(?:[-–&]\w+|[.,:/](?=\d)\w+)*            # red-tailed, 5,000
    | [^\w\s]
    """,
    re.VERBOSE,
)

_SENTENCE_END = re.compile(r"[.!?;\n]")
_BLANK_LINE = re.compile(r"\n\s*\n")


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
    token_type_ids: np.ndarray  # (T,) what `Preprocess` knows of the word
    words: np.ndarray  # (W,) indices into the sentence's words
    positions: np.ndarray  # (W,) positions of these words' first sub-words


def split_words(text: str) -> list[Word]:
    """Split a text into words with exact character offsets; time is linear in its length."""
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def paragraphs(text: str, words: Sequence[Word]) -> list[list[Word]]:
    """Group the words of a text by its paragraphs, at least one; no denial reaches further."""
    parts: list[list[Word]] = [[]]
    for word in words:
        if parts[-1] and _BLANK_LINE.search(text, parts[-1][-1].end, word.start):
            parts.append([])
        parts[-1].append(word)
    return parts


def word_shape(word: str) -> int:
    """What an uncased vocabulary forgets: 0 no capital, 1 initial, 2 all capitals, 3 other."""
    if word.islower() or not any(map(str.isupper, word)):
        return 0
    if len(word) > 1 and word.isupper():
        return 2
    return 1 if word[0].isupper() and not any(map(str.isupper, word[1:])) else 3


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
    model: Run,
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


def entities(text: str, words: Sequence[Word], probabilities: np.ndarray) -> list[Entity]:
    """Decode the entity head for one text.

    Args:
        text: The original text.
        words: Its words, from `split_words`.
        probabilities: ``(W, L)`` from `word_probabilities`.
    """
    return [
        Entity(text[start:end], type_, start, end, score)
        for start, end, type_, score, _ in _decoded(words, probabilities, "entity")
    ]


def mentions(text: str, words: Sequence[Word], probabilities: np.ndarray) -> list[Mention]:
    """Decode the mention, polarity and cue heads for one text.

    Args:
        text: The original text.
        words: Its words, from `split_words`.
        probabilities: ``(W, L)`` from `word_probabilities`.
    """
    denied = probabilities[:, SLICES["polarity"]][:, 1]
    cues = _cues(text, words, probabilities[:, SLICES["cue"]][:, 1])
    return [
        Mention(
            text[start:end],
            start,
            end,
            score,
            float(denied[span].mean()),
            _cue_of(text, cues, start),
        )
        for start, end, _, score, span in _decoded(words, probabilities, "mention")
    ]


def _cues(text: str, words: Sequence[Word], probabilities: np.ndarray) -> list[tuple[int, int]]:
    """Character spans of cues; neighbouring words are one."""
    found: list[tuple[int, int]] = []
    for i in np.flatnonzero(probabilities >= CUE):
        word = words[i]
        if found and not text[found[-1][1] : word.start].strip():
            found[-1] = (found[-1][0], word.end)
        else:
            found.append((word.start, word.end))
    return found


def _cue_of(text: str, cues: Sequence[tuple[int, int]], start: int) -> tuple[int, int] | None:
    """The cue before a mention in its sentence ("no cow"), else the one behind it ("is absent")."""
    i = bisect_left(cues, (start,))
    before = cues[i - 1] if i else None
    behind = cues[i] if i < len(cues) else None
    if before and not _SENTENCE_END.search(text, before[1], start):
        return before
    return behind or before


def _decoded(
    words: Sequence[Word], probabilities: np.ndarray, head: str
) -> Iterator[tuple[int, int, str, float, slice]]:
    """The spans of a head: character offsets, type, mean probability, and the slice of words."""
    labels, rows = HEADS[head], probabilities[:, SLICES[head]]
    path = decode(rows, labels)
    for first, stop, type_ in spans([labels[i] for i in path]):
        score = float(np.mean([rows[i, path[i]] for i in range(first, stop)]))
        yield words[first].start, words[stop - 1].end, type_, score, slice(first, stop)
