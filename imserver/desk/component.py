"""The desk's own domain: the addresses of the queues, which clients and agents write to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.desk import hours, relay
from imserver.desk.answers import desk_answers
from imserver.desk.command_text import answer_text
from imserver.desk.commands import Caller
from imserver.desk.offers import read_answer
from imserver.routing.components import Component
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CLIENT
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from imserver.desk.channel import Channel, XMPPChannel
    from imserver.desk.desk import Desk
    from imserver.server import Server

#: What people see of the desk.
NAME: Final = "Contact centre"


class DeskComponent(Component):
    """Takes what is addressed to queues."""

    def __init__(self, desk: Desk, channel: XMPPChannel) -> None:
        self.domain: str = desk.domain
        self.name = NAME
        self._desk = desk
        self._channel = channel
        self._answers = desk_answers(desk, desk.menus, NAME)

    def keeps(self, message: Message) -> bool:
        """Keep nothing here: history is the client's, and the agent's."""
        return False

    def pass_on(self, message: Message) -> Sequence[Message]:
        """Say what agents are sent of a client's words, where somebody has the conversation."""
        sender, to = message.sender, message.to
        assert sender is not None
        assert to is not None
        queue = self._desk.floor.queues.get(to.local)
        if queue is None or sender.bare in queue.members:
            return ()
        return self._channel_of(sender).hear_at_once(to.local, message)

    def _channel_of(self, client: JID) -> Channel:
        """Find how a client came who writes: most have an account somewhere, others are guests of a channel."""
        return self._desk.channels.get(client.domain, self._channel)

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        """Take a stanza."""
        match stanza:
            case Message():
                return self._receive_message(stanza)
            case IQ():
                return self._answers.receive(server, stanza)
            case Presence():
                self._receive_presence(stanza)
        return None

    def _receive_message(self, message: Message) -> Awaitable[None] | None:
        sender, to = message.sender, message.to
        assert sender is not None
        assert to is not None
        if self._desk.talk.is_recording(message) or sender.domain == self._channel.domain:
            return None  # a client's words are on record now
        queue = self._desk.floor.queues.get(to.local)
        if queue is None:
            if message.type == "error":
                return None
            raise StanzaError("item-not-found", self._which_queues(to))
        if sender.bare in queue.members:
            return self._obey(to.local, message) if message.type != "error" and message.has_body else None
        return self._channel_of(sender).hear(to.local, message)

    def _which_queues(self, to: JID) -> str:
        known = ", ".join(self._desk.queue_jid(name) for name in self._desk.settings.queues)
        return f"There is no queue {to.bare}; there are: {known or 'none yet'}"

    async def _obey(self, queue: str, message: Message) -> None:
        """Do what an agent writes to a queue: a command, or yes or no to an offer."""
        desk, sender = self._desk, message.sender
        assert sender is not None
        agent = sender.bare
        caller = Caller(agent, desk.language_of(agent), None, queue)
        prefix = desk.settings.prefix
        words = message.body
        if relay.command_line(words, prefix) is None:
            known = desk.floor.agents.get(agent)
            plain = read_answer(words) if known is not None and known.offers else None
            words = f"{prefix}{plain or 'help'}"
        desk.tell(desk.queue_jid(queue), agent, await answer_text(desk.actions, caller, words, prefix=prefix))

    def _receive_presence(self, presence: Presence) -> None:
        """Let everybody see whether a queue is open (RFC 6121, 3.1 and 4.3)."""
        sender, to = presence.sender, presence.to
        assert sender is not None
        assert to is not None
        if self._desk.find_queue(to.bare) is None:
            return
        send = self._desk.server.router.send
        match presence.type:
            case "subscribe":
                send(Presence(type="subscribed", sender=to.bare, to=sender.bare))
                send(self._shown(to.bare, sender))
            case "unsubscribe":
                send(Presence(type="unsubscribed", sender=to.bare, to=sender.bare))
            case "probe":
                send(self._shown(to.bare, sender))

    def _shown(self, queue: JID, to: JID) -> Presence:
        settings = self._desk.settings.queues[queue.local]
        payload = [Element("status", CLIENT, text=self._desk.title(queue.local))]
        if not hours.is_open(settings, self._desk.now()):
            payload.insert(0, Element("show", CLIENT, text="xa"))
        return Presence(sender=queue, to=to, payload=payload)
