"""RFC 6350: vCard, as others' contacts are passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imserver_whatsapp.shapes import Card

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
#: RFC 6350, 5.6: a type that is not of these is left out.
_TYPES: Final = frozenset({"home", "work", "cell", "voice", "fax", "pager", "text", "video", "textphone"})
#: RFC 6350, 3.2.
_LINE_BYTES: Final = 75


def write_card(card: Card) -> str:
    """Write a contact down."""
    return "".join(_folded(line) for line in _lines(card))


def _lines(card: Card) -> Iterator[str]:
    name = card.name
    full = name.formatted_name or " ".join(part for part in (name.first_name, name.last_name) if part)
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    yield f"FN:{_escaped(full or '?')}"
    parts = (name.last_name, name.first_name, name.middle_name, name.prefix, name.suffix)
    if any(parts):
        yield f"N:{';'.join(map(_escaped, parts))}"
    for phone in card.phones:
        if number := phone.phone or (f"+{phone.wa_id}" if phone.wa_id else ""):
            yield f"TEL{_type(phone.type)}:{_escaped(number)}"
    for mail in card.emails:
        if mail.email:
            yield f"EMAIL{_type(mail.type)}:{_escaped(mail.email)}"
    for place in card.addresses:
        # RFC 6350, 6.3.1: post office box and extended address should be empty.
        address = ("", "", place.street, place.city, place.state, place.zip, place.country)
        yield f"ADR{_type(place.type)}:{';'.join(map(_escaped, address))}"
    for link in card.urls:
        if link.url:
            yield f"URL{_type(link.type)}:{_escaped(link.url)}"
    if card.org is not None:
        yield f"ORG:{_escaped(card.org.company)};{_escaped(card.org.department)}"
        if card.org.title:
            yield f"TITLE:{_escaped(card.org.title)}"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", card.birthday, re.ASCII):
        yield f"BDAY:{card.birthday.replace('-', '')}"
    yield "END:VCARD"


def _type(type: str) -> str:
    return f";TYPE={type.lower()}" if type.lower() in _TYPES else ""


def _escaped(text: str) -> str:
    """RFC 6350, 3.4."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    escaped = plain.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return escaped.replace("\n", "\\n")


def _folded(line: str) -> str:
    """RFC 6350, 3.2: lines of 75 bytes at most, cut between characters."""
    pieces, length = [""], 0
    for sign in line:
        width = len(sign.encode())
        if length + width > _LINE_BYTES:
            pieces.append("")
            length = 1
        pieces[-1] += sign
        length += width
    return "\r\n ".join(pieces) + "\r\n"
