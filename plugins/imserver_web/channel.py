"""Clients on web pages: they are guests of this domain, write to a queue, and are answered by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from imserver import JID, Guest, Message, Presence, Stanza, StanzaError, most_available
from imserver.desk import (
    MOST_REMEMBERED,
    OPENING,
    Channel,
    ChannelKind,
    Composing,
    Name,
    Outward,
    Recent,
    chat_state,
    check_readable,
    has_something_to_say,
    state_to_agent,
    to_client,
)
from imserver_web import forms
from imserver_web.visitors import FEATURE, visitor_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Self

    from imserver import Server
    from imserver.desk import Client, Desk
    from imserver_web.settings import Settings
    from imserver_web.visitors import Visitor

#: The one device that agents see of a visitor; no session of one is called so.
LABEL: Final = "web"


class Letter(Message):
    """What a visitor is sent of an agent's message, and which one that was: the visitor's archive has it."""

    __slots__ = ("source",)
    source: Message | None

    @classmethod
    def of(cls, written: Message, source: Message | None) -> Self:
        """Put it into an envelope."""
        letter = cls(
            sender=written.sender, to=written.to, type=written.type, id=written.id, lang=written.lang
        )
        letter.take_payload(written)
        letter.source = source
        return letter

    def copy(self) -> Self:
        """Copy it; the payload is shared until one of the two changes."""
        twin = super().copy()
        twin.source = self.source
        return twin


class WebChannel(Channel):
    """Takes what is said between visitors and queues."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        domain = JID.of("", f"web.{desk.server.domain}")
        super().__init__(desk, domain, ChannelKind(LABEL, "Web", type="web"))
        self._settings = settings
        self._sessions = desk.server.sessions
        #: Where clients are, whose address is another one than agents know: two were found to be one.
        self._elsewhere: Recent[JID, JID] = Recent(MOST_REMEMBERED)
        self._composing = Composing()
        #: The message of an agent that is being passed on.
        self._source: Message | None = None

    def is_open_to_visitors(self, address: JID) -> bool:
        """Tell whether this is a queue that visitors may write to."""
        chosen = self._settings.queues_open_to_visitors
        is_queue = address.domain == self.desk.domain and address.local in self.desk.settings.queues
        return is_queue and address.is_bare and (not chosen or address.local in chosen)

    # Visitors come and go

    async def find_elsewhere(self, key: str) -> None:
        """Find under which other addresses agents may know a client who comes back."""
        for other in await self.desk.server.store.desk.keys_of(key):
            if other != key:
                self._elsewhere[JID.of(other, self.domain)] = JID.of(key, self.domain)

    def gone(self, device: JID) -> None:
        """A visitor's session is over: whatever they were writing, they do not any more."""
        for queue in self._composing.leave(device):
            self._stop_composing(device, queue)

    def look_after(self, is_alive: Callable[[JID], bool]) -> None:
        """See which sessions have gone without a word."""
        for device in self._composing.dead(is_alive):
            self.gone(device)

    def _stop_composing(self, device: JID, queue: JID) -> None:
        conversation = self.desk.floor.find(self._client_at(device.bare), queue.local)
        if conversation is None or not conversation.is_open:
            return
        shown = self.device(JID.parse(conversation.client))
        for agent in sorted(conversation.agents):
            self.desk.send(state_to_agent("paused", shown, JID.parse(agent)))

    def _client_at(self, visitor: JID) -> JID:
        return next((client for client, there in self._elsewhere.items() if there == visitor), visitor)

    # What visitors say

    def keeps(self, message: Message) -> bool:
        """Leave what goes to and from queues to the desk: it puts on record what agents are given."""
        ends = (message.sender, message.to)
        if any(end is not None and end.domain == self.desk.domain for end in ends):
            return False
        return super().keeps(message)

    def hear_at_once(self, queue: str, message: Message) -> Sequence[Message]:
        """Say what the agents are sent of what a visitor wrote, if they are a client already."""
        guest = self._guest(message.sender)
        if guest is None or forms.is_form(message):
            return ()
        client = self.desk.clients.remembered(self.jid, visitor_of(guest).claim.alias)
        if client is None:
            return ()
        passed = self.desk.talk.pass_on_to_agents(self, client, queue, message)
        if passed:
            self._note(client.jid, queue, message)
        return passed

    async def hear(self, queue: str, message: Message) -> None:
        """Take what a visitor wrote to a queue.

        Raises:
            StanzaError: If it can't be taken.
        """
        guest = self._guest(message.sender)
        if guest is None:
            raise StanzaError("service-unavailable")
        check_readable(message)
        visitor = visitor_of(guest)
        filled = forms.read(message, self._settings.queues.get(queue))
        if filled is not None:
            message = filled.message
        client = await self._find_client(visitor, guest, message, called=filled.called if filled else "")
        if client is None:
            return  # nobody becomes a client by opening a window
        if message.type == "error":
            self.failed(client.jid, queue, message)
            return
        self._note(client.jid, queue, message)
        if filled is not None and filled.is_survey:
            if self.desk.floor.find(client.jid, queue) is None:
                raise StanzaError("item-not-found", "The conversation is too long ago")
            if await self.desk.talk.note_down(self, client, queue, message):
                return
        await self.desk.talk.hear(self, client, queue, message)

    def _guest(self, device: JID | None) -> Guest | None:
        guest = self._sessions.find(device) if device is not None else None
        return guest if isinstance(guest, Guest) and FEATURE in guest.features else None

    async def _find_client(
        self, visitor: Visitor, guest: Guest, message: Message, *, called: str
    ) -> Client | None:
        clients, claim = self.desk.clients, visitor.claim
        is_beginning = message.type != "error" and message.has_any(OPENING)
        if not is_beginning and visitor.is_stranger:
            return None
        client = await clients.find_by_alias(self.jid, claim.alias)
        if client is None:
            if not is_beginning:
                visitor.is_stranger = True
                return None
            client = await clients.find_or_add(self.jid, claim.alias, message.lang, guest.bare.local)
        visitor.is_stranger = False
        self._elsewhere.pop(client.jid, None)
        if client.jid != guest.bare:
            self._elsewhere[client.jid] = guest.bare
        if is_beginning and claim.called:
            client = self._introduce(client, Name(claim.called, "site", is_verified=True))
        return self._introduce(client, Name(called, "form")) if called else client

    def _introduce(self, client: Client, name: Name) -> Client:
        known = any((one.text, one.origin) == (name.text, name.origin) for one in client.names)
        return client if known else self.introduce(client, name)

    def _note(self, client: JID, queue: str, message: Message) -> None:
        assert message.sender is not None
        self._composing.note(message.sender, self.desk.queue_jid(queue), chat_state(message))

    # What agents say

    def address(self, outward: Outward, queue: JID, client: JID) -> Message | None:
        """Write it to the visitor, wherever they are: where nobody is, it waits in the archive."""
        return self._write(outward, queue, client, self._source)

    def _write(self, outward: Outward, queue: JID, client: JID, source: Message | None) -> Letter:
        to, nick = self._elsewhere.get(client, client), self.agent_name(outward)
        return Letter.of(to_client(outward, queue, to, agents=self.desk.floor.agents, nick=nick), source)

    def pass_on(self, message: Message) -> Sequence[Message]:
        """Say what a visitor is sent of an agent's message, where that is plain."""
        self._source = message
        try:
            return super().pass_on(message)
        finally:
            self._source = None

    def deliver(self, outward: Outward, queue: JID, client: JID) -> Awaitable[None] | None:
        """Send it to the visitor."""
        talk = self.desk.talk
        return talk.accept(talk.origin_of(client), self._write(outward, queue, client, self._source))

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        """Take what is for a visitor; the rest is from agents, for a client."""
        sender, to = stanza.sender, stanza.to
        is_from_queue = sender is not None and sender.domain == self.desk.domain
        if to is None or to.resource == LABEL or not is_from_queue:
            return self._receive_from_agent(server, stanza)
        match stanza:
            case Message():
                self._give(server, stanza)
            case Presence():
                if (session := self._sessions.find(to)) is not None:
                    session.send(stanza)
        return None

    def _receive_from_agent(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        self._source = stanza if isinstance(stanza, Message) else None
        try:
            return super().receive(server, stanza)
        finally:
            self._source = None

    def _give(self, server: Server, message: Message) -> None:
        assert message.to is not None
        visitor = message.to.bare
        if isinstance(message, Letter) and message.source is not None:
            ids, message.source = message.source.stable_ids, None
            number = next((id for owner, id in (ids or {}).items() if owner.domain == self.domain), None)
            message.stable_ids = None if number is None else {visitor: number}
        chosen = self._sessions.find(message.to) if message.to.resource else None
        if chosen is not None:
            readers: list[Any] = [chosen]
        elif message.type == "error":
            return
        else:
            readers = most_available(self._sessions.available(visitor))
        if readers:
            server.router.hand_over(message, readers)
        elif has_something_to_say(message) and not server.settings.archive.enabled:
            raise StanzaError("recipient-unavailable", "The visitor has left the page")
