"""Which mentions a text denies: cue phrases, and the scope that each of them reaches.

The method is that of NegEx (Chapman et al. 2001): a cue opens a scope to its right, certain words
close it, look-alikes ("no doubt") are consumed without effect, and a few cues stand behind what
they deny ("the cow is absent"). The phrases are data, below; the logic is one pass over the words.
Questions and hedges need no rule: whatever is not denied is affirmed.
"""

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple


def _set(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


class Cue(Enum):
    """What a phrase does to the words after it."""

    NEUTRAL = "looks like a negation and is none"
    NO = "denies one noun phrase or a list of bare nouns: 'no cats or dogs'"
    WITHOUT = "denies one noun phrase or a list: 'without a cat or a dog'"
    NOT = "denies the rest of the clause: 'I do not see a cat'"
    CLOSE = "ends a denial: 'not a cat but a dog'"
    EXCEPT = "denies after an affirmation, ends a denial: 'all animals except dogs'"


# Contractions count as "not": "isn't", "can't", "cannot". Separated by semicolons.
PHRASES = {
    Cue.NEUTRAL: """
        no doubt; little doubt; beyond doubt; without doubt; without a doubt; no question;
        no wonder; no idea; no clue; no matter; no problem; no one; nobody; no less than;
        no fewer than; no more than; not only; not just; not merely; not simply; not solely;
        not sure; not so sure; not too sure;
        not quite sure; not entirely sure; not completely sure; not totally sure; not really sure;
        not 100 sure; not 100 % sure; not certain; not entirely certain; not clear; not know;
        not tell; not remember; not mind; not miss; not forget; not deny; not help; not far;
        not alone; not to mention; not without; not unlike; not like; not love; not surprised;
        or not; if not; why not; never seen such; never seen so""",
    Cue.NO: "no; zero; 0; not any; hardly any",
    Cue.WITHOUT: """
        without; instead of; rather than; unlike; lack; lacks; lacking; lack of; absence of;
        devoid of; free of; free from; minus; missing a; missing any; excluding; anything but;
        everything but; all but; far from; fails to; failed to; fail to""",
    Cue.NOT: "not; never; neither; nor; none; nothing; nowhere; no longer; no way; hardly; doubt",
    Cue.CLOSE: """
        but; nothing but; none but; no other than; none other than; only; just; instead; rather;
        however; though; although; yet; because; while; whereas; if; whether; besides; apart from;
        aside from""",
    Cue.EXCEPT: "except; except for; other than; with the exception of",
}
CONTRACTIONS = _set("cannot isnt arent wasnt werent dont doesnt didnt cant couldnt wont aint")
BOUNDARIES = frozenset(".!?;()—–-…\n")
PRONOUNS = _set("there it i we you they he she")
SUBJECTS = PRONOUNS | _set("this that these those here its the")
VERBS = _set("is are was were has have had shows show contains see")
ARTICLES = _set("a an the some one two three several many another")
# After these a new noun phrase begins: "no dog near the cow" denies no cow.
PLACES = _set(
    "in on at near by behind beside next with under around among between inside outside to"
)
# Between a mention and a cue behind it: "the cow | is clearly | absent".
FILLERS = _set("""
    is are was were be been being do does did can could seems seem appears to that which has have
    clearly completely totally entirely obviously apparently also both all simply sadly really
    actually""")
ABSENT = _set("absent missing nowhere gone lacking")
PRESENT = _set("""
    here there present visible shown depicted pictured seen found included anywhere appear
    exist""")
PICTURES = _set("picture photo photograph image shot frame scene pic view sight")

MENTION = "<mention>"
_TOKEN = re.compile(r"\w+(?:['.]\w+)*|\n\s*\n|(?<!\S)-+(?!\S)|[^\w\s'\"-]")
_APOSTROPHES = str.maketrans("’‘ʼ`", "''''")


class _Word(NamedTuple):
    text: str
    mention: int = -1  # index of the mention that begins here
    contracted: bool = False  # "isn't", not "is not"


def _phrase_table() -> dict[str, list[tuple[tuple[str, ...], Cue]]]:
    """Arrange the phrases by first word, the longest first."""
    table: dict[str, list[tuple[tuple[str, ...], Cue]]] = {}
    for cue, phrases in PHRASES.items():
        for phrase in phrases.split(";"):
            words = tuple(phrase.split())
            table.setdefault(words[0], []).append((words, cue))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


_TABLE = _phrase_table()


def denied(text: str, spans: Sequence[tuple[int, int]]) -> list[bool]:
    """Tell for each mention whether the text denies it.

    Args:
        text: Any text.
        spans: Character spans of the mentions, in order and without overlap.

    Returns:
        One value for each span, True where the mention is denied. The time is linear in the text.
    """
    words = _words(text, spans)
    behind, used = _denied_from_behind(words)
    result = [False] * len(spans)
    scope: Cue | None = None
    seen = False  # a mention since the scope opened
    last = False  # the sentence's latest mention is denied
    i = 0
    while i < len(words):
        word = words[i]
        if word.mention >= 0:
            last = result[word.mention] = scope is not None or word.mention in behind
            seen = True
            i += 1
            continue
        cue, size = (None, 1) if i in used else _match(words, i)
        following = words[i + size].text if i + size < len(words) else "."
        if cue in (Cue.NO, Cue.WITHOUT, Cue.NOT):
            if cue is Cue.NO and (following == "," or following in BOUNDARIES):
                scope = None  # an answer: "No, it is a cow."
            else:
                scope, seen = cue, False
        elif cue is Cue.EXCEPT:
            scope, seen = (None if scope or last else Cue.WITHOUT), False
        elif word.text in BOUNDARIES:
            scope, last = None, False
        elif cue is Cue.CLOSE or (
            scope and cue is None and _closes(word.text, following, scope, seen)
        ):
            scope = None
        i += size
    return result


def _closes(word: str, following: str, scope: Cue, seen: bool) -> bool:
    """Tell whether an ordinary word ends the scope."""
    if word in (",", "and"):  # a list goes on, a new clause does not belong to it
        if following in ARTICLES:
            return scope is Cue.NO or not seen
        return following in SUBJECTS or following in VERBS
    if scope is Cue.NOT:
        return seen and word in PLACES
    if word.endswith("ing") and following in ARTICLES:  # "a man without a hat riding a horse"
        return True
    return word in PLACES or word in VERBS or word in PRONOUNS


def _words(text: str, spans: Sequence[tuple[int, int]]) -> list[_Word]:
    """Cut a text into words; each mention becomes one word."""
    words: list[_Word] = []
    k = 0
    for token in _TOKEN.finditer(text.translate(_APOSTROPHES)):
        while k < len(spans) and spans[k][1] <= token.start():
            k += 1
        if k < len(spans) and token.end() > spans[k][0]:
            if not words or words[-1].mention != k:
                words.append(_Word(MENTION, mention=k))
            continue
        word = token.group().lower()
        if word.isspace():
            words.append(_Word("\n"))
        elif word.endswith("n't") or word in CONTRACTIONS:
            words.append(_Word("not", contracted=True))
        else:
            words.append(_Word(word.split("'")[0].rstrip("-") or "-"))
    return words


def _match(words: list[_Word], i: int) -> tuple[Cue | None, int]:
    """Find the longest phrase at a place: its cue and its number of words."""
    word = words[i]
    begins = i == 0 or words[i - 1].text in BOUNDARIES or words[i - 1].text == ","
    if word.contracted and begins and i + 1 < len(words) and words[i + 1].text in SUBJECTS:
        return Cue.NEUTRAL, 1  # a question: "Isn't that a cow?"
    for phrase, cue in _TABLE.get(word.text, ()):
        if tuple(w.text for w in words[i : i + len(phrase)]) == phrase:
            return cue, len(phrase)
    return None, 1


def _denied_from_behind(words: list[_Word]) -> tuple[set[int], set[int]]:
    """Find the mentions whose denial stands behind them.

    Returns:
        The mentions, and the places of the cues that are thereby used up.
    """
    mentions: set[int] = set()
    used: set[int] = set()
    joined = False  # the mention to the right is denied, and so is what is listed with it
    for i in range(len(words) - 1, -1, -1):
        if words[i].mention < 0:
            joined = joined and words[i].text in ("and", "or", ",", *ARTICLES)
            continue
        cue = _cue_behind(words, i + 1)
        if cue is not None:
            used.add(cue)
        joined = joined or cue is not None
        if joined:
            mentions.add(words[i].mention)
    return mentions, used


def _cue_behind(words: list[_Word], i: int) -> int | None:
    """Return the place of the cue that denies the mention just before ``i``, if there is one."""
    if i < len(words) and words[i].text == "free":
        return i  # "a cow-free meadow"
    stop = min(i + 4, len(words))
    while i < stop and words[i].text in FILLERS:
        i += 1
    rest = [word.text for word in words[i : i + 6]] + ["."]
    if rest[0] in ABSENT:
        return None if rest[1] in ARTICLES else i  # "the cow is missing a horn"
    if rest[0] != "not":
        return None
    rest = [word for word in rest[1:] if word not in FILLERS or word == "to"]
    if rest and rest[0] == "to":  # "not to be seen"
        rest = rest[1:]
    if rest and rest[0] in PRESENT:
        return None if rest[1:2] == ["to"] else i  # "does not appear to be a cow"
    in_picture = rest[:1] in (["in"], ["on"], ["part"]) and PICTURES & set(rest[1:4])
    return i if in_picture else None
