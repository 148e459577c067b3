"""How fast may be sent: so much to one client, so much from one number; and how long to wait after a refusal.

https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imserver_whatsapp.codes import Action


@dataclass(frozen=True, slots=True)
class Rate:
    """One every so many seconds, and so many at once that are borrowed from the future."""

    seconds: float
    burst: int = 1


#: To one client from one of our numbers.
PAIR: Final = Rate(6.0, 45)
#: From one of our numbers to all clients; of one that is also used in the phone's app, 20 a second.
NUMBER: Final = Rate(1 / 80, 80)
COEXISTENCE: Final = Rate(1 / 20, 20)


class Pace:
    """Counts what was sent; all that has to be kept of it is one time.

    That is when all that was sent would have been due, one after the other (GCRA).
    """

    __slots__ = ("_due", "rate")

    def __init__(self, rate: Rate, due: float = 0.0) -> None:
        self.rate = rate
        self._due = due

    @property
    def due(self) -> float:
        """What has to be kept."""
        return self._due

    def free_at(self, now: float) -> float:
        """Say when one more may be sent; `now` if it may be at once."""
        rate = self.rate
        # Never longer than a whole burst takes: clocks are set back.
        due = min(self._due, now + rate.burst * rate.seconds)
        return max(now, due - (rate.burst - 1) * rate.seconds)

    def take(self, now: float) -> None:
        """Count one that is sent now."""
        rate = self.rate
        self._due = max(min(self._due, now + rate.burst * rate.seconds), now) + rate.seconds

    def spend(self, now: float) -> None:
        """Take Meta's word that it is too much already: there is no burst left."""
        self._due = max(self._due, now + self.rate.burst * self.rate.seconds)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long to wait after each refusal, and how often to try."""

    base: float
    tries: int
    longest: float
    first: float = 1.0

    def delay(self, refusals: int) -> float | None:
        """Say how long to wait after so many refusals, in seconds; None: it is given up."""
        if refusals >= self.tries:
            return None
        return min(self.first * self.base ** (refusals - 1), self.longest)


#: Pair: 4^x seconds, x = 0, 1, 2 … (1 s … 17 min), as Meta asks for.
SCHEDULES: Final[Mapping[Action, Schedule]] = {
    Action.PAIR: Schedule(4.0, tries=8, longest=1_024.0),
    Action.BACK_OFF: Schedule(2.0, tries=12, longest=60.0),
    Action.RETRY: Schedule(4.0, tries=5, longest=64.0),
}
