"""A way that clients come: a domain whose addresses are clients, as their agents see them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from imserver.desk import contacts, relay
from imserver.desk.allowed import says_something
from imserver.desk.answers import channel_answers
from imserver.desk.command_text import answer_text
from imserver.desk.commands import Caller
from imserver.desk.relay import Outward
from imserver.features import disco
from imserver.xmpp import namespaces
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver.desk.answers import Answers
    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.server import Server


class Channel(ABC):
    """What all channels do towards agents; towards clients each has its own way."""

    def __init__(self, desk: Desk, domain: JID, about: contacts.Channel) -> None:
        self.domain: str = domain
        self.name = about.name
        self.about = about
        self.desk = desk
        self._answers: Answers | None = None

    # Towards clients

    @abstractmethod
    def deliver(self, outward: Outward, queue: JID, client: JID) -> Awaitable[None] | None:
        """Give it to the client; `StanzaError` if that is known to fail, else call `failed` when it does.

        Nothing but an `Outward` can get here, and it holds nothing that is meant for agents only.
        """

    async def failed(self, client: JID, queue: str, error: Message) -> None:
        """Tell the agents that a message did not get there: the error is bound to it by its id."""
        conversation = self.desk.floor.find(client, queue)
        if conversation is None or not conversation.agent:
            return
        device = self.device(client)
        agent = self.desk.author_of(conversation, error.id)
        if agent:
            self.desk.say_to_agent(relay.error_to_agent(error, device, JID.parse(agent)))

    # Towards agents

    def device(self, client: JID) -> JID:
        """Name the one device that a client has for its agents."""
        return relay.client_jid(client, self.about.label)

    def keeps(self, message: Message) -> bool:
        """Tell whether a message belongs in the history of a client: one between people does, a command does not."""
        sender, to = message.sender, message.to
        if sender is None or to is None:
            return False
        if sender.domain == self.domain:
            return True
        conversation = self.desk.floor.between(sender.bare, to.bare)
        if conversation is None or not conversation.is_open:
            return False
        prefix = self.desk.settings.prefix
        return prefix not in message.body or relay.sayable(message.body, prefix) is not None

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        """Take what an agent sends to a client."""
        match stanza:
            case Message():
                return self._receive_message(stanza)
            case IQ():
                if self._answers is None:
                    identity = disco.Identity("gateway", self.about.label, self.name)
                    self._answers = channel_answers(self.desk, self.desk.menus, identity)
                return self._answers.receive(server, stanza)
            case Presence():
                return self._receive_presence(stanza)
        return None

    def _receive_message(self, message: Message) -> Awaitable[None] | None:
        sender, to = message.sender, message.to
        assert sender is not None
        assert to is not None
        if sender.domain == self.desk.domain:
            return None
        if message.type == "error":
            # From the agent's account, not from one of its devices: the server could not deliver it.
            return self._return_to_client(message) if sender.is_bare else None
        relay.check_readable(message)
        conversation = self.desk.floor.between(sender.bare, to.bare)
        if conversation is None or sender.bare not in conversation.agents:
            if says_something(message.children()):
                raise StanzaError("not-allowed", self.desk.say("not_active", "", sender.bare))
            return None
        outward = Outward.of(message, self.desk.settings.prefix, is_hidden=self.desk.is_hidden)
        if outward is not None and conversation.is_open:
            return self._speak(conversation, sender, outward)
        if message.has_body:
            return self._obey(conversation, sender, to.bare, message)
        return None

    def _speak(self, conversation: Conversation, sender: JID, outward: Outward) -> Awaitable[None] | None:
        agent = sender.bare
        message = outward.message
        if message.has_body or message.has("x", "jabber:x:oob"):
            self.desk.agent_wrote(conversation, agent, message)
        self.desk.note_typing(sender, relay.chat_state(message), JID.parse(conversation.client))
        queue = self.desk.queue_jid(conversation.entrance)
        return self.deliver(outward, queue, JID.parse(conversation.client))

    async def _obey(self, conversation: Conversation, sender: JID, client: JID, message: Message) -> None:
        """Carry out a command; whoever sees that somebody is writing shall not wait for it."""
        desk = self.desk
        desk.hide(message.id)
        caller = Caller(sender.bare, desk.language_of(sender.bare), client, conversation.queue)
        if conversation.is_open and desk.is_typing(sender):
            desk.note_typing(sender, "active", client)
            self._hush(conversation, client)
        answer = await answer_text(desk.actions, caller, message.body, prefix=desk.settings.prefix)
        if answer:
            desk.tell(self.device(client), sender.bare, answer)

    def _hush(self, conversation: Conversation, client: JID) -> None:
        pending = self.deliver(Outward.state("active"), self.desk.queue_jid(conversation.entrance), client)
        if pending is not None:
            self.desk.server.spawn(pending)

    def stopped_typing(self, client: JID) -> None:
        """Tell a client that nobody writes any more: who did is gone."""
        for conversation in self.desk.floor.of_client(client):
            if conversation.is_open:
                pending = self.deliver(
                    Outward.state("paused"), self.desk.queue_jid(conversation.entrance), client
                )
                if pending is not None:
                    self.desk.server.spawn(pending)

    @abstractmethod
    async def _return_to_client(self, message: Message) -> None:
        """Tell the client that its words could not be put on record."""

    async def _receive_presence(self, presence: Presence) -> None:
        """Show a client to an agent who asks, or whose device has just come."""
        sender, to = presence.sender, presence.to
        assert sender is not None
        assert to is not None
        if presence.type not in ("probe", "subscribe"):
            return
        contact = await self.desk.find_contact(to.bare, sender.bare)
        if contact is None:
            if presence.type == "subscribe":
                raise StanzaError("item-not-found", "There is no such client of yours")
            return
        lang = self.desk.language_of(sender.bare)
        if presence.type == "subscribe":
            self.desk.server.router.send(Presence(type="subscribed", sender=to.bare, to=sender.bare))
        self.desk.server.router.send(contacts.presence(contact, sender, self.desk.now(), lang=lang))


class XMPPChannel(Channel):
    """Clients with an XMPP account of their own, here or elsewhere: they write to a queue, and are answered by it."""

    def __init__(self, desk: Desk) -> None:
        about = contacts.Channel("xmpp", "XMPP")
        super().__init__(desk, JID.of("", f"xmpp.{desk.server.domain}"), about)
        #: Where each client last wrote from.
        self._devices: dict[JID, JID] = {}
        #: Which of their devices say that they are writing.
        self._typing: dict[JID, JID] = {}

    async def hear(self, queue: str, message: Message) -> None:
        """Take what somebody wrote to a queue."""
        sender = message.sender
        assert sender is not None
        name = _nick(message)
        client = await self.desk.clients.find_or_add(
            JID.of("", self.domain), f"xmpp:{sender.bare}", name, message.lang
        )
        if message.type == "error":
            await self.failed(client.jid, queue, message)
            return
        self._devices[client.jid] = sender
        self._note_typing(sender, client.jid, relay.chat_state(message))
        await self.desk.hear(self, client, queue, message)

    def _note_typing(self, device: JID, client: JID, state: str) -> None:
        if state == "composing":
            self._typing[device] = client
        elif state:
            self._typing.pop(device, None)

    def gone(self, device: JID) -> None:
        """A client's device is gone: whatever it was writing, it does not any more (XEP-0085, 5.1)."""
        client = self._typing.pop(device, None)
        if client is None:
            return
        for conversation in self.desk.floor.of_client(client):
            for agent in sorted(conversation.agents) if conversation.is_open else ():
                self.desk.say_to_agent(relay.state_to_agent("paused", self.device(client), JID.parse(agent)))

    def deliver(self, outward: Outward, queue: JID, client: JID) -> Awaitable[None] | None:
        """Send it to the account, at the device that wrote last."""
        return self._deliver(outward, queue, client)

    async def _deliver(self, outward: Outward, queue: JID, client: JID) -> None:
        address = await self._address(client)
        if address is None:
            raise StanzaError("item-not-found", "This client has no address any more")
        message = relay.to_client(outward, queue, address)
        await self.desk.accept(self.desk.origin_of(client), message)

    async def _return_to_client(self, message: Message) -> None:
        if message.to is None or (address := await self._address(message.to.bare)) is None:
            return
        for conversation in self.desk.floor.of_client(message.to.bare):
            error = message.child("error", namespaces.CLIENT)
            if conversation.is_open and error is not None:
                queue = self.desk.queue_jid(conversation.entrance)
                self.desk.server.router.reply(
                    Message(type="error", sender=queue, to=address, id=message.id, payload=[error])
                )
                return

    async def _address(self, client: JID) -> JID | None:
        known = self._devices.get(client)
        if known is not None:
            return known
        found = await self.desk.clients.find(client)
        aliases = found.aliases if found is not None else ()
        return next(
            (JID.parse(alias.removeprefix("xmpp:")) for alias in aliases if alias.startswith("xmpp:")), None
        )


def _nick(message: Message) -> str:
    nick = message.child("nick", "http://jabber.org/protocol/nick")
    return " ".join(nick.text.split())[:100] if nick is not None else ""
