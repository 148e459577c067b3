"""One conversation between a client and a queue: its states, the steps between them, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Row(Protocol):
    """How a conversation is stored: what is searched for by name, and the rest, fit for JSON."""

    @property
    def id(self) -> int: ...
    @property
    def client(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def opened(self) -> float: ...
    @property
    def closed(self) -> float | None: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


class State(StrEnum):
    """Where a conversation stands."""

    WAITING = "waiting"  # in the queue
    OFFERED = "offered"  # one or more agents are being asked
    ACTIVE = "active"  # an agent has it
    WRAPPING = "wrapping"  # over for the client; the agent still writes it up
    CLOSED = "closed"


#: All that can happen; what does not stand here cannot.
STEPS: Final[Mapping[tuple[State, str], State]] = {
    (State.WAITING, "offer"): State.OFFERED,
    (State.WAITING, "assign"): State.ACTIVE,
    (State.WAITING, "accept"): State.ACTIVE,  # an agent helps themselves from the queue
    (State.WAITING, "move"): State.WAITING,  # to another queue
    (State.WAITING, "close"): State.CLOSED,
    (State.OFFERED, "accept"): State.ACTIVE,
    (State.OFFERED, "withdraw"): State.WAITING,  # declined, missed, or nobody is there any more
    (State.OFFERED, "close"): State.CLOSED,
    (State.ACTIVE, "requeue"): State.WAITING,  # its agent is lost
    (State.ACTIVE, "transfer"): State.WAITING,
    (State.ACTIVE, "hand_over"): State.ACTIVE,  # to somebody who is in it already
    (State.ACTIVE, "close"): State.WRAPPING,
    (State.WRAPPING, "reopen"): State.ACTIVE,
    (State.WRAPPING, "wrap_up_done"): State.CLOSED,
    (State.CLOSED, "reopen"): State.WAITING,
}


class IllegalStep(Exception):
    """That cannot happen to a conversation in this state."""


@dataclass(slots=True, eq=False)
class Conversation:
    """What is known of a conversation. Times are in seconds since 1970."""

    id: int
    #: The client JID.
    client: str
    #: The name of the queue where it is now.
    queue: str
    #: The name of the queue that the client wrote to: the client hears from this one, wherever the conversation goes.
    entrance: str
    opened: float
    state: State = State.WAITING
    #: Who has it; in a closed one, who had it last.
    agent: str = ""
    #: Agents who were invited.
    guests: set[str] = field(default_factory=set)
    #: Who is being asked, and until when.
    offered: dict[str, float] = field(default_factory=dict)
    #: Who is not asked again in this round: they declined, did not answer, or gave it away.
    declined: set[str] = field(default_factory=set)
    #: When the next round begins.
    again_at: float | None = None
    #: A strategy wants nobody to be asked before.
    rest_until: float = 0.0
    #: Since when the client waits, as the client sees it: it survives being put back.
    waiting_since: float = 0.0
    #: The place in the queue is that of somebody who came at this time.
    queued_at: float = 0.0
    #: When it began to wait in this queue, this time: skills relax, queues overflow and figures count from here.
    entered: float = 0.0
    #: When its agent got it.
    accepted: float | None = None
    #: When its agent first wrote.
    answered: float | None = None
    last_client: float = 0.0
    last_agent: float = 0.0
    #: When the client wrote the first message that nobody has answered.
    unanswered_since: float | None = None
    closed: float | None = None
    #: The wrap-up code.
    code: str = ""
    #: 1 is first, 99 last; 0 is what the queue says.
    priority: int = 0
    lang: str = ""
    #: What the agent should know besides what the queue wants.
    skills: dict[str, int] = field(default_factory=dict)
    #: The only one who is asked, until `preferred_until`.
    preferred: str = ""
    preferred_until: float = 0.0
    #: Since when its agent is offline.
    lost_since: float | None = None
    #: When the client was told that a silent conversation will be closed.
    warned_at: float | None = None
    wrap_until: float | None = None
    #: The archive id after which its words stand.
    begun: int = 0
    #: The archive id up to which the client's words were given to the agent.
    handed: int = 0
    #: Who had it before, and why not any more.
    previous: str = ""
    reason: str = ""
    #: Which position the client was told, and when.
    told_position: int = 0
    told_at: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the client may still expect something."""
        return self.state not in (State.WRAPPING, State.CLOSED)

    @property
    def agents(self) -> set[str]:
        """Who is in it."""
        return {self.agent, *self.guests} if self.state in (State.ACTIVE, State.WRAPPING) else set()

    def to_row(self) -> dict[str, Any]:
        """Write down the fields of a `Row`; nothing in it changes any more."""
        row = {name: getattr(self, name) for name in COLUMNS}
        row["state"] = self.state.value
        row["details"] = {name: _plain(getattr(self, name)) for name in DETAILS}
        return row

    @classmethod
    def from_row(cls, row: Row) -> Conversation:
        """Read what `to_row` wrote; of what an older version did not write, the default is taken."""
        details = {name: value for name, value in row.details.items() if name in DETAILS}
        details |= {name: set(details[name]) for name in ("guests", "declined") if name in details}
        details.setdefault("entrance", row.queue)
        columns = {name: getattr(row, name) for name in COLUMNS}
        return cls(**{**columns, "state": State(row.state)}, **details)


#: What has a column of its own.
COLUMNS: Final = ("id", "client", "queue", "state", "agent", "opened", "closed")
DETAILS: Final = tuple(item.name for item in fields(Conversation) if item.name not in COLUMNS)


def _plain(value: object) -> object:
    match value:
        case set():
            return sorted(value)
        case dict():
            return dict(value)
    return value


def step(conversation: Conversation, name: str) -> None:
    """Take the conversation on to its next state.

    Raises:
        IllegalStep: If there is no such step from where it stands.
    """
    following = STEPS.get((conversation.state, name))
    if following is None:
        raise IllegalStep(f"conversation {conversation.id} is {conversation.state}: there is no {name!r}")
    conversation.state = following
