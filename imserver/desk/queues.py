"""One queue as it stands: who waits, in order, and which of its agents have room.

Nobody looks through everybody. Those who wait stand in one line for their position, and in a lane with those who want
the same of an agent: whoever the first of a lane does not suit, the lane does not suit.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from imserver.desk import hours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imserver.desk.agents import Agent
    from imserver.desk.settings import QueueSettings

#: The order of those who wait: priority, time, id.
Place = tuple[int, float, int]
#: What is wanted of an agent.
Wanted = tuple[tuple[str, int], ...]


class Line:
    """Places in order."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: list[Place] = []

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    @property
    def first(self) -> Place:
        return self._places[0]

    def add(self, place: Place) -> None:
        insort(self._places, place)

    def remove(self, place: Place) -> None:
        del self._places[bisect_left(self._places, place)]

    def before(self, place: Place) -> int:
        """Tell how many stand before a place."""
        return bisect_left(self._places, place)


class Queue:
    """A queue, its settings, and its indexes."""

    __slots__ = (
        "_is_open",
        "_look_again_at",
        "at_once",
        "average_handle",
        "free",
        "is_retired",
        "lanes",
        "line",
        "members",
        "name",
        "open_ids",
        "ready",
        "reserved",
        "served",
        "settings",
    )

    def __init__(self, name: str, settings: QueueSettings) -> None:
        self.name = name
        self.settings = settings
        self.members: frozenset[str] = frozenset(settings.members)
        #: It is not in the settings any more, and goes when its last conversation does.
        self.is_retired = False
        #: All conversations that are in it.
        self.open_ids: set[int] = set()
        #: All who wait.
        self.line = Line()
        #: Those who wait and may be offered to anybody, by what they want.
        self.lanes: dict[Wanted, Line] = {}
        #: Those who wait for one agent.
        self.reserved: dict[str, Line] = {}
        #: Members who may be asked, and those of them who have room.
        self.ready: dict[str, Agent] = {}
        self.free: dict[str, Agent] = {}
        #: How many conversations those who may be asked can have together.
        self.at_once = 0
        #: How many are offered, active or in wrap-up.
        self.served = 0
        #: How long a conversation takes an agent, in seconds: the later ones count more.
        self.average_handle: float | None = None
        self._is_open = False
        self._look_again_at = 0.0

    def is_open(self, now: float) -> bool:
        """Tell whether it is within opening hours."""
        if now >= self._look_again_at:
            self._is_open = hours.is_open(self.settings, now)
            self._look_again_at = hours.changes_at(self.settings, now)
        return self._is_open

    def looks_again_at(self, now: float) -> float:
        """Tell when it may open or close next."""
        self.is_open(now)
        return self._look_again_at

    @property
    def has_room(self) -> bool:
        """Whether one more conversation may be served."""
        return not self.settings.capacity or self.served < self.settings.capacity

    def serves(self, now: float) -> bool:
        """Tell whether clients of it are brought to agents at this time."""
        return self.has_room and self.is_open(now)

    def suits(self, agent: str, wanted: Wanted) -> bool:
        """Tell whether an agent knows what is wanted."""
        return all(self.settings.level_of(agent, skill) >= level for skill, level in wanted)

    def lane(self, wanted: Wanted, preferred: str) -> Line:
        """Find the lane of those who want this; it is made if there is none."""
        if preferred:
            return self.reserved.setdefault(preferred, Line())
        return self.lanes.setdefault(wanted, Line())

    def leave_lane(self, wanted: Wanted, preferred: str, place: Place) -> None:
        """Take a place out of its lane, and the lane away if it is empty."""
        line = self.lane(wanted, preferred)
        line.remove(place)
        if line:
            return
        if preferred:
            del self.reserved[preferred]
        else:
            del self.lanes[wanted]

    def update(self, agent: Agent) -> bool:
        """Note whether a member may be asked and has room; True if they have it now, and had not before."""
        jid = agent.jid
        may_be_asked = agent.may_be_asked and jid in self.members
        capacity = self.settings.capacity_of(jid)
        if may_be_asked != (jid in self.ready):
            if may_be_asked:
                self.ready[jid] = agent
                self.at_once += capacity
            else:
                del self.ready[jid]
                self.at_once -= capacity
        had_room = jid in self.free
        if not may_be_asked or agent.load >= capacity:
            self.free.pop(jid, None)
            return False
        self.free[jid] = agent
        return not had_room

    def estimate(self, position: int) -> float | None:
        """Guess how long somebody at this position waits, in seconds; None if nobody knows yet."""
        at_once = min(self.at_once, self.settings.capacity or self.at_once)
        if self.average_handle is None or not at_once:
            return None
        return self.average_handle * position / at_once

    def took(self, seconds: float) -> None:
        """Learn how long a conversation took."""
        before = self.average_handle
        self.average_handle = seconds if before is None else before + (seconds - before) / 10
