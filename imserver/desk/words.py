"""The words of a command line, quoted or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

#: How long a quotation may be: what is longer was not meant as one.
LONGEST_QUOTATION: Final = 2_000

# Phones write quotation marks of their own.
_CLOSING: Final[Mapping[str, str]] = {'"': '"', "“": "”", "„": "“”", "«": "»"}
_STOP: Final = re.compile(r"[\s\"“„«]")


def first_word(text: str) -> tuple[str, str]:
    """Split off the first word; what stands in quotation marks holds together."""
    word, end = _read_word(text, 0)
    return word, text[end:]


def split(text: str) -> Iterator[str]:
    """Split a text into words."""
    at = 0
    while True:
        word, at = _read_word(text, at)
        if not word and at >= len(text):
            return
        yield word


def _read_word(text: str, at: int) -> tuple[str, int]:
    word: list[str] = []
    while at < len(text) and text[at].isspace():
        at += 1
    while at < len(text) and not text[at].isspace():
        closing = _closing(text, at)
        if closing > at:
            quotation = text[at + 1 : closing]
            word.append(re.sub(r'\\(["\\])', r"\1", quotation) if text[at] == '"' else quotation)
            at = closing + 1
            continue
        stop = _STOP.search(text, at + 1)
        end = stop.start() if stop is not None else len(text)
        word.append(text[at:end])
        at = end
    return "".join(word), at


def _closing(text: str, at: int) -> int:
    """Find the end of the quotation that begins there; -1 if none does."""
    closing = _CLOSING.get(text[at])
    if closing is None:
        return -1
    is_escaped = False
    for index in range(at + 1, min(len(text), at + LONGEST_QUOTATION)):
        if text[index] in closing and not is_escaped:
            return index
        is_escaped = text[at] == '"' and text[index] == "\\" and not is_escaped
    return -1


def quoted(word: str) -> str:
    """Write a word so that it is read as one."""
    escaped = re.sub(r'(["\\])', r"\\\1", word)
    return f'"{escaped}"'
