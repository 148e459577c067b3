"""The desk at work: who is who, and what is done when the floor has decided."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from imserver.desk import contacts, hand_over
from imserver.desk.actions import DeskActions
from imserver.desk.agents import Agent
from imserver.desk.answers import Queue
from imserver.desk.clients import Clients
from imserver.desk.command_menus import Menus
from imserver.desk.commands import Caller
from imserver.desk.composing import Composing
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import (
    Closed,
    HandOver,
    Happened,
    Offer,
    Returned,
    TakeAway,
    TellAgent,
    TellClient,
    Withdraw,
)
from imserver.desk.floor import Floor
from imserver.desk.keeper import Keeper
from imserver.desk.lookups import NameLookups
from imserver.desk.metrics import DeskCounters
from imserver.desk.relay import INTERNAL, INTERNAL_ID, Outward
from imserver.desk.said import Said
from imserver.desk.speech import Speech
from imserver.desk.statuses import Statuses
from imserver.desk.talk import Talk
from imserver.desk.texts import text
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.namespaces import CLIENT, HINTS
from imserver.xmpp.stanza import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from imserver.desk.assignment import Question
    from imserver.desk.channel import Channel
    from imserver.desk.effects import Effect
    from imserver.desk.settings import DeskSettings, QueueSettings
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import Stanza


class Desk:
    """The contact centre of one server."""

    def __init__(
        self, server: Server, settings: DeskSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.server = server
        self.domain = JID.of("", settings.domain or f"desk.{server.domain}")
        self.now = clock
        self.floor = Floor(settings, self._choose)
        self.keeper = Keeper(server, self.floor, lambda: self.now(), self._carry_out, note=self._note)
        self.counters = DeskCounters()
        self.clients = Clients(server.store.desk, NameLookups(self))
        self.channels: dict[str, Channel] = {}
        #: Whether agents who take over are told what was said; a plugin may show them more than that.
        self.tells_what_was_said = True
        self.talk = Talk(self)
        self.said = Said(self)
        self.statuses = Statuses(self, self.look_after)
        self.actions = DeskActions(self)
        self.menus = Menus(self.actions, self.find_caller, prefix=settings.prefix)
        self.speech = Speech(self)
        #: To which client agents are writing.
        self.composing = Composing()
        self._queue_jids: dict[str, JID] = {}
        #: How queues were that have gone from the file: their last clients are still spoken to.
        self._gone: dict[str, QueueSettings] = {}
        #: Strategies that nobody knows: once in the log is enough.
        self._unknown: set[str] = set()
        #: People type the numbers of conversations: they are counted from 1.
        self._newest = 0

    # Begin and end

    async def start(self) -> None:
        """Go on with what was stored."""
        now = self.now()
        self._newest = await self.server.store.desk.newest()
        longest = max((queue.reopen_seconds for queue in self.settings.queues.values()), default=0.0)
        conversations, agents = await self.server.store.desk.load(now - longest)
        restored = [Conversation.from_row(row) for row in conversations]
        for conversation in restored:
            if conversation.client:
                await self.clients.find(JID.parse(conversation.client))
        self.stage(self.floor.restore(restored, [Agent.from_row(row) for row in agents], now))
        self.said.restore(conversation.id for conversation in restored)
        self.talk.held = {conversation.id for conversation in restored if conversation.state is State.ACTIVE}
        self.statuses.start()

    async def stop(self) -> None:
        """Store what is only in memory, and do nothing more."""
        self.statuses.stop()
        await self.keeper.stop()

    @property
    def settings(self) -> DeskSettings:
        return self.floor.settings

    def settings_of(self, queue: str) -> DeskSettings:
        """Find the settings with this queue in them, be it gone from the file: clients may still be in it."""
        settings = self.settings
        if queue in settings.queues or queue not in self._gone:
            return settings
        return settings.model_copy(update={"queues": {**settings.queues, queue: self._gone[queue]}})

    def reload(self, settings: DeskSettings) -> None:
        """Take over settings that were read anew."""
        self._gone |= {name: queue.settings for name, queue in self.floor.queues.items()}
        self.stage(self.floor.reload(settings, self.now()))
        self.menus.prefix = settings.prefix
        for agent in list(self.floor.agents):
            self.look_at(JID.parse(agent))

    def new_id(self) -> int:
        """Count the conversations."""
        self._newest += 1
        return self._newest

    # What the floor decides

    def stage(self, effects: Iterable[Effect | Returned]) -> None:
        """Have what an event brought stored, and then done."""
        self.keeper.stage(effects)

    def _note(self, effect: Effect | Returned) -> None:
        """Have what comes from now on wait behind what the agent will be given."""
        if isinstance(effect, HandOver) and not effect.is_guest:
            self.talk.handing.add(effect.conversation.id)
            self.talk.held.discard(effect.conversation.id)

    async def kept(self) -> None:
        """Wait until everything staged so far is on disk, and done.

        Raises:
            StanzaError: If the server stops before.
        """
        await self.keeper.kept()

    async def _carry_out(self, effect: Effect | Returned) -> None:
        try:
            match effect:
                case Returned():
                    await hand_over.come_back(self, effect.agent)
                case Offer():
                    self.speech.offer(effect)
                case Withdraw():
                    self.speech.withdraw(effect)
                case HandOver():
                    self.speech.accepted(effect)
                    await hand_over.hand_over(self, effect)
                case TakeAway():
                    await hand_over.take_away(self, effect)
                case TellClient():
                    await self.speech.tell_client(effect)
                case TellAgent():
                    self.speech.tell_agent(effect)
                case Closed():
                    self.speech.forget(effect.conversation)
                    self.talk.held.discard(effect.conversation.id)
                    self.stop_composing(effect.agent, effect.conversation)
                    self._announce("conversation_closed", effect.conversation)
                case Happened():
                    self.counters.count(effect)
                    if effect.kind in ("opened", "reopened"):
                        self._announce(
                            "conversation_opened", self.floor.conversations[effect.conversation_id]
                        )
        except Exception as error:  # the others have nothing to do with it
            self.server.log.error("the desk could not do something", what=repr(effect), exc_info=error)

    def _announce(self, name: str, conversation: Conversation, **more: JID) -> None:
        told = getattr(self.server.hooks, name).announce(
            server=self.server, conversation=conversation, **more
        )
        if told is not None:
            self.server.spawn(told)

    def announce_assigned(self, conversation: Conversation, agent: JID) -> Awaitable[None] | None:
        """Tell the plugins that an agent has it, or was invited to it; return what is to be waited for."""
        hook = self.server.hooks.conversation_assigned
        return hook.announce(server=self.server, conversation=conversation, agent=agent)

    def _choose(self, question: Question) -> Sequence[str] | None:
        try:
            answer: Any = self.server.hooks.choose_agent.ask(
                server=self.server,
                queue=question.queue,
                conversation=question.conversation,
                candidates=question.candidates,
            )
        except StanzaError:
            return None
        if answer is None and question.queue.strategy not in self._unknown:
            self._unknown.add(question.queue.strategy)
            self.server.log.warning(
                "no plugin knows this strategy; who has been idle longest is asked",
                strategy=question.queue.strategy,
            )
        return answer  # type: ignore[no-any-return]

    # Who is there

    def gone(self, device: JID) -> None:
        """Take note that a device is gone: nobody writes there any more."""
        for client in self.composing.leave(device):
            conversation = self.floor.between(device.bare, client)
            if conversation is not None and conversation.is_open:
                self.channel_of(client).tell_state("paused", conversation)

    def stop_composing(self, agent: str, conversation: Conversation) -> None:
        """Let no client wait for words of an agent who does not attend them any more."""
        client = JID.parse(conversation.client)
        devices = self.composing.of(JID.parse(agent)) if agent else ()
        stopped = [device for device in devices if self.composing.stop(device, client)]
        if stopped:
            self.channel_of(client).tell_state("paused", conversation)

    def look_after(self) -> None:
        """See which devices have gone without a word; a session without a connection may still come back."""
        for device in self.composing.dead(self._is_alive):
            self.gone(device)
        for channel in self.channels.values():
            channel.look_after(self._is_alive)

    def _is_alive(self, device: JID) -> bool:
        session = self.server.sessions.find(device)
        return session is not None and session.is_connected

    def look_at(self, account: JID) -> None:
        """Look whether an agent is there, and ready: on any device."""
        agent = self.floor.agents.get(account)
        if agent is None:
            return
        was_online = agent.is_online
        present = [one for one in self.server.sessions.of(account) if one.is_available]
        ready = any(
            one.priority >= 0 and one.presence is not None and one.presence.show in ("", "chat")
            for one in present
        )
        effects = self.floor.agent_changed(account, self.now(), ready=ready, online=bool(present))
        is_back = agent.is_online and not was_online
        self.stage([*effects, Returned(account)] if is_back else effects)

    def greet(self, session: Session) -> None:
        """Show an agent's new device the clients who are with them, and what they are being asked."""
        self.speech.repeat_offers(session)
        for conversation in self.floor.of_agent(session.bare):
            if conversation.is_open and session.bare in conversation.agents:
                self.statuses.show(conversation, only=session)

    def contact(self, conversation: Conversation) -> contacts.Contact:
        """Describe a client as the agents see them."""
        jid = JID.parse(conversation.client)
        return contacts.Contact(
            jid,
            self.channel_of(jid).about,
            self.clients.name_of(jid),
            self.title(conversation.queue),
            conversation.unanswered_since,
            conversation.last_client or None,
        )

    # Directory: who there is

    def queues(self) -> Sequence[Queue]:
        """List the queues."""
        return [Queue(self.queue_jid(name), self.title(name)) for name in self.settings.queues]

    def find_queue(self, jid: JID) -> Queue | None:
        """Find a queue by its address."""
        known = jid.domain == self.domain and jid.local in self.settings.queues
        return Queue(jid.bare, self.title(jid.local)) if known else None

    async def find_contact(self, jid: JID, asker: JID) -> contacts.Contact | None:
        """Find a client, for an agent who has a conversation with them."""
        conversation = self.floor.between(asker, jid)
        return self.contact(conversation) if conversation is not None else None

    def find_caller(self, asker: JID, address: JID, lang: str) -> Caller | None:
        """Find out who gives a command there: an agent, at a queue of theirs or at one of their clients."""
        agent, address = asker.bare, address.bare
        if address.domain == self.domain:
            queue = self.floor.queues.get(address.local)
            if queue is None or agent not in queue.members:
                return None
            return Caller(agent, lang, None, address.local)
        conversation = self.floor.between(agent, address)
        return Caller(agent, lang, address, conversation.queue) if conversation is not None else None

    def queue_jid(self, name: str) -> JID:
        """Write the address of a queue."""
        known = self._queue_jids.get(name)
        if known is None:
            known = self._queue_jids[name] = JID.of(name, self.domain)
        return known

    def title(self, queue: str) -> str:
        """Call a queue as people do."""
        known = self.floor.queues.get(queue)
        return (known.settings.title if known is not None else "") or queue

    def channel_of(self, client: JID) -> Channel:
        """Find the way a client comes."""
        return self.channels[client.domain]

    def device_of(self, client: JID) -> JID:
        """Name the one device that a client has for agents."""
        return self.channel_of(client).device(client)

    def language_of(self, agent: JID) -> str:
        """Tell the language of an agent's client."""
        return next(
            (session.lang for session in self.server.sessions.of(agent) if session.lang),
            self.settings.language,
        )

    def find_agent(self, name: str) -> str:
        """Find an agent as people call them: by address, or by what stands before the @."""
        if name in self.floor.agents:
            return name
        try:
            return JID.of(name, self.server.domain)
        except JIDError:
            return name

    # Speaking

    def say(self, key: str, queue: str, listener: JID, /, **values: Any) -> str:
        """Word a text for an agent."""
        return text(self.settings_of(queue), queue, key, self.language_of(listener), **values)

    def tell(self, sender: JID, agent: JID, words: str) -> None:
        """Say something to an agent that concerns nobody else; no archive keeps it."""
        payload = [
            Element("body", CLIENT, text=words),
            Element("internal", INTERNAL),
            Element("no-store", HINTS),
        ]
        id = f"{INTERNAL_ID}{secrets.token_hex(6)}"
        message = Message(sender=sender, to=agent, type="chat", id=id, payload=payload)
        if self.server.sessions.available(agent):
            self.send(message)

    async def say_to_client(self, conversation: Conversation, words: str) -> None:
        """Say something to a client, in the name of the queue that they wrote to."""
        client = JID.parse(conversation.client)
        # What refers to it, or says that it got lost, is for no agent.
        outward = Outward.text(words, id=f"{INTERNAL_ID}{secrets.token_hex(6)}", lang=conversation.lang)
        pending = self.channel_of(client).deliver(outward, self.queue_jid(conversation.entrance), client)
        if pending is not None:
            await pending

    def send(self, stanza: Stanza) -> None:
        """Send something on the desk's behalf."""
        self.server.router.send(stanza)
