"""The figures of the desk, each made from what happened; docs/figures.md says what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from imserver.desk.effects import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from imserver.storage.happenings import By, Sum

#: Of whom a figure can be told.
EVERYBODY: Final[tuple[By, ...]] = ("queue", "agent")
QUEUES: Final[tuple[By, ...]] = ("queue",)

Unit = Literal["count", "share", "seconds"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
#: What just happens, and takes no time.
MOMENTS: Final[frozenset[Kind]] = frozenset({"opened", "offered", "transferred"})


@dataclass(slots=True)
class Tally:
    """How often something happened, how long that took all together, and the longest time."""

    count: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, count: int, seconds: float, longest: float) -> None:
        """Count more of it."""
        self.count += count
        self.seconds += seconds
        self.longest = max(self.longest, longest)


class Tallies(dict[str, Tally]):
    """What happened, by kind; what did not happen has an empty tally."""

    def __missing__(self, kind: str) -> Tally:
        tally = self[kind] = Tally()
        return tally


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of the report."""

    name: str
    title: str
    unit: Unit
    #: None where there is nothing to tell: no average of nothing.
    read: Callable[[Tallies], float | None]
    #: Only of queues, where there is no agent yet.
    of: tuple[By, ...] = EVERYBODY


def _number(kind: Kind, title: str, of: tuple[By, ...] = EVERYBODY) -> Figure:
    return Figure(kind, title, "count", lambda tallies: tallies[kind].count, of)


def _share(
    name: str, title: str, part: Kind, whole: tuple[Kind, ...], of: tuple[By, ...] = EVERYBODY
) -> Figure:
    def read(tallies: Tallies) -> float | None:
        return _divide(tallies[part].count, sum(tallies[kind].count for kind in whole))

    return Figure(name, title, "share", read, of)


def _average(name: str, title: str, kind: Kind, of: tuple[By, ...] = EVERYBODY) -> Figure:
    def read(tallies: Tallies) -> float | None:
        return _divide(tallies[kind].seconds, tallies[kind].count)

    return Figure(name, title, "seconds", read, of)


def _handle_time(tallies: Tallies) -> float | None:
    return _divide(tallies["handled"].seconds + tallies["wrapped_up"].seconds, tallies["handled"].count)


def _longest_wait(tallies: Tallies) -> float | None:
    waits = [tallies[kind] for kind in ENDS_OF_A_WAIT]
    return max(wait.longest for wait in waits) if any(wait.count for wait in waits) else None


def _divide(sum_of_them: float, count: int) -> float | None:
    return sum_of_them / count if count else None


#: Every wait in a queue ends in one of these ways.
ENDS_OF_A_WAIT: Final[tuple[Kind, ...]] = ("accepted", "abandoned", "overflowed")
#: Every offer that an agent has answered, or should have, ends in one of these ways; so does an assignment.
ANSWERS: Final[tuple[Kind, ...]] = ("accepted", "declined", "missed")

#: The columns, in groups that fit on a screen.
FIGURES: Final[Mapping[str, tuple[Figure, ...]]] = {
    "Conversations": (
        _number("opened", "Opened", of=QUEUES),
        _number("reopened", "Reopened", of=QUEUES),
        _number("abandoned", "Abandoned", of=QUEUES),
        _share("abandonment_rate", "of all", "abandoned", ENDS_OF_A_WAIT, of=QUEUES),
        _number("overflowed", "Overflowed", of=QUEUES),
        _number("requeued", "Requeued"),
        _number("closed", "Closed"),
    ),
    "Agents": (
        _number("offered", "Offered"),
        _number("accepted", "Accepted"),
        _share("answer_rate", "of all", "accepted", ANSWERS),
        _number("declined", "Declined"),
        _number("missed", "Missed"),
        _number("handled", "Handled"),
        _number("transferred", "Transferred"),
    ),
    "Times, on average": (
        _average("queue_answer_time", "Wait", "accepted"),
        Figure("longest_wait", "Longest", "seconds", _longest_wait, of=QUEUES),
        _average("queue_abandon_time", "Gave up", "abandoned", of=QUEUES),
        _average("first_response_time", "Response", "first_response"),
        _average("reply_time", "Reply", "reply"),
        _average("interaction_time", "Talk", "handled"),
        _average("after_contact_work_time", "Wrap-up", "wrapped_up"),
        Figure("handle_time", "Handle", "seconds", _handle_time),
        _average("duration", "Whole", "closed"),
    ),
}


def gather(sums: Iterable[Sum]) -> dict[str, Tallies]:
    """Put together what happened to each queue, or to each agent; by name."""
    gathered: dict[str, Tallies] = {}
    for one in sums:
        gathered.setdefault(one.name, Tallies())[one.kind].add(one.count, one.seconds, one.longest)
    return dict(sorted(gathered.items()))


def total(all_of_them: Mapping[str, Tallies]) -> Tallies:
    """Add up those of all queues, or of all agents."""
    everything = Tallies()
    for tallies in all_of_them.values():
        for kind, tally in tallies.items():
            everything[kind].add(tally.count, tally.seconds, tally.longest)
    return everything
