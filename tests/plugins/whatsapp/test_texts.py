"""What is said is said in all languages."""

from __future__ import annotations

import string

import pytest

from imserver_whatsapp.code_texts import NEXT, WHY
from imserver_whatsapp.languages import LANGUAGES, Phrase, language, pick
from imserver_whatsapp.texts import TEXTS, say, size


@pytest.mark.parametrize("phrase", [*TEXTS.values(), *WHY.values(), *NEXT.values()])
def test_each_language_has_the_same_places(phrase: Phrase) -> None:
    places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in phrase]

    assert len(phrase) == len(LANGUAGES)
    assert all(text.strip() for text in phrase)
    assert all(found == places[0] for found in places)


@pytest.mark.parametrize(
    ("wanted", "found"), [("es-MX", "es"), ("PT_br", "pt"), ("fr", "fr"), ("it", "en"), ("", "en")]
)
def test_the_nearest_language(wanted: str, found: str) -> None:
    assert language(wanted) == found
    assert pick(("en", "es", "pt", "de", "fr"), wanted) == found


def test_what_others_wrote_is_not_read_as_a_place() -> None:
    assert say("edited", "en", what="{0} {what} %s") == "Edited: {0} {what} %s"


@pytest.mark.parametrize(
    ("count", "text"), [(17, "17 B"), (500 * 1024, "500 KB"), (16 * 1024**2, "16 MB"), (1600, "1.6 KB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
