"""What the floor wants done, once what it changed is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from imserver.desk.conversation import Conversation

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

#: What the figures count; what `Happened.seconds` measures stands behind each.
Kind = Literal[
    "opened",
    "offered",
    "accepted",  # from coming to the queue to the agent: the wait, also of one that was assigned
    "declined",  # from the offer to the answer
    "missed",  # how long the offer stood
    "abandoned",  # from coming to the queue to leaving it unserved
    "first_response",  # from the agent's accepting to their first words
    "reply",  # from the client's first unanswered words, or accepting if later, to the agent's
    "handled",  # from accepting to the end, or to giving it away
    "wrapped_up",  # from the end to the end of the wrap-up
    "transferred",
    "requeued",  # from the agent's loss to being back in the queue
    "overflowed",  # from coming to the queue to being moved to the other
    "closed",  # from opening to the end
    "reopened",  # from the end to the client's words
]


class Refused(Exception):
    """That is not possible now; the key of the text that says why, and what it says it of."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True)
class Offer:
    """Ask the agent whether they take the conversation."""

    conversation: Conversation
    agent: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The agent is not asked any more."""

    conversation: Conversation
    agent: str
    reason: Literal["taken", "declined", "expired", "away", "paused", "closed", "removed", "moved"]
    #: Who took it.
    by: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The client becomes a contact of the agent, who has the conversation now or is a guest in it."""

    conversation: Conversation
    agent: str
    #: Who had it before, or who invited.
    previous: str = ""
    #: "invited", "reopened", "agent_lost", or what was given as the reason of a transfer.
    reason: str = ""
    is_guest: bool = False


@dataclass(frozen=True, slots=True)
class TakeAway:
    """The client is not a contact of the agent any more."""

    conversation: Conversation
    agent: str
    reason: Literal["transferred", "lost", "left", "closed", "removed"]


@dataclass(frozen=True, slots=True)
class TellClient:
    """Say the text of this key to the client, in the name of the queue that they wrote to."""

    conversation: Conversation
    key: str
    values: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class TellAgent:
    """Say the text of this key to the agent, in the chat with the client if there is a conversation."""

    agent: str
    key: str
    values: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The conversation is over for the client; the agent, if any, may have to wrap it up."""

    conversation: Conversation
    agent: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One event for the figures."""

    conversation_id: int
    queue: str
    agent: str
    kind: Kind
    at: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Returned:
    """An agent is there again; not the floor says so, but whoever saw them."""

    agent: str


Effect = Offer | Withdraw | HandOver | TakeAway | TellClient | TellAgent | Closed | Happened
