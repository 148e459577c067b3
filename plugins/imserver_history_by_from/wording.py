"""How a message of the past is shown: a client's as from the client, a colleague's as if the agent had sent it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imserver import JID, Element, Message, format_timestamp, parse_message

if TYPE_CHECKING:
    from datetime import datetime

    from imserver import ArchivedMessage

CLIENT: Final = "jabber:client"
DELAY: Final = "urn:xmpp:delay"
STANZA_IDS: Final = "urn:xmpp:sid:0"
CARBONS: Final = "urn:xmpp:carbons:2"
FORWARD: Final = "urn:xmpp:forward:0"
MARKERS: Final = "urn:xmpp:chat-markers:0"

#: Nobody is to answer what is long past, nor to believe that somebody is writing (XEP-0184, XEP-0333, XEP-0085).
#: What our own server says of a message, it says anew.
LEFT_OUT: Final = frozenset(
    {
        "urn:xmpp:receipts",
        MARKERS,
        "http://jabber.org/protocol/chatstates",
        STANZA_IDS,
        DELAY,
        "urn:xmpp:hints",
        "http://jabber.org/protocol/nick",
    }
)
#: With a name before it, the text begins elsewhere, and is not the address of a file alone (XEP-0428, XEP-0066).
OF_THE_BARE_TEXT: Final = frozenset({"urn:xmpp:fallback:0", "urn:xmpp:reply:0", "jabber:x:oob"})


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A message of a client's archive."""

    #: Its number there.
    number: int
    time: datetime
    #: As whoever wrote it called it.
    id: str
    sender: JID
    to: JID
    lang: str
    payload: tuple[Element, ...]

    @property
    def name(self) -> str:
        """What it is called in the chat: clients can't refer to what has no id."""
        return self.id or str(self.number)

    @property
    def text(self) -> str:
        """What people read."""
        return next((one.text for one in self.payload if one.name == "body" and one.namespace == CLIENT), "")

    @property
    def stamp(self) -> str:
        """When it was written, if that was noted in it."""
        return next((one.get("stamp") for one in self.payload if one.namespace == DELAY), "")


def read(row: ArchivedMessage) -> Said:
    """Read a message of an archive."""
    tree = parse_message(row.stanza)
    return Said(
        row.id,
        row.time,
        tree.get("id"),
        JID.parse(tree.get("from")),
        JID.parse(tree.get("to")),
        tree.get("xml:lang"),
        tuple(tree.elements()),
    )


def from_client(said: Said, client: JID, agent: JID) -> Message:
    """Write what a client said, on whatever channel, as said to this agent in this chat."""
    return _write(said, client, agent, [one for one in said.payload if one.namespace not in LEFT_OUT])


def from_us(said: Said, client: JID, agent: JID) -> Message:
    """Write what a colleague said as if the agent had, with the colleague's name."""
    return _write(said, agent, client.bare, _named(said, agent))


def from_client_with_name(said: Said, client: JID, agent: JID) -> Message:
    """Write what a colleague said for a device that knows no messages of its own account's others."""
    return _write(said, client, agent, _named(said, None))


def _named(said: Said, agent: JID | None) -> list[Element]:
    payload = [one for one in said.payload if one.namespace not in LEFT_OUT]
    if said.sender.bare == agent:
        return payload
    kept = [one for one in payload if one.namespace not in OF_THE_BARE_TEXT]
    return [
        Element("body", CLIENT, one.attributes, text=f"{said.sender.local}: {one.text}")
        if (one.name, one.namespace) == ("body", CLIENT)
        else one
        for one in kept
    ]


def _write(said: Said, sender: JID, to: JID, payload: list[Element]) -> Message:
    return Message(sender=sender, to=to, type="chat", id=said.name, lang=said.lang, payload=payload)


def dated(message: Message, said: Said, agent: JID) -> Message:
    """Say when a message was written, and which one it is in the agent's archive (XEP-0203, XEP-0359)."""
    # COMPAT: Gajim shows this time, and makes no sound, only if the agent's own server says it.
    delay = {"from": agent.domain, "stamp": format_timestamp(said.time)}
    message.add(Element("delay", DELAY, delay))
    message.add(Element("stanza-id", STANZA_IDS, {"by": agent.bare, "id": str(said.number)}))
    return message


def carbon(message: Message, to: JID) -> Message:
    """Show a device what was sent from another (XEP-0280)."""
    # XEP-0297, 3: the time stands in both places, since clients look in one or the other.
    forwarded = Element("forwarded", FORWARD).add(*message.element.all("delay", DELAY), message.element)
    return Message(sender=to.bare, to=to, type="chat", payload=[Element("sent", CARBONS).add(forwarded)])


def has_been_read(said: Said, client: JID, agent: JID) -> Message:
    """Write that the agent has read everything up to there (XEP-0333), as another device of theirs would."""
    payload = [Element("displayed", MARKERS, {"id": said.name})]
    return Message(sender=agent, to=client.bare, type="chat", payload=payload)
