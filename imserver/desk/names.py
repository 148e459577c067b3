"""How people are called: a name, who says so, and what of it may be shown."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from imserver.storage.clients import Name

#: The longest name that is shown, in characters.
LONGEST: Final = 60
#: The longest that a plugin makes of one, with the number behind it.
LONGEST_SHOWN: Final = 200
#: Where a name comes from that a plugin found.
LOOKUP: Final = "lookup"

#: How many marks may stand on one letter: more of them cover what is written around it.
_MOST_MARKS: Final = 3
_MARKS: Final = re.compile(rf"(?<=[\u0300-\u036f]{{{_MOST_MARKS}}})[\u0300-\u036f]+")
# What joins emoji, and letters of Persian and Indian scripts, between two of them.
_JOINERS: Final = "\u200c\u200d"
#: Letters that show nothing, though Unicode counts them as such.
_EMPTY: Final = "\u115f\u1160\u2800\u3164\uffa0"


@lru_cache(maxsize=4_096)  # the names of agents are cleaned with every message
def clean(text: str, longest: int = LONGEST) -> str:
    """Write a name on one line, without what nobody sees or what turns the line around; "" if nothing is left."""
    composed = unicodedata.normalize("NFC", text[: 20 * longest])
    seen = "".join(" " if _is_blank(sign) else sign for sign in composed if not _is_hidden(sign))
    line = " ".join(_MARKS.sub("", seen).split()).strip(_JOINERS)
    line = line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
    return (
        line if any(sign.isprintable() and unicodedata.category(sign)[0] in "LNSP" for sign in line) else ""
    )


def _is_blank(sign: str) -> bool:
    return sign.isspace() or sign in _EMPTY


def _is_hidden(sign: str) -> bool:
    """Tell controls, marks of direction (UAX #9), tags and what is no character at all."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs", "Cn") and not (
        sign.isspace() or sign in _JOINERS
    )


def read_name(answer: object) -> Name | None:
    """Read what a plugin calls somebody: a text is a name that it found, and answers for.

    Raises:
        TypeError: If it is no name.
    """
    match answer:
        case None:
            return None
        case str():
            name = Name(clean(answer), LOOKUP, is_verified=True)
        case Name():
            name = Name(clean(answer.text, LONGEST_SHOWN), answer.origin, answer.is_verified)
        case _:
            raise TypeError(f"a name is a text, and not {answer!r:.100}")
    return name if name.text else None


__all__ = ["LONGEST", "LOOKUP", "Name", "clean", "read_name"]
