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
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from imserver.desk import contacts, hand_over, relay
from imserver.desk.actions import DeskActions
from imserver.desk.agents import Agent
from imserver.desk.allowed import OPENING, REVISING
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
    Refused,
    TakeAway,
    TellAgent,
    TellClient,
    Withdraw,
)
from imserver.desk.floor import Floor
from imserver.desk.metrics import DeskCounters
from imserver.desk.relay import INTERNAL, INTERNAL_ID, Outward
from imserver.desk.speech import Speech
from imserver.desk.texts import text
from imserver.desk.transcript import commands_in
from imserver.features.archive import write_records
from imserver.features.worth_keeping import has_something_to_say, is_worth_keeping
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


@dataclass(frozen=True, slots=True)
class Returned:
    """An agent is there again."""

    agent: str


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
        self._effects: deque[Effect | Returned] = deque()
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
        self.giving: set[int] = set()
        #: Conversations whose agent is not there: what comes meanwhile is given when they are, or somebody else has it.
        self.held: set[int] = set()
        self._origins: dict[JID, Origin] = {}
        #: How many messages of a conversation are on their way into the archive.
        self.recording: dict[int, int] = {}
        #: Where the last of it is being given: what comes meanwhile waits here, and goes straight to the agent then.
        self.gates: dict[int, asyncio.Event] = {}
        #: Held by whoever writes down how conversations are: the newest is written last.
        self.storing = asyncio.Lock()
        self._hidden: OrderedDict[str, None] = OrderedDict()
        #: On which device an agent wrote what.
        self._authors: OrderedDict[tuple[int, str], JID] = OrderedDict()
        #: To which client agents are writing.
        self.composing = Composing()
        #: What clients wrote and is not on disk yet; and why it can't get there.
        self._underway: dict[int, Message] = {}
        self._refusals: dict[int, StanzaError] = {}
        #: Conversations from before the start; and for which of them an agent's commands are known again.
        self._restored: set[int] = set()
        self._recalled: set[tuple[int, str]] = set()
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
        self._restored = {conversation.id for conversation in restored}
        self.held = {conversation.id for conversation in restored if conversation.state is State.ACTIVE}
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
        self.menus.prefix = settings.prefix
        for agent in list(self.floor.agents):
            self.look_at(JID.parse(agent))

    # What the floor decides

    def stage(self, effects: Iterable[Effect]) -> None:
        """Have what an event brought stored, and then done."""
        effects = list(effects)
        for effect in effects:
            if isinstance(effect, HandOver) and not effect.is_guest:
                self.handing.add(effect.conversation.id)
                self.held.discard(effect.conversation.id)
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

    async def _save(self, effects: Sequence[Effect | Returned]) -> None:
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
        store = self.server.store.desk
        async with self.storing:
            conversations |= {one.id: ConversationRow(**one.to_row()) for one in self.floor.take_changed()}
            agents |= {one.jid: AgentRow(**one.to_row()) for one in self.floor.take_changed_agents()}
            if not (events or conversations or agents):
                return
            rows = list(conversations.values()), events, list(agents.values())
            if await self.write(lambda: store.save(*rows)):
                self._unsaved = ([], {}, {})

    async def write(self, write: Callable[[], Awaitable[None]]) -> bool:
        """Write something to disk, however long that takes; False: the server stops before."""
        while True:
            try:
                await write()
            except Exception as error:
                self.server.log.error("the desk could not be stored; it tries again", exc_info=error)
                if self._is_stopped:
                    return False
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return True

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
                    self.held.discard(effect.conversation.id)
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

    def announce_assigned(self, conversation: Conversation, agent: JID) -> None:
        """Tell the plugins that an agent has it, or was invited to it."""
        self._announce("conversation_assigned", conversation, agent=agent)

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
        if message.type not in ("chat", "normal"):
            raise StanzaError("service-unavailable", "A queue takes chats only")
        conversation = self.floor.find(client.jid, queue)
        if not message.has_any(OPENING):
            if conversation is not None:
                # No answer, and nothing to begin with: states, receipts, reactions.
                await self._take(channel, client, conversation, message)
            return
        known_agent = ""
        if conversation is None or not conversation.is_open:
            known_agent = await self.server.store.desk.last_agent(client.jid.local, queue)
        try:
            conversation, effects = self.floor.client_wrote(
                client.jid,
                queue,
                self.now(),
                new_id=self._new_id,
                lang=message.lang,
                known_agent=known_agent,
            )
        except Refused as refused:
            raise StanzaError("item-not-found", f"{self.queue_jid(queue)} takes nobody any more") from refused
        if not conversation.handed:
            # What was said before belongs to earlier ones.
            conversation.begun = conversation.handed = self.server.number()
        self.speech.heard(conversation, message)
        self.stage(effects)
        await self._take(channel, client, conversation, message)
        if effects:
            await self.kept()
        self.show_status(conversation)

    async def _take(
        self, channel: Channel, client: Client, conversation: Conversation, message: Message
    ) -> None:
        """Pass a client's words on, or have them wait on disk."""
        while (gate := self.gates.get(conversation.id)) is not None:
            await gate.wait()
        if self._is_heard(conversation):
            await self._pass_on(channel, client, conversation, message)
        elif is_worth_keeping(message)[0] or message.has_any(OPENING):
            await self._record(channel, client, conversation, message)

    def _is_heard(self, conversation: Conversation) -> bool:
        """Tell whether a client's words go to an agent now; else they wait on disk."""
        is_behind = conversation.id in self.handing or conversation.id in self.held
        if conversation.state is not State.ACTIVE or is_behind:
            return False
        agents = [self.floor.agents.get(agent) for agent in conversation.agents]
        if any(agent is not None and agent.is_online for agent in agents):
            return True
        self.held.add(conversation.id)
        return False

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
            if passed is None:
                continue
            accepting = partial(self.server.router.accept, self.origin_of(client.jid), passed)
            refusal = await self._underway_until(client.jid, passed, accepting)
            if refusal is not None and agent == conversation.agent and has_something_to_say(message):
                raise refusal

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
            refusal = await self._underway_until(client.jid, kept, partial(self._enter, client.jid, kept))
        finally:
            self.recording[conversation.id] -= 1
            if not self.recording[conversation.id]:
                del self.recording[conversation.id]
        if refusal is not None:
            raise refusal

    def _enter(self, client: JID, kept: Message) -> None:
        """Put it on record whatever the archive keeps of others: it must not be lost while nobody has it."""
        assert kept.sender is not None
        assert kept.to is not None
        kept.number = self.server.number()
        rows = write_records(kept, kept.sender, kept.to, for_sender=True, for_recipient=False)
        self.server.journal.add(self.origin_of(client), kept, rows or ())

    async def _underway_until(
        self, client: JID, message: Message, step: Callable[[], Awaitable[None] | None]
    ) -> StanzaError | None:
        """Wait until a client's words are on record; return why, if they can't be."""
        message.number = self.server.number()  # a refusal is known by it
        self._underway[id(message)] = message
        try:
            await self._run(self.origin_of(client), step)
        finally:
            del self._underway[id(message)]
        refusal = self._refusals.pop(message.number, None)
        if refusal is None or (message.stable_ids and refusal.condition != "resource-constraint"):
            return None  # it is on record, though the agent can't be reached
        # Nothing else of it: it may speak of the agent.
        return StanzaError(refusal.condition, "This could not be kept; try again later", type=refusal.type)

    def note_refusal(self, error: Message) -> None:
        """Take note that a client's words can't be put on record: whoever waits for that will know."""
        found = error.child("error", CLIENT)
        if found is not None and any(one.number == error.number for one in self._underway.values()):
            self._refusals[error.number] = StanzaError.from_element(found)

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
        return self._run(origin, partial(self.server.router.accept, origin, message))

    def _run(self, origin: Origin, step: Callable[[], Awaitable[None] | None]) -> Awaitable[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        origin.inbound.run(step)

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        self.server.router.after_all(origin, finish)
        return done

    # What agents say

    def agent_wrote(self, conversation: Conversation, device: JID, message: Message) -> None:
        """Note that an agent answered, and show it to the others who are in the conversation."""
        agent = device.bare
        self.stage(self.floor.agent_wrote(conversation, agent, self.now()))
        key = (conversation.id, message.id)
        self._authors[key] = device
        if len(self._authors) > MOST_IDS:
            self._authors.popitem(last=False)
        client = JID.parse(conversation.client)
        for other in sorted(conversation.agents - {agent}):
            self.tell(self.device_of(client), JID.parse(other), f"{agent.local}: {message.body}")
        self.show_status(conversation)

    def devices_with(self, conversation: Conversation, id: str) -> list[JID]:
        """List where an agent's message is: on the device that wrote it and on those that have copies; or on any."""
        author = self._authors.get((conversation.id, id))
        agent = author.bare if author is not None else JID.parse(conversation.agent)
        return [
            session.jid
            for session in self.server.sessions.of(agent)
            if author is None or session.jid == author or session.carbons_since is not None
        ]

    def hide(self, id: str) -> None:
        """Remember that a message with that id was a command: what refers to it is for no client either."""
        if id:
            self._hidden[id] = None
            if len(self._hidden) > MOST_IDS:
                self._hidden.popitem(last=False)

    def is_hidden(self, id: str) -> bool:
        """Tell whether a client never got the message of that id."""
        return id in self._hidden or relay.is_internal(id)

    def has_to_recall(self, conversation: Conversation, message: Message) -> bool:
        """Tell whether a message refers to one of before the start, which may have been a command."""
        if conversation.id not in self._restored or not message.has_any(REVISING):
            return False
        return message.sender is not None and (conversation.id, message.sender.bare) not in self._recalled

    async def recall(self, conversation: Conversation, agent: JID) -> None:
        """Find out again what of an agent were commands."""
        self._recalled.add((conversation.id, agent))
        client = JID.parse(conversation.client)
        for id in await commands_in(self, agent, client, after=conversation.begun):
            self.hide(id)

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

    # Agents come and go

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
        self.stage(self.floor.agent_changed(account, self.now(), ready=ready, online=bool(present)))
        if agent.is_online and not was_online:
            self._effects.append(Returned(account))
            self._wake()

    def greet(self, session: Session) -> None:
        """Show an agent's new device the clients who are with them, and what they are being asked."""
        self.speech.repeat_offers(session)
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
            self.show_statuses()
            self.look_after()

    def show_statuses(self) -> None:
        """Show the agents which of their clients have waited so long that it reads otherwise."""
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
            queue = self.floor.queues.get(address.local)
            if queue is None or agent not in queue.members:
                return None
            return Caller(agent, lang, None, address.local)
        conversation = self.floor.between(agent, address)
        return Caller(agent, lang, address, conversation.queue) if conversation is not None else None

    def queue_jid(self, name: str) -> JID:
        """Write the address of a queue."""
        return JID.of(name, self.domain)

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
        # What refers to it, or says that it got lost, is for no agent.
        outward = Outward.text(words, id=f"{INTERNAL_ID}{secrets.token_hex(6)}", lang=conversation.lang)
        pending = self.channel_of(client).deliver(outward, self.queue_jid(conversation.entrance), client)
        if pending is not None:
            await pending

    def send(self, stanza: Stanza) -> None:
        """Send something on the desk's behalf."""
        self.server.router.send(stanza)
