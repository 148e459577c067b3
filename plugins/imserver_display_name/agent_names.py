"""What clients see of agents: the queue's title, an alias, or the name on the agent's card; never an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver import parse
from imserver.desk import clean_name, find_desk

if TYPE_CHECKING:
    from imserver import JID, Server
    from imserver.desk import Conversation
    from imserver_display_name.settings import Settings

VCARD = "vcard-temp"


class AgentNames:
    """Knows how agents are called, in memory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        #: What stands on the cards of agents.
        self._real: dict[str, str] = {}
        #: How often one of them has changed.
        self.changes = 0

    def name(self, server: Server, conversation: Conversation, agent: JID) -> str | None:
        """Name an agent to a client; who has no name is called like the queue."""
        match self._settings.agent_name:
            case "none":
                return None
            case "alias":
                found = self._settings.aliases.get(agent)
            case "real":
                found = self._real.get(agent)
            case "queue":
                found = None
        return found or find_desk(server).title(conversation.entrance)

    def all(self) -> set[str]:
        """List the names that agents have besides their accounts."""
        return {*self._settings.aliases.values(), *self._real.values()} - {""}

    async def learn(self, server: Server, agent: JID) -> None:
        """Read the name on an agent's card."""
        card = await server.store.vcards.get(agent)
        name = parse(card).child("FN", VCARD) if card is not None else None
        found = _name_on_card(name.text if name is not None else "")
        if found != self._real.get(agent):
            self._real[agent] = found
            self.changes += 1


def _name_on_card(text: str) -> str:
    # Some clients fill it in with the address.
    return "" if "@" in text else clean_name(text)
