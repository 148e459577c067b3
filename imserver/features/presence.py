"""RFC 6121, 4: who sees that somebody is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.features.contacts import reaches, roster_behind, roster_of
from imserver.features.probes import answer_probe, look_around, send_probe
from imserver.features.requests import deliver_requests
from imserver.hooks import hookimpl
from imserver.routing.presences import PresenceHandler
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.stanza import IQ, Presence

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.jid import JID


@hookimpl
def register_presence_handlers() -> list[PresenceHandler]:
    """Take what says that somebody is here or not, questions about it, and errors."""
    return [
        PresenceHandler(frozenset({"", "unavailable"}), send, take),
        PresenceHandler(frozenset({"probe"}), send_probe, answer_probe),
        PresenceHandler(frozenset({"error"}), send_error, take_error),
    ]


@hookimpl
def session_closed(server: Server, session: Session) -> Awaitable[None] | None:
    """Say goodbye for a client that can't any more (RFC 6121, 4.5.1)."""
    return leave(server, session, Presence(type="unavailable", sender=session.jid))


@hookimpl
def may_ask(server: Server, iq: IQ) -> bool | None:
    """Keep questions from clients that the asker is not shown (RFC 6121, 8.5.3.1)."""
    return None if iq.to is None or is_visible(server, iq.to, iq.sender) else False


def is_visible(server: Server, jid: JID, asker: JID | None) -> bool:
    """Tell whether the asker may know that this client is here."""
    if asker is None or asker.bare == jid.bare:
        return True
    if not asker.local and (asker == server.domain or asker.domain in server.router.components):
        return True  # the server itself, and what is part of it
    roster = roster_of(server, jid.bare)
    if roster is not None and roster.is_shown_to(asker.bare):
        return True
    session = server.sessions.find(jid)
    return session is not None and not session.directed.isdisjoint((asker, asker.bare))


# Out of a session


def send(server: Server, session: Session, presence: Presence) -> Awaitable[None] | None:
    """Show a client to its contacts, or to one in particular."""
    if presence.to is not None:
        return send_directed(server, session, presence)
    if presence.type == "unavailable":
        return leave(server, session, presence)
    return appear(server, session, presence)


def appear(server: Server, session: Session, presence: Presence) -> Awaitable[None] | None:
    """Show a client to its contacts and to itself (RFC 6121, 4.2.2 and 4.4.2)."""
    is_new = session.presence is None
    session.presence, session.priority = presence, presence.priority
    broadcast(server, session, presence)
    # At once: what waited for the client goes before what comes from now on.
    pending = server.hooks.presence_changed.announce(server=server, session=session, presence=presence)
    return _begin(server, session, pending) if is_new else pending


async def _begin(server: Server, session: Session, pending: Awaitable[None] | None) -> None:
    """Tell a client that has just come online who else is there, and who asked meanwhile."""
    for other in server.sessions.of(session.bare):
        if other.presence is not None and other is not session:
            session.send(other.presence.readdressed(to=session.jid))
    roster = roster_behind(session)
    await look_around(server, session.jid, roster)
    deliver_requests(server, session, roster)
    if pending is not None:
        await pending


def leave(server: Server, session: Session, presence: Presence) -> Awaitable[None] | None:
    """Tell everybody who saw a client that it is gone (RFC 6121, 4.5.2 and 4.6.3)."""
    was_available = session.presence is not None
    if was_available:
        broadcast(server, session, presence)
    roster = roster_behind(session)
    for jid in session.directed:
        if not (was_available and roster.is_shown_to(jid.bare)):
            show(server, presence.readdressed(to=jid))
    session.directed.clear()
    session.presence, session.priority = None, 0
    if not was_available:
        return None
    return server.hooks.presence_changed.announce(server=server, session=session, presence=presence)


def send_directed(server: Server, session: Session, presence: Presence) -> Awaitable[None] | None:
    """Show a client to one other, and remember to take it back (RFC 6121, 4.6.2).

    Raises:
        StanzaError: If it can't get there, or was shown to too many.
    """
    to = presence.to
    assert to is not None
    server.router.may_talk(presence)
    if presence.type == "unavailable":
        session.directed.discard(to)
        return server.router.deliver(presence)
    is_contact = session.is_available and roster_behind(session).is_shown_to(to.bare)
    if is_contact or to.bare == session.bare:
        return server.router.deliver(presence)
    limit = server.settings.limits.roster_items
    if to not in session.directed and len(session.directed) >= limit:
        raise StanzaError("policy-violation", f"Presence goes to at most {limit} addresses at once")
    pending = server.router.deliver(presence)
    session.directed.add(to)
    return pending


def send_error(server: Server, session: Session, presence: Presence) -> Awaitable[None] | None:
    """Pass on that a client can't make sense of a presence."""
    return server.router.deliver(presence) if presence.to is not None else None


def broadcast(server: Server, session: Session, presence: Presence) -> None:
    """Send presence to whoever sees the account's, and to the account's own clients."""
    for contact in roster_behind(session).viewers:
        show(server, presence.readdressed(to=contact))
    for own in server.sessions.of(session.bare):
        if own.is_available:
            own.send(presence.readdressed(to=own.jid))


def show(server: Server, presence: Presence) -> None:
    """Send presence to somebody, unless one of the two has blocked the other."""
    assert presence.to is not None
    if presence.to.domain == server.domain and not server.sessions.of(presence.to.bare):
        return
    if reaches(server, presence):
        server.router.send(presence)


def greet(server: Server, account: JID, contact: JID) -> None:
    """Show all clients of an account to somebody who sees it from now on (RFC 6121, 3.1.5)."""
    for session in server.sessions.of(account):
        if session.presence is not None:
            show(server, session.presence.readdressed(to=contact))


def hide(server: Server, account: JID, contact: JID) -> None:
    """Take all clients of an account from the sight of somebody (RFC 6121, 3.2.2)."""
    for session in server.sessions.of(account):
        if session.is_available:
            show(server, Presence(type="unavailable", sender=session.jid, to=contact))


# Into an account


def take(server: Server, presence: Presence) -> None:
    """Deliver somebody's presence: to all who are available, or to the one that is meant (RFC 6121, 8.5)."""
    if presence.to is None or not reaches(server, presence):
        return
    if presence.to.resource:
        session = server.sessions.find(presence.to)
        readers = [session] if session is not None else []
    else:
        readers = [session for session in server.sessions.of(presence.to) if session.is_available]
    for session in readers:
        session.send(presence)


def take_error(server: Server, presence: Presence) -> None:
    """Deliver an error to the client that it is about; it does not show itself there any more."""
    session = server.sessions.find(presence.to) if presence.to is not None else None
    if session is None or presence.sender is None:
        return
    session.directed.discard(presence.sender)
    session.send(presence)
