"""May the business send this, to this person, now? And if so, it is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from contrib.whatsapp_simulator.chats import (
    MONTH_SECONDS,
    TYPING_SECONDS,
    Author,
    Chat,
    ChatMessage,
    Customer,
)
from contrib.whatsapp_simulator.errors import GraphError, invalid, not_valid
from contrib.whatsapp_simulator.media import RULES, unfit
from contrib.whatsapp_simulator.outgoing import Outgoing, ReadMark
from contrib.whatsapp_simulator.phones import is_phone, wa_id_of
from contrib.whatsapp_simulator.settings import BusinessNumber, Closed
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.world import World

_USER_ID: Final = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer, and the message to set off when it was given; failure: what will become of it."""

    answer: JSON
    message: ChatMessage | None = None
    failure: GraphError | None = None


def accept(world: World, number: BusinessNumber, outgoing: Outgoing) -> Accepted:
    """Take a message.

    Raises:
        GraphError: If it is refused at once.
    """
    if world.mischief.rates and not world.throughput[number.id].may_send(world.clock.now()):
        raise GraphError(130429)
    # Cloud API, Business-scoped user IDs: a user id in `to` is dropped without a word.
    if _USER_ID.fullmatch(outgoing.to):
        return Accepted(_answer(world.ids.wamid(outgoing.to), {"input": outgoing.to}))
    customer, contact = _recipient(world, number, outgoing)
    chat = world.chats.between(number.id, customer)
    rendered = world.templates.render(outgoing.content) if outgoing.kind == "template" else {}
    _check_user_id(outgoing, rendered)
    _check_reaction(world, chat, outgoing)
    failure = _failure(world, chat, outgoing, rendered)
    if world.mischief.rates and not chat.pair_rate.may_send(world.clock.now()):
        raise GraphError(131056)
    message = _record(world, chat, outgoing, rendered)
    return Accepted(_answer(message.id, contact), message, failure)


def mark_read(world: World, number: BusinessNumber, mark: ReadMark) -> JSON:
    """Show a customer that the message was read, and perhaps that somebody types.

    Raises:
        GraphError: If no customer sent such a message to this number.
    """
    message = world.chats.message(mark.message_id)
    if message is None or message.author is not Author.CUSTOMER or message.number != number.id:
        raise not_valid(f"Param message_id is not a message that was received: {mark.message_id}")
    chat = world.chat_of(message)
    _read_until(chat, message)
    if mark.types:
        chat.typing_until = world.clock.now() + TYPING_SECONDS
    world.changed.ring()
    return {"success": True}


def _read_until(chat: Chat, message: ChatMessage) -> None:
    message.is_read = True
    if message not in chat.messages:
        return
    for earlier in chat.messages[: chat.messages.index(message)]:
        earlier.is_read |= earlier.author is Author.CUSTOMER


def _recipient(world: World, number: BusinessNumber, outgoing: Outgoing) -> tuple[Customer, JSON]:
    # Cloud API, Business-scoped user IDs: with both, `to` wins.
    if not outgoing.to:
        known = world.chats.by_user_id(outgoing.recipient)
        if known is None:
            raise not_valid(f"Param recipient is not a user of this business: {outgoing.recipient}")
        return known, {"input": outgoing.recipient, "user_id": outgoing.recipient}
    if not is_phone(outgoing.to):
        raise not_valid(f"Param to is not a phone number: {outgoing.to}")
    wa_id = wa_id_of(outgoing.to)
    if wa_id == wa_id_of(number.display):
        raise GraphError(131021)
    allowed = world.account.allowed
    if allowed is not None and wa_id not in {wa_id_of(one) for one in allowed}:
        raise GraphError(131030)
    return _owner_of(world, outgoing.to, wa_id), {"input": outgoing.to, "wa_id": wa_id}


def _owner_of(world: World, phone: str, wa_id: str) -> Customer:
    customer = world.chats.by_wa_id(wa_id)
    if customer is None:
        customer = world.meet(phone, name=f"+{wa_id}")
        customer.is_reachable = False
    return customer


def _check_user_id(outgoing: Outgoing, rendered: JSON) -> None:
    # One-time passwords go to phone numbers only.
    if not outgoing.to and rendered.get("category") == "AUTHENTICATION":
        raise GraphError(131062)


def _check_reaction(world: World, chat: Chat, outgoing: Outgoing) -> None:
    if outgoing.kind != "reaction":
        return
    about = world.chats.message(outgoing.content["message_id"])
    if about is None or world.chat_of(about) is not chat or about.is_revoked:
        raise not_valid("Param reaction['message_id'] is not a message of this chat, or was deleted.")
    if world.clock.now() - about.at > MONTH_SECONDS:
        raise not_valid("Param reaction['message_id'] is a message older than 30 days.")


def _failure(world: World, chat: Chat, outgoing: Outgoing, rendered: JSON) -> GraphError | None:
    """Find what keeps a message from arriving; raises it if Meta knows at once."""
    if outgoing.kind != "template" and not chat.is_open(world.clock.now()):
        if world.mischief.closed is Closed.AT_ONCE:
            raise GraphError(131047)
        return GraphError(131047)
    if not chat.customer.is_reachable:
        return GraphError(131026)
    kind, file = _file_in(outgoing, rendered)
    if "id" not in file:
        return None
    media = world.media.find(file["id"])
    if media is None:
        raise invalid(f"Param {kind}['id'] is not an uploaded media id: {file['id']}")
    return unfit(media, kind)


def _file_in(outgoing: Outgoing, rendered: JSON) -> tuple[str, JSON]:
    """Find the file of a message, which may be in its header."""
    if outgoing.kind in RULES:
        return outgoing.kind, outgoing.content
    header = rendered.get("header") or outgoing.content.get("header") or {}
    kind = header.get("type", "text")
    return kind, header[kind] if kind in RULES else {}


def _record(world: World, chat: Chat, outgoing: Outgoing, rendered: JSON) -> ChatMessage:
    now = world.clock.now()
    if outgoing.to:
        chat.last_by_phone = now
    about = world.chats.message(outgoing.context)
    shows_context = about is not None and now - about.at <= MONTH_SECONDS
    message = ChatMessage(
        id=world.ids.wamid(chat.customer.wa_id),
        author=Author.BUSINESS,
        customer=chat.customer,
        number=chat.number,
        kind=outgoing.kind,
        content=outgoing.content,
        at=now,
        context=outgoing.context if shows_context else "",
        opaque=outgoing.opaque,
        to=outgoing.to or outgoing.recipient,
        rendered=rendered,
    )
    if outgoing.kind == "reaction":
        _react(world, message)
    else:
        world.chats.add(message)
        chat.typing_until = 0.0
    world.changed.ring()
    return message


def _react(world: World, reaction: ChatMessage) -> None:
    world.chats.note(reaction)
    about = world.chats.message(reaction.content["message_id"])
    assert about is not None, "it was checked before"
    about.reactions[Author.BUSINESS] = reaction.content.get("emoji", "")


def _answer(wamid: str, contact: JSON) -> JSON:
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": wamid, "message_status": "accepted"}],
    }
