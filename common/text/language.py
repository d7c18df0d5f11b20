"""The language of a text, where it is certainly not English."""

import unicodedata
from functools import lru_cache

MIN_WORDS = 3  # fewer may be a name: "Vulpes vulpes", "Deutscher Schäferhund"
# English and what the detector takes short English for: dialects, creoles, Latin names.
_ALIKE = frozenset(("en", "un", "sco", "crs", "pcm", "jw", "la", "vo", "ia", "ie"))


@lru_cache(4096)  # a table asks for a text again with each photo
def foreign_language(text: str) -> str | None:
    """Return the language of a text, such as "German", None where it is or may be English.

    Compact Language Detector 2, which answers only where it is sure; a text without Latin letters
    is in another language whatever it says.
    """
    import pycld2  # loads a shared library

    letters = [c for c in text if c.isalpha()][:1000]
    latin = any("LATIN" in unicodedata.name(c, "") for c in letters)
    unknown = "another language" if letters and not latin else None
    if not unknown and len(text.split()) < MIN_WORDS:
        return None
    try:
        sure, _, ((name, code, share, _), *_) = pycld2.detect(text)
    except (pycld2.error, UnicodeEncodeError):  # characters that no text has
        return unknown
    if sure and code not in _ALIKE and share > 80:
        return name.capitalize()
    return unknown
