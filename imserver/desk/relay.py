"""What passes between an agent and a client: what is on the list, under other names; nothing else does.

Ids stay the same on both sides, so corrections, receipts, markers, reactions and errors hit the right message.

A *command* is a line that begins with the prefix, whatever blanks and quotation marks (`>`) stand before it. A text
with such a line never reaches a client, not even in part; the prefix twice stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Self

from imserver.desk.allowed import (
    BODY,
    CHAT_STATE_NAMES,
    COMPANY,
    FALLBACK,
    NICK,
    PASSES,
    REFERRING,
    REPLIES,
    REPLY,
    allowed,
    plain_pieces,
    says_something,
    talk,
)
from imserver.xmpp.element import Element, escape_text
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CHAT_STATES, CLIENT, DELAY, HINTS
from imserver.xmpp.stanza import Message, child_key
from imserver.xmpp.timestamps import format_timestamp

#: What marks a stanza of the desk that is nobody's business but the agents'.
INTERNAL: Final = "urn:imserver:desk:internal"
#: How the id of everything begins that the desk itself says to agents: what refers to it is for no client.
INTERNAL_ID: Final = "desk:"

#: What people write, and read.
_TEXTS: Final = frozenset({"body", "subject", "desc"})
_QUOTED_LINES: Final = re.compile(r"\A(?:\s*>.*\n?)+")
# XEP-0384 in its two versions, XEP-0373, XEP-0027.
_ENCRYPTED: Final = frozenset(
    {
        child_key("encrypted", "eu.siacs.conversations.axolotl"),
        child_key("encrypted", "urn:xmpp:omemo:2"),
        child_key("openpgp", "urn:xmpp:openpgp:0"),
        child_key("x", "jabber:x:encrypted"),
    }
)


def is_readable(message: Message) -> bool:
    """Tell whether a message is not encrypted for somebody: the other side could not read it."""
    return message.type == "error" or not message.has_any(_ENCRYPTED)


def check_readable(message: Message) -> None:
    """Refuse what is encrypted.

    Raises:
        StanzaError: Towards whoever sent it.
    """
    if not is_readable(message):
        raise StanzaError("not-acceptable", "Encrypted messages can't be read here; switch encryption off")


# Commands

# What nobody sees at the beginning of a line: blanks, and marks that keyboards and directions leave there.
_BLANK: Final = r"\s\x00-\x1f\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff"
_BLANKS: Final = re.compile(f"[{_BLANK}]*")
_BLANKS_AND_QUOTES: Final = re.compile(f"[{_BLANK}>]*")


def command_line(text: str, prefix: str) -> str | None:
    """Find the command that a text is, without the prefix; None if it is something to be said."""
    if prefix not in text:
        return None
    found = _BLANKS.match(text)
    rest = text[found.end() :] if found is not None else text
    if not rest.startswith(prefix) or rest.startswith(prefix * 2):
        return None
    return rest[len(prefix) :]


def sayable(text: str, prefix: str) -> str | None:
    """Write a text as a client may read it; None if a line of it is a command."""
    if prefix not in text:
        return text
    lines = [_sayable_line(line, prefix) for line in text.splitlines(keepends=True)]
    return None if None in lines else "".join(line for line in lines if line is not None)


def _sayable_line(line: str, prefix: str) -> str | None:
    found = _BLANKS_AND_QUOTES.match(line)
    start = found.end() if found is not None else 0
    if not line.startswith(prefix, start):
        return line
    if not line.startswith(prefix * 2, start):
        return None
    return line if ">" in line[:start] else line[:start] + line[start + len(prefix) :]


# From an agent to a client

NICK_KEY: Final = child_key("nick", NICK)
_DELICATE: Final = REFERRING | {REPLY, child_key("internal", INTERNAL)}


def is_plain_talk(message: Message, prefix: str) -> bool:
    """Tell at a glance that a text is for the client; if not, it has to be looked at."""
    inner = message.inner
    is_plain = message.has_body and prefix.encode() not in inner and b"&" not in inner
    return is_plain and message.type in ("chat", "normal") and not message.has_any(_DELICATE)


def is_internal(id: str) -> bool:
    """Tell whether a message with that id was between the desk and an agent."""
    return id.startswith(INTERNAL_ID)


@dataclass(frozen=True, slots=True)
class Outward:
    """What may go to a client: the only thing that the clients' side takes."""

    #: Without addresses, and without language.
    message: Message
    #: Who wrote it; nobody, if the desk itself speaks.
    agent: JID | None = None
    #: Whom the agent wrote it to.
    client: JID | None = None

    def __post_init__(self) -> None:
        message = self.message
        is_listed = all(key in PASSES for key in message.child_keys)
        if not is_listed or message.sender is not None or message.to is not None:
            raise ValueError(f"this must not go to a client: {message}")

    @classmethod
    def of(
        cls, message: Message, prefix: str, *, is_hidden: Callable[[str], bool] = is_internal
    ) -> Self | None:
        """Take what an agent wrote to a client; None if nothing of it is for the client.

        `is_hidden` tells whether the client never got the message of that id: what refers to it stays here too.
        """
        sender, to = message.sender, message.to
        if sender is None or to is None or message.type not in ("chat", "normal"):
            return None
        passed = _pass_plainly(message, prefix, is_hidden) or _pass_carefully(message, prefix, is_hidden)
        return cls(passed, sender, to.bare) if passed is not None else None

    @classmethod
    def text(cls, text: str, *, id: str, lang: str = "") -> Self:
        """Say something in the desk's own name."""
        return cls(Message(type="chat", id=id, lang=lang, payload=[Element("body", CLIENT, text=text)]))

    @classmethod
    def state(cls, name: str, *, id: str = "") -> Self:
        """Tell whether somebody is writing (XEP-0085), in the desk's own name."""
        return cls(Message(type="chat", id=id, payload=_state(name)))


