"""What a client may call themselves: nothing that others are called."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Final

from imserver.desk import clean_name

#: The longest name that a client may claim, in characters.
LONGEST: Final = 40

#: What would end the quotation marks around a claimed name too early, or look like the number behind it.
_FRAME: Final = dict.fromkeys(map(ord, '"“”„‟«»‹›()[]{}<>（）［］｛｝＜＞「」『』'))

#: What people write instead of a letter (https://www.unicode.org/reports/tr39/ has many more).
_TWINS: Final = {
    ord(twin): letter
    for letter, twins in {
        "a": "аα4",
        "b": "вβ8",
        "c": "сϲ",
        "d": "ԁ",
        "e": "еε3",
        "g": "ցɡ",
        "h": "һн",
        "i": "іιɩıl1|ℓ",
        "j": "ј",
        "k": "кκ",
        "m": "м",
        "n": "пηո",
        "o": "оοσօ0",
        "p": "рρ",
        "q": "ԛ",
        "r": "г",
        "s": "ѕ5",
        "t": "тτ7",
        "u": "υսц",
        "v": "ν",
        "w": "ԝω",
        "x": "хχ",
        "y": "уγ",
    }.items()
    for twin in twins
}


def skeleton(name: str) -> str:
    """Write what is left of a name for the eye: two that look alike have the same."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_TWINS)
    return "".join(sign for sign in plain if sign.isalnum())


def claim(said: str) -> str:
    """Clean what a client calls themselves; "" if it is no name."""
    name = clean_name(said.translate(_FRAME), LONGEST)
    digits = sum(sign.isdigit() for sign in name)
    is_address = "@" in name or "://" in name or (digits > 4 and not any(sign.isalpha() for sign in name))
    return "" if is_address else name


def is_free(name: str, taken: Collection[str]) -> bool:
    """Tell whether a name looks like nobody else's."""
    bare = skeleton(name)
    return bool(bare or name) and bare not in taken
