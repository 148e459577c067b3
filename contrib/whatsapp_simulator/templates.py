"""Messages approved beforehand: what they need, and what they look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.shapes import JSON

_VARIABLE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LONGEST_BODY: Final = 1024


class TemplateStatus(StrEnum):
    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"


@dataclass(slots=True, eq=False)
class Template:
    """One message in one language, in the components of Meta's API."""

    id: str
    name: str
    language: str
    components: list[JSON]
    category: str = "UTILITY"
    status: TemplateStatus = TemplateStatus.APPROVED
    parameter_format: str = "POSITIONAL"

    def component(self, kind: str) -> JSON:
        return next((one for one in self.components if one["type"] == kind.upper()), {})

    def in_list(self) -> JSON:
        """Write it as `GET /{waba}/message_templates` does."""
        return {
            "name": self.name,
            "parameter_format": self.parameter_format,
            "components": self.components,
            "language": self.language,
            "status": str(self.status),
            "category": self.category,
            "id": self.id,
        }


def components_of(
    body: str, *, header: str | None = None, footer: str | None = None, buttons: Sequence[str] = ()
) -> list[JSON]:
    """Write the components of a plain template; a header IMAGE, VIDEO or DOCUMENT is one to be given when sent."""
    components: list[JSON] = []
    if header in ("IMAGE", "VIDEO", "DOCUMENT"):
        components.append({"type": "HEADER", "format": header})
    elif header:
        components.append({"type": "HEADER", "format": "TEXT", "text": header})
    variables = _variables(body)
    example = {"example": {"body_text": [[f"example {name}" for name in variables]]}} if variables else {}
    components.append({"type": "BODY", "text": body, **example})
    if footer:
        components.append({"type": "FOOTER", "text": footer})
    if buttons:
        quick = [{"type": "QUICK_REPLY", "text": text} for text in buttons]
        components.append({"type": "BUTTONS", "buttons": quick})
    return components


class Templates:
    """The templates of the account."""

    def __init__(self) -> None:
        self.all: list[Template] = []

    def find(self, name: str, language: str) -> Template | None:
        return next((one for one in self.all if one.name == name and one.language == language), None)

    def render(self, content: JSON) -> JSON:
        """Put the parameters of a request in their places.

        Raises:
            GraphError: 132001 and its neighbours, if there is no such template, or not with these parameters.
        """
        name, language = content["name"], content["language"]["code"]
        template = self.find(name, language)
        if template is None or template.status in (TemplateStatus.PENDING, TemplateStatus.REJECTED):
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        if template.status is TemplateStatus.PAUSED:
            raise GraphError(132015)
        if template.status is TemplateStatus.DISABLED:
            raise GraphError(132016)
        return _render(template, content.get("components", []))


def _render(template: Template, given: list[JSON]) -> JSON:
    rendered: JSON = {"template": template.name, "category": template.category}
    header = template.component("HEADER")
    if header:
        rendered["header"] = _header(template, header, _parameters(given, "header"))
    body = _fill(template, "body", template.component("BODY").get("text", ""), _parameters(given, "body"))
    if len(body) > LONGEST_BODY:
        raise GraphError(132005, f"body: {len(body)} characters, and {LONGEST_BODY} are allowed")
    rendered["body"] = body
    rendered["footer"] = template.component("FOOTER").get("text", "")
    rendered["buttons"] = _buttons(template, given)
    return rendered


def _header(template: Template, header: JSON, given: list[JSON]) -> JSON:
    kind = header.get("format", "TEXT").lower()
    if kind == "text":
        return {"type": "text", "text": _fill(template, "header", header.get("text", ""), given)}
    if len(given) != 1:
        raise GraphError(
            132000,
            f"header: number of localizable_params ({len(given)}) does not match the expected number (1)",
        )
    if given[0].get("type") != kind or not isinstance(given[0].get(kind), dict):
        raise GraphError(
            132012, f"header: Format mismatch, expected {kind.upper()}, received {_kind_of(given[0])}"
        )
    return {"type": kind, kind: given[0][kind]}


def _fill(template: Template, where: str, text: str, given: list[JSON]) -> str:
    variables = _variables(text)
    if len(given) != len(variables):
        raise GraphError(
            132000,
            f"{where}: number of localizable_params ({len(given)}) "
            f"does not match the expected number of params ({len(variables)})",
        )
    values: dict[str, str] = {}
    for variable, parameter in zip(variables, given, strict=True):
        named = template.parameter_format == "NAMED"
        values[str(parameter.get("parameter_name", "")) if named else variable] = _text_of(where, parameter)
    if absent := [name for name in variables if name not in values]:
        raise GraphError(100, f"{where}: Parameter name is missing or empty: {', '.join(absent)}")
    return _VARIABLE.sub(lambda found: values[found[1]], text)


def _text_of(where: str, parameter: JSON) -> str:
    match parameter:
        case {"type": "text", "text": str(text)} if text:
            # Meta refuses what would break the layout it approved.
            if re.search(r"[\n\t]| {5,}", text) and where == "body":
                raise GraphError(
                    132012, f"{where}: Param text cannot have new-line/tab characters or many spaces"
                )
            return text
        case {"type": "currency", "currency": {"fallback_value": str(text)}}:
            return text
        case {"type": "date_time", "date_time": {"fallback_value": str(text)}}:
            return text
        case _:
            raise GraphError(
                132012, f"{where}: Format mismatch, expected TEXT, received {_kind_of(parameter)}"
            )


def _buttons(template: Template, given: list[JSON]) -> list[JSON]:
    payloads = {
        str(one.get("index", "0")): parameters[0].get("payload") or parameters[0].get("text", "")
        for one in given
        if one.get("type") == "button" and (parameters := one.get("parameters") or [{}])
    }
    buttons = template.component("BUTTONS").get("buttons", [])
    for index in payloads:
        if not (index.isdigit() and int(index) < len(buttons)):
            raise GraphError(132000, f"buttons: there is no button at index {index}")
    return [
        {"title": button["text"], "payload": payloads.get(str(place), button["text"]), "type": button["type"]}
        for place, button in enumerate(buttons)
    ]


def _parameters(given: list[JSON], kind: str) -> list[JSON]:
    return next((one.get("parameters", []) for one in given if one.get("type") == kind), [])


def _variables(text: str) -> list[str]:
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def _kind_of(parameter: JSON) -> str:
    return str(parameter.get("type", "UNKNOWN")).upper()
