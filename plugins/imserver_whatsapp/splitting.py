"""A long text as several that WhatsApp takes: cut between paragraphs, lines or words, and never inside a character.

What people see as one character may be many code points: an emoji of a family, a letter with its accents (UAX #29).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

#: The longest text, in UTF-16 code units: whichever way Meta counts, that is no more.
LONGEST: Final = 4_096

_JOINER: Final = "\u200d"
#: How far back a place to cut is looked for: a piece is at least half full.
_ROOM: Final = 0.5
#: Where to cut, the best first, and after how much of it.
_PLACES: Final = ("\n\n", "\n", ". ", "? ", "! ", " ")
#: The longest run of code points that is one character to anybody; a longer one is a prank, and is cut.
_LONGEST_CLUSTER: Final = 64


def split_text(text: str, longest: int = LONGEST) -> list[str]:
    """Split a text; nothing of it is lost but blanks where it is cut."""
    return [piece for piece in _pieces(text.strip(), longest) if piece]


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_boundary(text: str, at: int) -> bool:
    """Tell whether a character ends there, and the next begins; it errs towards keeping together."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before == "\r" and after == "\n":
        return False
    if before == _JOINER or after == _JOINER or _extends(after):
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, at) % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after))


def _pieces(text: str, longest: int) -> Iterator[str]:
    while units(text) > longest:
        end = _cut(text, longest)
        yield text[:end].rstrip()
        text = text[end:].lstrip()
    yield text


def _cut(text: str, longest: int) -> int:
    limit = _length(text, longest)
    least = max(1, int(limit * _ROOM))
    for place in _PLACES:
        found = text.rfind(place, least, limit + 1)
        end = found + len(place.rstrip(" "))
        if found > 0 and end <= limit and is_boundary(text, end):
            return end
    for end in range(limit, max(0, limit - _LONGEST_CLUSTER), -1):
        if is_boundary(text, end):
            return end
    return limit


def _length(text: str, longest: int) -> int:
    """Count the code points that fit."""
    fits = min(len(text), longest)
    while units(text[:fits]) > longest:
        fits -= max(1, (units(text[:fits]) - longest) // 2)
    return max(fits, 1)


def _extends(sign: str) -> bool:
    """Tell marks, variation selectors, skin tones, tags and keycaps."""
    return (
        unicodedata.category(sign) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\U000e0020" <= sign <= "\U000e007f"
        or sign == "\u200c"
    )


def _is_flag_letter(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_flag_letter(text[at - 1 - count]):
        count += 1
    return count


def _is_jamo(sign: str) -> bool:
    return "\u1100" <= sign <= "\u11ff" or "\ua960" <= sign <= "\ua97f" or "\ud7b0" <= sign <= "\ud7ff"
