"""What an agent wrote, as requests to the Graph API: one or several, in order.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from imserver import Element, Message, StanzaError
from imserver_whatsapp.media_rules import LONGEST_CAPTION, kind_of
from imserver_whatsapp.splitting import split_text, units
from imserver_whatsapp.texts import say
from imserver_whatsapp.to_xmpp import (
    CHAT_STATES,
    CORRECTION,
    FALLBACK,
    FILE_METADATA,
    FILE_SHARING,
    MARKERS,
    OOB,
    REACTIONS,
    REPLIES,
    RETRACTION,
    URL_DATA,
)

#: The largest number of requests that one message becomes.
MOST_REQUESTS: Final = 20

Body: TypeAlias = Mapping[str, Any]
#: Finds the wamid of a message by its id in XMPP; "" if WhatsApp has none.
Find: TypeAlias = Callable[[str], str]

_LINK: Final = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_PLACE: Final = re.compile(r"geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)(?:[,;?]\S*)?", re.ASCII)
_QUOTED_LINES: Final = re.compile(r"\A(?:>.*\n?)+")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom it is for: by phone where that is known, else by the user id."""

    #: Digits, with or without "+".
    phone: str = ""
    user_id: str = ""

    def address(self) -> dict[str, str]:
        """Say it as Meta wants it: a user id in `to` is dropped without a word, and so is a number without "+"."""
        if self.phone:
            return {"to": f"+{self.phone.removeprefix('+')}"}
        return {"recipient": self.user_id}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that has to be given to Meta before the request is posted."""

    url: str
    name: str
    type: str
    #: -1 if nobody said.
    size: int
    caption: str = ""
    is_sticker: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A message for Meta, but for whom it is for, our id, and the id of its file."""

    body: Body
    upload: Attachment | None = None
    #: Whether it needs an open window; a template does not.
    is_free: bool = True

    def write(self, ours: str, recipient: Recipient, media: str = "") -> dict[str, Any]:
        """Write it out for `POST /{number}/messages`; `media` is what `POST /{number}/media` answered."""
        body = dict(self.body)
        if media:
            kind = str(body["type"])
            body[kind] = {"id": media, **body[kind]}
        return {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **recipient.address(),
            **body,
            "biz_opaque_callback_data": ours,
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """What else an agent's device says: not queued, not kept."""

    #: The id of the last message that was seen, in XMPP.
    seen: str = ""
    is_composing: bool = False
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a message becomes."""

    requests: tuple[Request, ...] = ()
    wish: Wish = field(default_factory=Wish)


def plan(message: Message, find: Find, lang: str) -> Plan:
    """Say what a message becomes.

    Raises:
        StanzaError: If WhatsApp can't be sent it; the text says why.
    """
    wish = _wish(message)
    if message.has("retract", RETRACTION):
        raise StanzaError("feature-not-implemented", say("no_retraction", lang))
    if (reactions := message.child("reactions", REACTIONS)) is not None:
        return Plan((_reaction(reactions, find, lang),), wish)
    requests = _requests(message, find, lang)
    if len(requests) > MOST_REQUESTS:
        raise StanzaError("policy-violation", say("parts", lang, count=len(requests), max=MOST_REQUESTS))
    return Plan(tuple(requests), wish)


def read_mark(wamid: str, *, is_composing: bool = False) -> dict[str, Any]:
    """Tell the client that a message was seen, and for 25 seconds that somebody is writing: never without the mark."""
    typing = {"typing_indicator": {"type": "text"}} if is_composing else {}
    return {"messaging_product": "whatsapp", "status": "read", "message_id": wamid, **typing}


def text_requests(text: str, *, answers: str = "") -> list[Request]:
    """Write a text, as many times as it takes."""
    requests = []
    for index, part in enumerate(split_text(text)):
        body: dict[str, Any] = {
            "type": "text",
            "text": {"preview_url": _LINK.search(part) is not None, "body": part},
        }
        # Only the first one answers.
        requests.append(Request(_answering(body, answers if index == 0 else "")))
    return requests


def file_requests(file: Attachment, lang: str, *, answers: str = "") -> list[Request]:
    """Write a file, and its caption where it can't carry one.

    Raises:
        Unfit: If WhatsApp does not take it.
    """
    kind = kind_of(file.type, file.name, file.size, lang, is_sticker=file.is_sticker)
    is_carried = bool(file.caption) and kind.has_caption and units(file.caption) <= LONGEST_CAPTION
    content: dict[str, Any] = {"caption": file.caption} if is_carried else {}
    if kind.name == "document":
        content["filename"] = file.name
    request = Request(_answering({"type": kind.name, kind.name: content}, answers), file)
    return [request] if is_carried or not file.caption else [request, *text_requests(file.caption)]


def kind_of_request(request: Request) -> str:
    """Name what a request sends: `text`, `image`, `template`."""
    return str(request.body["type"])


def _requests(message: Message, find: Find, lang: str) -> list[Request]:
    answers = _answered(message, find)
    file = attachment(message)
    if file is not None:
        return file_requests(file, lang, answers=answers)
    text = _said(message)
    if (place := _PLACE.fullmatch(text.strip())) is not None:
        location = {"latitude": float(place[1]), "longitude": float(place[2])}
        if abs(location["latitude"]) <= 90 and abs(location["longitude"]) <= 180:
            return [Request(_answering({"type": "location", "location": location}, answers))]
    if text.strip() and message.has("replace", CORRECTION):
        # WhatsApp lets us correct nothing: it is said again, marked, and bound to what it corrects.
        corrected = message.child("replace", CORRECTION)
        answers = find(corrected.get("id")) if corrected is not None else ""
        text = f"✏️ {text}"
    return text_requests(text, answers=answers)


def _answering(body: dict[str, Any], wamid: str) -> dict[str, Any]:
    return {**body, "context": {"message_id": wamid}} if wamid else body


def _answered(message: Message, find: Find) -> str:
    reply = message.child("reply", REPLIES)
    return find(reply.get("id")) if reply is not None else ""


def _said(message: Message) -> str:
    """Read the text without what stands there for programs that know less (XEP-0428)."""
    text = message.body
    places = [one for one in message.children() if one.name == "fallback" and one.namespace == FALLBACK]
    cuts = []
    for fallback in places:
        for body in fallback.all("body"):
            start, end = _position(body.get("start"), 0), _position(body.get("end"), len(text))
            cuts.append((start, end))
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    if not cuts and message.has("reply", REPLIES):
        text = _QUOTED_LINES.sub("", text)
    return text


def _position(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def attachment(message: Message) -> Attachment | None:
    """Find the file that a message is about: XEP-0447, or XEP-0066 with the link as body."""
    if (shared := message.child("file-sharing", FILE_SHARING)) is not None:
        found = _shared_file(shared)
        if found is not None:
            return found
    link = message.child("x", OOB)
    url = link.child("url") if link is not None else None
    if url is None or url.text.strip() != message.body.strip():
        return None
    desc = link.child("desc") if link is not None else None
    return Attachment(
        url.text.strip(), _name_in(url.text.strip()), "", -1, desc.text.strip() if desc is not None else ""
    )


def _shared_file(shared: Element) -> Attachment | None:
    about, sources = shared.child("file", FILE_METADATA), shared.child("sources")
    source = sources.child("url-data", URL_DATA) if sources is not None else None
    if about is None or source is None or not source.get("target"):
        return None
    given = {one.name: one.text.strip() for one in about.elements()}
    url = source.get("target")
    return Attachment(
        url,
        given.get("name") or _name_in(url),
        given.get("media-type", ""),
        _position(given.get("size", ""), -1),
        given.get("desc", ""),
    )


def _name_in(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2] or "file"


def _reaction(reactions: Element, find: Find, lang: str) -> Request:
    """WhatsApp knows one reaction of each side: the last one counts."""
    wamid = find(reactions.get("id"))
    if not wamid:
        raise StanzaError("item-not-found", say("not_theirs", lang))
    emoji = [one.text.strip() for one in reactions.all("reaction") if one.text.strip()]
    return Request(
        {"type": "reaction", "reaction": {"message_id": wamid, "emoji": emoji[-1] if emoji else ""}}
    )


def _wish(message: Message) -> Wish:
    seen = next(
        (
            marker.get("id")
            for name in ("displayed", "acknowledged")
            if (marker := message.child(name, MARKERS)) is not None
        ),
        "",
    )
    return Wish(
        seen,
        message.has("composing", CHAT_STATES),
        any(message.has(state, CHAT_STATES) for state in ("paused", "active", "inactive", "gone")),
    )
