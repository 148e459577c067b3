"""What a client wrote, and what became of what we wrote, as the payload of messages.

The desk addresses it, adds who it is from, and passes it to agents; it reads as any XMPP client's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from imserver import Element
from imserver_whatsapp.inbound import (
    Cards,
    Correction,
    File,
    Piece,
    Place,
    Placeholder,
    Reaction,
    Retraction,
    Text,
)
from imserver_whatsapp.texts import say

CLIENT: Final = "jabber:client"
CHAT_STATES: Final = "http://jabber.org/protocol/chatstates"
CORRECTION: Final = "urn:xmpp:message-correct:0"
FALLBACK: Final = "urn:xmpp:fallback:0"
FILE_METADATA: Final = "urn:xmpp:file:metadata:0"
FILE_SHARING: Final = "urn:xmpp:sfs:0"
HASHES: Final = "urn:xmpp:hashes:2"
HINTS: Final = "urn:xmpp:hints"
MARKERS: Final = "urn:xmpp:chat-markers:0"
OOB: Final = "jabber:x:oob"
REACTIONS: Final = "urn:xmpp:reactions:0"
RECEIPTS: Final = "urn:xmpp:receipts"
REPLIES: Final = "urn:xmpp:reply:0"
RETRACTION: Final = "urn:xmpp:message-retract:1"
STANZA_IDS: Final = "urn:xmpp:sid:0"
URL_DATA: Final = "http://jabber.org/protocol/url-data"

#: How much of a message is quoted.
LONGEST_QUOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Said:
    """A message that agents know."""

    #: Its id in XMPP.
    id: str
    #: Who said it, as clients of the desk know them: the queue's address, or the client's.
    author: str = ""
    text: str = ""


#: Finds the message that a wamid, or a piece's id, stands for.
Find: TypeAlias = Callable[[str], Said | None]


@dataclass(frozen=True, slots=True)
class Hosted:
    """A file in our own store."""

    url: str
    size: int
    #: In base64.
    sha256: str = ""


def payload(
    piece: Piece, find: Find, lang: str, *, hosted: Hosted | None = None, is_reaction_written: bool = False
) -> list[Element]:
    """Write a piece; nothing if there is nothing to show.

    A file has to be hosted by then; one that is not is shown as one that could not be fetched. With
    `is_reaction_written` a reaction has a body as well, for programs that know no reactions.
    """
    content = piece.content
    match content:
        case Text() | Place() | Cards() | Placeholder():
            written = _answer(piece, content.text, find, lang)
        case File():
            written = _file(piece, content, hosted, find, lang)
        case Reaction():
            return _reaction(content, find, lang, is_written=is_reaction_written)
        case Correction():
            return _with_company(piece.id, _correction(content, find, lang))
        case Retraction():
            return _retraction(piece, content, find, lang)
        case _:
            assert_never(content)
    return _with_company(piece.id, written)


def _body(text: str) -> Element:
    return Element("body", CLIENT, text=text)


def _with_company(id: str, written: list[Element]) -> list[Element]:
    """Add what real clients send along; they are asked for receipts and markers, which become read marks."""
    return [
        *written,
        Element("active", CHAT_STATES),
        Element("request", RECEIPTS),
        Element("markable", MARKERS),
        Element("origin-id", STANZA_IDS, {"id": id}),
    ]


def _answer(piece: Piece, text: str, find: Find, lang: str) -> list[Element]:
    """XEP-0461, with what it answers quoted for programs that don't know it (XEP-0428)."""
    if not piece.answers:
        return [_body(text)]
    said = find(piece.answers)
    if said is None:
        # Of a caption whose file is not there, nothing has to be said.
        return [_body(text if piece.part_of else f"{say('reply_elsewhere', lang)}\n{text}")]
    quote = "" if piece.part_of else _quote(said.text)
    return [_body(quote + text), _reply(said), *([_fallback(REPLIES, 0, len(quote))] if quote else [])]


def _reply(said: Said) -> Element:
    address = {"to": said.author} if said.author else {}
    return Element("reply", REPLIES, {**address, "id": said.id})


