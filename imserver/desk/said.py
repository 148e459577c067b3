"""What agents said, by the ids of the messages: on which device, and what of it was a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.desk import relay
from imserver.desk.allowed import REVISING
from imserver.desk.recent import Recent
from imserver.desk.transcript import commands_in
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.xmpp.stanza import Message

#: How many ids are remembered, to bind failures to them, and to hide what refers to commands.
MOST_IDS: Final = 20_000


class Said:
    """Remembers the ids of what agents wrote."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._hidden: Recent[str, None] = Recent(MOST_IDS)
        self._authors: Recent[tuple[int, str], JID] = Recent(MOST_IDS)
        #: Conversations from before the start; and for which of them an agent's commands are known again.
        self._restored: set[int] = set()
        self._recalled: set[tuple[int, str]] = set()

    def restore(self, conversations: Iterable[int]) -> None:
        """Go on after a start with conversations whose ids nobody remembers."""
        self._restored = set(conversations)

    # Where it was written

    def note(self, conversation: Conversation, device: JID, id: str) -> None:
        """Remember on which device an agent wrote a message."""
        self._authors[conversation.id, id] = device

    def is_noted(self, conversation: Conversation, id: str) -> bool:
        """Tell whether an agent's message of that id was for the client."""
        return (conversation.id, id) in self._authors

    def devices_with(self, conversation: Conversation, id: str) -> list[JID]:
        """List where an agent's message is: on the device that wrote it and on those that have copies; or on any."""
        author = self._authors.get((conversation.id, id))
        agent = author.bare if author is not None else JID.parse(conversation.agent)
        # What the desk said in an agent's name was written on none of them.
        is_anywhere = author is None or author.is_bare
        return [
            session.jid
            for session in self._desk.server.sessions.of(agent)
            if is_anywhere or session.jid == author or session.carbons_since is not None
        ]

    # What was a command

    def hide(self, id: str) -> None:
        """Remember that a message with that id was a command: what refers to it is for no client either."""
        if id:
            self._hidden[id] = None

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
        for id in await commands_in(self._desk, agent, client, after=conversation.begun):
            self.hide(id)
