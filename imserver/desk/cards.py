"""XEP-0054 and XEP-0292: the cards of clients and queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from imserver.features.vcard import NAMESPACE as VCARD
from imserver.xmpp.element import Element

VCARD4: Final = "urn:ietf:params:xml:ns:vcard-4.0"

AddressKind = Literal["tel", "email", "jid"]


def card(name: str, addresses: Sequence[tuple[AddressKind, str]] = (), note: str = "") -> Element:
    """Write a card the way all clients read it (XEP-0054)."""
    fields = [_text("FN", name), _text("NICKNAME", name)]
    for kind, address in addresses:
        match kind:
            case "tel":
                fields.append(Element("TEL", VCARD).add(_text("NUMBER", address)))
            case "email":
                fields.append(Element("EMAIL", VCARD).add(_text("USERID", address)))
            case "jid":
                fields.append(_text("JABBERID", address))
    if note:
        fields.append(_text("DESC", note))
    return Element("vCard", VCARD).add(*fields)


def _text(name: str, text: str) -> Element:
    return Element(name, VCARD, text=text)


def card4(name: str, addresses: Sequence[tuple[AddressKind, str]] = (), note: str = "") -> Element:
    """Write a card the newer way (XEP-0292; RFC 6351)."""
    fields = [_field4("fn", "text", name), _field4("nickname", "text", name)]
    for kind, address in addresses:
        match kind:
            case "tel":
                fields.append(_field4("tel", "uri", f"tel:{address}"))
            case "email":
                fields.append(_field4("email", "text", address))
            case "jid":
                fields.append(_field4("impp", "uri", f"xmpp:{address}"))
    if note:
        fields.append(_field4("note", "text", note))
    return Element("vcard", VCARD4).add(*fields)


def _field4(name: str, kind: str, text: str) -> Element:
    return Element(name, VCARD4).add(Element(kind, VCARD4, text=text))
