"""XEP-0313: what a visitor said with queues, as they saw it; who attended them is nowhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver import JID, ArchivedMessage, Element, Message, SharedArchive, parse_message
from imserver.desk import NICK, REPLIES, to_client, what_passes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imserver.desk import ConversationRow, Desk
    from imserver_web.channel import WebChannel

#: How many conversations of a client are looked through for the queue that something was said at.
MOST_CONVERSATIONS: Final = 500


class History:
    """Reads what was said with one visitor."""

    def __init__(self, desk: Desk, channel: WebChannel, visitor: JID, queue: JID | None) -> None:
        self._desk = desk
        self._channel = channel
        self._visitor = visitor
        self._queue = queue
        self._conversations: Sequence[ConversationRow] = ()

    async def open(self) -> SharedArchive:
        """Find the archives that it is in: those of the web, also from before two were found to be one."""
        store = self._desk.server.store.desk
        known = await store.client(self._visitor.local)
        keys = await store.keys_of(known.key if known is not None else self._visitor.local)
        owners = [JID.of(key, self._channel.domain) for key in keys]
        if known is not None:
            all_of_them = await store.conversations_of(known.key, MOST_CONVERSATIONS)
            mine = f"@{self._channel.domain}"
            self._conversations = [one for one in all_of_them if one.client.endswith(mine)]
        return SharedArchive(owners or [self._visitor], self.show)

    async def show(self, rows: Sequence[ArchivedMessage]) -> Sequence[ArchivedMessage]:
        """Write a page as the visitor saw it."""
        written = [(row, self._write(row)) for row in rows]
        return [
            row._replace(stanza=message.wire)
            for row, message in written
            if message is not None and self._queue in (None, message.sender, message.to)
        ]

    def _write(self, row: ArchivedMessage) -> Message | None:
        tree = parse_message(row.stanza)
        sender, to = JID.parse(tree.get("from")), JID.parse(tree.get("to"))
        is_own = sender.domain == self._channel.domain
        agent = to.bare if is_own else sender.bare
        queue = agent if agent.domain == self._desk.domain else self._queue_of(agent, row)
        if queue is None:
            return None
        message = Message(
            sender=sender,
            to=to,
            type=tree.get("type") or "normal",
            id=tree.get("id"),
            lang=tree.get("xml:lang"),
            payload=tree.elements(),
        )
        return self._own(message, queue) if is_own else self._answer(message, queue)

    def _own(self, message: Message, queue: JID) -> Message | None:
        payload = [self._named(child, queue) for child in what_passes(message) if child.namespace != NICK]
        if not payload:
            return None
        return Message(
            sender=self._visitor, to=queue, type="chat", id=message.id, lang=message.lang, payload=payload
        )

    def _named(self, child: Element, queue: JID) -> Element:
        """XEP-0461, 3: who wrote what is replied to was an agent, for the agent."""
        if child.namespace != REPLIES or "to" not in child.attributes:
            return child
        to = JID.parse(child.get("to")).bare
        author = self._visitor if to.domain == self._channel.domain else queue
        return Element(child.name, child.namespace, {**child.attributes, "to": author})

    def _answer(self, message: Message, queue: JID) -> Message | None:
        """Take the same way as when it was said."""
        outward = self._channel.outward(message)
        if outward is None:
            return None
        return to_client(outward, queue, self._visitor, agents=self._desk.floor.agents)

    def _queue_of(self, agent: JID, row: ArchivedMessage) -> JID | None:
        """Find the queue whose conversation it was: the last that had begun, with that agent if there is one."""
        at = row.time.timestamp() + 1
        begun = [one for one in self._conversations if one.opened <= at]
        begun = [one for one in begun if one.closed is None or one.closed >= at - 3] or begun
        found = next((one for one in begun if one.agent == agent), begun[0] if begun else None)
        if found is None:
            return self._queue
        return self._desk.queue_jid(found.details.get("entrance") or found.queue)
