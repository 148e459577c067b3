"""Clients as contacts: in the roster of their agent, with presence that tells how long they have been waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from imserver.desk.allowed import (
    CORRECTION,
    FALLBACK,
    FILE_SHARING,
    NICK,
    OOB,
    REACTIONS,
    REPLIES,
    RETRACTION,
)
from imserver.desk.cards import VCARD4, AddressKind
from imserver.desk.phrases import say
from imserver.features import contacts, disco
from imserver.features.caps import verification
from imserver.features.contacts import Contacts
from imserver.features.last_activity import NAMESPACE as LAST
from imserver.features.vcard import NAMESPACE as VCARD
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import (
    CAPS,
    CHAT_STATES,
    CLIENT,
    COMMANDS,
    DISCO_INFO,
    DISCO_ITEMS,
    MARKERS,
    RECEIPTS,
    STANZA_IDS,
)
from imserver.xmpp.stanza import Presence

if TYPE_CHECKING:
    from imserver.server import Server

#: What names this kind of contact; with the hash, it names what one can do (XEP-0115, 4).
NODE: Final = "urn:imserver:desk"
PING: Final = "urn:xmpp:ping"
AVATARS: Final = "vcard-temp:x:update"

#: How the status counts: after each of these seconds it changes, and not in between.
STEPS: Final = tuple(
    60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
)

#: What all channels do, and what a channel may do besides.
BASIC: Final = (DISCO_INFO, DISCO_ITEMS, COMMANDS, PING, LAST, VCARD, VCARD4, NICK, OOB, STANZA_IDS)
RICH: Final = (
    CHAT_STATES,
    RECEIPTS,
    MARKERS,
    CORRECTION,
    REACTIONS,
    REPLIES,
    FALLBACK,
    RETRACTION,
    FILE_SHARING,
)


@dataclass(frozen=True, slots=True)
class Channel:
    """What clients who come this way are like."""

    #: The resource of their JIDs.
    label: str
    name: str
    #: `web`, `phone`, `pc`, … of the category `client`.
    type: str = "pc"
    #: What the channel can carry besides text and files; what it can't is not shown as possible.
    features: tuple[str, ...] = RICH


@dataclass(frozen=True, slots=True)
class Contact:
    """A client, as an agent sees them."""

    jid: JID
    channel: Channel
    name: str
    #: The title of the queue.
    queue: str
    #: Since when the client waits for an answer, in seconds since 1970; None: everything is answered.
    unanswered_since: float | None = None
    #: When the client last wrote.
    last_wrote: float | None = None
    addresses: Sequence[tuple[AddressKind, str]] = ()
    #: Whether there is a conversation now.
    is_present: bool = True

    @property
    def device(self) -> JID:
        """The one device that a client has."""
        return self.jid.with_resource(self.channel.label)


# What they can do (XEP-0115)


@lru_cache(maxsize=64)
def ver(channel: Channel) -> str:
    """Hash what can be done with clients of a channel."""
    return verification(client_info(channel))


def _caps(channel: Channel) -> Element:
    return Element("c", CAPS, {"hash": "sha-1", "node": NODE, "ver": ver(channel)})


def client_info(channel: Channel, *, node: str = "") -> Element:
    """Say what a client is, and what can be done with them."""
    identity = disco.Identity("client", channel.type, channel.name)
    return disco.info([identity], (*BASIC, CAPS, *channel.features), node=node)


# Presence


def presence(contact: Contact, to: JID, now: float, *, lang: str) -> Presence:
    """Show a client to an agent: what they can do, their name (XEP-0172), and how long they have been waiting."""
    if not contact.is_present:
        return absence(contact, to)
    return Presence(
        sender=contact.device,
        to=to,
        payload=[
            Element("status", CLIENT, text=status(contact, now, lang=lang)),
            _caps(contact.channel),
            Element("nick", NICK, text=contact.name),
            # XEP-0153, 4.1: there is no picture, so nobody has to ask for one.
            Element("x", AVATARS).add(Element("photo", AVATARS)),
        ],
    )


def absence(contact: Contact, to: JID) -> Presence:
    """Let a client go from the agent's sight."""
    return Presence(type="unavailable", sender=contact.device, to=to)


def status(contact: Contact, now: float, *, lang: str) -> str:
    """Tell how long a client has been waiting, in steps, and where."""
    if contact.unanswered_since is None:
        return say("status_answered", lang, queue=contact.queue)
    step = _step(now - contact.unanswered_since)
    if not step:
        return say("status_new", lang, queue=contact.queue)
    return say("status_waiting", lang, queue=contact.queue, time=_written(step, lang))


def _step(waited: float) -> int:
    return max((step for step in STEPS if step <= waited), default=0)


def _written(step: int, lang: str) -> str:
    if step < 3_600:
        return say("minutes", lang, count=step // 60)
    return say("hours", lang, count=step // 3_600)


# Roster


async def enlist(
    server: Server, rosters: Contacts, agent: JID, contact: JID, *, name: str, group: str
) -> None:
    """Put a client into an agent's roster, or change how they stand there, and push it (RFC 6121, 2.1.6)."""
    async with rosters.changing(server, agent) as roster:
        before = roster.find(contact)
        item = replace(before, name=name, groups=(group,), subscription="both", ask=False, listed=True)
        if item != before:
            await contacts.commit(server, roster, item)
            contacts.push(server, roster, item)


async def rename(server: Server, rosters: Contacts, agent: JID, contact: JID, *, name: str) -> None:
    """Call somebody in an agent's roster by another name, if they are there, and push it."""
    async with rosters.changing(server, agent) as roster:
        before = roster.find(contact)
        if before.listed and before.name != name:
            item = replace(before, name=name)
            await contacts.commit(server, roster, item)
            contacts.push(server, roster, item)


async def delist(server: Server, rosters: Contacts, agent: JID, contact: JID) -> None:
    """Take a client out of an agent's roster, and push it."""
    async with rosters.changing(server, agent) as roster:
        before = roster.find(contact)
        if before.listed:
            gone = replace(
                before, subscription="none", listed=False, approved=False, ask=False, pending_in=None
            )
            await contacts.commit(server, roster, gone)
            contacts.push(server, roster, gone)
