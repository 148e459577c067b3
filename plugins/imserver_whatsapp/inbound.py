"""What somebody wrote, as pieces that are shown one by one; a picture with a caption is two of one message."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from imserver_whatsapp import shapes
from imserver_whatsapp.cards import write_card
from imserver_whatsapp.filenames import name_file
from imserver_whatsapp.reading import read_body
from imserver_whatsapp.texts import say
from imserver_whatsapp.updates import Echo, Inbound, SystemChange, Unreadable

#: What the ids of pieces end in: of a caption, and of what is said before a file.
CAPTION: Final = "-c"
NOTE: Final = "-n"


@dataclass(frozen=True, slots=True)
class Text:
    """Something to read."""

    text: str
    #: What a button or a row stands for, for plugins.
    choice: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """Something to fetch at once: the id dies."""

    #: `image`, `video`, `audio`, `document` or `sticker`.
    kind: str
    media: str
    name: str
    type: str
    #: In base64, as Meta gives it; "" if it does not.
    sha256: str = ""
    caption: str = ""
    url: str = ""
    is_voice: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere on earth."""

    latitude: float
    longitude: float
    text: str

    @property
    def uri(self) -> str:
        """RFC 5870."""
        return f"geo:{_degrees(self.latitude)},{_degrees(self.longitude)}"


@dataclass(frozen=True, slots=True)
class Cards:
    """Contacts that somebody passes on."""

    text: str
    #: RFC 6350, one after the other.
    vcards: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody thinks of a message; "" takes it back."""

    to: str
    emoji: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A message says something else now."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Retraction:
    """A message was taken back."""

    to: str


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Something that can't be shown, and why."""

    type: str
    text: str
    code: int = 0


