"""What a business may send: each kind with its rules (Cloud API: Messages)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from contrib.whatsapp_simulator.errors import GraphError, invalid, missing, not_valid
from contrib.whatsapp_simulator.fields import Fields
from contrib.whatsapp_simulator.interactive import read_interactive
from contrib.whatsapp_simulator.shapes import JSON

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
LONGEST_CALLBACK_DATA: Final = 512
WITH_CAPTION: Final = frozenset({"image", "video", "document"})

_LINK: Final = re.compile(r"https?://[^\s/]+\S*")
_PLAIN: Final = re.compile(r"[\w\s]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent, found to be in order."""

    kind: str
    content: JSON
    to: str
    recipient: str
    context: str = ""
    opaque: str | None = None


@dataclass(frozen=True, slots=True)
class ReadMark:
    """A message of a customer's has been read; perhaps an answer is being typed."""

    message_id: str
    types: bool = False


def read_request(value: object) -> Outgoing | ReadMark:
    """Read the body of `POST /{phone_number_id}/messages`.

    Raises:
        GraphError: In Meta's words, if anything is not as it has to be.
    """
    fields = Fields(value)
    if "messaging_product" not in fields:
        raise GraphError(
            100, "The parameter messaging_product is required.", message=_required("messaging_product")
        )
    if fields.text("messaging_product") != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP} - got another.")
    return _read_mark(fields) if "status" in fields else _read_message(fields)


def _read_mark(fields: Fields) -> ReadMark:
    fields.choice("status", {"read"})
    message_id = fields.text("message_id")
    types = "typing_indicator" in fields
    if types:
        indicator = fields.part("typing_indicator")
        indicator.choice("type", {"text"})
        indicator.done()
    fields.done()
    return ReadMark(message_id, types)


def _read_message(fields: Fields) -> Outgoing:
    if "to" not in fields and "recipient" not in fields:
        raise GraphError(100, "The parameter to is required.", message=_required("to"))
    fields.choice("recipient_type", {"individual"}, default="individual")
    kind = fields.choice("type", KINDS, default="text")
    to, recipient = fields.text("to", default=""), fields.text("recipient", default="")
    context = ""
    if "context" in fields:
        about = fields.part("context")
        context = about.text("message_id")
        about.done()
    opaque = None
    if "biz_opaque_callback_data" in fields:
        opaque = fields.text("biz_opaque_callback_data", longest=LONGEST_CALLBACK_DATA)
    content = fields.anything(kind)
    if content is None:
        raise missing(kind)
    fields.done()
    KINDS[kind](content)
    # Cloud API, Messages: a reaction is no reply, and a template has no bubble to reply to.
    if kind in ("reaction", "template"):
        context = ""
    return Outgoing(
        kind, content if isinstance(content, dict) else {"cards": content}, to, recipient, context, opaque
    )


def _required(name: str) -> str:
    return f"(#100) The parameter {name} is required."


# The kinds


def _check_text(content: object) -> None:
    text = Fields(content, "text")
    if not text.text("body", longest=LONGEST_TEXT).strip():
        raise missing("text['body']")
    text.flag("preview_url")
    text.done()


def _check_media(kind: str) -> Callable[[object], None]:
    def check(content: object) -> None:
        media = Fields(content, kind)
        if ("id" in media) == ("link" in media):
            raise GraphError(131009, f"Exactly one of {kind}['id'] and {kind}['link'] has to be given.")
        if "id" in media:
            media.text("id")
        elif not _LINK.fullmatch(media.text("link")):
            raise not_valid(f"Param {kind}['link'] is not a valid URL.")
        if kind in WITH_CAPTION:
            media.text("caption", longest=LONGEST_CAPTION, default="")
        if kind == "document":
            media.text("filename", default="")
        if kind == "audio":
            media.flag("voice")
        media.done()

    return check


def _check_reaction(content: object) -> None:
    reaction = Fields(content, "reaction")
    reaction.text("message_id")
    emoji = reaction.text("emoji", default="")
    if _PLAIN.search(emoji) or len(emoji) > 16:
        raise not_valid("Param reaction['emoji'] must be one emoji, or empty.")
    reaction.done()


def _check_location(content: object) -> None:
    location = Fields(content, "location")
    location.number("latitude", least=-90, most=90)
    location.number("longitude", least=-180, most=180)
    location.text("name", default="", longest=1000)
    location.text("address", default="", longest=1000)
    location.done()


def _check_contacts(content: object) -> None:
    for card in Fields({"contacts": content}).parts("contacts", most=257):
        name = card.part("name")
        name.text("formatted_name")
        if not any(part in name for part in ("first_name", "last_name", "middle_name", "suffix", "prefix")):
            raise missing(name.path("first_name"))
        for phone in card.parts("phones", least=0, most=100):
            phone.text("phone")


def _check_template(content: object) -> None:
    template = Fields(content, "template")
    template.text("name", longest=512)
    language = template.part("language")
    language.text("code")
    language.choice("policy", {"deterministic"}, default="deterministic")
    language.done()
    for component in template.parts("components", least=0, most=20):
        kind = component.choice(
            "type", {"header", "body", "button", "footer", "carousel", "limited_time_offer"}
        )
        if kind == "button":
            component.text("sub_type")
            component.anything("index")
        component.parts("parameters", least=0, most=100)
    template.anything("namespace")
    template.done()


def _check_interactive(content: object) -> None:
    read_interactive(Fields(content, "interactive"))


KINDS: Final[Mapping[str, Callable[[object], None]]] = {
    "text": _check_text,
    "image": _check_media("image"),
    "video": _check_media("video"),
    "audio": _check_media("audio"),
    "document": _check_media("document"),
    "sticker": _check_media("sticker"),
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    "template": _check_template,
    "interactive": _check_interactive,
}
