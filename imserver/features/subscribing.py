"""RFC 6121, 3: what a request to see somebody's presence, or its answer, does on its way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imserver.features import contacts, subscriptions
from imserver.features.contacts import reaches, tell
from imserver.features.presence import greet, hide
from imserver.features.requests import written
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.stanza import Presence

if TYPE_CHECKING:
    from imserver.features.contacts import Contacts, Roster
    from imserver.features.subscriptions import Step
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.jid import JID

TYPES: Final = frozenset(subscriptions.OUTBOUND)


class Subscribing:
    """Takes the four stanzas from our clients, and from their contacts."""

    def __init__(self, rosters: Contacts) -> None:
        self._rosters = rosters

    async def send(self, server: Server, session: Session, presence: Presence) -> None:
        """Note what an account asks or answers, and pass it on (RFC 6121, 3.1.2, 3.1.5, 3.2.2, 3.3.2, 3.4.2).

        Raises:
            StanzaError: If there is nobody to ask, or no room for one more contact.
        """
        if presence.to is None or presence.to.bare == session.bare:
            raise StanzaError("bad-request", "Name the contact in 'to'")
        stanza = presence.readdressed(sender=session.bare, to=presence.to.bare)
        server.router.may_talk(stanza)
        async with self._rosters.changing(server, session.bare) as roster:
            step = subscriptions.send(roster.find(presence.to.bare), presence.type)
            if step.after.listed and not _has_room(server, roster, presence.to.bare):
                raise too_many(server)
            await _note(server, roster, step)
            _push(server, roster, step)
        if not step.passes:
            return
        if step.hides:
            # RFC 6121, 3.2.2: unavailable first, as long as it still means something.
            hide(server, session.bare, presence.to.bare)
        pending = server.router.deliver(stanza)
        if pending is not None:
            await pending
        if step.shares:
            greet(server, session.bare, presence.to.bare)

    async def take(self, server: Server, presence: Presence) -> None:
        """Note what a contact asks or answers, and tell our clients (RFC 6121, 3.1.3, 3.1.6, 3.2.3, 3.3.3)."""
        if presence.sender is None or presence.to is None or not reaches(server, presence):
            return
        owner, contact = presence.to.bare, presence.sender.bare
        if not server.sessions.of(owner) and not await server.store.accounts.exists(owner):
            if presence.type == "subscribe":
                await tell(server, Presence(type="unsubscribed", sender=owner, to=contact))
            return
        stanza = presence.readdressed(sender=contact, to=owner)
        async with self._rosters.changing(server, owner) as roster:
            step = subscriptions.take(roster.find(contact), presence.type, written(stanza))
            if contacts.is_worth_keeping(step.after) and not _has_room(server, roster, contact):
                server.log.warning("a roster is full: a request was left out", owner=owner, contact=contact)
                return
            await _note(server, roster, step)
            if step.passes:
                _deliver(server, stanza)
            _push(server, roster, step)
        if step.hides:
            hide(server, owner, contact)
        if step.answer:
            await tell(server, Presence(type=step.answer, sender=owner, to=contact))
        if step.shares:
            greet(server, owner, contact)

    async def forsake(self, server: Server, owner: JID, contact: JID) -> None:
        """Remove a contact, and end whatever there was between the two (RFC 6121, 2.5.2).

        Raises:
            StanzaError: If it is not in the roster.
        """
        async with self._rosters.changing(server, owner) as roster:
            before = roster.find(contact)
            if not before.listed:
                raise StanzaError("item-not-found", f"{contact} is not in your roster")
            gone = replace(before, listed=False, approved=False, pending_in=None)
            await contacts.commit(server, roster, gone)
            contacts.push(server, roster, gone)
        if before.subscription in ("from", "both"):
            hide(server, owner, contact)
        if before.subscription in ("to", "both") or before.ask:
            await tell(server, Presence(type="unsubscribe", sender=owner, to=contact))
        if before.subscription in ("from", "both") or before.pending_in is not None:
            await tell(server, Presence(type="unsubscribed", sender=owner, to=contact))


def _has_room(server: Server, roster: Roster, contact: JID) -> bool:
    return roster.has_room(server.settings.limits.roster_items, contact)


def too_many(server: Server) -> StanzaError:
    """Refuse one more contact."""
    limit = server.settings.limits.roster_items
    return StanzaError("policy-violation", f"A roster holds at most {limit} contacts; remove some first")


async def _note(server: Server, roster: Roster, step: Step) -> None:
    if step.after != step.before:
        await contacts.commit(server, roster, step.after)


def _push(server: Server, roster: Roster, step: Step) -> None:
    """Push what clients can see of it: not that somebody asked (RFC 6121, 3.1.3)."""
    if replace(step.before, pending_in=None) != replace(step.after, pending_in=None):
        contacts.push(server, roster, step.after)


def _deliver(server: Server, stanza: Presence) -> None:
    """Hand a request to whoever is available, and the rest to whoever asked for the roster."""
    assert stanza.to is not None
    for session in server.sessions.of(stanza.to):
        if session.is_available if stanza.type == "subscribe" else session.wants_roster:
            session.send(stanza)
