"""Who is connected here."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from imserver.routing.journal import Origin
from imserver.stream.resumption import Acknowledgements
from imserver.xmpp import namespaces
from imserver.xmpp.errors import StreamError
from imserver.xmpp.stanza import Message, Presence, Stanza, child_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from imserver.routing.components import Host
    from imserver.xmpp.jid import JID

#: XEP-0352: what a person who looks away is told at once. Chat states and presence can wait.
_URGENT = frozenset(
    {child_key("body", namespaces.CLIENT), child_key("encrypted", "eu.siacs.conversations.axolotl")}
)


class Outlet(Protocol):
    """The connection a session has at the moment."""

    def send(self, stanza: Stanza) -> None:
        """Send it soon; never waits for a slow reader."""

    async def drained(self) -> None:
        """Wait until the reader has caught up."""

    def acknowledge(self, handled: int) -> None:
        """XEP-0198: tell how many stanzas are taken care of."""

    def end(self, error: StreamError | None = None) -> None:
        """Close the stream and the connection."""

    def abort(self) -> None:
        """Drop the connection as if it had been lost."""


class Session(Origin):
    """One resource of an account: it may outlive its connection (XEP-0198, 5)."""

    __slots__ = (
        "acknowledgements",
        "bare",
        "carbons_since",
        "detachments",
        "directed",
        "features",
        "held",
        "is_closed",
        "is_looked_at",
        "jid",
        "lang",
        "limit",
        "milestones",
        "outlet",
        "overflowed",
        "presence",
        "priority",
        "queue",
        "resume_token",
        "wants_roster",
    )

    #: Who looks at what it sends: of a session at a component's domain, see `Guest`.
    host: Host | None = None

    def __init__(self, jid: JID, outlet: Outlet, *, lang: str = "") -> None:
        super().__init__()
        self.jid = jid
        self.bare: JID = jid.bare
        self.lang = lang
        #: Nothing while the connection is lost and may come back.
        self.outlet: Outlet | None = outlet
        self.is_closed = False
        #: The last presence sent to everybody; nothing unless the session is available.
        self.presence: Presence | None = None
        self.priority = 0
        #: Whom it sent presence to directly (RFC 6121, 4.6).
        self.directed: set[JID] = set()
        #: Whether it asked for the roster, and so is told of changes (RFC 6121, 2.1.6).
        self.wants_roster = False
        #: Since which message it gets copies of what others of the account get (XEP-0280).
        self.carbons_since: int | None = None
        self.acknowledgements: Acknowledgements[Stanza] | None = None
        self.resume_token = ""
        #: How often it was resumed.
        self.detachments = 0
        #: What waits for the client to acknowledge: the count it must reach, and what to do then.
        self.milestones: list[tuple[int, Callable[[], None]]] = []
        #: How much may wait unacknowledged, and who is told when it is more.
        self.limit = 1000
        self.overflowed: Callable[[Session], None] = lambda session: None
        #: Whether somebody looks at the client (XEP-0352), and what waits until then.
        self.is_looked_at = True
        self.held: list[Stanza] = []
        #: Messages behind older ones that are still to come (XEP-0160); None when there are no older ones.
        self.queue: deque[Message] | None = None
        #: Room for features, by their own key.
        self.features: dict[str, Any] = {}

    @property
    def is_available(self) -> bool:
        """Whether it sent initial presence, and not taken it back (RFC 6121, 4.2)."""
        return self.presence is not None and (not self.is_closed or self.acknowledgements is not None)

    @property
    def keeps_stanzas(self) -> bool:
        """Whether what it is sent now is not lost: a session that ends still passes on what it can count."""
        return not self.is_closed or self.acknowledgements is not None

    @property
    def is_resumable(self) -> bool:
        """Whether it lives on for a while when its connection is lost."""
        return bool(self.resume_token)

    @property
    def is_connected(self) -> bool:
        """Whether a client is there right now."""
        return self.outlet is not None

    def send(self, stanza: Stanza) -> None:
        """Send a stanza to the client, now or when it comes back; never waits."""
        if self.queue is not None and isinstance(stanza, Message):
            self.queue.append(stanza)
            if len(self.queue) > self.limit and not self.is_closed:
                self.overflowed(self)
            return
        if not self.is_looked_at:
            if not is_urgent(stanza) and len(self.held) < 500:
                self._hold(stanza)
                return
            self._release()
        self._send(stanza)

    def _send(self, stanza: Stanza) -> None:
        if self.acknowledgements is not None:
            self.acknowledgements.sending(stanza)
            if len(self.acknowledgements.waiting) > self.limit and not self.is_closed:
                self.overflowed(self)
        if self.outlet is not None:
            self.outlet.send(stanza)

    def hold_messages(self) -> None:
        """Let messages queue up from now on, behind those that are sent by `send_first`."""
        if self.queue is None:
            self.queue = deque()

    def send_first(self, message: Message) -> None:
        """Send a message before those that queue up."""
        queue, self.queue = self.queue, None
        self.send(message)
        self.queue = queue

    def release_messages(self) -> None:
        """Send what has queued up; nothing queues from now on."""
        queue, self.queue = self.queue, None
        for message in queue or ():
            self.send(message)

    def _hold(self, stanza: Stanza) -> None:
        """Keep it for later; of several presences of one contact only the newest counts."""
        if isinstance(stanza, Presence) and stanza.type in ("", "unavailable"):
            stale = [one for one in self.held if isinstance(one, Presence) and one.sender == stanza.sender]
            for one in stale:
                if one.type in ("", "unavailable"):
                    self.held.remove(one)
        self.held.append(stanza)

    def _release(self) -> None:
        held, self.held = self.held, []
        for stanza in held:
            self._send(stanza)

    def look(self, active: bool) -> None:
        """XEP-0352: somebody looks at the client, or nobody does any more."""
        self.is_looked_at = active
        if active:
            self._release()

    def acknowledge(self, handled: int) -> None:
        """XEP-0198: the client says how many stanzas it has.

        Raises:
            StreamError: If it was not sent so many.
        """
        if self.acknowledgements is None:
            return
        self.acknowledgements.acknowledge(handled)
        left = len(self.acknowledgements.waiting)
        while self.milestones and self.acknowledgements.total - left >= self.milestones[0][0]:
            self.milestones.pop(0)[1]()

    async def when_received(self, step: Callable[[], None]) -> None:
        """Do something once the client has all it was sent so far: when it says so, or else when it is read."""
        if self.acknowledgements is None:
            await self.drained()
            step()
        elif self.acknowledgements.waiting:
            self.milestones.append((self.acknowledgements.total, step))
        else:
            step()

    async def drained(self) -> None:
        """Wait until the client has read what it was sent: for whoever sends much at a time."""
        if self.outlet is not None:
            await self.outlet.drained()

    def unacknowledged(self) -> list[Stanza]:
        """Take what the client was sent and never acknowledged, oldest first, and what was held back."""
        left = [
            *(self.acknowledgements.waiting if self.acknowledgements else ()),
            *self.held,
            *(self.queue or ()),
        ]
        if self.acknowledgements is not None:
            self.acknowledgements.waiting.clear()
        self.held.clear()
        self.queue = None
        return left


class Guest(Session):
    """A session at a component's domain: it sends, and sees, what its host lets it."""

    __slots__ = ("address", "host")

    def __init__(self, jid: JID, outlet: Outlet, host: Host, *, address: str = "", lang: str = "") -> None:
        super().__init__(jid, outlet, lang=lang)
        self.host: Host = host
        #: The IP address that it came from.
        self.address = address

    def send(self, stanza: Stanza) -> None:
        """Send a stanza to the client, if it is for its eyes."""
        if self.host.shows(self, stanza):
            super().send(stanza)

    def answer(self, stanza: Stanza) -> None:
        """Send what the server says to something that the client sent, from whomever that was to."""
        super().send(stanza)


