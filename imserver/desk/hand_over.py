"""A client gets to an agent, with everything they wrote while they waited; and goes from them again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imserver.desk import contacts, relay
from imserver.desk.conversation import State
from imserver.desk.lookups import rename
from imserver.desk.transcript import transcript
from imserver.features.contacts import contacts_of, find_roster
from imserver.hooks import is_awaitable
from imserver.storage.conversations import ConversationRow
from imserver.storage.schema import moment
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse_message
from imserver.xmpp.stanza import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime

    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.desk.effects import HandOver, TakeAway
    from imserver.storage.archive import ArchivedMessage, ArchiveRow

#: How many messages are read from disk at a time.
AT_ONCE: Final = 50
#: What is older is shown with its time, in seconds.
LATE: Final = 60.0
#: How long what waited waits for what plugins show the agent first, in seconds.
PATIENCE: Final = 2.0


async def hand_over(desk: Desk, effect: HandOver) -> None:
    """Make a client a contact of an agent, and give the agent what they wrote so far."""
    opening = None
    try:
        shown = await _introduce(desk, effect)
        if shown is None:
            await _open(desk, effect)
        else:
            opening = _open_behind(desk, effect, asyncio.ensure_future(shown))
    finally:
        # Whatever fails before: what waits would wait for ever.
        if not effect.is_guest:
            begin_to_give(desk, effect.conversation, behind=opening)
        elif opening is not None:
            desk.server.spawn(opening)


async def _introduce(desk: Desk, effect: HandOver) -> Awaitable[None] | None:
    conversation, agent = effect.conversation, JID.parse(effect.agent)
    client = JID.parse(conversation.client)
    name, queue = desk.clients.name_of(client), desk.title(conversation.queue)
    await contacts.enlist(desk.server, contacts_of(desk.server), agent, client, name=name, group=queue)
    if desk.clients.name_of(client) != name:  # another one was found meanwhile
        await rename(desk, agent, client)
    desk.statuses.show(conversation)
    return desk.announce_assigned(conversation, agent)


async def _open_behind(desk: Desk, effect: HandOver, shown: asyncio.Future[None]) -> None:
    """Let plugins show the agent something first, if it takes no longer than `PATIENCE`."""
    desk.server.spawn(shown)
    await asyncio.wait([shown], timeout=PATIENCE)
    await _open(desk, effect)


async def _open(desk: Desk, effect: HandOver) -> None:
    conversation, agent = effect.conversation, JID.parse(effect.agent)
    client = JID.parse(conversation.client)
    desk.tell(desk.device_of(client), agent, _opening_words(desk, effect, desk.clients.name_of(client)))
    if effect.previous not in ("", effect.agent) and desk.tells_what_was_said:
        await _tell_what_was_said(desk, conversation, agent)


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


async def _tell_what_was_said(desk: Desk, conversation: Conversation, agent: JID) -> None:
    """Show an agent what was said in a conversation before they came."""
    queue, client = desk.queue_jid(conversation.entrance), JID.parse(conversation.client)
    lines = [
        line.text
        for line in await transcript(
            desk, client, conversation.queue, after=conversation.begun, limit=AT_ONCE
        )
        # The rest is given to them as it was written.
        if line.id <= conversation.handed or line.to != queue
    ]
    if lines:
        desk.tell(desk.device_of(client), agent, "\n".join(lines))


def begin_to_give(desk: Desk, conversation: Conversation, *, behind: Awaitable[None] | None = None) -> None:
    """Give the agent what waited, unless that has begun, and `behind` that; others do not wait for it."""
    desk.talk.handing.add(conversation.id)
    if conversation.id not in desk.talk.giving:
        desk.talk.giving.add(conversation.id)
        desk.server.spawn(_give_what_waited(desk, conversation, behind))
    elif behind is not None:
        desk.server.spawn(behind)


async def _give_what_waited(
    desk: Desk, conversation: Conversation, behind: Awaitable[None] | None = None
) -> None:
    """Give the agent what the client wrote while nobody had the conversation, in order and once.

    What comes in meanwhile waits behind it, and is given too.
    """
    try:
        if behind is not None:
            await behind
        while conversation.state is State.ACTIVE:
            given = await _give_some(desk, conversation)
            if given < AT_ONCE:
                break
        # With somebody who writes on and on it would never end: for the rest, what comes waits in memory.
        desk.talk.gates[conversation.id] = asyncio.Event()
        while conversation.state is State.ACTIVE:
            is_whole = (
                conversation.id not in desk.talk.recording
            )  # before it is read, or the last may be missed
            if not await _give_some(desk, conversation):
                if is_whole:
                    break
                await asyncio.sleep(0.002)
    except Exception as error:
        desk.server.log.error("what waited could not be given", conversation=conversation.id, exc_info=error)
    finally:
        desk.talk.handing.discard(conversation.id)
        desk.talk.giving.discard(conversation.id)
        if (gate := desk.talk.gates.pop(conversation.id, None)) is not None:
            gate.set()


async def _give_some(desk: Desk, conversation: Conversation) -> int:
    rows = await _what_waited(desk, conversation)
    return len(rows) if rows and await _give(desk, conversation, rows) else 0


async def _what_waited(desk: Desk, conversation: Conversation) -> Sequence[ArchivedMessage]:
    page = await desk.server.store.archive.page(
        conversation.client,
        peer=desk.queue_jid(conversation.entrance),
        start=moment(conversation.handed + 1),
        limit=AT_ONCE,
    )
    return page.rows


async def _give(desk: Desk, conversation: Conversation, rows: Sequence[ArchivedMessage]) -> bool:
    """Put it into the agent's archive, note in the same transaction that it is given, and deliver it.

    False: the server stops before, or nobody has it any more.
    """
    if conversation.state is not State.ACTIVE:
        return False  # not any more, since it was read
    server, client = desk.server, JID.parse(conversation.client)
    agent = JID.parse(conversation.agent)
    queue = desk.queue_jid(conversation.entrance)
    given: list[Message] = []
    records: list[ArchiveRow] = []
    for row in rows:
        is_late = desk.now() - row.time.timestamp() >= LATE
        sent, nick = row.time if is_late else None, desk.clients.name_of(client)
        message = _read(row, desk.device_of(client), agent, queue, sent, nick=nick)
        message.number = server.number()
        found = server.hooks.find_records.ask(server=server, message=message)
        found = await found if is_awaitable(found) else found
        # The client's history has it since it came in.
        records += [record._replace(mirror=None) for record in found or () if record.owner == agent]
        given.append(message)
    handed = rows[-1].id
    async with desk.keeper.storing:
        after = ConversationRow(**conversation.to_row())
        after = replace(after, details={**after.details, "handed": handed})
        stored = server.store.desk.steps([after])
        if not await desk.keeper.write(lambda: server.store.archive.write(records, also=stored)):
            return False
        conversation.handed = handed
    for message in given:
        server.router.send(message)
    return True


def _read(
    row: ArchivedMessage, device: JID, agent: JID, queue: JID, sent: datetime | None, *, nick: str
) -> Message:
    tree = parse_message(row.stanza)
    kept = Message(
        sender=device,
        to=queue,
        type="chat",
        id=tree.get("id"),
        lang=tree.get("xml:lang"),
        payload=tree.elements(),
    )
    passed = relay.to_agent(kept, device, agent, queue=queue, nick=nick, sent=sent)
    assert passed is not None, "it was kept, so it says something"
    return passed


async def come_back(desk: Desk, jid: str) -> None:
    """Give an agent who is there again what their clients wrote meanwhile, and set their contacts right."""
    agent, rosters = JID.parse(jid), contacts_of(desk.server)
    for conversation in desk.floor.of_agent(jid):
        if conversation.state is not State.ACTIVE:
            continue
        client = JID.parse(conversation.client)
        name, queue = desk.clients.name_of(client), desk.title(conversation.queue)
        await contacts.enlist(desk.server, rosters, agent, client, name=name, group=queue)
        if conversation.agent == jid and conversation.id in desk.talk.held:
            desk.talk.held.discard(conversation.id)
            begin_to_give(desk, conversation)
    await _delist_strangers(desk, agent)


async def _delist_strangers(desk: Desk, agent: JID) -> None:
    """Take those clients out of the roster who should not be there any more: the server died before it did that."""
    roster = await find_roster(desk.server, agent)
    for item in roster.listed:
        contact = JID.parse(item.contact)
        if contact.domain in desk.channels and desk.floor.between(agent, contact) is None:
            await contacts.delist(desk.server, contacts_of(desk.server), agent, contact)


async def take_away(desk: Desk, effect: TakeAway) -> None:
    """Have a client go from an agent's contacts."""
    conversation, agent = effect.conversation, JID.parse(effect.agent)
    client = JID.parse(conversation.client)
    desk.statuses.forget(conversation, effect.agent)
    desk.stop_composing(effect.agent, conversation)
    if any(one is not conversation for one in desk.floor.of_agent(effect.agent) if one.client == client):
        return  # they are in another conversation with each other
    name = desk.clients.name_of(client)
    desk.tell(desk.device_of(client), agent, desk.say("taken_away", conversation.queue, agent, client=name))
    gone = replace(desk.contact(conversation), is_present=False)
    for session in desk.server.sessions.of(agent):
        if (
            session.is_available
        ):  # others were not shown the client; one may not even know yet that it is bound
            session.send(contacts.absence(gone, session.jid))
    await contacts.delist(desk.server, contacts_of(desk.server), agent, client)
