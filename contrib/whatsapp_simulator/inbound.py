"""The bodies of what customers send (Cloud API: messages webhook)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.media import Media
from contrib.whatsapp_simulator.shapes import JSON

#: What an advertisement says of itself when somebody writes after a click on it.
ADVERTISEMENT: Final[JSON] = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Chat with us",
    "body": "Tea from the Azores",
    "media_type": "image",
    "image_url": "https://example.com/tea.jpg",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoi",
}


def media_body(media: Media, url: str, *, caption: str = "", voice: bool | None = None) -> JSON:
    """Describe a file; its url opens with the token, for five minutes."""
    body: JSON = {"caption": caption} if caption else {}
    if media.filename:
        body["filename"] = media.filename
    body |= {"mime_type": media.mime_type, "sha256": media.sha256, "id": media.id, "url": url}
    if voice is not None:
        body["voice"] = voice
    return body


def location_body(latitude: float, longitude: float, name: str = "", address: str = "") -> JSON:
    """Describe a place."""
    body: JSON = {"latitude": latitude, "longitude": longitude}
    if name:
        body |= {"name": name, "address": address, "url": "https://maps.example.com/?q=place"}
    return body


def card_body(name: str, phone: str, wa_id: str = "") -> JSON:
    """Describe somebody in an address book."""
    first, _, last = name.partition(" ")
    names = {"first_name": first, "formatted_name": name} | ({"last_name": last} if last else {})
    number = {"phone": phone, "type": "CELL"} | ({"wa_id": wa_id} if wa_id else {})
    return {"name": names, "phones": [number]}


def button_reply(button_id: str, title: str) -> JSON:
    """Say which button of a message was pressed."""
    return {"type": "button_reply", "button_reply": {"id": button_id, "title": title}}


def list_reply(row_id: str, title: str, description: str = "") -> JSON:
    """Say which row of a list was chosen."""
    row = {"id": row_id, "title": title} | ({"description": description} if description else {})
    return {"type": "list_reply", "list_reply": row}


def flow_reply(answers: Mapping[str, object]) -> JSON:
    """Say what was filled into a form."""
    return {
        "type": "nfm_reply",
        "nfm_reply": {"name": "flow", "body": "Sent", "response_json": json.dumps(answers)},
    }


def order_body(items: Sequence[tuple[str, int, float]], currency: str = "EUR", text: str = "") -> JSON:
    """Order these: the shop's name for it, how many, at what price."""
    return {
        "catalog_id": "354160437058781",
        "text": text,
        "product_items": [
            {"product_retailer_id": name, "quantity": quantity, "item_price": price, "currency": currency}
            for name, quantity, price in items
        ],
    }


def unsupported(kind: str) -> JSON:
    """Say that something came which the API cannot tell."""
    return {"errors": [_short(131051)], "unsupported": {"type": kind}}


def unavailable() -> JSON:
    """Say that something came which cannot be had."""
    return {"errors": [_short(131060)]}


def _short(code: int) -> JSON:
    error = GraphError(code).in_webhook()
    del error["href"]
    return error
