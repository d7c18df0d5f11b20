"""Markup of texts as edits: HTML tags, addresses, Markdown. Each takes linear time."""

import re
from collections.abc import Iterator

from common.text.edits import Edit

# A tag or declaration. No "<" may be inside, so that no part is scanned twice. "2 < 3", "<3" and
# "<a cow>" are no tags: a name follows the bracket, and a value each attribute that needs one.
_ATTRIBUTE = re.compile(
    r"""\s*+([^\s"'<>/=]++)(?:\s*+=\s*+(?:"([^"<]*+)"|'([^'<]*+)'|([^\s"'<>=`]++)))?"""
)
_TAG = re.compile(
    r"""
    <(?P<slash>/?)(?P<name>[A-Za-z][A-Za-z0-9]*+)
    (?P<attributes>(?:\s++[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|[^\s"'<>=`]++))?)*+)
    \s*+/?>
    | (?P<comment><!--)
    | <(?:!DOCTYPE\b|\?\w)[^<>]*+>
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FLAGS = {"checked", "controls", "disabled", "hidden", "loop", "muted", "open", "readonly"}
_END = {name: re.compile(rf"</{name}\s*+>", re.IGNORECASE) for name in ("script", "style")}
_SPACE = re.compile(r"\s*+")
_STRUCK = {"s", "del", "strike"}
_LINES = """
    br dd div dl dt fieldset figcaption figure footer form header hr legend li ol option pre section
    select summary table tbody tfoot thead tr ul"""
_PARAGRAPHS = "article aside blockquote body h1 h2 h3 h4 h5 h6 main nav p"
_INLINE = """
    a abbr address b bdi bdo big button caption center cite code col colgroup data details dfn em
    font head html i iframe img input ins kbd label link map mark meta noscript object param picture
    q samp script small source span strong style sub sup svg template textarea time title tt u var
    video wbr"""
# What a tag puts between the text before and after it; of neighbours the last in order stands.
_ORDER = ("\t", "\n", "\n\n")
_BREAKS = {
    **{"td": "\t", "th": "\t"},
    **dict.fromkeys(_LINES.split(), "\n"),
    **dict.fromkeys(_PARAGRAPHS.split(), "\n\n"),
}
_ITEMS = {"td", "th", "li", "dt", "dd", "tr", "option"}  # the next one breaks, not their end
_NAMES = {*_BREAKS, *_STRUCK, *_INLINE.split()}


def html(text: str) -> Iterator[Edit]:
    """Yield the edits that leave of HTML what a person sees of it.

    Tags go, ``<img>`` leaves its ``alt``; scripts, styles and comments go with their content.
    Struck text stands between ``~~``, blocks end lines, paragraphs end with a blank line, and a tab
    comes before a cell.
    """
    if "<" not in text:
        return
    position, endless = 0, set()
    pending: Edit | None = None  # a break that may grow
    while match := _TAG.search(text, position):
        start, position = match.span()
        name = (match["name"] or "").lower()
        attributes = dict(_attributes(match))
        if match["comment"] or (name in _END and not match["slash"]):
            end = -1
            if name not in endless:
                end = _end_of(text, name, position)
            if end < 0:
                endless.add(name)  # look for it only once
                if match["comment"]:
                    continue
            position = max(end, position)
            edits = [(start, position, "")]
        elif name and (name not in _NAMES or not _plausible(attributes)):
            continue
        elif name in _BREAKS and not (match["slash"] and name in _ITEMS):
            limit = pending[1] if pending else 0
            while start > limit and text[start - 1].isspace():
                start -= 1
            position, new = _SPACE.match(text, position).end(), _BREAKS[name]
            if pending and pending[1] == start:
                pending = pending[0], position, max(pending[2], new, key=_ORDER.index)
            else:
                if pending:
                    yield pending
                pending = start, position, new
            continue
        else:
            edits = list(_inline(match, name, attributes))
        if pending:
            yield pending
            pending = None
        yield from edits
    if pending:
        yield pending


def _end_of(text: str, name: str, position: int) -> int:
    """Return where a comment (without a name) or an element of raw text ends, or -1."""
    if not name:
        end = text.find("-->", position)
        return end + 3 if end >= 0 else -1
    match = _END[name].search(text, position)
    return match.end() if match else -1


def _inline(
    match: re.Match[str], name: str, attributes: dict[str, tuple[int, int] | None]
) -> Iterator[Edit]:
    """Yield the edits of a tag that breaks no line."""
    start, end = match.span()
    if name in _STRUCK:
        yield start, end, "~~"
    elif name == "img" and (alt := attributes.get("alt")):
        first, last = alt
        yield start, first, " "
        yield last, end, " "
    else:
        yield start, end, ""


def _attributes(match: re.Match[str]) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """Yield each attribute of a tag and where its value is."""
    if match["attributes"]:
        for found in _ATTRIBUTE.finditer(match.string, *match.span("attributes")):
            yield found[1].lower(), found.span(found.lastindex) if found.lastindex > 1 else None


def _plausible(attributes: dict[str, tuple[int, int] | None]) -> bool:
    """Tell whether each attribute has a value or needs none."""
    return all(value or name in _FLAGS for name, value in attributes.items())


# Addresses of pages and people. Hosts are found as runs that begin once each.
_ADDRESS = re.compile(
    r"""
    <?\b(?:https?|ftp)://[^\s<>"()\[\]]++(?:\([^\s<>"()\[\]]*+\)[^\s<>"()\[\]]*+)*+>?
    | <?(?<![\w.@/+-])(?P<host>[\w.+-]++(?P<at>@[\w.-]++)?)(?:/[^\s<>"()\[\]]*+)?>?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HOSTS = re.compile(r"://|@|\bwww\.|\.(?:com|org|net|edu|gov)\b", re.IGNORECASE)
_HOST = re.compile(r"www\.[\w-]+\.[\w.-]+|[\w.-]*\w\.(?:com|org|net|edu|gov)")
_MAIL = re.compile(r"[^@]+@[\w-]+(?:\.[\w-]+)+")


def addresses(text: str) -> Iterator[Edit]:
    """Yield the edits that drop web and e-mail addresses: they name no animal that is seen."""
    if not _HOSTS.search(text):
        return
    for match in _ADDRESS.finditer(text):
        if host := match["host"]:
            pattern = _MAIL if match["at"] else _HOST
            if not pattern.fullmatch(host.rstrip(".-")):
                continue
        start, found = match.start(), match[0].rstrip(".,;:!?'*_~-")
        if found[0] == "<" and found[-1] != ">":
            start, found = start + 1, found[1:]
        elif found[-1] == ">" and match[0][0] != "<":
            found = found[:-1]
        yield start, start + len(found), ""


# An escape, a run that may emphasise or be code, brackets of links and images, a heading, and the
# end of a paragraph. No address may hold "]", so that no part is scanned twice.
_TOKEN = re.compile(
    r"""
    \\(?=[\\`*_~\#\[\]!])(?s:.)
    | (?P<run>`++|\*++|_++)
    | (?P<open>!?\[)
    | (?P<link>\]\(\s*+<?[^\s()\[\]<>]*+(?:\([^\s()\[\]]*+\)[^\s()\[\]<>]*+)*+>?
        (?:\s++(?:"[^"\]]*+"|'[^'\]]*+')\s*+|\s*+)\))
    | (?P<close>\])
    | (?P<heading>^\ {0,3}\#{1,6}[ \t]++(?=\S))
    | (?P<paragraph>\n\s*\n)
    """,
    re.VERBOSE | re.MULTILINE,
)
_MARKS = re.compile(r"[\\`*_\[#]")


def markdown(text: str) -> list[Edit]:
    """Return the edits that leave of Markdown what a person sees of it.

    Emphasis, code and headings lose their marks, links and images leave their text; ``~~`` and
    bullets stay. As ``*`` has other uses, it emphasises only in pairs around whole words.
    """
    edits: list[Edit] = []
    if not _MARKS.search(text):
        return edits
    runs: dict[str, tuple[int, int]] = {}  # the last that opened
    brackets: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text):
        span, kind = match.span(), match.lastgroup
        if kind == "run":
            closes, opens = _sides(text, match)
            if closes and match[0] in runs:
                edits += [(*runs.pop(match[0]), ""), (*span, "")]
            elif opens:
                runs[match[0]] = span
        elif kind == "open":
            brackets.append(span)
        elif kind == "link" and brackets:
            edits += [(*brackets.pop(), ""), (*span, "")]
        elif kind == "close" and brackets:
            brackets.pop()
        elif kind == "heading":
            edits.append((*span, ""))
        elif kind == "paragraph":
            runs.clear()
            brackets.clear()
        elif kind is None:  # an escape
            edits.append((span[0], span[0] + 1, ""))
    return sorted(edits)


def _sides(text: str, match: re.Match[str]) -> tuple[bool, bool]:
    """Tell whether a run of marks may close and may open."""
    (start, end), run = match.span(), match[0]
    before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
    if len(run) > 3:
        return False, False
    stem = run[:2] == "**"  # "**cow**s"
    closes = not before.isspace() and (stem or not after.isalnum())
    return closes, not (after.isspace() or before.isalnum())
