"""What a webhook is sent: updates, wrapped as Meta wraps them (Cloud API: Webhooks)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from contrib.whatsapp_simulator.settings import Account, BusinessNumber
from contrib.whatsapp_simulator.shapes import JSON


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """One thing to tell: a message, a status, an echo, or anything else with a field of its own."""

    item: JSON
    #: The list it stands in: messages, statuses, message_echoes; "" if it is the whole value itself.
    place: str = "messages"
    field: str = "messages"
    number: BusinessNumber | None = None
    contact: JSON | None = None
    errors: Sequence[JSON] = ()


def envelope(account: Account, updates: Sequence[Update], *, entries: int = 1) -> JSON:
    """Wrap updates, neighbours of one kind together, spread over so many entries."""
    size = max(1, -(-len(updates) // entries))
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": account.id, "changes": _changes(updates[first : first + size])}
            for first in range(0, len(updates), size)
        ],
    }


def written(value: object) -> bytes:
    r"""Write JSON as Meta does: é goes as \u00e9."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def written_anew(body: bytes) -> bytes:
    """Write the same JSON as somebody would who has parsed it first."""
    return json.dumps(json.loads(body), ensure_ascii=False).encode()


def _changes(updates: Sequence[Update]) -> list[JSON]:
    return [
        {"value": _value(list(group)), "field": field}
        for (field, _, _, _), group in groupby(updates, key=_alike)
    ]


def _alike(update: Update) -> tuple[str, str, str, int]:
    # What is no item of a list stands alone; so do errors, which are about their message.
    alone = id(update) if update.errors or not update.place else 0
    return (update.field, update.place, update.number.id if update.number else "", alone)


def _value(updates: Sequence[Update]) -> JSON:
    first = updates[0]
    if not first.place:
        return first.item
    value: JSON = {"messaging_product": "whatsapp"}
    if first.number is not None:
        value["metadata"] = {
            "display_phone_number": first.number.display,
            "phone_number_id": first.number.id,
        }
    if contacts := list(_different(update.contact for update in updates)):
        value["contacts"] = contacts
    value[first.place] = [update.item for update in updates]
    if first.errors:
        value["errors"] = list(first.errors)
    return value


def _different(contacts: Iterable[JSON | None]) -> Iterable[JSON]:
    seen: list[JSON] = []
    for contact in contacts:
        if contact is not None and contact not in seen:
            seen.append(contact)
    return seen
