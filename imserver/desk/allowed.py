"""What of a message passes between agents and clients: what is on this list, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from imserver.xmpp.element import Element
from imserver.xmpp.namespaces import CHAT_STATES, CLIENT, HINTS, MARKERS, RECEIPTS, STANZA_IDS
from imserver.xmpp.stanza import Message, child_key

NICK: Final = "http://jabber.org/protocol/nick"
CORRECTION: Final = "urn:xmpp:message-correct:0"
FALLBACK: Final = "urn:xmpp:fallback:0"
OOB: Final = "jabber:x:oob"
REACTIONS: Final = "urn:xmpp:reactions:0"
REFERENCES: Final = "urn:xmpp:reference:0"
REPLIES: Final = "urn:xmpp:reply:0"
RETRACTION: Final = "urn:xmpp:message-retract:1"
FILE_SHARING: Final = "urn:xmpp:sfs:0"
FILE_METADATA: Final = "urn:xmpp:file:metadata:0"
MEDIA_SHARING: Final = "urn:xmpp:sims:1"
JINGLE_FILE: Final = "urn:xmpp:jingle:apps:file-transfer:5"
HASHES: Final = "urn:xmpp:hashes:2"
THUMBNAILS: Final = "urn:xmpp:thumbs:1"
STYLING: Final = "urn:xmpp:styling:0"
URL_DATA: Final = "http://jabber.org/protocol/url-data"

CHAT_STATE_NAMES: Final = ("active", "composing", "paused", "inactive", "gone")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What of an element passes."""

    attributes: frozenset[str] = frozenset()
    children: Mapping[str, Pattern] = field(default_factory=dict)
    has_text: bool = False
    #: The attribute that must hold a link that leads nowhere but to the web; "text" for the text.
    link: str = ""


def _with(*attributes: str) -> Pattern:
    return Pattern(frozenset(attributes))


BARE: Final = Pattern()
TEXT: Final = Pattern(has_text=True)


def _file(namespace: str) -> Mapping[str, Pattern]:
    """XEP-0446, 3; XEP-0385 borrows an older one."""
    names = ("date", "desc", "height", "length", "media-type", "name", "size", "width")
    parts = {child_key(name, namespace): TEXT for name in names}
    parts[child_key("hash", HASHES)] = Pattern(frozenset({"algo"}), has_text=True)
    thumbnail = Pattern(frozenset({"uri", "media-type", "width", "height"}), link="uri")
    parts[child_key("thumbnail", THUMBNAILS)] = thumbnail
    return {child_key("file", namespace): Pattern(children=parts)}


_SOURCE: Final = Pattern(frozenset({"target"}), link="target")
_REFERENCE: Final = Pattern(frozenset({"type", "uri"}), link="uri")

#: XEP-0447.
_SHARED_FILE: Final = Pattern(
    frozenset({"disposition", "id"}),
    {
        **_file(FILE_METADATA),
        child_key("sources", FILE_SHARING): Pattern(children={child_key("url-data", URL_DATA): _SOURCE}),
    },
)
#: XEP-0385.
_SHARED_MEDIA: Final = Pattern(
    children={
        **_file(JINGLE_FILE),
        child_key("sources", MEDIA_SHARING): Pattern(
            children={child_key("reference", REFERENCES): _REFERENCE}
        ),
    },
)

#: What passes, either way.
PASSES: Final[Mapping[str, Pattern]] = {
    child_key("body", CLIENT): TEXT,
    child_key("subject", CLIENT): TEXT,
    child_key("thread", CLIENT): Pattern(frozenset({"parent"}), has_text=True),
    **{child_key(state, CHAT_STATES): BARE for state in CHAT_STATE_NAMES},
    child_key("request", RECEIPTS): BARE,
    child_key("received", RECEIPTS): _with("id"),
    child_key("markable", MARKERS): BARE,
    **{child_key(marker, MARKERS): _with("id") for marker in ("received", "displayed", "acknowledged")},
    child_key("replace", CORRECTION): _with("id"),
    child_key("retract", RETRACTION): _with("id"),
    child_key("reactions", REACTIONS): Pattern(frozenset({"id"}), {child_key("reaction", REACTIONS): TEXT}),
    child_key("reply", REPLIES): _with("to", "id"),
    child_key("fallback", FALLBACK): Pattern(
        frozenset({"for"}),
        {child_key(part, FALLBACK): _with("start", "end") for part in ("body", "subject")},
    ),
    child_key("x", OOB): Pattern(
        children={
            child_key("url", OOB): Pattern(has_text=True, link="text"),
            child_key("desc", OOB): TEXT,
        }
    ),
    child_key("file-sharing", FILE_SHARING): _SHARED_FILE,
    child_key("reference", REFERENCES): Pattern(
        frozenset({"type", "begin", "end"}), {child_key("media-sharing", MEDIA_SHARING): _SHARED_MEDIA}
    ),
    **{child_key(hint, HINTS): BARE for hint in ("store", "no-store", "no-permanent-store", "no-copy")},
    child_key("origin-id", STANZA_IDS): _with("id"),
    child_key("unstyled", STYLING): BARE,
}

