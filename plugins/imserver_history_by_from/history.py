"""What was said with a client, without what an agent's own archive has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver import ArchivedMessage, format_timestamp, moment
from imserver.desk import archives_of
from imserver_history_by_from import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imserver import JID
    from imserver.desk import Desk
    from imserver_history_by_from.wording import Said

#: How many messages are read at a time, and looked through at most for those with something to read.
AT_ONCE: Final = 100
MOST_READ: Final = 2_000
#: What waited less than this was given to the agent without its time, in microseconds.
UNDATED: Final = 65_000_000
#: A guest and the agent are given the same message within this time, in microseconds.
AT_THE_SAME_TIME: Final = 5_000_000


class History:
    """Reads what was said with the clients of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._archive = desk.server.store.archive

    def is_client(self, jid: JID) -> bool:
        """Tell whether this is the address of a client, and not of an agent or a queue."""
        return jid.domain in self._desk.channels

    async def newest(self, client: JID, count: int, *, up_to: int, waiting: tuple[JID, int]) -> list[Said]:
        """Read the newest messages with a text, the oldest of them first.

        What a client wrote to the queue `waiting` after that message is still to be given to the agent.
        """
        queue, handed = waiting
        first, *others = await archives_of(self._desk, client)
        found: list[Said] = []
        before, is_complete, looked_at = up_to + 1, False, 0
        while len(found) < count and not is_complete and looked_at < MOST_READ:
            page = await self._archive.page(
                first, together_with=others, end=moment(before - 1), limit=AT_ONCE, backwards=True
            )
            said = [wording.read(row) for row in page.rows]
            found[:0] = [
                one for one in said if one.text and not (one.to.bare == queue and one.number > handed)
            ]
            is_complete, looked_at = page.complete or not said, looked_at + len(said)
            before = said[0].number if said else before
        return found[max(len(found) - count, 0) :] if count else []

    async def known(self, said: Sequence[Said], agent: JID, client: JID) -> tuple[set[int], set[int]]:
        """Tell which messages an agent's archive has, and of which it has copies under other numbers."""
        same = await self._archive.held_by(agent, [one.number for one in said])
        others = [one for one in said if one.number not in same and self.is_client(one.sender)]
        if not others:
            return same, set()
        start = others[0].number - AT_THE_SAME_TIME
        page = await self._archive.page(agent, peer=client.bare, start=moment(start), limit=500)
        own = [wording.read(row) for row in page.rows]
        copies = {
            (one.id, one.text): [other for other in own if (other.id, other.text) == (one.id, one.text)]
            for one in others
        }
        return same, {one.number for one in others if _is_among(one, copies[one.id, one.text])}

    async def show(
        self, agent: JID, client: JID, rows: Sequence[ArchivedMessage]
    ) -> Sequence[ArchivedMessage]:
        """Write a page for an agent who reads on (XEP-0313): their own as it is, the rest as in this chat, once."""
        said = {row.id: wording.read(row) for row in rows}
        same, copied = await self.known(list(said.values()), agent, client)
        return list(self._show(agent, client, rows, said, same, copied))

    def _show(
        self,
        agent: JID,
        client: JID,
        rows: Iterable[ArchivedMessage],
        said: dict[int, Said],
        same: set[int],
        copied: set[int],
    ) -> Iterable[ArchivedMessage]:
        device = self._desk.device_of(client)
        for row in rows:
            one = said[row.id]
            if row.id in same:
                yield row
            elif row.id in copied:
                continue
            elif self.is_client(one.sender):
                yield ArchivedMessage(row.id, wording.from_client(one, device, agent).wire)
            else:
                yield ArchivedMessage(row.id, wording.from_us(one, client, agent).wire)


def _is_among(one: Said, copies: Iterable[Said]) -> bool:
    stamp = format_timestamp(one.time)
    for copy in copies:
        later = copy.number - one.number
        if copy.number == one.number:
            continue
        if copy.stamp == stamp or abs(later) < AT_THE_SAME_TIME or (0 < later < UNDATED and not copy.stamp):
            return True
    return False