def is_urgent(stanza: Stanza) -> bool:
    """Tell whether it is worth waking somebody who does not look (XEP-0352, 5)."""
    if isinstance(stanza, Presence):
        return stanza.type not in ("", "unavailable")
    if isinstance(stanza, Message):
        if stanza.has("event", "http://jabber.org/protocol/pubsub#event"):
            return False
        only_state = all(
            key.startswith((namespaces.CHAT_STATES, namespaces.HINTS)) for key in stanza.child_keys
        )
        return not only_state or stanza.has_any(_URGENT)
    return True


class Sessions:
    """All sessions of this server, by account and resource; and those that can be resumed, by token."""

    def __init__(self) -> None:
        self._accounts: dict[JID, dict[str, Session]] = {}
        self._resumable: dict[str, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        for resources in list(self._accounts.values()):
            yield from list(resources.values())

    def __len__(self) -> int:
        return sum(map(len, self._accounts.values()))

    def of(self, account: JID) -> Collection[Session]:
        """List the sessions of an account."""
        resources = self._accounts.get(account)
        return resources.values() if resources is not None else ()

    def find(self, jid: JID) -> Session | None:
        """Find the session with this full address."""
        resources = self._accounts.get(jid.bare)
        return resources.get(jid.resource) if resources is not None else None

    def add(self, session: Session) -> None:
        """Add a session; its address must be free."""
        assert self.find(session.jid) is None, session.jid
        self._accounts.setdefault(session.bare, {})[session.jid.resource] = session

    def remove(self, session: Session) -> None:
        """Forget a session."""
        self._resumable.pop(session.resume_token, None)
        if self.find(session.jid) is session:
            resources = self._accounts[session.bare]
            del resources[session.jid.resource]
            if not resources:
                del self._accounts[session.bare]

    def make_resumable(self, session: Session, token: str) -> None:
        """Let whoever knows the token, and is the same account, take the session over."""
        session.resume_token = token
        self._resumable[token] = session

    def find_resumable(self, token: str, account: JID) -> Session | None:
        """Find the session with that token, if it is the account's own (XEP-0198, Security Considerations)."""
        session = self._resumable.get(token)
        return session if session is not None and session.bare == account else None

    def available(self, account: JID) -> list[Session]:
        """List the sessions that are available and take messages: priority 0 or more (RFC 6121, 8.5.2.1)."""
        resources = self._accounts.get(account)
        if resources is None:
            return []
        return [one for one in resources.values() if one.priority >= 0 and one.is_available]
