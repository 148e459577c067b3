"""What people are told, and how often."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from imserver import Element, StanzaError, Upload
from imserver_file_policy import texts
from imserver_file_policy.notices import Notices, reason_in
from imserver_file_policy.refusal import UPLOAD, Refusal
from imserver_file_policy.settings import Rule

OWNER = "luis@localhost"


def upload(name: str, size: int = 1) -> Upload:
    return Upload("token", OWNER, name, size, "", datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("table", [texts.REASONS, texts.NOTICES])
def test_every_language_speaks_of_the_same_things(table: dict[str, tuple[str, ...]]) -> None:
    for key, wordings in table.items():
        named = [set(re.findall(r"\{(\w+)\}", wording)) for wording in wordings]
        assert len(wordings) == len(texts.LANGUAGES)
        assert all(one == named[0] for one in named), key


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("es", "es"), ("es-MX", "es"), ("pt_BR", "pt"), ("fi", "en"), ("", "en")]
)
def test_an_unknown_language_is_english(wanted: str, spoken: str) -> None:
    assert texts.language(wanted) == spoken


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, "1 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (50 * 1024**2, "50 MiB"),
        (1024**4, "1024 GiB"),
    ],
)
def test_a_size_is_shown_as_people_write_it(count: int, shown: str) -> None:
    assert texts.size(count) == shown


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            Refusal("extension", Rule(name="fotos", extensions=("jpg",)), extension="exe"),
            "Los archivos .exe no están permitidos. La regla «fotos» permite: jpg",
        ),
        (Refusal("virus", signature="Eicar"), "Se ha encontrado un virus: Eicar."),
        (
            StanzaError(
                "not-acceptable",
                application=Element("file-too-large", UPLOAD).add(
                    Element("max-file-size", UPLOAD, text="1024")
                ),
            ),
            "Un archivo puede tener hasta 1 KiB.",
        ),
        (StanzaError("resource-constraint", "x"), "En este momento no caben más archivos."),
        (StanzaError("internal-server-error", "x"), "No se ha podido examinar; inténtelo más tarde."),
        (StanzaError("not-acceptable", "Empty."), "Empty."),
    ],
)
def test_whoever_refused_it_people_are_told_in_their_language(reason: StanzaError, words: str) -> None:
    assert reason_in(reason, "es-MX") == words


def test_a_file_that_is_tried_again_and_again_is_spoken_of_once() -> None:
    now = 0.0
    notices = Notices(lambda: now)

    assert notices._is_news(OWNER, upload("a.exe"))
    assert not notices._is_news(OWNER, upload("a.exe"))
    now = 600.0
    assert notices._is_news(OWNER, upload("a.exe"))


def test_nobody_is_told_of_more_than_five_files_a_minute() -> None:
    now = 0.0
    notices = Notices(lambda: now)

    assert [notices._is_news(OWNER, upload(f"{number}.exe")) for number in range(7)] == [True] * 5 + [
        False
    ] * 2
    now = 60.0
    assert notices._is_news(OWNER, upload("8.exe"))