def _quote(text: str) -> str:
    short = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
    return "".join(f"> {line}\n" for line in short.splitlines())


def _fallback(namespace: str, start: int | None = None, end: int | None = None) -> Element:
    # XEP-0428, 2.2: without positions it is the whole body. They count code points (XEP-0426).
    place = {"start": str(start), "end": str(end)} if start is not None else {}
    return Element("fallback", FALLBACK, {"for": namespace}).add(Element("body", FALLBACK, place))


def _file(piece: Piece, file: File, hosted: Hosted | None, find: Find, lang: str) -> list[Element]:
    """XEP-0066 with the link as body, which all programs show; XEP-0447 tells the rest."""
    if hosted is None:
        return [_body(say("no_file", lang, what=file.name))]
    said = find(piece.answers) if piece.answers else None
    link = Element("x", OOB).add(Element("url", OOB, text=hosted.url))
    if file.caption:
        link.add(Element("desc", OOB, text=file.caption))
    return [
        _body(hosted.url),
        link,
        _shared(file, hosted),
        _fallback(FILE_SHARING),
        *([_reply(said)] if said is not None else []),
    ]


def _shared(file: File, hosted: Hosted) -> Element:
    about = Element("file", FILE_METADATA).add(
        Element("media-type", FILE_METADATA, text=file.type or "application/octet-stream"),
        Element("name", FILE_METADATA, text=file.name),
        Element("size", FILE_METADATA, text=str(hosted.size)),
    )
    if file.caption:
        about.add(Element("desc", FILE_METADATA, text=file.caption))
    if hash := hosted.sha256 or file.sha256:
        about.add(Element("hash", HASHES, {"algo": "sha-256"}, text=hash))
    source = Element("url-data", URL_DATA, {"target": hosted.url})
    disposition = "attachment" if file.kind == "document" else "inline"
    return Element("file-sharing", FILE_SHARING, {"disposition": disposition}).add(
        about, Element("sources", FILE_SHARING).add(source)
    )


def _reaction(reaction: Reaction, find: Find, lang: str, *, is_written: bool) -> list[Element]:
    """XEP-0444; what is not here can be reacted to in words only."""
    said = find(reaction.to)
    if said is None:
        return [_body(say("reacted_elsewhere", lang, what=reaction.emoji))] if reaction.emoji else []
    reactions = Element("reactions", REACTIONS, {"id": said.id})
    if reaction.emoji:
        reactions.add(Element("reaction", REACTIONS, text=reaction.emoji))
    # XEP-0444, 4: it is to be kept.
    written = [reactions, Element("store", HINTS)]
    if is_written and reaction.emoji:
        quote = " ".join(said.text.split())[:LONGEST_QUOTE]
        written += [_body(say("reacted", lang, what=reaction.emoji, quote=quote)), _fallback(REACTIONS)]
    return written


def _correction(correction: Correction, find: Find, lang: str) -> list[Element]:
    """XEP-0308; what is not here is said anew."""
    said = find(correction.to)
    if said is None:
        return [_body(say("edited", lang, what=correction.text))]
    return [_body(correction.text), Element("replace", CORRECTION, {"id": said.id})]


def _retraction(piece: Piece, retraction: Retraction, find: Find, lang: str) -> list[Element]:
    """XEP-0424; of what is not here it is only told, and of a caption that never was, not even that."""
    said = find(retraction.to)
    if said is None:
        return [] if piece.part_of else [_body(say("revoked", lang))]
    return [
        Element("retract", RETRACTION, {"id": said.id}),
        _body(say("retraction", lang)),
        _fallback(RETRACTION),
        Element("store", HINTS),
    ]


# What became of ours


def received(id: str) -> list[Element]:
    """XEP-0184: it is on the client's phone."""
    return [Element("received", RECEIPTS, {"id": id}), Element("store", HINTS)]


def displayed(id: str) -> list[Element]:
    """XEP-0333: the client has seen it."""
    return [Element("displayed", MARKERS, {"id": id}), Element("store", HINTS)]
