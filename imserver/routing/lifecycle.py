"""How sessions begin, survive the loss of a connection, and end (RFC 6120, 7; XEP-0198, 5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from imserver.hooks import is_awaitable
from imserver.routing.sessions import Guest, Session
from imserver.stream.resumption import Acknowledgements
from imserver.xmpp.errors import StanzaError, StreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver.routing.components import Host
    from imserver.routing.sessions import Outlet
    from imserver.server import Server
    from imserver.xmpp.jid import JID
    from imserver.xmpp.stanza import Stanza


async def open_session(
    server: Server, jid: JID, outlet: Outlet, *, lang: str, host: Host | None = None, address: str = ""
) -> Session:
    """Bind a resource; whoever has it already is told and has to go (RFC 6120, 7.7.2.2).

    Raises:
        StanzaError: If the account has too many sessions.
    """
    while (rival := server.sessions.find(jid)) is not None:
        if rival.outlet is not None:
            rival.outlet.end(StreamError("conflict", "This resource has signed in elsewhere"))
        await close_session(server, rival)
    if len(server.sessions.of(jid.bare)) >= server.settings.limits.sessions_per_account:
        raise StanzaError("resource-constraint", "Too many sessions of this account")
    session = (
        Session(jid, outlet, lang=lang)
        if host is None
        else Guest(jid, outlet, host, address=address, lang=lang)
    )
    session.limit = server.settings.limits.unacknowledged_stanzas
    session.overflowed = lambda session: _overflow(server, session)
    server.sessions.add(session)
    if isinstance(session, Guest):
        session.host.opened(session)
    elif server.hooks.session_opened:
        pending = server.hooks.session_opened.announce(server=server, session=session)
        if pending is not None:
            await pending
    return session


def manage(server: Server, session: Session, *, token: str) -> bool:
    """Count stanzas from here on; with a token, let the session be resumed. False if that is done already."""
    if session.acknowledgements is not None:
        return False
    session.acknowledgements = Acknowledgements()
    if token:
        server.sessions.make_resumable(session, token)
    return True


def lose_connection(server: Server, session: Session, outlet: Outlet) -> None:
    """Take note that a connection is gone without a word: the session may be resumed for a while, if it asked."""
    if session.outlet is not outlet or session.is_closed:
        return
    session.outlet = None
    if not session.is_resumable:
        server.spawn(close_session(server, session))
        return
    seconds = server.settings.limits.resume_seconds
    asyncio.get_running_loop().call_later(seconds, _give_up, server, session, session.detachments)


def _give_up(server: Server, session: Session, detachments: int) -> None:
    if session.outlet is None and session.detachments == detachments and not session.is_closed:
        server.spawn(close_session(server, session))


def _overflow(server: Server, session: Session) -> None:
    """Too much waits for an acknowledgement: the session ends, and what waits goes elsewhere."""
    if session.outlet is not None:
        session.outlet.end(StreamError("resource-constraint", "Too many stanzas were not acknowledged"))
    server.spawn(close_session(server, session))


async def resume(server: Server, session: Session, outlet: Outlet, handled: int) -> list[Stanza]:
    """Let a new connection take the session over, and return what is to be sent again.

    Raises:
        LookupError: If the session has ended meanwhile.
        StreamError: If the client counts more than it was sent.
    """
    # What the old connection brought counts only once it is served: wait for it.
    await served(server, session)
    if session.is_closed or session.acknowledgements is None:
        raise LookupError("the session has ended")
    session.acknowledge(handled)
    session.detachments += 1
    former, session.outlet = session.outlet, None
    if former is not None:
        former.end(StreamError("conflict", "This session was resumed elsewhere"))
    session.look(True)  # XEP-0352, 5: the state does not survive; what was held back waits like the rest
    if session.is_closed:
        raise LookupError("more waits than may be unacknowledged, and goes elsewhere")
    session.outlet = outlet
    return list(session.acknowledgements.waiting)


async def served(server: Server, session: Session) -> None:
    """Wait until everything the session sent is served."""
    done = asyncio.get_running_loop().create_future()

    def finish() -> None:
        if not done.done():
            done.set_result(None)

    server.router.after_all(session, finish)
    await done


def close_session(server: Server, session: Session) -> Awaitable[None]:
    """End a session for good: contacts see it go, and what it did not acknowledge goes elsewhere.

    From this call on nothing more is lost on it; what it returns is done when everything is.
    """
    if not session.is_closed:
        session.is_closed = True
        session.outlet = None
        server.router.after_all(session, lambda: _end(server, session))
    return served(server, session)


async def _end(server: Server, session: Session) -> None:
    server.sessions.remove(session)
    left = session.unacknowledged()
    if isinstance(session, Guest):
        session.host.closed(session)
    elif server.hooks.session_closed:
        pending = server.hooks.session_closed.announce(server=server, session=session)
        if pending is not None:
            await pending
    for stanza in left:
        await _redeliver(server, stanza, session)


async def _redeliver(server: Server, stanza: Stanza, session: Session) -> None:
    try:
        pending: Awaitable[None] | None = server.router.redeliver(stanza, session)
        if is_awaitable(pending):
            await pending
    except StanzaError as error:
        server.router.bounce(stanza, error)
