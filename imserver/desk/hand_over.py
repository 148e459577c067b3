"""A client gets to an agent, with everything they wrote while they waited; and goes from them again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imserver.desk import contacts, relay
from imserver.desk.allowed import NICK
from imserver.desk.conversation import State
from imserver.features.contacts import contacts_of
from imserver.hooks import is_awaitable
from imserver.storage.conversations import ConversationRow
from imserver.storage.schema import moment
from imserver.xmpp import namespaces
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.desk.effects import HandOver, TakeAway
    from imserver.storage.archive import ArchivedMessage, ArchiveRow

#: How many messages are read from disk at a time.
AT_ONCE: Final = 50
#: What is older is shown with its time, in seconds.
LATE: Final = 60.0


async def hand_over(desk: Desk, effect: HandOver) -> None:
    """Make a client a contact of an agent, and give the agent what they wrote so far."""
    conversation, agent = effect.conversation, JID.parse(effect.agent)
    client = JID.parse(conversation.client)
    name, queue = desk.clients.name_of(client), desk.title(conversation.queue)
    await contacts.enlist(desk.server, contacts_of(desk.server), agent, client, name=name, group=queue)
    desk.show_status(conversation)
    desk.tell(desk.device_of(client), agent, _opening_words(desk, effect, name))
    if not effect.is_guest:
        desk.announce_assigned(conversation)
        await give_what_waited(desk, conversation)


def _opening_words(desk: Desk, effect: HandOver, name: str) -> str:
    by = JID.parse(effect.previous).local if effect.previous else ""
    key = "handed_over"
    if effect.reason in ("invited", "reopened"):
        key = effect.reason
    elif effect.previous and effect.reason and effect.reason != "agent_lost":
        key = "handed_over_transferred"
    return desk.say(
        key,
        effect.conversation.queue,
        JID.parse(effect.agent),
        client=name,
        agent=by,
        reason=effect.reason,
    )


async def give_what_waited(desk: Desk, conversation: Conversation) -> None:
    """Give the agent what the client wrote while nobody had the conversation, in order and once.

    What comes in meanwhile waits behind it, and is given too.
    """
    try:
        while conversation.state is State.ACTIVE:
            rows = await _what_waited(desk, conversation)
            if rows:
                await _give(desk, conversation, rows)
            elif conversation.id in desk.recording:
                await asyncio.sleep(0.005)
            else:
                break
    finally:
        desk.handing.discard(conversation.id)


async def _what_waited(desk: Desk, conversation: Conversation) -> Sequence[ArchivedMessage]:
    page = await desk.server.store.archive.page(
        conversation.client,
        peer=desk.queue_jid(conversation.entrance),
        start=moment(conversation.handed + 1),
        limit=AT_ONCE,
    )
    return page.rows


async def _give(desk: Desk, conversation: Conversation, rows: Sequence[ArchivedMessage]) -> None:
    """Put it into the agent's archive, note in the same transaction that it is given, and deliver it."""
    server, client = desk.server, JID.parse(conversation.client)
    agent = JID.parse(conversation.agent)
    queue = desk.queue_jid(conversation.entrance)
    given: list[Message] = []
    records: list[ArchiveRow] = []
    for row in rows:
        is_late = desk.now() - row.time.timestamp() >= LATE
        message = _read(row, desk.device_of(client), agent, queue, row.time if is_late else None)
        message.number = server.number()
        found = server.hooks.find_records.ask(server=server, message=message)
        found = await found if is_awaitable(found) else found
        # The client's history has it since it came in.
        records += [record._replace(mirror=None) for record in found or ()]
        given.append(message)
    conversation.handed = rows[-1].id
    stored = server.store.desk.steps([ConversationRow(**conversation.to_row())])
    await server.store.archive.write(records, also=stored)
    for message in given:
        server.router.send(message)


def _read(row: ArchivedMessage, device: JID, agent: JID, queue: JID, sent: datetime | None) -> Message:
    tree = parse(
        b"<message xmlns='%b'%b" % (namespaces.CLIENT.encode(), row.stanza.removeprefix(b"<message"))
    )
    kept = Message(
        sender=device,
        to=queue,
        type="chat",
        id=tree.get("id"),
        lang=tree.get("xml:lang"),
        payload=tree.elements(),
    )
    nick = kept.child("nick", NICK)
    passed = relay.to_agent(
        kept, device, agent, queue=queue, nick=nick.text if nick is not None else "", sent=sent
    )
    assert passed is not None, "it was kept, so it says something"
    return passed


async def take_away(desk: Desk, effect: TakeAway) -> None:
    """Have a client go from an agent's contacts."""
    conversation, agent = effect.conversation, JID.parse(effect.agent)
    client = JID.parse(conversation.client)
    desk.forget_status(conversation, effect.agent)
    if any(one is not conversation for one in desk.floor.of_agent(effect.agent) if one.client == client):
        return  # they are in another conversation with each other
    name = desk.clients.name_of(client)
    desk.tell(desk.device_of(client), agent, desk.say("taken_away", conversation.queue, agent, client=name))
    gone = replace(desk.contact(conversation), is_present=False)
    for session in desk.server.sessions.of(agent):
        session.send(contacts.absence(gone, session.jid))
    await contacts.delist(desk.server, contacts_of(desk.server), agent, client)
