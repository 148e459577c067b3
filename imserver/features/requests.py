"""RFC 6121, 3.1.3: requests that nobody has answered yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.features.contacts import reaches
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Presence

if TYPE_CHECKING:
    from imserver.features.contacts import Roster
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.jid import JID

#: A longer request is kept without what it says besides: strangers choose it, we pay for the disk.
LONGEST: Final = 8192


def deliver_requests(server: Server, session: Session, roster: Roster) -> None:
    """Ask a client that has just come online what nobody has answered."""
    for contact, request in roster.requests:
        presence = read(request, contact, roster.owner)
        if reaches(server, presence):
            session.send(presence)


def written(request: Presence) -> bytes:
    """Write a request down, with its extensions."""
    whole = request.framed
    if len(whole) <= LONGEST:
        return whole
    return Presence(type=request.type, sender=request.sender, to=request.to).framed


def read(request: bytes, sender: JID, to: JID) -> Presence:
    """Read a request that was written down."""
    element = parse(request)
    return Presence(
        type="subscribe",
        sender=sender,
        to=to,
        id=element.get("id"),
        lang=element.get("xml:lang"),
        payload=element.elements(),
    )
