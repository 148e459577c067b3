"""What plugins know of clients' names, and whoever sees a client told of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imserver.desk import contacts
from imserver.desk.clients import Found, Lookups
from imserver.desk.conversation import State
from imserver.desk.names import read_name
from imserver.features.contacts import contacts_of
from imserver.hooks import is_awaitable
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver.desk.clients import Client
    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk


class NameLookups(Lookups):
    """Asks plugins for the names of clients, and shows the agents what has changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def kept_seconds(self) -> float:
        """How long a name counts, in seconds."""
        return self._desk.settings.name_seconds

    def find(self, client: Client) -> Found | Awaitable[Found]:
        """Ask the plugins; who fails is named in the log, and the next one is asked."""
        hook = self._desk.server.hooks.find_display_name
        if not hook:
            return Found(None)
        answer = hook.ask_on(server=self._desk.server, client=client)
        return _found_later(answer) if is_awaitable(answer) else _found(answer)

    def spawn(self, work: Awaitable[None]) -> None:
        """Let something run on its own."""
        self._desk.server.spawn(work)

    def renamed(self, client: Client) -> None:
        """Show the new name to the agents who have the client as a contact: in the roster, and in presence."""
        agents: set[str] = set()
        for conversation in self._desk.floor.of_client(client.jid):
            if conversation.state in (State.ACTIVE, State.WRAPPING):
                agents |= _who_see(conversation)
                self._desk.statuses.show(conversation)
        for agent in sorted(agents):
            self.spawn(rename(self._desk, JID.parse(agent), client.jid))

    def is_needed(self, jid: JID) -> bool:
        """Tell whether a client is in a conversation, or was a moment ago."""
        return bool(self._desk.floor.of_client(jid))


async def rename(desk: Desk, agent: JID, client: JID) -> None:
    """Call a client in an agent's roster by the name they have now."""
    name = desk.clients.name_of(client)
    await contacts.rename(desk.server, contacts_of(desk.server), agent, client, name=name)


def _who_see(conversation: Conversation) -> set[str]:
    return {*conversation.agents, conversation.agent} - {""}


async def _found_later(pending: Awaitable[Any]) -> Found:
    return _found(await pending)


def _found(answer: tuple[Any, bool]) -> Found:
    name, has_failed = answer
    return Found(read_name(name), has_failed)
