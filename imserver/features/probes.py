"""RFC 6121, 4.3: asking whether somebody is here, and answering for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.features.contacts import reaches, roster_of, tell
from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.stanza import Presence
from imserver.xmpp.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from imserver.features.contacts import Roster
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.storage.lasts import Last
    from imserver.xmpp.jid import JID


def send_probe(server: Server, session: Session, presence: Presence) -> Awaitable[None] | None:
    """Pass on a question that a client asks by itself; it is answered like the server's own."""
    return server.router.deliver(presence) if presence.to is not None else None


async def look_around(server: Server, asker: JID, roster: Roster) -> None:
    """Find out for a client that has just come online which of its contacts are (RFC 6121, 4.3.1)."""
    absent = []
    for contact in roster.viewed:
        probe = Presence(type="probe", sender=asker, to=contact)
        if not reaches(server, probe):
            continue
        if contact.domain != server.domain:
            await tell(server, probe)
        elif (theirs := roster_of(server, contact)) is None:
            absent.append(contact)
        elif not answer_for(server, theirs, probe):
            await refuse(server, contact, asker)
    if absent:
        await answer_for_absent(server, absent, asker)


async def answer_probe(server: Server, probe: Presence) -> None:
    """Answer for an account of ours, and only to those who may know (RFC 6121, 4.3.2)."""
    if probe.to is None or probe.sender is None or not reaches(server, probe):
        return
    theirs = roster_of(server, probe.to.bare)
    if theirs is None:
        await answer_for_absent(server, [probe.to.bare], probe.sender)
    elif not answer_for(server, theirs, probe):
        await refuse(server, probe.to.bare, probe.sender)


def answer_for(server: Server, roster: Roster, probe: Presence) -> bool:
    """Answer for an account that is connected, if the asker may know."""
    asker = probe.sender
    assert asker is not None
    assert probe.to is not None
    if not roster.is_shown_to(asker.bare) and asker.bare != roster.owner:
        return False
    shown = [
        session.presence
        for session in server.sessions.of(roster.owner)
        if session.presence is not None and probe.to in (session.jid, session.bare)
    ]
    for presence in shown or [Presence(type="unavailable", sender=probe.to)]:
        server.router.send(presence.readdressed(to=asker))
    return True


async def answer_for_absent(server: Server, accounts: Sequence[JID], asker: JID) -> None:
    """Answer for accounts that are not connected: when they left, to those who may know."""
    shown = await server.store.rosters.showing_to(asker.bare, accounts)
    lasts = await server.store.lasts.of(shown)
    for account in accounts:
        if account not in shown and account != asker.bare:
            await refuse(server, account, asker)
        # Whoever has come online meanwhile has told everybody.
        elif not server.sessions.of(account):
            server.router.send(gone(account, asker, lasts.get(account)))


def gone(account: JID, asker: JID, last: Last | None) -> Presence:
    """Say that somebody is not here, and since when if that is known."""
    presence = Presence(type="unavailable", sender=account, to=asker)
    if last is None:
        return presence
    stamp = {"from": account.domain, "stamp": format_timestamp(last.time)}
    return presence.add(Element("delay", namespaces.DELAY, stamp))


async def refuse(server: Server, account: JID, asker: JID) -> None:
    """Tell somebody who may not know, whether the account exists or not."""
    await tell(server, Presence(type="unsubscribed", sender=account, to=asker.bare))