def _pass_plainly(message: Message, prefix: str, is_hidden: Callable[[str], bool]) -> Message | None:
    text = talk(message)
    if text is not None and prefix not in text:
        passed = Message(type="chat", id=message.id)
        passed.take_payload(message)
        return passed
    pieces = plain_pieces(message)
    if pieces is None or all(piece.key in COMPANY for piece in pieces):
        return None
    passed = Message(type="chat", id=message.id)
    for piece in pieces:
        if (piece.key in REFERRING and is_hidden(piece.text)) or piece.key == REPLY:
            return None
        said = sayable(piece.text, prefix) if piece.key == BODY else piece.text
        if said is None:
            return None
        is_same = said == piece.text
        passed.append(piece.key, piece.written if is_same else f"<body>{escape_text(said)}</body>".encode())
    return passed


def _pass_carefully(message: Message, prefix: str, is_hidden: Callable[[str], bool]) -> Message | None:
    if message.has("internal", INTERNAL):
        return None
    payload = _without_hidden(allowed(message), prefix, is_hidden)
    if payload is None or not says_something(payload):
        return None
    said = [_say(child, prefix) for child in payload]
    if None in said:
        return None
    escaped = [child for child in said if child is not None]
    if escaped != payload:
        # The positions in it are those of the text before.
        escaped = [child for child in escaped if child.namespace != FALLBACK]
    return Message(type="chat", id=message.id, payload=escaped)


def _say(element: Element, prefix: str) -> Element | None:
    """Write what people wrote in it as a client may read it; None if a part of that is a command."""
    twin = Element(element.name, element.namespace, element.attributes)
    text = sayable(element.text, prefix) if element.name in _TEXTS else element.text
    if text is None:
        return None
    if text:
        twin.add(text)
    for child in element.elements():
        said = _say(child, prefix)
        if said is None:
            return None
        twin.add(said)
    return twin


