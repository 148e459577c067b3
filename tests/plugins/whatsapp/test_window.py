"""The 24 hours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.languages import LANGUAGES
from imserver_whatsapp.window import OPEN_SECONDS, Window

START = 1_700_000_000.0
HOUR = 3_600


@pytest.mark.parametrize(
    ("after", "is_open"),
    [(0, True), (OPEN_SECONDS - 1, True), (OPEN_SECONDS, False), (OPEN_SECONDS + 1, False)],
)
def test_it_is_open_to_the_last_second(after: int, is_open: bool) -> None:
    assert Window().heard(START).is_open(START + after) is is_open


def test_who_never_wrote_has_none() -> None:
    assert not Window().is_open(START)
    assert Window().changes_at(START) is None
    assert Window().status(START, "en") == "only templates"


def test_every_message_opens_it_anew_and_one_that_comes_late_does_not_shorten_it() -> None:
    window = Window().heard(START).heard(START + HOUR).heard(START)

    assert window.until == START + HOUR + OPEN_SECONDS


def test_metas_word_counts_until_the_client_writes_again() -> None:
    window = Window().heard(START).refused()

    assert not window.is_open(START + 1)
    assert not window.heard(START - 5).is_open(START + 1)
    assert window.heard(START).is_open(START + 1)
    assert window.heard(START + 1).is_open(START + 1)


def test_agents_are_warned_once_an_hour_before_the_end() -> None:
    window = Window().heard(START)

    assert not window.needs_reminder(START + 23 * HOUR - 1)
    assert window.needs_reminder(START + 23 * HOUR)
    assert not window.reminded().needs_reminder(START + 23 * HOUR)
    assert not window.needs_reminder(START + 24 * HOUR)
    assert window.reminded().heard(START + 1).needs_reminder(START + 1 + 23 * HOUR)
    assert window.reminder(START + 23 * HOUR, "en").startswith("In 60 minutes")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (24 * HOUR, "24 h left to answer"),
        (23 * HOUR + 1, "24 h left to answer"),
        (23 * HOUR, "23 h left to answer"),
        (HOUR, "1 h left to answer"),
        (HOUR - 1, "1 h left to answer"),
        (2_700, "45 min left to answer"),
        (1, "5 min left to answer"),
        (0, "only templates"),
        (-1, "only templates"),
    ],
)
def test_the_time_that_is_left(left: int, text: str) -> None:
    assert Window().heard(START).status(START + OPEN_SECONDS - left, "en") == text


def test_in_every_language() -> None:
    window = Window().heard(START)
    for now in (START, START + 23 * HOUR + 3_000, START + 25 * HOUR):
        assert len({window.status(now, lang) for lang in LANGUAGES}) == len(LANGUAGES)


@given(st.floats(0, OPEN_SECONDS))
def test_the_text_changes_when_it_says_so_and_not_before(after: float) -> None:
    window, now = Window().heard(START).reminded(), START + after
    changes = window.changes_at(now)
    if changes is None:
        assert not window.is_open(now)
        return

    assert changes > now
    assert window.status((now + changes) / 2, "en") == window.status(now, "en")
    assert window.status(changes + 0.01, "en") != window.status(now, "en")


def test_walking_from_change_to_change_ends_with_the_window() -> None:
    window, now, steps = Window().heard(START).reminded(), START, 0
    while (changes := window.changes_at(now)) is not None:
        now, steps = changes, steps + 1

    assert now == START + OPEN_SECONDS
    assert steps < 40


def test_it_is_kept() -> None:
    for window in (Window(), Window().heard(START), Window().heard(START).refused().reminded()):
        assert Window.from_row(window.to_row()) == window