#: What only goes along with something else.
COMPANY: Final = frozenset(
    {child_key(name, HINTS) for name in ("store", "no-store", "no-permanent-store", "no-copy")}
    | {
        child_key("thread", CLIENT),
        child_key("origin-id", STANZA_IDS),
        child_key("fallback", FALLBACK),
        child_key("unstyled", STYLING),
    }
)
BODY: Final = child_key("body", CLIENT)
#: What refers to another message, and goes nowhere if that one did not.
REFERRING: Final = frozenset(
    {
        child_key("received", RECEIPTS),
        *(child_key(marker, MARKERS) for marker in ("received", "displayed", "acknowledged")),
        child_key("replace", CORRECTION),
        child_key("retract", RETRACTION),
        child_key("reactions", REACTIONS),
    }
)
REPLY: Final = child_key("reply", REPLIES)
#: What makes something else of another message, or speaks of it.
REVISING: Final = frozenset(
    {
        child_key("replace", CORRECTION),
        child_key("retract", RETRACTION),
        child_key("reactions", REACTIONS),
        REPLY,
    }
)
#: What a conversation begins with, and is answered with: not with a reaction to the last word of one that is over.
OPENING: Final = frozenset(
    {
        BODY,
        child_key("subject", CLIENT),
        child_key("x", OOB),
        child_key("file-sharing", FILE_SHARING),
        child_key("reference", REFERENCES),
    }
)
#: What there is one of, whatever the languages: what people read is what was checked.
_ONCE: Final = REFERRING | {BODY, REPLY, child_key("subject", CLIENT)}
_LINK: Final = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)


# What most messages are made of: texts without references in them, and empty elements with an id at most.
_VALUE: Final = rb"""(?:'([^'&<>]*)'|"([^"&<>]*)")"""
_PLAIN: Final = re.compile(
    rb"<(?:(body|thread)>([^<&]*)</\1|([a-z-]+) (xmlns|id)=%b(?: (xmlns|id)=%b)?\s*/)>" % (_VALUE, _VALUE)
)


# And most of those are a text with a chat state, a request for a receipt and an id of its own.
def _empty(names: str, namespace: str) -> bytes:
    return rb"(?:<(?:%b) xmlns=['\"]%b['\"]\s*/>)?" % (names.encode(), re.escape(namespace.encode()))


_TALK: Final = re.compile(
    rb"<body>([^<&]*)</body>"
    + _empty("active|paused", CHAT_STATES)
    + _empty("request", RECEIPTS)
    + _empty("markable", MARKERS)
    + rb"(?:<origin-id(?: id=%b| xmlns=['\"]%b['\"]){2}\s*/>)?" % (_VALUE, re.escape(STANZA_IDS.encode()))
)


def talk(message: Message) -> str | None:
    """Read the text of a message that is made of nothing but what passes, and refers to none; None if there is more."""
    found = _TALK.fullmatch(message.inner)
    return found[1].decode() if found is not None else None


class Piece(NamedTuple):
    """A child that passes as it was written."""

    key: str
    written: bytes
    #: The text, or the id.
    text: str


#: Most of them come as one of these.
_COMMON: Final[Mapping[bytes, Piece]] = {
    written: Piece(key, written, "")
    for key, pattern in PASSES.items()
    if pattern is BARE
    for element in (Element(key.partition("\n")[2], key.partition("\n")[0]).to_bytes(),)
    for written in (element, element.replace(b"'", b'"'))
}


def plain_pieces(message: Message) -> list[Piece] | None:
    """Split a message into what passes as it is, without building a tree; None if there is more to it."""
    inner, at = message.inner, 0
    pieces = []
    while at < len(inner):
        found = _PLAIN.match(inner, at)
        if found is None:
            return None
        piece = _COMMON.get(found[0]) or _piece(found)
        if piece is None:
            return None
        pieces.append(piece)
        at = found.end()
    keys = [piece.key for piece in pieces]
    return pieces if keys == message.child_keys and keys.count(BODY) <= 1 else None


def _piece(found: re.Match[bytes]) -> Piece | None:
    named, text, name, *attributes = found.groups()
    if named:
        return Piece(child_key(named.decode(), CLIENT), found[0], text.decode())
    given = {}
    for attribute, *values in (attributes[:3], attributes[3:]):
        if attribute:
            given[attribute.decode()] = (values[0] or values[1] or b"").decode()
    key = child_key(name.decode(), given.pop("xmlns", CLIENT))
    pattern = PASSES.get(key)
    if pattern is None or not given.keys() <= pattern.attributes:
        return None
    return Piece(key, found[0], given.get("id", ""))


def allowed(message: Message) -> list[Element]:
    """Copy what is on the list."""
    copied = []
    seen = set()
    for child in message.children():
        key = child_key(child.name, child.namespace)
        pattern = PASSES.get(key)
        if pattern is None or key in seen:
            continue
        if key in _ONCE:
            seen.add(key)
        if (twin := _copy(child, pattern)) is not None:
            copied.append(twin)
    return copied


def _copy(element: Element, pattern: Pattern) -> Element | None:
    if pattern.link and not _is_link(element, pattern.link):
        return None
    kept = {name: value for name, value in element.attributes.items() if name in pattern.attributes}
    twin = Element(element.name, element.namespace, kept)
    for child in element.children:
        if isinstance(child, str):
            if pattern.has_text:
                twin.add(child)
        elif (inner := pattern.children.get(child_key(child.name, child.namespace))) is not None:
            copy = _copy(child, inner)
            if copy is not None:
                twin.add(copy)
    return twin


def _is_link(element: Element, place: str) -> bool:
    return _LINK.fullmatch(element.text if place == "text" else element.get(place)) is not None


def says_something(payload: Iterable[Element]) -> bool:
    """Tell whether there is more than what only goes along with something."""
    return any(child_key(child.name, child.namespace) not in COMPANY for child in payload)
