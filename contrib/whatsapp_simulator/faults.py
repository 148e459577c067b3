"""What shall go wrong with the next requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from contrib.whatsapp_simulator.errors import GraphError


@dataclass(frozen=True, slots=True)
class Refused:
    """A code; later: the message is accepted and fails by a status."""

    error: GraphError
    later: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """An HTTP status with a page of HTML, as from a proxy in trouble."""

    http: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The connection ends without an answer; the message may have been accepted all the same."""

    accepted: bool


Fault: TypeAlias = Refused | Broken | Unanswered


class Faults:
    """The faults to come, in order: one a message."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()

    def __len__(self) -> int:
        return len(self._next)

    def add(self, fault: Fault, times: int = 1) -> None:
        self._next.extend([fault] * times)

    def take(self) -> Fault | None:
        return self._next.popleft() if self._next else None

    def clear(self) -> None:
        self._next.clear()
