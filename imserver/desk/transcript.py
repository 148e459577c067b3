"""What was said with a client, in lines that any client shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from imserver.desk.relay import sayable
from imserver.storage.schema import moment
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CLIENT
from imserver.xmpp.parser import parse_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imserver.desk.desk import Desk
    from imserver.storage.archive import ArchivedMessage
    from imserver.xmpp.element import Element

#: How many messages are looked through for what were commands.
MOST_RECALLED: Final = 500


class Line(NamedTuple):
    """A message, with when and who."""

    #: That of the message in the archive.
    id: int
    to: JID
    text: str


async def archives_of(desk: Desk, client: JID) -> list[JID]:
    """Name the archives with what was said with a client: under all its keys, on all channels."""
    keys = await desk.server.store.desk.keys_of(client.local)
    others = [JID.of(key, domain) for key in keys for domain in desk.channels]
    return [client, *(other for other in others if other != client)]


async def transcript(desk: Desk, client: JID, queue: str, *, after: int = 0, limit: int) -> list[Line]:
    """Read the newest of what was said after a message, whoever attended the client, on whatever channel.

    The oldest of it comes first, and times are those of the queue.
    """
    start = moment(after + 1) if after else None
    first, *others = await archives_of(desk, client)
    page = await desk.server.store.archive.page(
        first, together_with=others, start=start, limit=limit, backwards=True
    )
    settings = desk.settings.queues.get(queue)
    zone = ZoneInfo(settings.timezone if settings is not None else "UTC")
    return [line for row in page.rows for line in _write(desk, client, row, zone)]


async def commands_in(desk: Desk, agent: JID, client: JID, *, after: int) -> list[str]:
    """List the ids of the newest commands that an agent gave in the chat with a client."""
    start = moment(after + 1) if after else None
    page = await desk.server.store.archive.page(
        agent, peer=client, start=start, limit=MOST_RECALLED, backwards=True
    )
    prefix, found = desk.settings.prefix, []
    for row in page.rows:
        tree = _parse(row)
        body = tree.child("body", CLIENT)
        if tree.get("id") and body is not None and sayable(body.text, prefix) is None:
            found.append(tree.get("id"))
    return found


def _parse(row: ArchivedMessage) -> Element:
    return parse_message(row.stanza)


def _write(desk: Desk, client: JID, row: ArchivedMessage, zone: ZoneInfo) -> Iterator[Line]:
    tree = _parse(row)
    body = tree.child("body", CLIENT)
    if body is None or not body.text:
        return
    sender, to = JID.parse(tree.get("from")), JID.parse(tree.get("to"))
    by = desk.clients.name_of(client) if sender.domain in desk.channels else sender.local
    yield Line(row.id, to.bare, f"[{row.time.astimezone(zone):%Y-%m-%d %H:%M %Z}] {by}: {body.text}")
