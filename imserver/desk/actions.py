"""What agents can have done, done: one implementation behind the words they type and the menus they use."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, cast
from zoneinfo import ZoneInfo

from imserver.desk import hours
from imserver.desk.agents import short_name
from imserver.desk.commands import Caller, Card, Waiting
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Refused
from imserver.desk.names import Name, clean
from imserver.desk.phrases import PHRASES, say
from imserver.desk.spoken import Voice
from imserver.desk.templates import Person, Place, Sent, Situation, Template
from imserver.desk.texts import text
from imserver.desk.transcript import transcript
from imserver.hooks import is_awaitable
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Option
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imserver.desk.clients import Client
    from imserver.desk.desk import Desk
    from imserver.desk.effects import Effect
    from imserver.desk.templates import Filled
    from imserver.hooks import Hook

#: How many messages `!history` shows, if it is not said, and at most.
HISTORY: Final = 10
LONGEST_HISTORY: Final = 50


class DeskActions:
    """What the desk does for agents."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._voice = Voice(desk)

    async def _do(self, effects: Iterable[Effect]) -> None:
        """Have it stored and carried out before the agent is told so."""
        self._desk.stage(effects)
        await self._desk.kept()

    # Offers

    async def accept(self, caller: Caller, offer: int | None) -> None:
        """Take the offer of that number, that of the client of the chat, or the oldest."""
        conversation = self._offered(caller, offer)
        await self._do(self._desk.floor.accept(conversation, caller.agent, self._desk.now()))

    async def decline(self, caller: Caller, offer: int | None) -> None:
        """Leave it to others."""
        conversation = self._offered(caller, offer)
        await self._do(self._desk.floor.decline(conversation, caller.agent, self._desk.now()))

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
        named = short_name(to) if to.endswith(f"@{self._desk.domain}") else to
        target = named if named in self._desk.floor.queues else self._desk.find_agent(to)
        await self._do(
            self._desk.floor.transfer(conversation, target, reason, caller.agent, self._desk.now())
        )

    async def invite(self, caller: Caller, agent: str) -> None:
        """Bring a second agent in."""
        conversation = self._conversation(caller)
        invited = self._desk.find_agent(agent)
        await self._do(self._desk.floor.invite(conversation, invited, caller.agent, self._desk.now()))

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
        lines = [line.text for line in await transcript(self._desk, client, conversation.queue, limit=limit)]
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
            names=_names(found) if found is not None else (),
            addresses=[alias.partition(":")[2] for alias in (found.aliases if found is not None else ())],
            channel=desk.channel_of(client).name,
            queue=desk.title(conversation.queue),
            language=conversation.lang,
            waiting=None if since is None else desk.now() - since,
            conversations=len(await store.conversations_of(client.local)),
            notes=[f"{JID.parse(note.agent).local}: {note.text}" for note in notes[-10:]],
        )

    async def name(self, caller: Caller, text: str) -> bool:
        """Call the client by a name, or no more by it if there is none; False where only numbers are shown."""
        client = JID.parse(self._conversation(caller).client)
        if not self._desk.server.hooks.find_display_name:
            return False
        self._desk.clients.call(client, Name(clean(text), "agent", is_verified=True))
        return True

    async def close(self, caller: Caller, code: str) -> bool:
        """End the conversation, or its wrap-up; False for a guest, who only leaves."""
        conversation = self._conversation(caller)
        now = self._desk.now()
        is_guest = caller.agent in conversation.guests and conversation.state is State.ACTIVE
        if is_guest:
            await self._do(self._desk.floor.leave(conversation, caller.agent, now))
        else:
            await self._do(self._desk.floor.close(conversation, code, caller.agent, now))
        return not is_guest

    # Oneself

    async def ready(self, caller: Caller) -> None:
        """End a break."""
        await self._do(self._desk.floor.unpause(caller.agent, self._desk.now()))

    async def pause(self, caller: Caller, reason: str) -> None:
        """Begin a break."""
        await self._do(self._desk.floor.pause(caller.agent, reason, self._desk.now()))

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

    # Templates come from plugins

    async def templates(self, caller: Caller) -> Sequence[Template]:
        """List the templates that the agent may send there."""
        hook = self._desk.server.hooks.find_templates
        if not hook:
            return ()
        found = await self._ask(hook, caller, situation=await self._situation(caller))
        return found or ()

    async def fill(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> Filled:
        """Fill a template in, to be looked at."""
        hook = self._desk.server.hooks.find_template
        situation = await self._situation(caller)
        filled = await self._ask(
            hook, caller, situation=situation, shortcut=shortcut.casefold(), values=values
        )
        if filled is not None:
            return cast("Filled", filled)
        offered = [one.shortcut for one in await self.templates(caller)]
        if not offered:
            raise Refused("no_templates")
        named = shortcut[:40]
        nearest = get_close_matches(named.casefold(), offered, n=1, cutoff=0.5)
        if nearest:
            raise Refused("template_nearest", shortcut=named, nearest=nearest[0])
        raise Refused("template_unknown", shortcut=named)

    async def template(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> Sent:
        """Send a template to the client."""
        if not self._conversation(caller).is_open:
            raise Refused("gone")
        filled = await self.fill(caller, shortcut, values)
        if filled.refused is not None:
            raise filled.refused
        conversation = self._conversation(caller)
        if not conversation.is_open:  # while a plugin was looking
            raise Refused("gone")
        lang = filled.template.lang
        await self._voice.say(conversation, caller.agent, filled.text, filled.file, lang=lang)
        devices = self._desk.server.sessions.of(caller.agent)
        is_shown = all(device.carbons_since is not None for device in devices)
        return Sent(filled.text or filled.template.file, is_shown)

    async def _ask(self, hook: Hook, caller: Caller, **context: Any) -> Any:
        try:
            answer = hook.ask(server=self._desk.server, caller=caller, **context)
            return await answer if is_awaitable(answer) else answer
        except StanzaError as error:
            raise Refused("template_refused", reason=error.text or error.condition) from error

    async def _situation(self, caller: Caller) -> Situation:
        """Put together what a template may speak of."""
        desk = self._desk
        conversation = desk.floor.between(caller.agent, caller.client) if caller.client is not None else None
        queue = desk.settings.queues.get(caller.queue)
        zone = ZoneInfo(queue.timezone) if queue is not None else UTC
        is_open = queue is not None and hours.is_open(queue, desk.now())
        return Situation(
            client=await self._client_of(caller, conversation),
            agent=Person(self._name_for_clients(caller.agent, conversation), caller.agent, caller.lang),
            queue=Place(caller.queue, desk.title(caller.queue), is_open),
            now=datetime.fromtimestamp(desk.now(), zone),
        )

    async def _client_of(self, caller: Caller, conversation: Conversation | None) -> Person:
        if caller.client is None or conversation is None:
            return Person(language=caller.lang)
        desk, jid = self._desk, JID.parse(conversation.client)
        found = await desk.clients.find(jid)
        return Person(
            name=found.called if found is not None else "",
            address=found.number if found is not None else "",
            language=conversation.lang or (found.lang if found is not None else ""),
            channel=desk.channel_of(jid).name,
        )

    def _name_for_clients(self, agent: JID, conversation: Conversation | None) -> str:
        """Call an agent as the client may."""
        if conversation is None:
            return short_name(agent)
        server = self._desk.server
        try:
            name = server.hooks.find_agent_name.ask(server=server, conversation=conversation, agent=agent)
        except StanzaError:
            name = None
        return name or short_name(agent)

    # Words

    def word(self, caller: Caller, refused: Refused) -> str:
        """Say in the agent's language why something is refused."""
        values = {
            key: short_name(str(value)) if key in ("agent", "target") else value
            for key, value in refused.values.items()
        }
        settings = self._desk.settings_of(caller.queue)
        if refused.key in PHRASES:
            return say(refused.key, caller.lang, prefix=settings.prefix, **values)
        return text(settings, caller.queue, refused.key, caller.lang, **values)

    async def choices(self, caller: Caller, argument: str) -> Sequence[Option]:
        """List what can be chosen for an argument in a form; nothing, to have it typed in."""
        settings = self._desk.settings
        agents = sorted(
            agent for agent, one in self._desk.floor.agents.items() if one.is_online and agent != caller.agent
        )
        match argument:
            case "shortcut":
                found = await self.templates(caller)
                return [Option(one.shortcut, _label(one)) for one in found]
            case "to":
                queues = [Option(name, self._desk.title(name)) for name in settings.queues]
                return [*queues, *(Option(agent, short_name(agent)) for agent in agents)]
            case "agent":
                return [Option(agent, short_name(agent)) for agent in agents]
            case "code":
                queue = settings.queues.get(caller.queue)
                return [Option(code, code) for code in (queue.wrap_up_codes if queue is not None else ())]
        return ()


def _label(template: Template) -> str:
    return f"{template.title} ({template.shortcut})" if template.title else template.shortcut


def _names(client: Client) -> list[Name]:
    """List what a client is called, what agents see first."""
    shown, known = client.shown, {name.origin for name in client.names}
    return [*([shown] if shown is not None and shown.origin not in known else []), *client.names]
