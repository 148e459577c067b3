from datetime import datetime
from string import Formatter

import pytest

from imserver.desk.settings import DeskSettings
from imserver.desk.texts import LANGUAGES, TEXTS, WORDING, languages, text

SETTINGS = DeskSettings.model_validate(
    {
        "language": "es",
        "texts": {"en": {"closed": "Bye from the desk."}, "gl": {"closed": "Pechado."}},
        "queues": {
            "support": {
                "title": "Support",
                "texts": {"en": {"closed": "Bye!", "attended": ""}, "es-MX": {"closed": "¡Ándale!"}},
            },
            "sales": {},
        },
    }
)


@pytest.mark.parametrize("lang", sorted(LANGUAGES))
def test_every_language_has_every_text(lang: str) -> None:
    assert list(WORDING[lang]) == list(TEXTS)


@pytest.mark.parametrize("key", TEXTS)
def test_every_wording_speaks_of_what_is_known(key: str) -> None:
    for lang in LANGUAGES:
        spoken_of = {name for _, name, _, _ in Formatter().parse(WORDING[lang][key]) if name is not None}
        assert spoken_of == set(TEXTS[key]) or (spoken_of < set(TEXTS[key]) and "queue" not in spoken_of), (
            lang
        )


def test_no_text_to_clients_names_an_agent() -> None:
    to_clients = list(TEXTS)[: list(TEXTS).index("offer")]

    assert not any("agent" in TEXTS[key] for key in to_clients)


@pytest.mark.parametrize(
    ("queue", "lang", "expected"),
    [
        ("support", "en", "Bye!"),  # the queue's own
        ("sales", "en", "Bye from the desk."),  # the desk's own
        ("sales", "de", WORDING["de"]["closed"]),  # built in
        ("support", "es-MX", "¡Ándale!"),
        ("support", "es-mx", "¡Ándale!"),  # tags are compared without regard to case
        ("support", "es-MX-x-old", "¡Ándale!"),
        ("sales", "es-MX", WORDING["es"]["closed"]),
        ("sales", "gl", "Pechado."),
        ("sales", "ja", WORDING["es"]["closed"]),  # the language of the desk
        ("sales", "", WORDING["es"]["closed"]),
    ],
)
def test_the_nearest_wording_is_taken(queue: str, lang: str, expected: str) -> None:
    assert text(SETTINGS, queue, "closed", lang) == expected


def test_a_language_of_an_admin_falls_back_where_it_has_no_text() -> None:
    assert text(SETTINGS, "sales", "attended", "gl") == WORDING["es"]["attended"]


def test_an_empty_text_is_nothing_to_say() -> None:
    assert text(SETTINGS, "support", "attended", "en") == ""


def test_the_queue_is_called_by_its_title() -> None:
    assert text(SETTINGS, "support", "welcome", "en") == "Welcome to Support."
    assert text(SETTINGS, "sales", "welcome", "en") == "Welcome to sales."


def test_values_are_filled_in_as_people_write_them() -> None:
    opens = datetime(2026, 1, 7, 9, 0)  # noqa: DTZ001

    assert "2026-01-07 09:00" in text(SETTINGS, "sales", "away_until", "en", opens=opens)
    assert "solved, spam" in text(SETTINGS, "sales", "code_required", "en", codes=("solved", "spam"))


def test_what_a_client_is_called_is_not_read_as_a_text() -> None:
    assert text(SETTINGS, "sales", "client_left", "en", client="{queue}") == "{queue} has left."


def test_a_text_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        text(SETTINGS, "sales", "nonsense", "en")


def test_languages_are_those_built_in_and_the_admins() -> None:
    assert languages(SETTINGS, "support") == LANGUAGES | {"gl", "es-MX"}
