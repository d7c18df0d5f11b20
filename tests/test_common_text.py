"""Texts are read as a person reads them; what was found is quoted from the original."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from conftest import calls, script
from hypothesis import given, settings
from hypothesis import strategies as st

from common.text.normalise import normalise
from common.text.symbols import ANIMALS, JOINED
from common.text.words import split_words
from matching.taxonomy import Taxonomy

# A row reads: the original, what is read of it (None: the same), and its words as the original has
# them.
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
    ("cow™ cow… 🙂", "cow™ cow… 🙂", "cow|™|cow|…|🙂"),
    # HTML
    ("2 < 3 cows > 1, <3 <a cow>", None, "2|<|3|cows|>|1|,|<|3|<|a|cow|>"),
    ("A <b>cow</b>, c<i>a</i>t.", "A cow, cat.", "A|cow|,|c<i>a</i>t|."),
    ('<IMG alt="a &amp; cow" src=x>', " a & cow ", "a|&amp;|cow"),
    ("x<img src='a>b' alt=dog />y", "x dog y", "x|dog|y"),
    ("<img alt=''>cow<img>", "  cow", "cow"),
    ("<script>cow</Script >a<style>b</style>", "a", "a"),
    ("a<!-- horse --> cow<!DOCTYPE html><?xml?>", "a cow", "a|cow"),
    ("<script> cow", " cow", "cow"),
    ("<!-- cow <!-- dog", None, "<|!|-|-|cow|<|!|-|-|dog"),
    (
        "no <s>cow</s> <del a=b>x</del>",
        "no ~~cow~~ ~~x~~",
        "no|<s>|<s>|cow|</s>|</s>|<del a=b>|<del a=b>|x|</del>|</del>",
    ),
    ("no<br/>cow", "no\ncow", "no|<br/>|cow"),
    ("<ul>\n <li>cow</li>\n <li>dog</li>\n</ul>x", "\ncow\ndog\nx", "cow|\n <li>|dog|\n</ul>|x"),
    ("<p>no cow</p>\n<p>dog</p>", "\n\nno cow\n\ndog\n\n", "no|cow|dog"),
    ("<tr><td>cow</td><td>no</td></tr> <tr><th>dog", "\ncow\tno\ndog", "cow|<td>|no| <tr><th>|dog"),
    ("&lt;b&gt;cow", "<b>cow", "&lt;|b|&gt;|cow"),
    # Markdown
    ("**cow** *cow* __cow__ _cow_ `cow`", "cow cow cow cow cow", "cow|cow|cow|cow|cow"),
    ("***cow*** ``cow`` **cow**s", "cow cow cows", "cow|cow|cow**s"),
    ("# Cows\n ## no\n#no\n* a *cow*", "Cows\nno\nno\n* a cow", "Cows|\n|no|\n|no|\n|*|a|cow"),
    ("2 * 3 * 4, 2*3*4, *cow, c**w", None, "2|*|3|*|4|,|2|*|3|*|4|,|*|cow|,|c|*|*|w"),
    ("*no\n\ncow*", None, "*|no|cow|*"),
    ("![a cow](cow.jpg) [dog](<x> 'y')", "a cow dog", "a|cow|dog"),
    ('[![cow](a_(b).png "c")](https://d.e/f)', "cow", "cow"),
    ("~~cow~~ [ ] [x] - a](b)", None, "~|~|cow|~|~|[|]|[|x|]|-|a|]|(|b|)"),
    ("\\*cow\\* \\cow", "*cow* \\cow", "*|cow|*|\\|cow"),
    # addresses
    ("See https://cow.org/a_(b). Or", "See . Or", "See|.|Or"),
    ("(HTTP://a.b) <https://a.b>!", "() !", "(|)|!"),
    ("www.cow.uk/a?b, cows.com; cow.horse", ", ; cow.horse", ",|;|cow|.|horse"),
    ("a.b+c@cow.org. @cow a@b <a@b.c>", ". @cow a@b ", ".|@|cow|a|@|b"),
    # words cut at the end of a line
    (
        "ele-\nphant rac\u00ad\r\n coon po\u2010 \nlar",
        "elephant raccoon polar",
        "ele-\nphant|rac\u00ad\r\n coon|po\u2010 \nlar",
    ),
    ("cow -\ndog-\n\ncat", None, "cow|-|\n|dog|-|cat"),
    # hashtags
    (
        "#GoldenRetriever #noGPSCats2024",
        "Golden Retriever no GPS Cats 2024",
        "Golden|Retriever|no|GPS|Cats|2024",
    ),
    (
        "#dogsofinstagram #NoCowshere",
        "dogs of instagram No Cows here",
        "dogs|of|instagram|No|Cows|here",
    ),
    (
        "#cow #no_cow C# #1 a#b &#x;",
        "cow no_cow C# #1 a#b &#x;",
        "cow|no|cow|C|#|#|1|a|#|b|&|#|x|;",
    ),
    ("#" + "cow" * 50, "cow" * 50, "cow" * 50),
    ("#qzxkjw #Kühe", "qzxkjw Kühe", "qzxkjw|Kühe"),
    # emoji
    ("🐄🐱 a🐻\u200d❄️b 🐿️", "cow cat a polar bear b chipmunk", "🐄|🐱|a|🐻\u200d❄️|🐻\u200d❄️|b|🐿️"),
    ("cow ✓, dog✗ ☐ ☒ ❌", "cow yes , dog no [ ] yes no", "cow|✓|,|dog|✗|☐|☐|☒|❌"),
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
    text = original if text is None else text
    assert found.text == text
    quotes = [found.restore(Quote(w.text, w.start, w.end)) for w in split_words(text)]
    assert "|".join(quote.text for quote in quotes) == words
    assert all(original[quote.start : quote.end] == quote.text for quote in quotes)
    starts = [quote.start for quote in quotes]
    assert starts == sorted(starts)


# A row reads: the original, a mention as it is read, and as the original has it.
MENTIONS = [
    ("<p>A <b>polar</b> bear</p>", "polar bear", "polar</b> bear"),
    ("A **polar\nbear**", "polar\nbear", "polar\nbear"),
    ("no #GoldenRetriever", "Golden Retriever", "GoldenRetriever"),
    ("#nodogsofinstagram", "dogs", "dogs"),
    ("a 🐻\u200d❄️!", "polar bear", "🐻\u200d❄️"),
    ("[a cow](http://dogs.org)", "cow", "cow"),
    ("killer-\nwhales &amp; gold&shy;fish", "goldfish", "gold&shy;fish"),
]


@pytest.mark.parametrize(("original", "mention", "quote"), MENTIONS)
def test_mentions_are_quoted_from_the_original(original, mention, quote):
    found = normalise(original)
    start = found.text.index(mention)
    restored = found.restore(Quote(mention, start, start + len(mention)))
    assert restored.text == quote
    assert restored.start == original.index(quote)
    assert restored.end - restored.start == len(quote)


@pytest.mark.parametrize(
    "text",
    [
        'There is a cow; isn\'t it?\r\n\tYes. 100%, 2 > 1 (a "cow") ~~no~~ - ' * 50,
        "two-toned cow - dog\n- a cat | a dog = 5/7",
    ],
)
def test_plain_texts_stay_as_they_are(text):
    found = normalise(text)
    assert found.text is text and found.origins is None
    quote = Quote("cow", 11, 14)
    assert found.restore(quote) is quote
    assert calls(lambda: normalise(text)) < 6


def test_texts_without_markup_stay_as_they_are():
    text = "a * b < c & d_e [f] `g #1 @h"
    assert normalise(text).text is text and normalise(text).origins is None


def check(original: str) -> None:
    """Check that each character of what is read has its place, in order."""
    found = normalise(original)
    if found.origins is None:
        assert found.text == original
        return
    assert len(found.origins) == len(found.text)
    assert all(0 <= start <= end <= len(original) for start, end in found.origins)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(found.origins))
    for word in split_words(found.text):
        restored = found.restore(Quote(word.text, word.start, word.end))
        assert restored.text == original[restored.start : restored.end] != ""


PIECES = [
    *("<b>", "</b>", "<s>", "<p>", "<td>", "<br>", "<img alt='", "'>", "<script>", "</script>"),
    *("<!--", "-->", "&amp;", "&#776;", "&shy;", "&fjlig;", "**", "*", "_", "`", "[", "![", "]("),
    *(")", "]", "#", "# ", "\\", "\n", "\n\n", "\t", " ", "-\n", "https://", "www.", ".com", "@"),
    *("🐄", "🐻\u200d❄️", "✓", "\u00ad", "\u0308", "ﬁ", "ｃ", "cow", "Cow", "nocow", "no", "n't"),
]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join))
def test_offsets_are_in_range_and_in_order(original):
    check(original)


def test_offsets_of_all_rows_together():
    check("".join(row[0] for row in ROWS) * 3)


@pytest.mark.parametrize("piece", [*PIECES, "<a b='", "[a](b", "[a](b)", "*a*", "#noCow", "a@b."])
def test_long_texts_are_read_in_linear_time(piece):
    """Counted in calls; an expression that scans a part twice would take minutes of the last."""
    normalise(piece * 50)
    short, long = (calls(lambda n=n: split_words(normalise(piece * n).text)) for n in (500, 1000))
    assert long < 2.2 * short + 100
    split_words(normalise(piece * 40_000).text)


def test_names_stay_whole_in_hashtags():
    names = {"heron", "herons", "golden retriever", "goldenretriever", "red fox", "redfox"}
    for tag, words in {
        "#heron": "heron",
        "#heronsofparis": "herons of paris",
        "#Heronlake": "Heron lake",
        "#goldenretriever": "golden retriever",
        "#redfox": "redfox",
    }.items():
        assert normalise(tag, names).text == words
    assert normalise("#heronlake").text == "her on lake"


def test_the_dictionary_is_loaded_for_long_hashtags_alone():
    code = (
        "import sys; from common.text.normalise import normalise\n"
        "for text in ('#cow #GoldDog', '#nocows'):\n"
        "    normalise(text); print('wordninja' in sys.modules)"
    )
    assert script("-c", code).stdout == "False\nTrue\n"


def test_animals_in_emoji_are_known():
    taxonomy = Taxonomy.load()
    for name in {*ANIMALS.values(), *JOINED.values()} - {"black cat"}:
        assert name in taxonomy, name
    assert all(len(symbol) == 1 and not symbol.isascii() for symbol in ANIMALS)