def _without_hidden(
    payload: list[Element], prefix: str, is_hidden: Callable[[str], bool]
) -> list[Element] | None:
    """Leave out what refers to something the client never got; None if all of it does."""
    keys = {child_key(child.name, child.namespace): child for child in payload}
    if any(is_hidden(keys[key].get("id")) for key in REFERRING & keys.keys()):
        return None
    reply, body = keys.get(REPLY), keys.get(BODY)
    if reply is None or body is None:
        return payload
    quote = _quoted(payload, body.text)
    hidden = is_hidden(reply.get("id"))
    if not hidden and sayable(quote, prefix) is not None:
        return payload
    # What an agent quotes of a note is as internal as the note (XEP-0461, 3.1).
    rest = body.text.replace(quote, "", 1) if quote else _QUOTED_LINES.sub("", body.text)
    left = [child for child in payload if child is not body and child.namespace != FALLBACK]
    left = [child for child in left if child is not reply] if hidden else left
    return [Element("body", CLIENT, text=rest), *left] if rest.strip() else None


def _quoted(payload: Iterable[Element], text: str) -> str:
    """Find what a reply quotes (XEP-0428, 2.2)."""
    for fallback in payload:
        if fallback.namespace != FALLBACK or fallback.get("for", REPLIES) != REPLIES:
            continue
        place = fallback.child("body")
        if place is None:
            return text
        start, end = place.get("start"), place.get("end")
        if not (start or end):
            return text
        if _is_number(start) and _is_number(end):
            return text[int(start) : int(end)]
    return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def to_client(
    outward: Outward, queue: JID, address: JID, *, agents: Iterable[str] = (), nick: str = ""
) -> Message:
    """Address it to a client, from the queue: who wrote it is nowhere in it, nor is any other agent.

    The nickname (XEP-0172) is how the client may see who wrote it.
    """
    message = outward.message.readdressed(sender=queue, to=address)
    if message.has("reply", REPLIES):
        message.replace_children(
            _readdress_reply(child, {outward.client: address.bare}, queue) for child in message.children()
        )
    if nick and message.has_body:
        message.append(NICK_KEY, _written_nick(nick))
    written = f"{message.id} {message.inner.decode()}"
    if outward.agent is None or not ("@" in written or "%40" in written):
        return message
    lowered = written.lower().replace("%40", "@")
    for agent in (outward.agent, *(JID.parse(agent) for agent in agents if agent in lowered)):
        if _mention(agent).search(written):
            message = _rename(message, _mention(agent), queue)
    return message


def _readdress_reply(element: Element, authors: Mapping[JID | None, JID], other: JID) -> Element:
    """XEP-0461, 3: `to` is who wrote what is replied to, by the name the reader knows."""
    if element.namespace != REPLIES or "to" not in element.attributes:
        return element
    named = element.get("to").partition("/")[0]
    author = next((jid for known, jid in authors.items() if known == named), other)
    return Element(element.name, element.namespace, {**element.attributes, "to": author})


_LATIN: Final = r"0-9A-Za-z\u00c0-\u024f"


@lru_cache(maxsize=1_024)
def _mention(jid: JID) -> re.Pattern[str]:
    """Find an address, with or without its resource, but not inside a longer one."""
    local, domain, resource = re.escape(jid.local), re.escape(jid.domain), re.escape(jid.resource)
    # Where words are not parted by blanks, or stand between marks (XEP-0393), it is not a longer one.
    before = rf"(?<![{_LATIN}._+-])(?P<marks>[._+-]*)"
    after = rf"(?![_-]*[{_LATIN}]|\.\w)"
    end = f"(?:/{resource}|{after})" if resource else after
    return re.compile(f"{before}{local}(?:@|%40){domain}{end}", re.IGNORECASE)


def _rename(message: Message, mention: re.Pattern[str], queue: JID) -> Message:
    """Write the queue's address wherever the agent's stands, be it in an id."""
    message.id = mention.sub(rf"\g<marks>{queue}", message.id)
    before = message.children()
    renamed = [_rename_in(child, mention, queue) for child in before]
    if renamed != before:
        # The positions in it are those of the text before.
        message.replace_children(child for child in renamed if child.namespace != FALLBACK)
    return message


