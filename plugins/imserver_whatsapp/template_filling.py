"""A template with its values filled in: what Meta is sent, and what the agent reads of it later."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from imserver import StanzaError
from imserver_whatsapp.outgoing import Request
from imserver_whatsapp.templates import (
    MEDIA_HEADERS,
    PLACE,
    Button,
    Catalog,
    Part,
    Template,
    button_variable,
    header_variable,
    needs_value,
    places,
)
from imserver_whatsapp.texts import say

_LINK: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_LOCATION: Final = re.compile(
    r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*(?:,([^,]*))?(?:,(.*))?", re.ASCII
)


class TemplateRefused(StanzaError):
    """It can't be sent like that; `names` is what is missing, or what there is no place for."""

    def __init__(self, text: str, *names: str) -> None:
        super().__init__("bad-request", text)
        self.names = names


@dataclass(frozen=True, slots=True)
class Filled:
    """Ready to be sent."""

    template: Template
    request: Request
    #: For the archive, and for the agent's other devices.
    text: str


def read_command(words: str, lang: str) -> tuple[str, dict[str, str]]:
    """Read what stands behind `!wa`: a name, and `name=value` again and again.

    Raises:
        TemplateRefused: If it is something else.
    """
    try:
        name, *given = shlex.split(words) or [""]
    except ValueError as error:
        raise TemplateRefused(say("template_unreadable", lang, what=words[:100])) from error
    values = {}
    for word in given:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise TemplateRefused(say("template_unreadable", lang, what=word[:100]))
        values[key] = value
    return name, values


def choose(catalog: Catalog, name: str, lang: str, client_lang: str, default: str = "en") -> Template:
    """Find a template by its name.

    Raises:
        TemplateRefused: If there is none; the text lists those there are.
    """
    template = catalog.find(name, client_lang, default)
    if template is not None:
        return template
    if not catalog.names:
        raise TemplateRefused(say("no_templates", lang))
    raise TemplateRefused(say("no_template", lang, name=name[:100], known=", ".join(catalog.names)))


def fill(template: Template, values: Mapping[str, str], lang: str, *, prefix: str = "!") -> Filled:
    """Fill a template in.

    Raises:
        TemplateRefused: If values are missing, all of which are named, or there is no place for one.
    """
    # 132012: no line breaks, no tabs, no more than four blanks in a row.
    given = {name: " ".join(value.split()) for name, value in values.items()}
    wanted, usage = template.variables, template.usage(prefix)
    if missing := [name for name in wanted if not given.get(name)]:
        raise TemplateRefused(say("template_missing", lang, names=", ".join(missing), usage=usage), *missing)
    if strange := [name for name in given if name not in wanted]:
        names = ", ".join(name[:40] for name in strange)
        raise TemplateRefused(say("template_strange", lang, names=names, usage=usage), *strange)
    components = list(_components(template, given, lang))
    body: dict[str, Any] = {
        "name": template.name,
        "language": {"code": template.language},
        **({"components": components} if components else {}),
    }
    request = Request({"type": "template", "template": body}, is_free=False)
    return Filled(template, request, rendered(template, given))


def rendered(template: Template, values: Mapping[str, str]) -> str:
    """Write a template as the client reads it; what is not given stands there by name."""
    header = template.header
    lines = []
    if header is not None and header.format in ("TEXT", ""):
        lines.append(f"*{_put(header.text, values, header_variable)}*")
    elif header is not None:
        lines.append(values.get("header", "‹header›"))
    lines += [_put(template.body, values), template.footer]
    lines += [_button(template, index, values) for index in range(len(template.buttons))]
    return "\n".join(line for line in lines if line.strip())


def _put(text: str, values: Mapping[str, str], name_of: Callable[[str], str] = str) -> str:
    return PLACE.sub(lambda found: values.get(name_of(found[1])) or f"‹{name_of(found[1])}›", text)


def _button(template: Template, index: int, values: Mapping[str, str]) -> str:
    button = template.buttons[index]
    label = button.text or button.type.replace("_", " ").lower()
    if not needs_value(button):
        return f"[{label}]"
    value = values.get(button_variable(index), f"‹{button_variable(index)}›")
    return f"[{label}: {PLACE.sub(lambda _: value, button.url) if button.url else value}]"


def _components(template: Template, values: Mapping[str, str], lang: str) -> Iterator[dict[str, Any]]:
    if template.header is not None and (header := list(_header(template.header, values, lang))):
        yield {"type": "header", "parameters": header}
    if names := places(template.body):
        yield {"type": "body", "parameters": [_text(name, values[name]) for name in names]}
    for index, button in enumerate(template.buttons):
        if needs_value(button):
            yield _button_component(index, button, values[button_variable(index)])


def _text(name: str, value: str) -> dict[str, str]:
    named = {} if name.isdigit() else {"parameter_name": name}
    return {"type": "text", **named, "text": value}


def _header(header: Part, values: Mapping[str, str], lang: str) -> Iterator[dict[str, Any]]:
    if header.format in MEDIA_HEADERS:
        link = values["header"]
        if _LINK.fullmatch(link) is None:
            raise TemplateRefused(say("template_no_link", lang, names="header"), "header")
        kind = header.format.lower()
        yield {"type": kind, kind: {"link": link}}
    elif header.format == "LOCATION":
        yield {"type": "location", "location": _location(values["header"], lang)}
    else:
        for name in places(header.text):
            yield _text(name, values[header_variable(name)])


def _location(written: str, lang: str) -> dict[str, Any]:
    found = _LOCATION.fullmatch(written)
    if found is None:
        usage = "header='41.15,-8.61,Porto,Rua 1'"
        raise TemplateRefused(say("template_missing", lang, names="header", usage=usage), "header")
    latitude, longitude, name, address = found.groups()
    named = {"name": (name or "").strip(), "address": (address or "").strip()}
    return {"latitude": latitude, "longitude": longitude, **{key: one for key, one in named.items() if one}}


def _button_component(index: int, button: Button, value: str) -> dict[str, Any]:
    if button.type.upper() == "COPY_CODE":
        sub_type, parameter = "copy_code", {"type": "coupon_code", "coupon_code": value}
    else:
        sub_type, parameter = "url", {"type": "text", "text": value}
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]}
