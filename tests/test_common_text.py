"""Texts are read as a person reads them; what was found is quoted from the original."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pytest

from common.text.normalise import normalise
from common.text.words import split_words

# A row reads: the original, what is read of it, and its words as the original has them.
ROWS = [
    ("There is a cow.", "There is a cow.", "There|is|a|cow|."),
    ("There isn&#39;t a cow.", "There isn't a cow.", "There|is|n&#39;t|a|cow|."),
    ("&quot;cow&quot; &amp; AT&amp;T", '"cow" & AT&T', "&quot;|cow|&quot;|&amp;|AT&amp;T"),
    ("&#x63;ow &#99;ow", "cow cow", "&#x63;ow|&#99;ow"),
    ("no&nbsp;cow&hellip;", "no cow…", "no|cow|&hellip;"),
    ("cat&dog; &x; & &#12", "cat&dog; &x; & &#12", "cat|&|dog|;|&|x|;|&|&|#|12"),
    ("&amp;quot;cow", "&quot;cow", "&amp;|quot|;|cow"),
    ("rac\u00adcoon ele&shy;phant", "raccoon elephant", "rac\u00adcoon|ele&shy;phant"),
    ("a\u200b c\u200dow\ufeff!\u200e", "a cow!", "a|c\u200dow|!"),
    ("Scha\u0308ferhund", "Schäferhund", "Scha\u0308ferhund"),
    ("Scha&#776;ferhund", "Schäferhund", "Scha&#776;ferhund"),
    ("c\u0337o\u0337w\u0337 x", "cow x", "c\u0337o\u0337w\u0337|x"),
    ("ｃｏｗ，　ｄｏｇ！", "cow, dog!", "ｃｏｗ|，|ｄｏｇ|！"),
    ("ﬁsh ﬂea", "fish flea", "ﬁsh|ﬂea"),
    ("polar\u2011bear", "polar-bear", "polar\u2011bear"),
    ("cow™ cow… 🐄", "cow™ cow… 🐄", "cow|™|cow|…|🐄"),
    ("café Ñandú “fox”", "café Ñandú “fox”", "café|Ñandú|“|fox|”"),
    ("a cow \ud83d", "a cow \ud83d", "a|cow|\ud83d"),
    ("\u200b", "", ""),
    ("", "", ""),
]


@dataclass(frozen=True)
class Quote:
    text: str
    start: int
    end: int


@pytest.mark.parametrize(("original", "text", "words"), ROWS, ids=[ascii(row[0]) for row in ROWS])
def test_normalised_texts_quote_the_original(original, text, words):
    found = normalise(original)
    assert found.text == text
    quotes = [found.restore(Quote(w.text, w.start, w.end)) for w in split_words(text)]
    assert "|".join(quote.text for quote in quotes) == words
    assert all(original[quote.start : quote.end] == quote.text for quote in quotes)
    starts = [quote.start for quote in quotes]
    assert starts == sorted(starts)


def test_plain_texts_stay_as_they_are():
    text = "There is a cow; isn't it?\r\n\tYes. 100% <b>" * 50
    found = normalise(text)
    assert found.text is text and found.origins is None
    quote = Quote("cow", 11, 14)
    assert found.restore(quote) is quote


def test_offsets_cover_the_original_in_order():
    original = "".join(row[0] for row in ROWS) * 3
    origins = normalise(original).origins
    assert all(a[1] <= b[0] or a == b for a, b in pairwise(origins))
    lost = set(range(len(original))) - {i for pair in origins for i in range(*pair)}
    assert {original[i] for i in lost} <= set("\u00ad\u200b\u200d\u200e\ufeff&shy;")
    assert not re.search("[\u00ad\u200b]", normalise(original).text)
