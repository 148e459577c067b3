"""What happened in the desk, event by event, and the sums that its figures are made from."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Select, bindparam, func, insert, select

from imserver.storage.database import Database
from imserver.storage.schema import desk_events, whole_microseconds

By = Literal["queue", "agent"]


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened; docs/figures.md says which kinds there are and what the seconds are of."""

    conversation: int
    queue: str
    agent: str
    kind: str
    at: float
    """In seconds since 1970."""
    seconds: float = 0.0

    def values(self) -> tuple[Any, ...]:
        """Give them in the order of the table's columns, as the driver wants them."""
        return (
            self.conversation,
            self.queue,
            str(self.agent),
            str(self.kind),
            whole_microseconds(self.at),
            whole_microseconds(self.seconds),
        )


@dataclass(frozen=True, slots=True)
class Sum:
    """How often something happened, how long that took all together, and the longest time."""

    name: str
    """Of the queue, or the agent."""
    kind: str
    count: int
    seconds: float
    longest: float


_WRITTEN = [column.name for column in desk_events.c if column is not desk_events.c.number]
INSERT_EVENTS = insert(desk_events).values({name: bindparam(name) for name in _WRITTEN}).inline()


def _report(by: Column[str]) -> Select[*tuple[Any, ...]]:
    table = desk_events.c
    return (
        select(by, table.kind, func.count(), func.sum(table.seconds), func.max(table.seconds))
        .where(
            table.at >= bindparam("start", type_=BigInteger),
            table.at < bindparam("end", type_=BigInteger),
            by != bindparam("nobody", ""),
        )
        .group_by(by, table.kind)
        .order_by(by, table.kind)
    )


REPORT: dict[By, Select[*tuple[Any, ...]]] = {
    "queue": _report(desk_events.c.queue),
    "agent": _report(desk_events.c.agent),
}
FIRST = select(func.min(desk_events.c.at))


class Happenings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, start: float, end: float, by: By) -> list[Sum]:
        """Sum up what happened from `start` until before `end`, for each queue, or each agent that had part in it."""
        rows = await self._database.fetch(
            REPORT[by], start=whole_microseconds(start), end=whole_microseconds(end)
        )
        return [Sum(*row) for row in rows]

    async def first_event(self) -> float | None:
        """Say when the first thing happened that is known, if anything did."""
        [(first,)] = await self._database.fetch(FIRST)
        return None if first is None else float(first)
