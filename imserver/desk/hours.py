"""When a queue is open: hours by weekday in its own time zone, and holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from imserver.desk.settings import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imserver.desk.settings import QueueSettings

#: How far ahead an opening is looked for, in days: holidays may take some weeks.
HORIZON: Final = 400

_zone = lru_cache(maxsize=64)(ZoneInfo)


class _Opening(NamedTuple):
    start: float
    end: float


def is_open(queue: QueueSettings, now: float) -> bool:
    """Tell whether agents are asked at this time."""
    if not queue.hours:
        return not _is_holiday(queue, _day(queue, now))
    # What began yesterday may go on after midnight.
    return any(opening.start <= now < opening.end for opening in _openings(queue, now, days=2))


def opens_at(queue: QueueSettings, now: float) -> datetime | None:
    """Tell when a queue that is closed opens, in its own time; None if it is open, or never opens."""
    if is_open(queue, now):
        return None
    starts = (opening.start for opening in _openings(queue, now, days=HORIZON) if opening.start > now)
    start = next(starts, None)
    return None if start is None else datetime.fromtimestamp(start, _zone(queue.timezone))


def changes_at(queue: QueueSettings, now: float) -> float:
    """Tell when to look again whether it is open: nothing changes before."""
    if not queue.hours and not queue.holidays:
        return inf
    for opening in _openings(queue, now, days=HORIZON):
        for boundary in opening:
            if boundary > now:
                return boundary
    return inf


def _openings(queue: QueueSettings, now: float, *, days: int) -> Iterator[_Opening]:
    """Go through the openings from yesterday on, in order."""
    first = _day(queue, now) - timedelta(days=1)
    for number in range(days):
        day = first + timedelta(days=number)
        if _is_holiday(queue, day):
            continue
        if not queue.hours:
            yield _Opening(_at(queue, day, 0), _at(queue, day, 24 * 60))
            continue
        for span in sorted(queue.hours.get(WEEKDAYS[day.weekday()], ())):
            yield _Opening(_at(queue, day, span.start), _at(queue, day, span.end))


def _is_holiday(queue: QueueSettings, day: date) -> bool:
    written = day.isoformat()
    return written in queue.holidays or written[5:] in queue.holidays


def _day(queue: QueueSettings, now: float) -> date:
    return datetime.fromtimestamp(now, UTC).astimezone(_zone(queue.timezone)).date()


def _at(queue: QueueSettings, day: date, minute: int) -> float:
    """Find what the clock on the wall shows: on days when it is changed, an hour is missing or comes twice."""
    later, minute = divmod(minute, 24 * 60)
    wall = datetime.combine(day + timedelta(days=later), time(minute // 60, minute % 60))
    return wall.replace(tzinfo=_zone(queue.timezone)).timestamp()