Content: TypeAlias = Text | File | Place | Cards | Reaction | Correction | Retraction | Placeholder


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes one stanza."""

    #: The wamid, or one derived from it.
    id: str
    content: Content
    #: The wamid of what it answers; "" if it answers nothing.
    answers: str = ""
    #: The id of the message that it is a part of; "" for the message itself. Only that is counted.
    part_of: str = ""


def pieces(message: Inbound | Echo, lang: str) -> list[Piece]:
    """Write a message as what is shown of it; the labels are in a language."""
    main = _content(message.type, message.body, message, lang)
    answers = message.context.id if message.context is not None else ""
    if isinstance(main, Reaction | Correction | Retraction):
        return [Piece(message.id, main), *_followers(message, main)]
    notes = "\n".join(_notes(message, lang))
    if isinstance(main, Text) and notes:
        main, notes = replace(main, text=f"{notes}\n{main.text}"), ""
    shown = [Piece(message.id, main, answers)]
    if notes:
        shown.insert(0, Piece(message.id + NOTE, Text(notes), part_of=message.id))
    if isinstance(main, File) and main.caption:
        # It answers the file, so that the two stay together wherever replies are shown.
        shown.append(Piece(message.id + CAPTION, Text(main.caption), answers=message.id, part_of=message.id))
    return shown


def _followers(message: Inbound | Echo, main: Reaction | Correction | Retraction) -> Iterable[Piece]:
    """With a file its caption goes, if it had one."""
    if isinstance(main, Retraction):
        yield Piece(message.id + CAPTION, Retraction(main.to + CAPTION), part_of=message.id)


def shown_change(change: SystemChange, lang: str) -> str:
    """Tell agents that somebody has another number or another phone."""
    match change.kind:
        case "user_changed_number" | "customer_changed_number":
            return say("user_changed_number", lang, what=f"+{change.after.wa_id}")
        case "customer_identity_changed":
            return say("customer_identity_changed", lang)
        case "user_changed_user_id":
            return ""  # nothing that agents see
    return change.text


# What it says


def _content(type: str, body: Any, message: Inbound | Echo, lang: str) -> Content:
    match body:
        case shapes.TextBody() if body.body.strip():
            return Text(body.body)
        case shapes.Media() if body.id or body.url:
            return _file(type, body, message)
        case shapes.Location():
            return _place(body)
        case tuple() if body:
            return Cards("\n\n".join(_card_text(card) for card in body), "".join(map(write_card, body)))
        case shapes.Interactive():
            return _interactive(body, message, lang)
        case shapes.Button() if body.text.strip():
            return Text(body.text, choice=body.payload)
        case shapes.Reaction():
            return Reaction(body.message_id, body.emoji)
        case shapes.Order():
            return Text(_order(body, lang))
        case shapes.Edit():
            return _edit(body, message, lang)
        case shapes.Revoke():
            return Retraction(body.original_message_id)
        case shapes.Unsupported():
            return _placeholder(body.type or type, message, lang)
    return _placeholder(type, message, lang)


def _placeholder(type: str, message: Inbound | Echo, lang: str) -> Placeholder:
    error = message.errors[0] if message.errors else None
    reason = error.details if error is not None else ""
    if not reason and isinstance(message.body, Unreadable):
        reason = ""  # for the log: it says nothing to people
    what = ": ".join(part for part in (_line(type) or "?", _line(reason)) if part)
    return Placeholder(type, say("unknown", lang, what=what), (error.code or 0) if error is not None else 0)


def _file(type: str, media: shapes.Media, message: Inbound | Echo) -> File:
    at = datetime.fromtimestamp(message.sent, UTC)
    name = name_file(
        media.filename, media.mime_type, fallback=f"{'voice' if media.voice else type}-{at:%Y%m%d-%H%M%S}"
    )
    # A sticker or a sound has none, whatever it says.
    caption = media.caption if type in ("image", "video", "document") else ""
    return File(
        type,
        media.id,
        name,
        media.mime_type.strip().lower(),
        media.sha256,
        caption.strip(),
        media.url,
        media.voice,
    )


def _place(location: shapes.Location) -> Place:
    place = Place(location.latitude, location.longitude, "")
    named = ", ".join(_line(part) for part in (location.name, location.address) if part.strip())
    lines = [f"📍 {named}" if named else "📍", place.uri, location.url.strip()]
    return replace(place, text="\n".join(line for line in lines if line))


def _degrees(number: float) -> str:
    return f"{number:.7f}".rstrip("0").rstrip(".")


def _card_text(card: shapes.Card) -> str:
    names = (card.name.first_name, card.name.last_name)
    name = card.name.formatted_name or " ".join(part for part in names if part)
    # The number that WhatsApp knows, if the written one is missing.
    phones = [phone.phone or f"+{phone.wa_id}" for phone in card.phones if phone.phone or phone.wa_id]
    company = card.org.company if card.org is not None else ""
    rest = (company, *phones, *(mail.email for mail in card.emails), *(url.url for url in card.urls))
    return "\n".join([f"👤 {_line(name) or '?'}", *(_line(part) for part in rest if part.strip())])


def _interactive(body: shapes.Interactive, message: Inbound | Echo, lang: str) -> Content:
    if (reply := body.button_reply or body.list_reply) is not None and reply.title.strip():
        text = "\n".join(part for part in (reply.title, reply.description) if part)
        return Text(text, choice=reply.id)
    if body.nfm_reply is not None:
        return Text(_form(body.nfm_reply), choice=body.nfm_reply.response_json)
    return _placeholder(body.type or message.type, message, lang)


def _form(flow: shapes.FlowReply) -> str:
    """Write what somebody filled in, a line for each field."""
    try:
        given = json.loads(flow.response_json)
    except (ValueError, RecursionError):
        given = None
    fields = given.items() if isinstance(given, dict) else ()
    lines = [f"{name}: {_value(value)}" for name, value in fields if name != "flow_token"]
    title = flow.body.strip() or flow.name.strip() or "✓"
    return "\n".join([f"📋 {title}", *lines])


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _order(order: shapes.Order, lang: str) -> str:
    lines = [
        f"{item.quantity} × {item.product_retailer_id}"
        + (f", {item.item_price} {item.currency}".rstrip() if item.item_price else "")
        for item in order.product_items
    ]
    return "\n".join([f"🛒 {say('order', lang)}", *lines, *([order.text] if order.text.strip() else [])])


def _edit(edit: shapes.Edit, message: Inbound | Echo, lang: str) -> Content:
    inner = edit.message
    if inner is None:
        return _placeholder("edit", message, lang)
    body = read_body(inner.type, inner.model_dump(by_alias=True))
    match body:
        case shapes.TextBody():
            return Correction(edit.original_message_id, body.body)
        case shapes.Media() if body.caption:
            return Correction(edit.original_message_id + CAPTION, body.caption)
    return _placeholder("edit", message, lang)


# What is said before it


def _notes(message: Inbound | Echo, lang: str) -> Iterable[str]:
    if isinstance(message, Inbound) and (referral := message.referral) is not None:
        parts = (referral.headline, referral.body, referral.source_url)
        what = " · ".join(_line(part) for part in parts if part.strip())
        if what:
            yield f"➜ {say('referral', lang, what=what)}"
    context = message.context
    if context is None:
        return
    if context.frequently_forwarded:
        yield f"↠ {say('often_forwarded', lang)}"
    elif context.forwarded:
        yield f"→ {say('forwarded', lang)}"
    if context.referred_product is not None and context.referred_product.product_retailer_id:
        yield f"🛒 {say('product', lang, what=_line(context.referred_product.product_retailer_id))}"


def _line(text: str) -> str:
    """Write on one line what others wrote."""
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:299]}…"
