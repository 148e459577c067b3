"""What agents can have done, done: one implementation behind the words they type and the menus they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.desk.commands import Caller, Card, Template, Waiting
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Refused
from imserver.desk.texts import text
from imserver.desk.transcript import transcript
from imserver.xmpp.forms import Option
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imserver.desk.desk import Desk

#: How many messages `!history` shows, if it is not said, and at most.
HISTORY: Final = 10
LONGEST_HISTORY: Final = 50


class DeskActions:
    """What the desk does for agents."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # Offers

    async def accept(self, caller: Caller, offer: int | None) -> None:
        """Take the offer of that number, that of the client of the chat, or the oldest."""
        conversation = self._offered(caller, offer)
        self._desk.stage(self._desk.floor.accept(conversation, caller.agent, self._desk.now()))
        await self._desk.kept()

    async def decline(self, caller: Caller, offer: int | None) -> None:
        """Leave it to others."""
        conversation = self._offered(caller, offer)
        self._desk.stage(self._desk.floor.decline(conversation, caller.agent, self._desk.now()))
        await self._desk.kept()

    def _offered(self, caller: Caller, offer: int | None) -> Conversation:
        floor = self._desk.floor
        if offer is not None:
            found = floor.conversations.get(offer)
            if found is None:
                raise Refused("gone")
            return found
        if caller.client is not None and (found := floor.between(caller.agent, caller.client)) is not None:
            return found
        agent = floor.agents.get(caller.agent)
        if agent is not None and agent.offers:
            return floor.conversations[min(agent.offers)]
        waiting = floor.waiting(caller.queue) if caller.queue in floor.queues else []
        if not waiting:
            raise Refused("not_offered")
        return waiting[0]

    # In a conversation

    def _conversation(self, caller: Caller) -> Conversation:
        found = self._desk.floor.between(caller.agent, caller.client) if caller.client is not None else None
        if found is None:
            raise Refused("not_active")
        return found

    async def transfer(self, caller: Caller, to: str, reason: str) -> None:
        """Hand the client on to an agent or a queue, as the agent called it."""
        conversation = self._conversation(caller)
        named = to.partition("@")[0] if to.endswith(f"@{self._desk.domain}") else to
        target = named if named in self._desk.floor.queues else self._desk.find_agent(to)
        self._desk.stage(
            self._desk.floor.transfer(conversation, target, reason, caller.agent, self._desk.now())
        )
        await self._desk.kept()

    async def invite(self, caller: Caller, agent: str) -> None:
        """Bring a second agent in."""
        conversation = self._conversation(caller)
        invited = self._desk.find_agent(agent)
        self._desk.stage(self._desk.floor.invite(conversation, invited, caller.agent, self._desk.now()))
        await self._desk.kept()

    async def note(self, caller: Caller, text: str) -> None:
        """Keep a note, and show it to the others who are in the conversation."""
        conversation = self._conversation(caller)
        await self._desk.server.store.desk.add_note(conversation.id, caller.agent, self._desk.now(), text)
        device = self._desk.device_of(JID.parse(conversation.client))
        for other in sorted(conversation.agents - {caller.agent}):
            self._desk.tell(device, JID.parse(other), f"{caller.agent.local} ({text})")

    async def history(self, caller: Caller, count: int | None) -> int:
        """Show what was said before, whoever attended the client."""
        conversation = self._conversation(caller)
        client = JID.parse(conversation.client)
        limit = min(HISTORY if count is None else max(count, 1), LONGEST_HISTORY)
        lines = [line.text for line in await transcript(self._desk, client, limit=limit)]
        if lines:
            self._desk.tell(self._desk.device_of(client), caller.agent, "\n".join(lines))
        return len(lines)

    async def who(self, caller: Caller) -> Card:
        """Find what is known of the client."""
        conversation, desk = self._conversation(caller), self._desk
        client = JID.parse(conversation.client)
        found = await desk.clients.find(client)
        store = desk.server.store.desk
        notes = await store.notes_of(client.local)
        since = conversation.unanswered_since
        return Card(
            name=desk.clients.name_of(client),
            addresses=[alias.partition(":")[2] for alias in (found.aliases if found is not None else ())],
            channel=desk.channel_of(client).name,
            queue=desk.title(conversation.queue),
            language=conversation.lang,
            waiting=None if since is None else desk.now() - since,
            conversations=len(await store.conversations_of(client.local)),
            notes=[f"{JID.parse(note.agent).local}: {note.text}" for note in notes[-10:]],
        )

    async def close(self, caller: Caller, code: str) -> bool:
        """End the conversation, or its wrap-up; False for a guest, who only leaves."""
        conversation = self._conversation(caller)
        now = self._desk.now()
        is_guest = caller.agent in conversation.guests and conversation.state is State.ACTIVE
        if is_guest:
            self._desk.stage(self._desk.floor.leave(conversation, caller.agent, now))
        else:
            self._desk.stage(self._desk.floor.close(conversation, code, caller.agent, now))
        await self._desk.kept()
        return not is_guest

    # Oneself

    async def ready(self, caller: Caller) -> None:
        """End a break."""
        self._desk.stage(self._desk.floor.unpause(caller.agent, self._desk.now()))
        await self._desk.kept()

    async def pause(self, caller: Caller, reason: str) -> None:
        """Begin a break."""
        self._desk.stage(self._desk.floor.pause(caller.agent, reason, self._desk.now()))
        await self._desk.kept()

    async def queue(self, caller: Caller) -> Sequence[Waiting]:
        """List who waits where the agent is a member, the next one first."""
        desk, now = self._desk, self._desk.now()
        found = [
            conversation
            for name, settings in desk.settings.queues.items()
            if caller.agent in settings.members
            for conversation in (
                *desk.floor.waiting(name),
                *(
                    one
                    for one in desk.floor.conversations.values()
                    if one.queue == name and one.state is State.OFFERED
                ),
            )
        ]
        return [
            Waiting(
                desk.clients.name_of(JID.parse(one.client)), desk.title(one.queue), now - one.waiting_since
            )
            for one in sorted(dict.fromkeys(found), key=lambda one: one.waiting_since)
        ]

    # Templates come from a plugin

    async def templates(self, caller: Caller) -> Sequence[Template]:
        """List the templates that the agent may send."""
        return ()

    async def template(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> None:
        """Send a template to the client."""
        raise Refused("not_active")

    # Words

    def word(self, caller: Caller, refused: Refused) -> str:
        """Say in the agent's language why something is refused."""
        values = {
            key: str(value).partition("@")[0] if key in ("agent", "target") else value
            for key, value in refused.values.items()
        }
        return text(self._desk.settings, caller.queue, refused.key, caller.lang, **values)

    def choices(self, caller: Caller, argument: str) -> Sequence[Option]:
        """List what can be chosen for an argument in a form; nothing, to have it typed in."""
        settings = self._desk.settings
        agents = sorted(
            agent for agent, one in self._desk.floor.agents.items() if one.is_online and agent != caller.agent
        )
        match argument:
            case "to":
                queues = [Option(name, self._desk.title(name)) for name in settings.queues]
                return [*queues, *(Option(agent, short_name(agent)) for agent in agents)]
            case "agent":
                return [Option(agent, short_name(agent)) for agent in agents]
            case "code":
                queue = settings.queues.get(caller.queue)
                return [Option(code, code) for code in (queue.wrap_up_codes if queue is not None else ())]
        return ()


def short_name(agent: str) -> str:
    """Call an agent as colleagues do."""
    return agent.partition("@")[0]
