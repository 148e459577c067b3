"""What clients and agents say, taken to each other.

While an agent has the conversation, a message is on record for both sides in one transaction and goes straight on
(`pass_on_…`). Whatever has to wait, or to be looked up, takes the long way: the conversation is found or opened, and
the words wait on disk until somebody has it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from imserver.desk import relay
from imserver.desk.allowed import OPENING
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Refused
from imserver.desk.said import MOST_IDS
from imserver.features.archive import write_records
from imserver.features.worth_keeping import has_something_to_say, is_worth_keeping
from imserver.routing.journal import Origin
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CLIENT
from imserver.xmpp.stanza import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from imserver.desk.channel import Channel
    from imserver.desk.clients import Client
    from imserver.desk.desk import Desk
    from imserver.desk.relay import Outward


class Talk:
    """Takes words from one side to the other, in order, once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        #: Conversations whose agent is being given what waited: what comes meanwhile waits behind it.
        self.handing: set[int] = set()
        self.giving: set[int] = set()
        #: Conversations whose agent is not there: what comes meanwhile is given when they are, or somebody else has it.
        self.held: set[int] = set()
        #: How many messages of a conversation are on their way into the archive.
        self.recording: dict[int, int] = {}
        #: Where the last of it is being given: what comes meanwhile waits here, and goes straight to the agent then.
        self.gates: dict[int, asyncio.Event] = {}
        self._origins: dict[JID, Origin] = {}
        #: What clients wrote and is not on disk yet; and why it can't get there.
        self._underway: dict[int, Message] = {}
        self._refusals: dict[int, StanzaError] = {}

    # Straight on

    def pass_on_to_agents(
        self, channel: Channel, client: Client, queue: str, message: Message
    ) -> Sequence[Message]:
        """Write what a client's words are for those who have the conversation; nothing if they have to wait."""
        conversation = self._desk.floor.find(client.jid, queue)
        if conversation is None or conversation.id in self.gates or not self._is_heard(conversation):
            return ()
        if message.type not in ("chat", "normal") or not relay.is_readable(message):
            return ()
        if message.has_any(OPENING):
            self._note_heard(client, queue, message)
            if not self._is_heard(conversation):
                return ()  # something else was due
        return [one for _, one in self._for_agents(channel, client, conversation, message)]

    def pass_on_to_client(self, channel: Channel, message: Message) -> Sequence[Message]:
        """Write what an agent's words are for the client; nothing if they are not, or not yet."""
        sender, to = message.sender, message.to
        if sender is None or to is None or message.type not in ("chat", "normal"):
            return ()
        conversation = self._desk.floor.between(sender.bare, to.bare)
        is_theirs = conversation is not None and sender.bare in conversation.agents
        if conversation is None or not is_theirs or conversation.guests or not conversation.is_open:
            return ()
        if self._desk.said.has_to_recall(conversation, message) or not relay.is_readable(message):
            return ()
        outward = channel.outward(message)
        if outward is None:
            return ()
        passed = channel.address(outward, self._desk.queue_jid(conversation.entrance), to.bare)
        if passed is None:
            return ()
        self.note_said(conversation, sender, outward)
        return (passed,)

    # What clients say

    async def hear(self, channel: Channel, client: Client, queue: str, message: Message) -> None:
        """Take what a client wrote to a queue, in this client's order; on return it is on record.

        Raises:
            StanzaError: If it can't be taken.
        """
        if message.type not in ("chat", "normal"):
            raise StanzaError("service-unavailable", "A queue takes chats only")
        conversation = self._desk.floor.find(client.jid, queue)
        if not message.has_any(OPENING):
            if conversation is not None:
                # No answer, and nothing to begin with: states, receipts, reactions.
                await self._take(channel, client, conversation, message)
            return
        known_agent = ""
        if conversation is None or not conversation.is_open:
            known_agent = await self._desk.server.store.desk.last_agent(client.jid.local, queue)
        conversation, has_effects = self._note_heard(client, queue, message, known_agent)
        await self._take(channel, client, conversation, message)
        if has_effects:
            await self._desk.keeper.kept()

    async def note_down(self, channel: Channel, client: Client, queue: str, message: Message) -> bool:
        """Keep with a conversation that is over what the client says about it; False if it is not, or long ago.

        Raises:
            StanzaError: If it can't be kept.
        """
        conversation = self._desk.floor.find(client.jid, queue)
        if conversation is None or conversation.is_open:
            return False
        await self._record(channel, client, conversation, message)
        return True

    def _note_heard(
        self, client: Client, queue: str, message: Message, known_agent: str = ""
    ) -> tuple[Conversation, bool]:
        """Find or open the conversation; say whether anything follows from it."""
        desk = self._desk
        try:
            conversation, effects = desk.floor.client_wrote(
                client.jid, queue, desk.now(), new_id=desk.new_id, lang=message.lang, known_agent=known_agent
            )
        except Refused as refused:
            raise StanzaError("item-not-found", f"{desk.queue_jid(queue)} takes nobody any more") from refused
        if not conversation.handed:
            # What was said before belongs to earlier ones.
            conversation.begun = conversation.handed = desk.server.number()
        desk.speech.heard(conversation, message)
        desk.stage(effects)
        desk.statuses.soon(conversation)
        return conversation, bool(effects)

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
        agents = self._desk.floor.agents
        for jid in (conversation.agent, *conversation.guests):
            if (agent := agents.get(jid)) is not None and agent.is_online:
                return True
        self.held.add(conversation.id)
        return False

    def _for_agents(
        self, channel: Channel, client: Client, conversation: Conversation, message: Message
    ) -> list[tuple[str, Message]]:
        """Write it to everybody who is in the conversation."""
        device = channel.device(client.jid)
        queue = self._desk.queue_jid(conversation.entrance)
        written = [
            (agent, relay.to_agent(message, device, JID.parse(agent), queue=queue, nick=client.name))
            for agent in sorted(conversation.agents)
        ]
        return [(agent, one) for agent, one in written if one is not None]

    async def _pass_on(
        self, channel: Channel, client: Client, conversation: Conversation, message: Message
    ) -> None:
        for agent, passed in self._for_agents(channel, client, conversation, message):
            accepting = partial(self._desk.server.router.accept, self.origin_of(client.jid), passed)
            refusal = await self._underway_until(client.jid, passed, accepting)
            if refusal is not None and agent == conversation.agent and has_something_to_say(message):
                raise refusal

    async def _record(
        self, channel: Channel, client: Client, conversation: Conversation, message: Message
    ) -> None:
        """Keep it in the client's history until somebody has the conversation."""
        queue = self._desk.queue_jid(conversation.entrance)
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

    def is_recording(self, message: Message) -> bool:
        """Tell whether this is what a client said, on its way into the archive."""
        return id(message) in self._underway

    def _enter(self, client: JID, kept: Message) -> None:
        """Put it on record whatever the archive keeps of others: it must not be lost while nobody has it."""
        assert kept.sender is not None
        assert kept.to is not None
        kept.number = self._desk.server.number()
        rows = write_records(kept, kept.sender, kept.to, for_sender=True, for_recipient=False)
        self._desk.server.journal.add(self.origin_of(client), kept, rows or ())

    async def _underway_until(
        self, client: JID, message: Message, step: Callable[[], Awaitable[None] | None]
    ) -> StanzaError | None:
        """Wait until a client's words are on record; return why, if they can't be."""
        message.number = self._desk.server.number()  # a refusal is known by it
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

    # What agents say

    def note_said(self, conversation: Conversation, device: JID, outward: Outward) -> None:
        """Note that an agent answered, or is about to."""
        desk, message, client = self._desk, outward.message, JID.parse(conversation.client)
        if message.has_any(OPENING):
            desk.stage(desk.floor.agent_wrote(conversation, device.bare, desk.now()))
            desk.said.note(conversation, device, message.id)
            desk.statuses.soon(conversation)
            if conversation.guests:
                for other in sorted(conversation.agents - {device.bare}):
                    desk.tell(desk.device_of(client), JID.parse(other), f"{device.local}: {message.body}")
        desk.composing.note(device, client, relay.chat_state(message))

    def is_missing(self, message: Message, client: JID) -> bool:
        """Tell whether an agent's words are not in the client's history: when they came, the client was not theirs."""
        if not self._desk.server.settings.archive.enabled or client in (message.stable_ids or ()):
            return False
        return is_worth_keeping(message)[0]

    async def remember(self, message: Message, client: JID) -> None:
        """Put an agent's words into the client's history."""
        server, origin, late = self._desk.server, self.origin_of(client), message.copy()
        assert late.sender is not None
        late.number = server.number()
        rows = write_records(late, late.sender, client, for_sender=False, for_recipient=True)
        await self._run(origin, partial(server.journal.add, origin, _nothing, rows or ()))

    # In order

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
        return self._run(origin, partial(self._desk.server.router.accept, origin, message))

    def _run(self, origin: Origin, step: Callable[[], Awaitable[None] | None]) -> Awaitable[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        origin.inbound.run(step)

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        self._desk.server.router.after_all(origin, finish)
        return done


def _nothing() -> None:
    """Be on record, and no more."""
