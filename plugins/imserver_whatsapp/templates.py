"""The templates that Meta has approved for an account: what they ask for, and which languages they are in.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationError

from imserver_whatsapp.shapes import Id, Shape, Text
from imserver_whatsapp.updates import TemplateChange

PLACE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}", re.ASCII)

#: What a header may be besides a text; it is given as a link, or as `latitude,longitude,name,address`.
MEDIA_HEADERS: Final = frozenset({"IMAGE", "VIDEO", "DOCUMENT"})
#: Buttons that need nothing, or one value. One-time codes (`OTP`) are for programs, not for people.
PLAIN_BUTTONS: Final = frozenset({"QUICK_REPLY", "PHONE_NUMBER", "URL", "COPY_CODE", "FLOW", "VOICE_CALL"})
#: Parts that can be sent from here.
PARTS: Final = frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS"})

#: Changes after which a template can't be sent.
GONE: Final = frozenset(
    {"REJECTED", "PAUSED", "DISABLED", "DELETED", "PENDING_DELETION", "FLAGGED", "LIMIT_EXCEEDED", "ARCHIVED"}
)


# As Meta lists them


class Button(Shape):
    type: Text = ""
    text: Text = ""
    url: Text = ""
    phone_number: Text = ""


class Part(Shape):
    type: Text = ""
    format: Text = ""
    text: Text = ""
    buttons: Annotated[tuple[Button, ...], BeforeValidator(lambda value: value or ())] = ()


class Listed(Shape):
    name: Text = ""
    language: Text = ""
    status: Text = ""
    category: Text = ""
    id: Id = ""
    parameter_format: Text = ""
    components: Annotated[tuple[Part, ...], BeforeValidator(lambda value: value or ())] = ()


class Cursors(Shape):
    after: Text = ""


class Paging(Shape):
    cursors: Cursors | None = None
    next: Text = ""


class Page(Shape):
    """An answer to `GET /{account}/message_templates`; `next` is the address of the next one."""

    data: tuple[Any, ...] = ()
    paging: Paging | None = None


# As agents use them


@dataclass(frozen=True, slots=True)
class Template:
    """One template in one language."""

    name: str
    language: str
    category: str
    header: Part | None = None
    body: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    #: Why it can't be sent from here; "" if it can.
    unusable: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """List what has to be given, in the order in which people read it."""
        return tuple(dict.fromkeys((*self._in_header(), *places(self.body), *self._in_buttons())))

    def _in_header(self) -> Iterator[str]:
        if self.header is None:
            return
        if self.header.format in MEDIA_HEADERS or self.header.format == "LOCATION":
            yield "header"
        else:
            yield from (header_variable(name) for name in places(self.header.text))

    def _in_buttons(self) -> Iterator[str]:
        for index, button in enumerate(self.buttons):
            if needs_value(button):
                yield button_variable(index)

    def usage(self, prefix: str = "!") -> str:
        """Show what to type."""
        return " ".join([f"{prefix}wa", self.name, *(f"{name}=…" for name in self.variables)])


def places(text: str) -> list[str]:
    """List the places of a text, each once; numbered ones in the order in which Meta wants their values."""
    found = list(dict.fromkeys(PLACE.findall(text)))
    return sorted(found, key=int) if all(name.isdigit() for name in found) else found


def header_variable(name: str) -> str:
    """Name what a header's place is filled with: `{{1}}` is there in the body, too."""
    return "header" if name.isdigit() else name


def button_variable(index: int) -> str:
    """Name what a button is filled with, counted from 1."""
    return f"button{index + 1}"


def needs_value(button: Button) -> bool:
    """Tell whether a button has something to fill in."""
    kind = button.type.upper()
    return kind == "COPY_CODE" or (kind == "URL" and PLACE.search(button.url) is not None)


def read_template(raw: Any) -> Template | None:
    """Read a template as it is listed; None if it is not approved, or not to be understood."""
    try:
        listed = Listed.model_validate(raw)
    except ValidationError:
        return None
    if not listed.name or listed.status.upper() != "APPROVED":
        return None
    parts = {part.type.upper(): part for part in listed.components}
    buttons = parts["BUTTONS"].buttons if "BUTTONS" in parts else ()
    strange = [kind for kind in parts if kind not in PARTS]
    strange += [button.type for button in buttons if button.type.upper() not in PLAIN_BUTTONS]
    header = parts.get("HEADER")
    if header is not None:
        header = header.model_copy(update={"format": header.format.upper()})
    return Template(
        listed.name,
        listed.language,
        listed.category.upper(),
        header,
        parts["BODY"].text if "BODY" in parts else "",
        parts["FOOTER"].text if "FOOTER" in parts else "",
        buttons,
        ", ".join(strange),
    )


@dataclass(frozen=True, slots=True)
class Catalog:
    """All approved templates of an account."""

    by_name: Mapping[str, Mapping[str, Template]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Iterable[Any]) -> Catalog:
        """Read what Meta lists, on however many pages; what is not approved or can't be sent is left out."""
        by_name: dict[str, dict[str, Template]] = {}
        for raw in listed:
            template = read_template(raw)
            if template is not None and not template.unusable:
                by_name.setdefault(template.name, {})[template.language] = template
        return cls(by_name)

    @property
    def names(self) -> Sequence[str]:
        """List their names."""
        return sorted(self.by_name)

    def find(self, name: str, lang: str, default: str = "en") -> Template | None:
        """Find a template in the client's language, or one near to it, or the default, or whatever there is."""
        versions = self.by_name.get(name) or self.by_name.get(name.casefold())
        if not versions:
            return None
        return min(versions.values(), key=lambda one: (_distance(one.language, lang, default), one.language))

    def offered(self, lang: str, default: str = "en") -> Sequence[Template]:
        """List one version of each."""
        found = (self.find(name, lang, default) for name in self.names)
        return [template for template in found if template is not None]

    def changed(self, change: TemplateChange) -> tuple[Catalog, bool]:
        """Take in a change; whether the list has to be fetched anew, since the change does not say enough."""
        if change.event.upper() not in GONE:
            return self, True
        versions = dict(self.by_name.get(change.name, {}))
        if change.language:
            versions.pop(change.language, None)
        else:
            versions.clear()
        others = {name: kept for name, kept in self.by_name.items() if name != change.name}
        return Catalog({**others, change.name: versions} if versions else others), False


def _distance(language: str, wanted: str, default: str) -> int:
    """Say how far a language is from the one wanted; Meta writes `pt_PT`, XMPP `pt-PT`."""
    have = language.replace("_", "-").casefold()
    for base, asked in ((0, wanted), (3, default)):
        asked = asked.replace("_", "-").casefold()
        if not asked:
            continue
        if have == asked:
            return base
        if have == asked.partition("-")[0]:
            return base + 1
        if have.partition("-")[0] == asked.partition("-")[0]:
            return base + 2
    return 6