def _rename_in(element: Element, mention: re.Pattern[str], queue: JID) -> Element:
    named = rf"\g<marks>{queue}"
    attributes = {name: mention.sub(named, value) for name, value in element.attributes.items()}
    twin = Element(element.name, element.namespace, attributes)
    # As one text: an address may stand across two pieces of it.
    if text := mention.sub(named, element.text):
        twin.add(text)
    return twin.add(*(_rename_in(child, mention, queue) for child in element.elements()))


# From a client to an agent


@lru_cache(maxsize=4_096)
def _written_nick(nick: str) -> bytes:
    return Element("nick", NICK, text=nick).to_bytes()


@lru_cache(maxsize=4_096)
def client_jid(client: JID, label: str) -> JID:
    """Name the one device a client has for its agents: the channel."""
    return client.with_resource(label)


def to_agent(
    message: Message,
    client: JID,
    agent: JID,
    *,
    queue: JID,
    nick: str = "",
    sent: datetime | None = None,
) -> Message | None:
    """Address what a client wrote to an agent; None if nothing of it is for people or their devices.

    `client` is the client's full JID; `sent` is given when it was written before the agent had the conversation.
    """
    if message.type not in ("chat", "normal"):
        return None
    written = Message(sender=client, to=agent, type="chat", id=message.id, lang=message.lang)
    _carry(message, written, {queue: agent.bare}, client.bare)
    if all(key in COMPANY for key in written.child_keys):
        return None
    if nick and written.has_body:
        written.append(NICK_KEY, _written_nick(nick))
    if sent is not None:
        # XEP-0203, 4: who kept it.
        written.add(Element("delay", DELAY, {"from": queue, "stamp": format_timestamp(sent)}))
    return written


def _carry(message: Message, written: Message, authors: Mapping[JID | None, JID], client: JID) -> None:
    """Put into a message for an agent what passes of a client's, as it was written wherever that is plain."""
    if talk(message) is not None:
        written.take_payload(message)
        return
    pieces = plain_pieces(message)
    if pieces is None or any(piece.key == REPLY for piece in pieces):
        payload = _without_internal(allowed(message))
        written.add(*(_readdress_reply(child, authors, client) for child in payload))
        return
    for piece in pieces:
        if not (piece.key in REFERRING and is_internal(piece.text)):
            written.append(piece.key, piece.written)


def _without_internal(payload: Iterable[Element]) -> list[Element]:
    """Leave out what became of the desk's own words."""
    return [
        child
        for child in payload
        if child_key(child.name, child.namespace) not in REFERRING or not is_internal(child.get("id"))
    ]


def state_to_agent(name: str, client: JID, agent: JID) -> Message:
    """Tell an agent whether the client is writing (XEP-0085), when the client itself can't any more."""
    return Message(sender=client, to=agent, type="chat", payload=_state(name))


def error_to_agent(error: Message, client: JID, agent: JID) -> Message:
    """Tell an agent that this very message did not get there (RFC 6120, 8.3)."""
    found = error.child("error", CLIENT)
    reason = StanzaError.from_element(found) if found is not None else StanzaError("undefined-condition")
    payload = [reason.to_element()]
    return Message(sender=client, to=agent, type="error", id=error.id, payload=payload)


def refusal(id: str, client: JID, agent: JID, error: StanzaError) -> Message:
    """Tell an agent why the message with that id was not delivered."""
    return Message(sender=client, to=agent, type="error", id=id, payload=[error.to_element()])


# Chat states


def chat_state(message: Message) -> str:
    """Read the chat state (XEP-0085); "" if there is none."""
    return next((name for name in CHAT_STATE_NAMES if message.has(name, CHAT_STATES)), "")


def _state(name: str) -> list[Element]:
    if name not in CHAT_STATE_NAMES:
        raise ValueError(f"XEP-0085 knows no state {name!r}")
    # XEP-0085, 5.5: nobody wants to read these later.
    return [Element(name, CHAT_STATES), Element("no-store", HINTS)]
