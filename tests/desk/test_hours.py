from datetime import UTC, datetime
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.desk.hours import changes_at, is_open, opens_at
from imserver.desk.settings import WEEKDAYS, QueueSettings

MADRID = ZoneInfo("Europe/Madrid")


def queue(**settings: Any) -> QueueSettings:
    return QueueSettings.model_validate({"timezone": "Europe/Madrid", **settings})


def at(text: str) -> float:
    """Madrid time, as seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=MADRID).timestamp()


OFFICE = queue(
    hours={day: ["09:00-14:00", "16:00-19:00"] for day in WEEKDAYS[:5]}, holidays=["2026-01-06", "12-25"]
)


def test_without_hours_it_is_always_open() -> None:
    assert is_open(queue(), at("2026-01-04 03:00"))
    assert opens_at(queue(), 0.0) is None
    assert changes_at(queue(), 0.0) == inf


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-05 08:59:59", False),
        ("2026-01-05 09:00", True),
        ("2026-01-05 13:59:59", True),
        ("2026-01-05 14:00", False),
        ("2026-01-05 16:00", True),
        ("2026-01-04 10:00", False),  # a Sunday
        ("2026-01-06 10:00", False),  # a holiday
        ("2025-12-25 10:00", False),  # a holiday every year
    ],
)
def test_it_is_open_from_the_first_to_the_last_moment(moment: str, expected: bool) -> None:
    assert is_open(OFFICE, at(moment)) is expected


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-01-05 14:30", "2026-01-05 16:00"),
        ("2026-01-05 19:00", "2026-01-07 09:00"),  # the 6th is a holiday
        ("2026-01-09 20:00", "2026-01-12 09:00"),  # over the weekend
    ],
)
def test_it_tells_when_it_opens(moment: str, opens: str) -> None:
    assert opens_at(OFFICE, at(moment)) == datetime.fromisoformat(opens).replace(tzinfo=MADRID)


def test_an_open_queue_does_not_open() -> None:
    assert opens_at(OFFICE, at("2026-01-05 10:00")) is None


def test_what_has_days_but_no_hours_never_opens() -> None:
    never = queue(hours={"monday": []})

    assert not is_open(never, at("2026-01-05 10:00"))
    assert opens_at(never, at("2026-01-05 10:00")) is None
    assert changes_at(never, at("2026-01-05 10:00")) == inf


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    night = queue(hours={"saturday": ["22:00-02:00"]}, holidays=["2026-01-11"])

    assert is_open(night, at("2026-01-10 23:00"))
    assert is_open(night, at("2026-01-11 01:59"))  # the 11th is a holiday, and still Saturday's night
    assert not is_open(night, at("2026-01-11 02:00"))
    assert not is_open(night, at("2026-01-11 23:00"))


def test_without_hours_a_holiday_is_closed_from_midnight_to_midnight() -> None:
    closed = queue(holidays=["2026-01-06"])

    assert is_open(closed, at("2026-01-05 23:59"))
    assert not is_open(closed, at("2026-01-06 00:00"))
    assert opens_at(closed, at("2026-01-06 12:00")) == datetime(2026, 1, 7, tzinfo=MADRID)
    assert changes_at(closed, at("2026-01-06 12:00")) == at("2026-01-07 00:00")


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_clock_on_the_wall_counts_when_it_is_changed(day: str) -> None:
    sundays = queue(hours={"sunday": ["09:00-18:00"]})

    assert not is_open(sundays, at(f"{day} 08:59"))
    assert is_open(sundays, at(f"{day} 09:00"))
    opening = opens_at(sundays, at(f"{day} 00:30"))
    assert opening is not None
    assert opening.isoformat().startswith(f"{day}T09:00")


def test_an_opening_in_the_hour_that_is_missing_opens_all_the_same() -> None:
    early = queue(hours={"sunday": ["02:30-04:00"]})

    assert is_open(early, at("2026-03-29 03:30"))


def test_the_zone_is_that_of_the_queue() -> None:
    noon = datetime(2026, 7, 1, 22, 30, tzinfo=UTC).timestamp()

    assert is_open(queue(timezone="Asia/Tokyo", hours={"thursday": ["07:00-08:00"]}), noon)
    assert not is_open(queue(timezone="UTC", hours={"thursday": ["07:00-08:00"]}), noon)


spans = st.tuples(st.integers(0, 23), st.integers(1, 24)).map(lambda s: f"{s[0]:02}:00-{s[1]:02}:00")
weeks = st.dictionaries(st.sampled_from(WEEKDAYS), st.lists(spans, max_size=3))


@given(weeks, st.integers(0, 366 * 24 * 4))
def test_nothing_changes_before_it_says_so(hours: dict[str, list[str]], quarter: int) -> None:
    some = queue(hours=hours, holidays=["2026-03-29", "2026-05-01"])
    now = at("2026-01-01 00:00") + 900 * quarter

    until = min(changes_at(some, now), now + 3 * 86_400)

    state = is_open(some, now)
    assert all(is_open(some, moment) is state for moment in range(int(now), int(until), 1800))
    if (opening := opens_at(some, now)) is not None:
        assert is_open(some, opening.timestamp())
        assert not is_open(some, opening.timestamp() - 1)
