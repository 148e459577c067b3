"""Who may read what was said with a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver import StanzaError

if TYPE_CHECKING:
    from imserver import JID
    from imserver.desk import Desk


async def check_access(desk: Desk, asker: JID, client: JID, *, for_ever: bool) -> None:
    """Let those read who are in a conversation with the client, and, `for_ever`, those who once were.

    Raises:
        StanzaError: The same for a client whom there is not: nobody finds out by trying who there is.
    """
    conversation = desk.floor.between(asker, client)
    if conversation is not None and asker in conversation.agents:
        return
    if for_ever and await _attended(desk, asker, client):
        return
    raise StanzaError("forbidden", "Only agents who are in a conversation with a client may read the history")


async def _attended(desk: Desk, agent: JID, client: JID) -> bool:
    store, before = desk.server.store.desk, 2**62
    while rows := await store.conversations_of(client.local, before=before):
        if any(agent == row.agent or agent in row.details.get("guests", ()) for row in rows):
            return True
        before = rows[-1].id
    return False
