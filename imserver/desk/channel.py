"""A way that clients come: a domain whose addresses are clients, as their agents see them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from imserver.desk import contacts, relay
from imserver.desk.allowed import NICK, OPENING, REFERRING
from imserver.desk.answers import channel_answers
from imserver.desk.clients import MOST_REMEMBERED
from imserver.desk.command_text import answer_text
from imserver.desk.commands import Caller
from imserver.desk.composing import Composing
from imserver.desk.names import Name, clean
from imserver.desk.recent import Recent
from imserver.desk.relay import Outward
from imserver.desk.spoken import NEVER, Spoken
from imserver.features import disco
from imserver.features.worth_keeping import has_something_to_say
from imserver.hooks import is_awaitable
from imserver.routing.components import Component
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from imserver.desk.answers import Answers
    from imserver.desk.clients import Client
    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.server import Server


class Channel(Component, ABC):
    """What all channels do towards agents; towards clients each has its own way."""

    def __init__(self, desk: Desk, domain: JID, about: contacts.Channel) -> None:
        self.domain: str = domain
        self.jid = domain
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

    def address(self, outward: Outward, queue: JID, client: JID) -> Message | None:
        """Write it as a message to an account, if that is where the client is; None: only `deliver` can tell."""
        return None

    def hear_at_once(self, queue: str, message: Message) -> Sequence[Message]:
        """Say what the agents are sent of what somebody wrote to a queue, if that is known at once."""
        return ()

    def hear(self, queue: str, message: Message) -> Awaitable[None] | None:
        """Take what somebody wrote to a queue, where clients of this channel do so by themselves."""
        return None

    def failed(self, client: JID, queue: str, error: Message) -> None:
        """Tell the agent that a message did not get there: the error is bound to it by its id."""
        conversation = self.desk.floor.find(client, queue)
        if conversation is None or not error.id or relay.is_internal(error.id):
            return  # what the desk itself said is no agent's
        # Also where the agent has a copy of it (XEP-0280): it looks sent there.
        for device in self.desk.said.devices_with(conversation, error.id):
            self.desk.send(relay.error_to_agent(error, self.device(client), device))

    def agent_name(self, outward: Outward) -> str:
        """Name who wrote it as the client may see them; "" if plugins have no name, or it is the desk that speaks."""
        hook, agent, client = self.desk.server.hooks.find_agent_name, outward.agent, outward.client
        if not hook or agent is None or client is None:
            return ""
        conversation = self.desk.floor.between(agent.bare, client)
        if conversation is None:
            return ""
        found = hook.ask_on(server=self.desk.server, conversation=conversation, agent=agent.bare)
        assert not is_awaitable(found), "it must not be async"
        return clean(found[0] or "")

    def introduce(self, client: Client, name: Name) -> Client:
        """Take in how a client is called: they said so, or the channel knows it. Plugins decide who sees it."""
        server = self.desk.server
        told = server.hooks.client_named.announce(server=server, client=client, name=name)
        if told is not None:
            server.spawn(told)
        return self.desk.clients.get(client.jid) or client

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
            # Guests are given it as well: once is enough.
            conversation = self.desk.floor.between(to.bare, sender.bare)
            return conversation is None or to.bare not in conversation.guests
        conversation = self.desk.floor.between(sender.bare, to.bare)
        if conversation is None or not conversation.is_open:
            return False
        if relay.is_plain_talk(message, self.desk.settings.prefix):
            return True
        if self.outward(message) is not None:
            return True
        self.desk.said.hide(message.id)  # at once: what refers to it may be right behind it
        return False

    def outward(self, message: Message) -> Outward | None:
        """Take what of an agent's message is for the client."""
        prefix = NEVER if isinstance(message, Spoken) else self.desk.settings.prefix
        return Outward.of(message, prefix, is_hidden=self.desk.said.is_hidden)

    def pass_on(self, message: Message) -> Sequence[Message]:
        """Say what a client is sent of an agent's message, where that is plain."""
        return self.desk.talk.pass_on_to_client(self, message)

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        """Take what an agent sends to a client."""
        match stanza:
            case Message():
                return self._receive_message(stanza)
            case IQ():
                if self._answers is None:
                    identity = disco.Identity("gateway", self.about.label, self.name)
                    self._answers = channel_answers(
                        self.desk, self.desk.menus, identity, clock=lambda: self.desk.now()
                    )
                return self._answers.receive(server, stanza)
            case Presence():
                return self._receive_presence(stanza)
        return None

    def _receive_message(self, message: Message) -> Awaitable[None] | None:
        sender, to = message.sender, message.to
        assert sender is not None
        assert to is not None
        if message.type == "error":
            # Of those it sends itself, to a queue or an agent's account, the server says what failed. Others are
            # from an agent's device.
            if sender.is_bare:
                self.desk.talk.note_refusal(message)
            return None
        if sender.domain == self.desk.domain:
            return None
        relay.check_readable(message)
        conversation = self.desk.floor.between(sender.bare, to.bare)
        if conversation is None or sender.bare not in conversation.agents:
            raise_if_missed(message, "not-allowed", self.desk.say("not_active", "", sender.bare))
            return None
        if self.desk.said.has_to_recall(conversation, message):
            return self._recall(conversation, message)
        outward = self.outward(message)
        if outward is None and message.has_body and message.type in ("chat", "normal"):
            return self._obey(conversation, sender, to.bare, message)
        if outward is None:
            if not message.has_any(REFERRING):  # to what the client never got
                raise_if_missed(message, "not-acceptable", "Clients can't be sent this")
            return None
        if not conversation.is_open:
            raise_if_missed(message, "not-allowed", self.desk.say("gone", "", sender.bare))
            return None
        if self.desk.talk.is_missing(message, to.bare):
            return self._speak_later(conversation, sender, message, outward)
        return self._speak(conversation, sender, outward)

    async def _speak_later(
        self, conversation: Conversation, sender: JID, message: Message, outward: Outward
    ) -> None:
        await self.desk.talk.remember(message, JID.parse(conversation.client))
        pending = self._speak(conversation, sender, outward)
        if pending is not None:
            await pending

    async def _recall(self, conversation: Conversation, message: Message) -> None:
        assert message.sender is not None
        await self.desk.said.recall(conversation, message.sender.bare)
        pending = self._receive_message(message)
        if pending is not None:
            await pending

    def _speak(self, conversation: Conversation, sender: JID, outward: Outward) -> Awaitable[None] | None:
        self.desk.talk.note_said(conversation, sender, outward)
        client = JID.parse(conversation.client)
        return self.deliver(outward, self.desk.queue_jid(conversation.entrance), client)

    async def _obey(self, conversation: Conversation, sender: JID, client: JID, message: Message) -> None:
        """Carry out a command; whoever sees that somebody is writing shall not wait for it."""
        desk = self.desk
        desk.said.hide(message.id)
        caller = Caller(sender.bare, desk.language_of(sender.bare), client, conversation.queue)
        if desk.composing.stop(sender, client) and conversation.is_open:
            self.tell_state("active", conversation)
        answer = await answer_text(desk.actions, caller, message.body, prefix=desk.settings.prefix)
        if answer:
            desk.tell(self.device(client), sender.bare, answer)

    def tell_state(self, state: str, conversation: Conversation) -> None:
        """Tell a client whether somebody writes (XEP-0085), in the desk's own name."""
        queue, client = self.desk.queue_jid(conversation.entrance), JID.parse(conversation.client)
        pending = self.deliver(Outward.state(state), queue, client)
        if pending is not None:
            self.desk.server.spawn(pending)

    @abstractmethod
    def look_after(self, is_alive: Callable[[JID], bool]) -> None:
        """See which devices of clients have gone without a word."""

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
        self._devices: Recent[JID, JID] = Recent(MOST_REMEMBERED)
        #: To which queue somebody is writing.
        self._composing = Composing()

    def hear_at_once(self, queue: str, message: Message) -> Sequence[Message]:
        """Say what the agents are sent of what somebody wrote to a queue, if the client has one now."""
        sender = message.sender
        assert sender is not None
        client = self.desk.clients.remembered(self.jid, f"xmpp:{sender.bare}")
        if client is None or message.has("nick", NICK):
            return ()  # to be looked up, or to be renamed
        passed = self.desk.talk.pass_on_to_agents(self, client, queue, message)
        if passed:
            self._note(client.jid, queue, message)
        return passed

    async def hear(self, queue: str, message: Message) -> None:
        """Take what somebody wrote to a queue."""
        sender = message.sender
        assert sender is not None
        relay.check_readable(message)
        domain, alias, clients = self.jid, f"xmpp:{sender.bare}", self.desk.clients
        if message.type != "error" and message.has_any(OPENING):
            client = await clients.find_or_add(domain, alias, message.lang)
            if said := _nick(message):
                client = self.introduce(client, Name(said, "nick"))
        elif (known := await clients.find_by_alias(domain, alias)) is not None:
            client = known
        else:
            return  # nobody becomes a client by opening a window
        if message.type == "error":
            self.failed(client.jid, queue, message)
            return
        self._note(client.jid, queue, message)
        await self.desk.talk.hear(self, client, queue, message)

    def _note(self, client: JID, queue: str, message: Message) -> None:
        assert message.sender is not None
        self._devices[client] = message.sender
        self._composing.note(message.sender, self.desk.queue_jid(queue), relay.chat_state(message))

    def gone(self, device: JID) -> None:
        """A client's device is gone: whatever it was writing, it does not any more."""
        for queue in self._composing.leave(device):
            self.desk.server.spawn(self._tell_agents("paused", device, queue))

    async def _tell_agents(self, state: str, device: JID, queue: JID) -> None:
        client = await self.desk.clients.find_by_alias(self.jid, f"xmpp:{device.bare}")
        conversation = self.desk.floor.find(client.jid, queue.local) if client is not None else None
        if client is None or conversation is None or not conversation.is_open:
            return
        for agent in sorted(conversation.agents):
            self.desk.send(relay.state_to_agent(state, self.device(client.jid), JID.parse(agent)))

    def look_after(self, is_alive: Callable[[JID], bool]) -> None:
        """See which devices of clients have gone without a word."""
        for device in self._composing.dead(is_alive):
            self.gone(device)

    def address(self, outward: Outward, queue: JID, client: JID) -> Message | None:
        """Write it to the account, at the device that wrote last."""
        device = self._devices.get(client)
        return self._write(outward, queue, device) if device is not None else None

    def _write(self, outward: Outward, queue: JID, to: JID) -> Message:
        nick = self.agent_name(outward)
        return relay.to_client(outward, queue, to, agents=self.desk.floor.agents, nick=nick)

    def deliver(self, outward: Outward, queue: JID, client: JID) -> Awaitable[None] | None:
        """Send it to the account, at the device that wrote last."""
        return self._deliver(outward, queue, client)

    async def _deliver(self, outward: Outward, queue: JID, client: JID) -> None:
        to = self._devices.get(client) or await self._account_of(client)
        if to is None:
            raise StanzaError("item-not-found", "This client has no address any more")
        talk = self.desk.talk
        await talk.accept(talk.origin_of(client), self._write(outward, queue, to))

    async def _account_of(self, client: JID) -> JID | None:
        found = await self.desk.clients.find(client)
        aliases = found.aliases if found is not None else ()
        return next(
            (JID.parse(alias.removeprefix("xmpp:")) for alias in aliases if alias.startswith("xmpp:")), None
        )


def raise_if_missed(message: Message, condition: str, text: str) -> None:
    """Let nothing look sent that is not; chat states and the like are not missed.

    Raises:
        StanzaError: If its sender would miss it.
    """
    if has_something_to_say(message):
        raise StanzaError(condition, text)


def _nick(message: Message) -> str:
    nick = message.child("nick", NICK)
    return " ".join(nick.text.split())[:100] if nick is not None else ""
