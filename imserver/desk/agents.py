"""One agent: whether they may be asked, and what they have in hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

#: Why an agent is paused who did not answer offers.
MISSED: Final = "missed"


class Row(Protocol):
    """How an agent is stored."""

    @property
    def jid(self) -> str: ...
    @property
    def paused(self) -> str: ...
    @property
    def misses(self) -> int: ...
    @property
    def idle_since(self) -> float | None: ...
    @property
    def offline_since(self) -> float | None: ...


@dataclass(slots=True, eq=False)
class Agent:
    """What is known of an agent. Times are in seconds since 1970."""

    jid: str
    #: Presence says that they may be asked; it implies that they are online.
    is_ready: bool = False
    is_online: bool = False
    #: Why they do not want to be asked; "" if they do.
    paused: str = ""
    #: How many offers in a row they did not answer.
    misses: int = 0
    #: When they last were given a conversation, ended one, or became ready.
    idle_since: float = 0.0
    offline_since: float | None = None
    #: Whoever was asked last has the highest.
    turn: int = 0
    #: The ids of what is theirs, wrap-up included, and of what they are being asked for.
    conversations: set[int] = field(default_factory=set)
    offers: set[int] = field(default_factory=set)
    #: The ids of those they were invited to: they do not count as theirs.
    visits: set[int] = field(default_factory=set)

    @property
    def load(self) -> int:
        """How many conversations take up their room."""
        return len(self.conversations) + len(self.offers)

    @property
    def may_be_asked(self) -> bool:
        """Whether they are there and willing, be there room or not."""
        return self.is_ready and not self.paused

    def to_row(self) -> dict[str, Any]:
        """Write down the fields of a `Row`: who is there will be told anew."""
        return {
            "jid": self.jid,
            "paused": self.paused,
            "misses": self.misses,
            "idle_since": self.idle_since,
            "offline_since": self.offline_since,
        }

    @classmethod
    def from_row(cls, row: Row) -> Agent:
        return cls(
            row.jid,
            paused=row.paused,
            misses=row.misses,
            idle_since=row.idle_since or 0.0,
            offline_since=row.offline_since,
        )


def short_name(jid: str) -> str:
    """Call an agent, or a queue, as colleagues do."""
    return jid.partition("@")[0]
