"""What becomes of a message that was accepted: sent, delivered, read, played; or failed (Cloud API: statuses)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from contrib.whatsapp_simulator.chats import ChatMessage, Status
from contrib.whatsapp_simulator.envelopes import Update
from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.world import World

#: Cloud API, Pricing: service messages cost from 2026-10-01 (UTC).
CHARGED_FROM: Final = 1_790_812_800


def set_off(world: World, message: ChatMessage, failure: GraphError | None = None) -> None:
    """Let a message go its way, at the pace that is set."""
    if failure is not None:
        world.clock.after(world.settings.pace.sent, partial(_fail, world, message, failure))
        return
    world.clock.after(world.settings.pace.sent, partial(_send, world, message))


def become(
    world: World, message: ChatMessage, status: Status, error: GraphError | None = None
) -> list[asyncio.Task[None]]:
    """Change a message's status and tell the webhook; a status never goes backwards."""
    if not message.may_become(status):
        return []
    message.status, message.error = status, error
    message.statuses.append((status, world.clock.now()))
    world.changed.ring()
    contact = None if status is Status.FAILED else world.contact(world.chat_of(message))
    return world.courier.tell(
        Update(_item(world, message), "statuses", number=world.number(message.number), contact=contact)
    )


def arrive(world: World, message: ChatMessage) -> list[asyncio.Task[None]]:
    """Let a message reach the phone, and be read there if somebody reads at a pace."""
    pace = world.settings.pace
    tasks = [] if world.mischief.skips_delivered else become(world, message, Status.DELIVERED)
    if pace.read is not None:
        world.clock.after(pace.read, partial(_read, world, message))
    return tasks


def waits_for_phone(message: ChatMessage) -> bool:
    """Whether it is on its way to a phone that is off."""
    return message.status is Status.SENT and message.kind != "reaction"


def _send(world: World, message: ChatMessage) -> None:
    become(world, message, Status.SENT)
    # Cloud API, statuses: reactions yield only `sent`.
    if message.kind != "reaction":
        world.clock.after(world.settings.pace.delivered, partial(_deliver, world, message))


def _deliver(world: World, message: ChatMessage) -> None:
    if message.customer.is_online:
        arrive(world, message)


def _read(world: World, message: ChatMessage) -> None:
    become(world, message, Status.READ)
    if message.is_voice and world.settings.pace.played is not None:
        world.clock.after(world.settings.pace.played, partial(_play, world, message))


def _play(world: World, message: ChatMessage) -> None:
    become(world, message, Status.PLAYED)


def _fail(world: World, message: ChatMessage, failure: GraphError) -> None:
    become(world, message, Status.FAILED, failure)


def _item(world: World, message: ChatMessage) -> JSON:
    item: JSON = {"id": message.id, "status": str(message.status), "timestamp": world.timestamp()}
    chat = world.chat_of(message)
    if chat.shows_phone(world.clock.now()):
        item["recipient_id"] = message.customer.wa_id
    item["recipient_user_id"] = message.customer.user_id
    if message.opaque is not None:
        item["biz_opaque_callback_data"] = message.opaque
    if message.error is not None:
        item["errors"] = [message.error.in_webhook()]
        return item
    category = str(message.rendered.get("category", "service")).lower()
    if float(world.account.version) < 24:
        item["conversation"] = _conversation(message, category, chat.window_until())
    item["pricing"] = _pricing(category, world.clock.now())
    return item


def _conversation(message: ChatMessage, category: str, until: float | None) -> JSON:
    conversation: JSON = {"id": message.number + message.customer.key.zfill(15), "origin": {"type": category}}
    if message.status is Status.SENT and until is not None:
        conversation["expiration_timestamp"] = str(int(until))
    return conversation


def _pricing(category: str, now: float) -> JSON:
    is_billable = category != "service" or now >= CHARGED_FROM
    return {
        "billable": is_billable,
        "pricing_model": "PMP",
        "type": "regular" if is_billable else "free_customer_service",
        "category": category,
    }
