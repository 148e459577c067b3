"""What Meta would send, made up for tests."""

from __future__ import annotations

import json
from typing import Any

from imserver_whatsapp.inbound import Piece, pieces
from imserver_whatsapp.reading import read_updates
from imserver_whatsapp.updates import Inbound, Update

ANA: dict[str, Any] = {
    "profile": {"name": "Ana", "username": "ana.s"},
    "wa_id": "351910000000",
    "user_id": "PT.13491208655302741918",
    "parent_user_id": "PT.ENT.11815799212886844830",
}
SENT = 1_700_000_000


def message(type: str = "text", body: Any = None, **more: Any) -> dict[str, Any]:
    if type == "text" and body is None:
        body = {"body": "Olá"}
    written = {"from": "351910000000", "id": "wamid.1", "timestamp": str(SENT), "type": type}
    return {**written, **({type: body} if body is not None else {}), **more}


def status(state: str, **more: Any) -> dict[str, Any]:
    written = {"id": "wamid.o", "status": state, "timestamp": str(SENT), "recipient_id": "351910000000"}
    return {**written, **more}


def value(**parts: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "351210000000", "phone_number_id": "1122334455667"}
    return {"messaging_product": "whatsapp", "metadata": metadata, "contacts": [ANA], **parts}


def envelope(*changes: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    written = [{"field": field, "value": change} for change in changes]
    return {"object": "whatsapp_business_account", "entry": [{"id": "42", "changes": written}]}


def read(*changes: dict[str, Any], field: str = "messages") -> list[Update]:
    return list(read_updates(json.dumps(envelope(*changes, field=field)).encode()))


def inbound(type: str = "text", body: Any = None, **more: Any) -> Inbound:
    (update,) = read(value(messages=[message(type, body, **more)]))
    assert isinstance(update, Inbound), update
    return update


def shown(type: str = "text", body: Any = None, lang: str = "en", **more: Any) -> list[Piece]:
    return pieces(inbound(type, body, **more), lang)
