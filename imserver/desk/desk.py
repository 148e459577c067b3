"""The desk at work: what happens is told to the floor; what the floor decides is stored, and then carried out.

Everything that one turn of the event loop brings is stored in one transaction. Nobody is told, asked or answered
before it is on disk, so that a server that is killed goes on where everybody thinks it was.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from imserver.desk import contacts, hand_over, relay
from imserver.desk.actions import DeskActions
from imserver.desk.agents import Agent
from imserver.desk.answers import Queue
from imserver.desk.clients import Clients
from imserver.desk.command_menus import Menus
from imserver.desk.commands import Caller
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Closed, HandOver, Happened, Offer, TakeAway, TellAgent, TellClient, Withdraw
from imserver.desk.floor import Floor
from imserver.desk.metrics import DeskCounters
from imserver.desk.relay import INTERNAL, INTERNAL_ID, Outward
from imserver.desk.speech import Speech
from imserver.desk.texts import text
from imserver.features.worth_keeping import has_something_to_say
from imserver.routing.journal import Origin
from imserver.storage.conversations import AgentRow, ConversationRow
from imserver.storage.happenings import EventRow
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.namespaces import CLIENT, HINTS
from imserver.xmpp.stanza import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from imserver.desk.assignment import Question
    from imserver.desk.channel import Channel
    from imserver.desk.clients import Client
    from imserver.desk.effects import Effect
    from imserver.desk.settings import DeskSettings
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import Stanza

#: How long that somebody wrote may be known in memory only, in seconds; where a client stands never is.
LAZY_SECONDS: Final = 1.0
#: How long to wait before a failed write is tried again, in seconds.
RETRY_SECONDS: Final = 1.0
#: How often it is looked whose status reads otherwise by now, in seconds.
STATUS_SECONDS: Final = 20.0
#: How many ids of what agents wrote are remembered, to bind failures to them, and to hide what refers to commands.
MOST_IDS: Final = 20_000


class Desk:
    """The contact centre of one server."""

    def __init__(
        self, server: Server, settings: DeskSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.server = server
        self.domain = JID.of("", settings.domain or f"desk.{server.domain}")
        self.now = clock
        self.floor = Floor(settings, self._choose)
        self.counters = DeskCounters()
        self.clients = Clients(server.store.desk)
        self.channels: dict[str, Channel] = {}
        self.actions = DeskActions(self)
        self.menus = Menus(self.actions, self.find_caller, prefix=settings.prefix)
        self.speech = Speech(self)
        # What waits to be stored, and then to be done.
        self._effects: deque[Effect] = deque()
        self._unsaved: tuple[list[EventRow], dict[int, ConversationRow], dict[str, AgentRow]] = ([], {}, {})
        self._keeper: asyncio.Task[None] | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._lazy: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._statuses: asyncio.Task[None] | None = None
        self._is_stopped = False
        #: People type the numbers of conversations: they are counted from 1.
        self._newest = 0
        #: Conversations whose agent is being given what waited: what comes meanwhile waits behind it.
        self.handing: set[int] = set()
        self._origins: dict[JID, Origin] = {}
        #: How many messages of a conversation are on their way into the archive.
        self.recording: dict[int, int] = {}
        self._hidden: OrderedDict[str, None] = OrderedDict()
        self._authors: OrderedDict[tuple[int, str], str] = OrderedDict()
        self._typing: dict[JID, JID] = {}
        self._shown: dict[tuple[int, str], str] = {}

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
        for conversation in restored:
            if conversation.state is State.ACTIVE:
                self.handing.add(conversation.id)
                self.server.spawn(hand_over.give_what_waited(self, conversation))
        self._statuses = asyncio.create_task(self._show_statuses())

    async def stop(self) -> None:
        """Store what is only in memory, and do nothing more."""
        self._is_stopped = True
        for handle in (self._lazy, self._timer):
            if handle is not None:
                handle.cancel()
        if self._statuses is not None:
            self._statuses.cancel()
        self._wake()
        await self.kept()

    @property
    def settings(self) -> DeskSettings:
        return self.floor.settings

    def reload(self, settings: DeskSettings) -> None:
        """Take over settings that were read anew."""
        self.stage(self.floor.reload(settings, self.now()))
        for agent in list(self.floor.agents):
            self.look_at(JID.parse(agent))

    # What the floor decides

    def stage(self, effects: Iterable[Effect]) -> None:
        """Have what an event brought stored, and then done."""
        effects = list(effects)
        for effect in effects:
            if isinstance(effect, HandOver) and not effect.is_guest:
                self.handing.add(effect.conversation.id)
        self._effects.extend(effects)
        if effects:
            self._wake()
        elif self._lazy is None and not self._is_stopped:
            self._lazy = asyncio.get_running_loop().call_later(LAZY_SECONDS, self._wake)
        self._set_timer()

    async def kept(self) -> None:
        """Wait until everything staged so far is on disk, and done."""
        if self._keeper is None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        if self._lazy is not None:
            self._lazy.cancel()
            self._lazy = None
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        try:
            while True:
                effects, self._effects = list(self._effects), deque()
                waiters, self._waiters = self._waiters, []
                await self._save(effects)
                for effect in effects:
                    await self._carry_out(effect)
                for waiter in waiters:
                    if not waiter.done():
                        waiter.set_result(None)
                if not self._effects and not self._waiters:
                    break
        finally:
            self._keeper = None

    async def _save(self, effects: Sequence[Effect]) -> None:
        events, conversations, agents = self._unsaved
        for effect in effects:
            if isinstance(effect, Happened):
                row = EventRow(
                    effect.conversation_id,
                    effect.queue,
                    effect.agent,
                    effect.kind,
                    effect.at,
                    effect.seconds,
                )
                events.append(row)
        conversations |= {one.id: ConversationRow(**one.to_row()) for one in self.floor.take_changed()}
        agents |= {one.jid: AgentRow(**one.to_row()) for one in self.floor.take_changed_agents()}
        if not (events or conversations or agents):
            return
        while True:
            try:
                await self.server.store.desk.save(list(conversations.values()), events, list(agents.values()))
            except Exception as error:
                self.server.log.error("the desk could not be stored; it tries again", exc_info=error)
                if self._is_stopped:
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._unsaved = ([], {}, {})
                return

    async def _carry_out(self, effect: Effect) -> None:
        try:
            match effect:
                case Offer():
                    self.speech.offer(effect)
                case Withdraw():
                    self.speech.withdraw(effect)
                case HandOver():
                    await hand_over.hand_over(self, effect)
                case TakeAway():
                    await hand_over.take_away(self, effect)
                case TellClient():
                    await self.speech.tell_client(effect)
                case TellAgent():
                    self.speech.tell_agent(effect)
                case Closed():
                    self._announce("conversation_closed", effect.conversation)
                case Happened():
                    self.counters.count(effect)
                    if effect.kind == "opened":
                        self._announce(
                            "conversation_opened", self.floor.conversations[effect.conversation_id]
                        )
        except Exception as error:  # the others have nothing to do with it
            self.server.log.error("the desk could not do something", what=repr(effect), exc_info=error)

    def _announce(self, name: str, conversation: Conversation) -> None:
        told = getattr(self.server.hooks, name).announce(server=self.server, conversation=conversation)
        if told is not None:
            self.server.spawn(told)

    def announce_assigned(self, conversation: Conversation) -> None:
        """Tell the plugins that an agent has it."""
        self._announce("conversation_assigned", conversation)

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
        return answer  # type: ignore[no-any-return]

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self.floor.next_deadline()
        if at is not None and not self._is_stopped:
            wait = max(at - self.now(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(min(wait, 3_600.0), self.tick)

    def tick(self) -> None:
        """Do what is due."""
        self._timer = None
        self.stage(self.floor.tick(self.now()))

    # What clients say

    async def hear(self, channel: Channel, client: Client, queue: str, message: Message) -> None:
        """Take what a client wrote to a queue, in this client's order; on return it is on record.

        Raises:
            StanzaError: If it can't be taken.
        """
        relay.check_readable(message)
        conversation = self.floor.find(client.jid, queue)
        if not has_something_to_say(message):
            if conversation is not None and conversation.is_open and conversation.id not in self.handing:
                await self._pass_on(channel, client, conversation, message)
            return
        known_agent = ""
        if conversation is None or not conversation.is_open:
            known_agent = await self.server.store.desk.last_agent(client.jid.local, queue)
        conversation, effects = self.floor.client_wrote(
            client.jid,
            queue,
            self.now(),
            new_id=self._new_id,
            lang=message.lang,
            known_agent=known_agent,
        )
        if not conversation.handed:
            conversation.handed = self.server.number()  # what was said before belongs to earlier ones
        self.speech.heard(conversation, message)
        if conversation.state is State.ACTIVE and conversation.id not in self.handing:
            self.stage(effects)
            await self._pass_on(channel, client, conversation, message)
        else:
            recording = self._record(channel, client, conversation, message)
            self.stage(effects)
            await recording
        if effects:
            await self.kept()
        self.show_status(conversation)

    def _new_id(self) -> int:
        self._newest += 1
        return self._newest

    async def _pass_on(
        self, channel: Channel, client: Client, conversation: Conversation, message: Message
    ) -> None:
        """Give it to everybody who is in the conversation."""
        device = channel.device(client.jid)
        queue = self.queue_jid(conversation.entrance)
        for agent in sorted(conversation.agents):
            passed = relay.to_agent(message, device, JID.parse(agent), queue=queue, nick=client.name)
            if passed is not None:
                await self.accept(self.origin_of(client.jid), passed)

    async def _record(
        self, channel: Channel, client: Client, conversation: Conversation, message: Message
    ) -> None:
        """Keep it in the client's history until somebody has the conversation."""
        queue = self.queue_jid(conversation.entrance)
        kept = relay.to_agent(message, channel.device(client.jid), queue, queue=queue, nick=client.name)
        if kept is None:
            return
        self.recording[conversation.id] = self.recording.get(conversation.id, 0) + 1
        try:
            await self.accept(self.origin_of(client.jid), kept)
        finally:
            self.recording[conversation.id] -= 1
            if not self.recording[conversation.id]:
                del self.recording[conversation.id]

    def origin_of(self, client: JID) -> Origin:
        """Keep what concerns one client in order."""
        origin = self._origins.get(client)
        if origin is None:
            if len(self._origins) > MOST_IDS:
                self._origins = {jid: one for jid, one in self._origins.items() if one.backlog}
            origin = self._origins[client] = Origin()
        return origin

    def accept(self, origin: Origin, message: Message) -> Awaitable[None]:
        """Send a message on its way, and wait until it is on record and delivered."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        router = self.server.router
        origin.inbound.run(router.accept, origin, message)

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        router.after_all(origin, finish)
        return done

    # What agents say

    def agent_wrote(self, conversation: Conversation, agent: JID, message: Message) -> None:
        """Note that an agent answered, and show it to the others who are in the conversation."""
        self.stage(self.floor.agent_wrote(conversation, agent, self.now()))
        key = (conversation.id, message.id)
        self._authors[key] = agent
        if len(self._authors) > MOST_IDS:
            self._authors.popitem(last=False)
        client = JID.parse(conversation.client)
        for other in sorted(conversation.agents - {agent}):
            self.tell(self.device_of(client), JID.parse(other), f"{agent.local}: {message.body}")
        self.show_status(conversation)

    def author_of(self, conversation: Conversation, id: str) -> str:
        """Tell which agent wrote the message with that id: as far as known, else who has the conversation."""
        return self._authors.get((conversation.id, id), conversation.agent)

    def hide(self, id: str) -> None:
        """Remember that a message with that id was a command: what refers to it is for no client either."""
        if id:
            self._hidden[id] = None
            if len(self._hidden) > MOST_IDS:
                self._hidden.popitem(last=False)

    def is_hidden(self, id: str) -> bool:
        """Tell whether a client never got the message of that id."""
        return id in self._hidden or relay.is_internal(id)

    def note_typing(self, device: JID, state: str, client: JID) -> None:
        """Remember which client is being written to, and from where."""
        if state == "composing":
            self._typing[device] = client
        elif state:
            self._typing.pop(device, None)

    def is_typing(self, device: JID) -> bool:
        """Tell whether a device last said that somebody writes there."""
        return device in self._typing

    def gone(self, device: JID) -> None:
        """Take note that a device is gone: nobody writes there any more."""
        client = self._typing.pop(device, None)
        if client is not None:
            self.channel_of(client).stopped_typing(client)

    # Agents come and go

    def look_at(self, account: JID) -> None:
        """Look whether an agent is there, and ready: on any device."""
        if account not in self.floor.agents:
            return
        present = [one for one in self.server.sessions.of(account) if one.is_available]
        ready = any(
            one.priority >= 0 and one.presence is not None and one.presence.show in ("", "chat")
            for one in present
        )
        self.stage(self.floor.agent_changed(account, self.now(), ready=ready, online=bool(present)))

    def greet(self, session: Session) -> None:
        """Show an agent's new device the clients who are with them."""
        for conversation in self.floor.of_agent(session.bare):
            if conversation.is_open and session.bare in conversation.agents:
                self.show_status(conversation, only=session)

    # The client as a contact

    def show_status(self, conversation: Conversation, *, only: Session | None = None) -> None:
        """Show its agents how a client is, if they do not know it."""
        if conversation.state is not State.ACTIVE:
            return
        contact = self.contact(conversation)
        for agent in conversation.agents:
            jid = JID.parse(agent)
            lang = self.language_of(jid)
            status = contacts.status(contact, self.now(), lang=lang)
            if only is None and self._shown.get((conversation.id, agent)) == status:
                continue
            self._shown[conversation.id, agent] = status
            for session in [only] if only is not None else self.server.sessions.of(jid):
                if session.is_available and session.bare == jid:
                    session.send(contacts.presence(contact, session.jid, self.now(), lang=lang))

    def forget_status(self, conversation: Conversation, agent: str) -> None:
        """Show it anew the next time."""
        self._shown.pop((conversation.id, agent), None)

    async def _show_statuses(self) -> None:
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            for id, _ in list(self._shown):
                if (conversation := self.floor.conversations.get(id)) is not None:
                    self.show_status(conversation)

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
            settings = self.settings.queues.get(address.local)
            if settings is None or agent not in settings.members:
                return None
            return Caller(agent, lang, None, address.local)
        conversation = self.floor.between(agent, address)
        return Caller(agent, lang, address, conversation.queue) if conversation is not None else None

    def queue_jid(self, name: str) -> JID:
        """Write the address of a queue."""
        return JID.of(name, self.domain)

    def title(self, queue: str) -> str:
        """Call a queue as people do."""
        settings = self.settings.queues.get(queue)
        return (settings.title if settings is not None else "") or queue

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
        return text(self.settings, queue, key, self.language_of(listener), **values)

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
            self.say_to_agent(message)

    def say_to_agent(self, message: Message) -> None:
        """Send a message of the desk's own to an agent."""
        self.server.router.send(message)

    async def say_to_client(self, conversation: Conversation, words: str) -> None:
        """Say something to a client, in the name of the queue that they wrote to."""
        client = JID.parse(conversation.client)
        outward = Outward.text(words, id=secrets.token_hex(8), lang=conversation.lang)
        pending = self.channel_of(client).deliver(outward, self.queue_jid(conversation.entrance), client)
        if pending is not None:
            await pending

    def send(self, stanza: Stanza) -> None:
        """Send something on the desk's behalf."""
        self.server.router.send(stanza)
