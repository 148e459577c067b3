"""RFC 6121, 3 and appendix A: the states of a subscription, and what moves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imserver.storage.rosters import RosterItem, Subscription


class State(Enum):
    """How an account stands to a contact: the subscription, whether we asked, and whether we were asked."""

    NONE = ("none", False, False)
    NONE_PENDING_OUT = ("none", True, False)
    NONE_PENDING_IN = ("none", False, True)
    NONE_PENDING_OUT_IN = ("none", True, True)
    TO = ("to", False, False)
    TO_PENDING_IN = ("to", False, True)
    FROM = ("from", False, False)
    FROM_PENDING_OUT = ("from", True, False)
    BOTH = ("both", False, False)

    @classmethod
    def of(cls, item: RosterItem) -> State:
        """Read the state of an item; what the subscription already answers is not pending."""
        asks = item.ask and item.subscription in ("none", "from")
        asked = item.pending_in is not None and item.subscription in ("none", "to")
        return cls((item.subscription, asks, asked))

    @property
    def subscription(self) -> Subscription:
        """The attribute of that name."""
        return self.value[0]

    @property
    def asks(self) -> bool:
        """Whether we wait for an answer."""
        return self.value[1]

    @property
    def is_asked(self) -> bool:
        """Whether an answer is waited for."""
        return self.value[2]


#: What we send: it is routed in the states that stand here, which become others. Elsewhere it goes nowhere.
OUTBOUND: Final[Mapping[str, Mapping[State, State]]] = {
    # A.2.1
    "subscribe": {
        State.NONE: State.NONE_PENDING_OUT,
        State.NONE_PENDING_OUT: State.NONE_PENDING_OUT,
        State.NONE_PENDING_IN: State.NONE_PENDING_OUT_IN,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_OUT_IN,
        State.TO: State.TO,
        State.TO_PENDING_IN: State.TO_PENDING_IN,
        State.FROM: State.FROM_PENDING_OUT,
        State.FROM_PENDING_OUT: State.FROM_PENDING_OUT,
        State.BOTH: State.BOTH,
    },
    # A.2.2
    "unsubscribe": {
        State.NONE: State.NONE,
        State.NONE_PENDING_OUT: State.NONE,
        State.NONE_PENDING_IN: State.NONE_PENDING_IN,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_IN,
        State.TO: State.NONE,
        State.TO_PENDING_IN: State.NONE_PENDING_IN,
        State.FROM: State.FROM,
        State.FROM_PENDING_OUT: State.FROM,
        State.BOTH: State.FROM,
    },
    # A.2.3
    "subscribed": {
        State.NONE_PENDING_IN: State.FROM,
        State.NONE_PENDING_OUT_IN: State.FROM_PENDING_OUT,
        State.TO_PENDING_IN: State.BOTH,
    },
    # A.2.4
    "unsubscribed": {
        State.NONE_PENDING_IN: State.NONE,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_OUT,
        State.TO_PENDING_IN: State.TO,
        State.FROM: State.NONE,
        State.FROM_PENDING_OUT: State.NONE_PENDING_OUT,
        State.BOTH: State.TO,
    },
}

#: What a contact sends: it is delivered in the states that stand here, which become others. Elsewhere it is not.
INBOUND: Final[Mapping[str, Mapping[State, State]]] = {
    # A.3.1
    "subscribe": {
        State.NONE: State.NONE_PENDING_IN,
        State.NONE_PENDING_OUT: State.NONE_PENDING_OUT_IN,
        State.TO: State.TO_PENDING_IN,
    },
    # A.3.2
    "unsubscribe": {
        State.NONE_PENDING_IN: State.NONE,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_OUT,
        State.TO_PENDING_IN: State.TO,
        State.FROM: State.NONE,
        State.FROM_PENDING_OUT: State.NONE_PENDING_OUT,
        State.BOTH: State.TO,
    },
    # A.3.3
    "subscribed": {
        State.NONE_PENDING_OUT: State.TO,
        State.NONE_PENDING_OUT_IN: State.TO_PENDING_IN,
        State.FROM_PENDING_OUT: State.BOTH,
    },
    # A.3.4
    "unsubscribed": {
        State.NONE_PENDING_OUT: State.NONE,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_IN,
        State.TO: State.NONE,
        State.TO_PENDING_IN: State.NONE_PENDING_IN,
        State.FROM_PENDING_OUT: State.FROM,
        State.BOTH: State.FROM,
    },
}

#: RFC 6121, 3.4.2: where saying yes before being asked makes sense, and what the request makes of it.
APPROVED: Final[Mapping[State, State]] = {
    State.NONE: State.FROM,
    State.NONE_PENDING_OUT: State.FROM_PENDING_OUT,
    State.TO: State.BOTH,
}

#: Where the contact sees our presence already.
SHARED: Final = frozenset({State.FROM, State.FROM_PENDING_OUT, State.BOTH})


@dataclass(frozen=True, slots=True)
class Step:
    """What a stanza does to a contact."""

    before: RosterItem
    after: RosterItem
    #: Whether the stanza goes on: out to the contact, or in to our clients.
    passes: bool
    #: What the contact is told at once, without anybody being asked.
    answer: str = ""

    @property
    def shares(self) -> bool:
        """Whether the contact sees our presence from now on."""
        return State.of(self.before) not in SHARED and State.of(self.after) in SHARED

    @property
    def hides(self) -> bool:
        """Whether the contact does not see our presence any more."""
        return State.of(self.before) in SHARED and State.of(self.after) not in SHARED


def send(item: RosterItem, type: str) -> Step:
    """Decide what becomes of a stanza that the account sends to the contact."""
    state = State.of(item)
    following = OUTBOUND[type].get(state)
    after = item if following is None else _moved(item, following)
    match type:
        case "subscribe":
            after = replace(after, listed=True)
        case "subscribed" if following is not None:
            after = replace(after, listed=True)
        case "subscribed" if state in APPROVED:
            after = replace(after, listed=True, approved=True)
        case "unsubscribed":
            after = replace(after, approved=False)
    return Step(item, after, passes=following is not None)


def take(item: RosterItem, type: str, stanza: bytes) -> Step:
    """Decide what becomes of a stanza that the contact sends to the account; a request is kept as it is."""
    state = State.of(item)
    if type == "subscribe":
        if state in SHARED:
            return Step(item, item, passes=False, answer="subscribed")
        if item.approved and state in APPROVED:
            after = replace(_moved(item, APPROVED[state]), approved=False)
            return Step(item, after, passes=False, answer="subscribed")
    following = INBOUND[type].get(state)
    if following is None:
        return Step(item, item, passes=False)
    return Step(item, _moved(item, following, stanza), passes=True)


def _moved(item: RosterItem, state: State, request: bytes | None = None) -> RosterItem:
    pending = (item.pending_in or request) if state.is_asked else None
    return replace(item, subscription=state.subscription, ask=state.asks, pending_in=pending)
