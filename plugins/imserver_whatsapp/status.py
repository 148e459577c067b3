"""What has become of a message of ours: a lattice that never goes backwards.

Updates come twice, late, and in any order. `delivered` may be left out when it is read at once; what can play is
`played`, too; a reaction is `sent` and nothing more.

A failure after `sent` is the usual one: WhatsApp could not reach the phone. After `delivered` or `read` it is not
believed: the message was on the client's phone, and what we told the agent was true. The other way round, a message
that failed, or of which nobody knew, has got there after all if the phone says so; a late `sent` says nothing of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """How far a message is."""

    #: On record here; perhaps on its way to Meta.
    QUEUED = "queued"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"
    #: There was no answer, and no word of it since.
    UNKNOWN = "unknown"


class Effect(Enum):
    """What the agent is told."""

    #: XEP-0184: it is on the client's phone.
    RECEIVED = "received"
    #: XEP-0333: it was seen.
    DISPLAYED = "displayed"
    #: An error stanza with the id of the message, and a line that says why.
    FAILED = "failed"
    #: A line: it got there, though it was said that it did not.
    RECOVERED = "recovered"


_ON_THE_PHONE: Final = frozenset({State.DELIVERED, State.READ, State.PLAYED})

#: From where to where; everything else changes nothing.
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.QUEUED: frozenset({State.ACCEPTED, State.SENT, *_ON_THE_PHONE, State.FAILED, State.UNKNOWN}),
    State.ACCEPTED: frozenset({State.SENT, *_ON_THE_PHONE, State.FAILED}),
    State.SENT: frozenset({*_ON_THE_PHONE, State.FAILED}),
    State.DELIVERED: frozenset({State.READ, State.PLAYED}),
    State.READ: frozenset({State.PLAYED}),
    State.PLAYED: frozenset(),
    State.FAILED: _ON_THE_PHONE,
    State.UNKNOWN: frozenset({State.ACCEPTED, State.SENT, *_ON_THE_PHONE, State.FAILED}),
}

#: How far one is compared with another; a failure is told before anything that others have reached.
_ORDER: Final = (
    State.FAILED,
    State.UNKNOWN,
    State.QUEUED,
    State.ACCEPTED,
    State.SENT,
    State.DELIVERED,
    State.READ,
    State.PLAYED,
)
_BY_NAME: Final[Mapping[str, State]] = {
    state.value: state for state in (State.ACCEPTED, State.SENT, *_ON_THE_PHONE, State.FAILED)
}


def read_state(name: str) -> State | None:
    """Read what Meta calls it; None for what it may call something one day, `deleted` or `warning`."""
    return _BY_NAME.get(name)


def advance(state: State, reported: State) -> State:
    """Say where a message is after a report; it stays where it is if the report is old or not believed."""
    return reported if reported in TRANSITIONS[state] else state


def effects(before: State, after: State) -> list[Effect]:
    """Say what the agent is told of a step; each thing is said once, whatever was left out on the way."""
    if before is after:
        return []
    if after is State.FAILED or after is State.UNKNOWN:
        # Of what is unknown the agent has an error already.
        return [Effect.FAILED] if before is not State.UNKNOWN else []
    told: list[Effect] = []
    is_believed = after is not State.ACCEPTED
    if before in (State.FAILED, State.UNKNOWN) and is_believed:
        told.append(Effect.RECOVERED)
    if after in _ON_THE_PHONE and before not in _ON_THE_PHONE:
        told.append(Effect.RECEIVED)
    if after in (State.READ, State.PLAYED) and before not in (State.READ, State.PLAYED):
        told.append(Effect.DISPLAYED)
    return told


def overall(states: Iterable[State]) -> State:
    """Say where a message is that became several: where the last of them is, and failed if one of them has."""
    return min(states, key=_ORDER.index)
