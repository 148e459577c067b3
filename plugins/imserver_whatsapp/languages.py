"""The languages that people are spoken to in."""

from __future__ import annotations

from typing import Final, TypeAlias

LANGUAGES: Final = ("en", "es", "pt", "de", "fr")
DEFAULT: Final = "en"

#: One text in each of them, in their order.
Phrase: TypeAlias = tuple[str, str, str, str, str]


def language(wanted: str) -> str:
    """Find the language that is nearest to the one wanted: `es` for `es-MX`, English for what is unknown."""
    short = wanted.replace("_", "-").partition("-")[0].casefold()
    return short if short in LANGUAGES else DEFAULT


def pick(phrase: Phrase, lang: str) -> str:
    """Choose a text in a language."""
    return phrase[LANGUAGES.index(language(lang))]
