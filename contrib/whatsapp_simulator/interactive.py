"""Messages with something to press: buttons, lists and the rest (Cloud API: Messages)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from contrib.whatsapp_simulator.errors import not_valid
from contrib.whatsapp_simulator.fields import Fields

MOST_BUTTONS: Final = 3
MOST_ROWS: Final = 10


def read_interactive(fields: Fields) -> None:
    """Check an interactive message.

    Raises:
        GraphError: If it is not as Meta wants it.
    """
    kind = fields.choice("type", ACTIONS)
    if "header" in fields:
        _check_header(fields.part("header"))
    if kind != "product":
        body = fields.part("body")
        body.text("text", longest=4096 if kind == "list" else 1024)
        body.done()
    else:
        fields.anything("body")
    if "footer" in fields:
        footer = fields.part("footer")
        footer.text("text", longest=60)
        footer.done()
    ACTIONS[kind](fields.part("action"))
    fields.done()


def _check_header(header: Fields) -> None:
    kind = header.choice("type", {"text", "image", "video", "document"})
    if kind == "text":
        header.text("text", longest=60)
        return
    media = header.part(kind)
    if ("id" in media) == ("link" in media):
        raise not_valid(f"Exactly one of id and link has to be given in {header.path(kind)}.")


def _check_buttons(action: Fields) -> None:
    ids: set[str] = set()
    titles: set[str] = set()
    for button in action.parts("buttons", most=MOST_BUTTONS):
        button.choice("type", {"reply"})
        reply = button.part("reply")
        ids.add(_new(reply.text("id", longest=256), ids, reply.path("id")))
        titles.add(_new(reply.text("title", longest=20), titles, reply.path("title")))
        reply.done()
        button.done()
    action.done()


def _check_list(action: Fields) -> None:
    action.text("button", longest=20)
    sections = action.parts("sections", most=MOST_ROWS)
    ids: set[str] = set()
    rows = 0
    for section in sections:
        section.text("title", longest=24, default=None if len(sections) > 1 else "")
        for row in section.parts("rows", most=MOST_ROWS):
            rows += 1
            ids.add(_new(row.text("id", longest=200), ids, row.path("id")))
            row.text("title", longest=24)
            row.text("description", longest=72, default="")
            row.done()
        section.done()
    if rows > MOST_ROWS:
        raise not_valid(f"Total row count exceeds the maximum of {MOST_ROWS}.")
    action.done()


def _check_link(action: Fields) -> None:
    action.choice("name", {"cta_url"})
    parameters = action.part("parameters")
    parameters.text("display_text", longest=20)
    parameters.text("url")
    parameters.done()
    action.done()


def _check_location_request(action: Fields) -> None:
    action.choice("name", {"send_location"})
    action.done()


def _check_anything(action: Fields) -> None:
    """Let pass what this simulator cannot show."""


ACTIONS: Final[Mapping[str, Callable[[Fields], None]]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_link,
    "location_request_message": _check_location_request,
    "request_contact_info": _check_anything,
    "flow": _check_anything,
    "product": _check_anything,
    "product_list": _check_anything,
    "catalog_message": _check_anything,
    "address_message": _check_anything,
}


def _new(value: str, known: set[str], path: str) -> str:
    if value in known:
        raise not_valid(f"Param {path} is not unique.")
    return value
