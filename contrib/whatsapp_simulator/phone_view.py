"""What the page like a phone shows, as data."""

from __future__ import annotations

from dataclasses import asdict

from contrib.whatsapp_simulator.chats import Chat, ChatMessage, Customer
from contrib.whatsapp_simulator.courier import Attempt, Courier, Delivery
from contrib.whatsapp_simulator.errors import KNOWN
from contrib.whatsapp_simulator.handset import choices
from contrib.whatsapp_simulator.settings import Closed, Signing
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.templates import TemplateStatus
from contrib.whatsapp_simulator.world import World

LAST_MESSAGES = 200


def view(world: World, customer_key: str, number_id: str) -> JSON:
    """Show everything, with the chat between these two open."""
    customer = world.chats.by_key(customer_key) or next(iter(world.chats.customers), None)
    numbers = world.account.numbers
    number = next((one for one in numbers if one.id == number_id), numbers[0])
    return {
        "now": world.clock.now(),
        "number": number.id,
        "numbers": [asdict(one) for one in numbers],
        "customer": customer.key if customer else "",
        "customers": [_customer(world, one, number.id) for one in world.chats.customers],
        "chat": _chat(world, world.chats.between(number.id, customer)) if customer else None,
        "mischief": asdict(world.mischief),
        "pace": asdict(world.settings.pace),
        "choices": {"signing": list(Signing), "closed": list(Closed), "template": list(TemplateStatus)},
        "codes": {code: known.title for code, known in KNOWN.items()},
        "faults": len(world.faults),
        "token_is_good": world.token_is_good,
        "templates": [
            {"id": one.id, "name": one.name, "language": one.language, "status": one.status}
            for one in world.templates.all
        ],
        "webhook": _webhook(world.courier),
    }


def _customer(world: World, customer: Customer, number: str) -> JSON:
    chat = world.chats.between(number, customer)
    last = chat.messages[-1] if chat.messages else None
    return {
        "key": customer.key,
        "name": customer.name,
        "phone": customer.phone,
        "username": customer.username,
        "user_id": customer.user_id,
        "hides_phone": customer.hides_phone,
        "is_online": customer.is_online,
        "is_reachable": customer.is_reachable,
        "last": (_text(last) or last.kind) if last else "",
        "at": last.at if last else 0,
    }


def _chat(world: World, chat: Chat) -> JSON:
    return {
        "window_until": chat.window_until(),
        "is_open": chat.is_open(world.clock.now()),
        "is_typing": world.clock.now() < chat.typing_until,
        "typing_until": chat.typing_until,
        "messages": [_message(world, message) for message in chat.messages[-LAST_MESSAGES:]],
    }


def _message(world: World, message: ChatMessage) -> JSON:
    about = world.chats.message(message.context) if message.context else None
    shown: JSON = {
        "id": message.id,
        "author": message.author,
        "kind": message.kind,
        "text": _text(message),
        "at": message.at,
        "status": message.status,
        "is_read": message.is_read,
        "is_edited": message.is_edited,
        "is_revoked": message.is_revoked,
        "reactions": [emoji for emoji in message.reactions.values() if emoji],
        "buttons": [
            {"id": one.get("id", one["title"]), "title": one["title"]} for _, one in choices(message)
        ],
        "media": _media(world, message),
        "header": _heading(message),
        "footer": _footer(message),
    }
    if about is not None:
        shown["context"] = {"author": about.author, "text": _text(about) or about.kind}
    if message.error is not None:
        shown["error"] = {
            "code": message.error.code,
            "title": message.error.title,
            "details": message.error.details,
        }
    if message.kind == "template":
        shown["template"] = message.rendered["template"]
    if message.kind == "location":
        shown["place"] = {"latitude": message.content["latitude"], "longitude": message.content["longitude"]}
    return shown


def _text(message: ChatMessage) -> str:
    content = message.content
    match message.kind:
        case "template":
            return str(message.rendered["body"])
        case "interactive":
            reply = content.get(str(content.get("type")), {})
            return str(content.get("body", {}).get("text", "") or reply.get("title") or reply.get("body", ""))
        case "button":
            return str(content.get("text", ""))
        case "location":
            return str(content.get("name", ""))
        case "contacts":
            cards = content.get("cards", [])
            return ", ".join(str(card["name"]["formatted_name"]) for card in cards)
        case "order":
            items = content.get("product_items", [])
            return ", ".join(f"{item['quantity']} × {item['product_retailer_id']}" for item in items)
        case "system":
            return str(content.get("body", ""))
        case _:
            return message.text


def _media(world: World, message: ChatMessage) -> JSON | None:
    described, kind = message.content, message.kind
    header = message.rendered.get("header") or described.get("header") or {}
    if header.get("type") in ("image", "video", "document"):
        kind, described = header["type"], header[header["type"]]
    if kind not in ("image", "video", "audio", "document", "sticker"):
        return None
    media = world.media.shown(str(described.get("id", "")))
    if media is None:
        return {"kind": kind, "url": "", "name": described.get("link", "file"), "voice": False, "size": 0}
    return {
        "kind": kind,
        "url": f"/phone/media/{media.id}",
        "name": described.get("filename") or media.filename or kind,
        "voice": bool(described.get("voice")),
        "size": len(media.content),
    }


def _heading(message: ChatMessage) -> str:
    header = message.rendered.get("header") or message.content.get("header") or {}
    return str(header.get("text", ""))


def _footer(message: ChatMessage) -> str:
    footer = message.rendered.get("footer") or message.content.get("footer") or ""
    return str(footer.get("text", "")) if isinstance(footer, dict) else str(footer)


def _webhook(courier: Courier) -> JSON:
    return {
        "url": courier.url,
        "is_verified": courier.is_verified,
        "trouble": courier.trouble,
        "deliveries": [_delivery(one) for one in list(courier.deliveries)[-8:][::-1]],
    }


def _answer(delivery: Delivery, last: Attempt | None) -> str:
    if delivery.is_lost:
        return "told to nobody"
    if last is None:
        return "on its way"
    return str(last.status) if last.status else last.reason


def _delivery(delivery: Delivery) -> JSON:
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        "what": ", ".join(
            str(one.item.get("status") or one.item.get("type") or one.field) for one in delivery.updates
        ),
        "attempts": len(delivery.attempts),
        "answer": _answer(delivery, last),
        "is_done": delivery.is_done,
    }
