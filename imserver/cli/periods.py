"""Spans of days, as somebody says them on the command line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, the last one included."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def moments(self, zone: tzinfo | None) -> Iterator[tuple[float, float]]:
        """Say of each day when it begins and ends, in seconds since 1970; without a zone, as on this machine."""
        for number in range(len(self)):
            day = self.first + number * DAY
            yield _midnight(day, zone), _midnight(day + DAY, zone)


def _midnight(day: date, zone: tzinfo | None) -> float:
    # Without a zone, timestamp() takes the machine's.
    return datetime.combine(day, time(), zone).timestamp()


def read_day(text: str, today: date) -> Period:
    """Understand `today`, `yesterday` or a date.

    Raises:
        ValueError: If it is something else; says what it could be.
    """
    day = _day(text, today)
    return Period(day, day)


def read_week(text: str, today: date) -> Period:
    """Understand `this`, `last`, a week such as 2026-W27, or a day in it.

    Raises:
        ValueError: If it is something else; says what it could be.
    """
    match = re.fullmatch(r"(\d{4})-?[Ww](\d{1,2})", text)
    try:
        if match:
            monday = _possible(date.fromisocalendar(int(match[1]), int(match[2]), 1))
        else:
            day = _relative(text, today, 7 * DAY) or _date(text)
            monday = day - day.weekday() * DAY
    except ValueError as error:
        raise ValueError(
            f'"{text}" is not a week: say this, last, a week such as 2026-W27, or a day in it'
        ) from error
    return Period(monday, monday + 6 * DAY)


def read_month(text: str, today: date) -> Period:
    """Understand `this`, `last`, or a month such as 2026-07.

    Raises:
        ValueError: If it is something else; says what it could be.
    """
    try:
        day = _relative(text, today, today.day * DAY) or _date(f"{text}-01")
    except ValueError as error:
        raise ValueError(f'"{text}" is not a month: say this, last, or a month such as 2026-07') from error
    first = day.replace(day=1)
    return Period(first, (first + 31 * DAY).replace(day=1) - DAY)


def read_span(start: str, end: str, today: date) -> Period:
    """Understand a first and a last day; without a last one, until today.

    Raises:
        ValueError: If one is no day, or the last comes before the first.
    """
    first = _day(start, today)
    last = _day(end, today) if end else max(first, today)
    if last < first:
        raise ValueError(f"the last day, {last}, comes before the first, {first}")
    return Period(first, last)


def _day(text: str, today: date) -> date:
    match text.lower():
        case "today":
            return today
        case "yesterday":
            return today - DAY
    try:
        return _date(text)
    except ValueError as error:
        raise ValueError(f'"{text}" is not a day: say today, yesterday, or a date such as {today}') from error


def _date(text: str) -> date:
    return _possible(date.fromisoformat(text))


def _possible(day: date) -> date:
    """Refuse what no calendar can count on from."""
    if not 1970 < day.year < 9999:
        raise ValueError(f"there is nothing to tell of {day.year}")
    return day


def _relative(text: str, today: date, back: timedelta) -> date | None:
    return {"this": today, "last": today - back}.get(text.lower())
