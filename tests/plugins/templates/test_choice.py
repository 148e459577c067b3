"""Which templates are offered, and in which language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.plugins.templates.folders import Shelf, situation


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("es-MX", "¡Qué tal!"),
        ("es_MX", "¡Qué tal!"),
        ("es-AR", "¡Hola!"),
        ("es", "¡Hola!"),
        ("de", "Hello"),
        ("", "Hello"),
    ],
)
def test_the_clients_language_wins(tmp_path: Path, lang: str, text: str) -> None:
    shelf = Shelf(tmp_path).write(hi__en="Hello", hi__es="¡Hola!", **{"hi__es-MX": "¡Qué tal!"})

    assert shelf.fill("hi", situation(lang)).text == text


def test_what_is_for_all_goes_before_the_admins_language(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path).write(hi="👋", hi__en="Hello", bye__pt="Adeus")

    assert shelf.fill("hi", situation("de")).text == "👋"
    assert shelf.fill("hi", situation("en-GB")).text == "Hello"
    assert shelf.fill("bye", situation("de")).text == "Adeus"


@pytest.mark.parametrize(
    ("head", "is_offered"),
    [
        ("queues = ['support']", True),
        ("queues = ['sales']", False),
        ("languages = ['es']", True),
        ("languages = ['en', 'pt']", False),
        ("when = 'queue.is_open and now.hour < 13'", True),
        ("when = 'not queue.is_open'", False),
        ('when = \'now.weekday in ["saturday", "sunday"]\'', False),
        ("when = 'client.channel == \"whatsapp\"'", True),
        ("when = 'now.hour / 0'", False),
    ],
)
def test_a_template_is_offered_where_it_applies(tmp_path: Path, head: str, is_offered: bool) -> None:
    shelf = Shelf(tmp_path).write(hi=f"+++\n{head}\n+++\nHello")
    assert not shelf.problems

    found = shelf.offered(situation("es-MX", now=datetime(2026, 7, 1, 12, 5, tzinfo=UTC)))

    assert bool(found) is is_offered
