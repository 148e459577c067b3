"""What the page like a phone can do: each button is a line here."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, get_type_hints

from aiohttp import BodyPartReader, web

from contrib.whatsapp_simulator.media import RULES, plain_type
from contrib.whatsapp_simulator.person import Person
from contrib.whatsapp_simulator.phone_page import SIMULATOR
from contrib.whatsapp_simulator.phones import is_phone
from contrib.whatsapp_simulator.samples import picture
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.simulator import Simulator
from contrib.whatsapp_simulator.templates import TemplateStatus

LONGEST_JUMP: Final = 100 * 24 * 3600.0

PersonAct = Callable[[Person, JSON], Awaitable[object] | None]
Act = Callable[[Simulator, JSON], Awaitable[object] | None]


async def _album(person: Person, _: JSON) -> None:
    await person.sends_album([picture(200, 150), picture(150, 200)])


PERSON_ACTS: Final[Mapping[str, PersonAct]] = {
    "write": lambda person, said: person.writes(said["text"], reply_to=said.get("reply_to", "")),
    "forward": lambda person, said: person.forwards(said["text"]),
    "ad": lambda person, said: person.comes_from_ad(said["text"]),
    "react": lambda person, said: person.reacts(said["to"], said["emoji"]),
    "edit": lambda person, said: person.edits(said["id"], said["text"]),
    "revoke": lambda person, said: person.revokes(said["id"]),
    "press": lambda person, said: person.presses(said["id"], said["button"]),
    "picture": lambda person, _: person.sends_image(caption="O pôr do sol"),
    "voice": lambda person, _: person.sends_voice(),
    "sticker": lambda person, _: person.sends_sticker(),
    "document": lambda person, _: person.sends_document(),
    "album": _album,
    "location": lambda person, _: person.sends_location(name="Praça do Comércio", address="Lisboa"),
    "contact": lambda person, _: person.shares_contact("Rui Silva", "+351 920 000 001", wa_id="351920000001"),
    "order": lambda person, _: person.orders(("GORREANA-100G", 2, 4.5)),
    "unsupported": lambda person, _: person.sends_unsupported(),
    "unknown": lambda person, _: person.sends_unknown(),
    "bodiless": lambda person, _: person.sends_bodiless_interactive(),
    "read": lambda person, _: person.reads(),
    "play": lambda person, said: person.plays(said["id"]),
    "online": lambda person, _: person.goes_online(),
    "offline": lambda person, _: person.goes_offline(),
    "block": lambda person, _: person.blocks(),
    "number": lambda person, said: person.changes_number(said["phone"]),
    "identity": lambda person, _: person.changes_identity(),
    "rename": lambda person, said: person.renames(said["name"]),
}


def _set(target: Any, said: JSON) -> None:
    """Change fields of a dataclass, in the types they have."""
    hints = get_type_hints(type(target))
    for name, value in said.items():
        kind = hints[name]
        if kind in (bool, int, float):
            setattr(target, name, kind(value))
        elif kind == float | None:
            setattr(target, name, None if value in (None, "") else float(value))
        else:
            setattr(target, name, kind(value))


def _meet(simulator: Simulator, said: JSON) -> None:
    if not is_phone(said["phone"]):
        raise ValueError(f"{said['phone']} is no phone number")
    simulator.customer(said["phone"], name=said.get("name", ""), username=said.get("username", ""))


def _pass(simulator: Simulator, said: JSON) -> Awaitable[None]:
    if not 0 < float(said["seconds"]) <= LONGEST_JUMP:
        raise ValueError("Time goes forward, and up to a hundred days at once")
    return simulator.clock.passes(float(said["seconds"]))


def _template(simulator: Simulator, said: JSON) -> Awaitable[None]:
    template = next(one for one in simulator.world.templates.all if one.id == said["id"])
    return simulator.changes_template(template, TemplateStatus(said["status"]))


ACTS: Final[Mapping[str, Act]] = {
    "meet": _meet,
    "mischief": lambda simulator, said: _set(simulator.mischief, said),
    "pace": lambda simulator, said: _set(simulator.pace, said),
    "fail": lambda simulator, said: simulator.fails_next(int(said["code"]), later=bool(said.get("later"))),
    "break": lambda simulator, _: simulator.breaks_next(),
    "lose": lambda simulator, _: simulator.loses_next_answer(),
    "token": lambda simulator, said: simulator.expires_token(expired=not said["is_good"]),
    "pass": _pass,
    "template": _template,
    "app": lambda simulator, said: simulator.app_writes(_person(simulator, said), said["text"]),
}


def routes() -> list[web.RouteDef]:
    return [web.post("/phone/act/{name}", act), web.post("/phone/file", take_file)]


async def act(request: web.Request) -> web.Response:
    """Do what a button says."""
    # A form of another site cannot send this type without asking first.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    simulator, name = request.app[SIMULATOR], request.match_info["name"]
    try:
        said = json.loads(await request.read())
        if name in PERSON_ACTS:
            doing = PERSON_ACTS[name](_person(simulator, said), said)
        else:
            doing = ACTS[name](simulator, said)
        if doing is not None:
            await doing
    except (KeyError, TypeError, ValueError, LookupError) as error:
        return web.json_response({"error": str(error)}, status=400)
    simulator.world.changed.ring()
    return web.json_response({})


async def take_file(request: web.Request) -> web.Response:
    """Send a file as the kind of message a phone would make of it."""
    if "Origin" not in request.headers:
        raise web.HTTPForbidden
    fields: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name != "file":
            fields[part.name or ""] = (await part.read()).decode()
            continue
        content, name = bytes(await part.read()), part.filename or "file"
        mime_type = part.headers.get("Content-Type", "application/octet-stream")
        person = _person(request.app[SIMULATOR], dict(fields))
        await _send_file(person, content, name, mime_type, fields.get("caption", ""))
    return web.json_response({})


async def _send_file(person: Person, content: bytes, name: str, mime_type: str, caption: str) -> None:
    plain = plain_type(mime_type)
    if plain in RULES["image"].types:
        await person.sends_image(content, caption=caption, mime_type=mime_type)
    elif plain in RULES["video"].types:
        await person.sends_video(content, caption=caption, mime_type=mime_type)
    elif plain in RULES["audio"].types:
        await person.sends_audio(content, mime_type=mime_type)
    else:
        await person.sends_document(content, filename=name, caption=caption, mime_type=mime_type)


def _person(simulator: Simulator, said: JSON) -> Person:
    customer = simulator.world.chats.by_key(str(said["customer"]))
    if customer is None:
        raise LookupError("There is no such customer")
    return simulator.person(customer, str(said.get("number", "")))
