"""XEP-0004: Data Forms, whose type is named as XEP-0068 says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.namespaces import DATA_FORMS

FieldType = Literal[
    "boolean",
    "fixed",
    "hidden",
    "jid-multi",
    "jid-single",
    "list-multi",
    "list-single",
    "text-multi",
    "text-private",
    "text-single",
]
Value = bool | str | Sequence[str] | None

FORM_TYPE: Final = "FORM_TYPE"

# 3.3: all others hold one value at most.
_MULTIPLE: Final = frozenset({"jid-multi", "list-multi", "text-multi", "hidden"})
# 3.3: as XML Schema writes a boolean.
_BOOLEANS: Final = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen in a list."""

    value: str
    label: str = ""

    def to_element(self) -> Element:
        """Write it as a child of its field."""
        option = _element("option", label=self.label)
        return option.add(Element("value", DATA_FORMS, text=self.value))


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form, or one answer in a result."""

    name: str
    type: FieldType = "text-single"
    label: str = ""
    #: What is filled in already; a text of several lines may be given as one.
    value: Value = None
    required: bool = False
    options: tuple[Option, ...] = ()
    description: str = ""

    def to_element(self) -> Element:
        """Write it as a child of its form."""
        field = _element("field", var=self.name, type=self.type, label=self.label)
        if self.description:
            field.add(Element("desc", DATA_FORMS, text=self.description))
        if self.required:
            field.add(Element("required", DATA_FORMS))
        field.add(*(Element("value", DATA_FORMS, text=text) for text in _texts(self.type, self.value)))
        return field.add(*(option.to_element() for option in self.options))

    def read(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Check what was filled in, and write it in its normal form.

        Raises:
            StanzaError: If the field can't hold that.
        """
        # Clients send an empty value for what was left empty.
        given = texts if self.type == "text-multi" and any(texts) else [text for text in texts if text]
        if self.required and not given:
            raise self._refusal("has to be filled in")
        if len(given) > 1 and self.type not in _MULTIPLE:
            raise self._refusal("takes one value only")
        return tuple(self._normalise(text) for text in given)

    def _normalise(self, text: str) -> str:
        match self.type:
            case "boolean":
                if text not in _BOOLEANS:
                    raise self._refusal(f"is true or false, not {text!r}")
                return "1" if _BOOLEANS[text] else "0"
            case "jid-single" | "jid-multi":
                try:
                    return JID.parse(text.strip())
                except JIDError as error:
                    raise self._refusal(f"takes addresses, such as ana@example.com, not {text!r}") from error
            case "list-single" | "list-multi":
                if self.options and all(text != option.value for option in self.options):
                    raise self._refusal(f"does not offer {text!r}")
        return text

    def _refusal(self, problem: str) -> StanzaError:
        return StanzaError("bad-request", f"The field {self.label or self.name!r} {problem}")


@dataclass(frozen=True, slots=True)
class Form:
    """Questions to be answered, or answers."""

    fields: tuple[Field, ...] = ()
    #: The name of its kind (XEP-0068): it says what the fields' names mean.
    type: str = ""
    title: str = ""
    instructions: str = ""

    def to_element(self, kind: Literal["form", "submit", "result"] = "form") -> Element:
        """Write the form, or what came of it."""
        form = _head(kind, self.title, self.instructions)
        if self.type:
            form.add(Field(FORM_TYPE, "hidden", value=self.type).to_element())
        return form.add(*(field.to_element() for field in self.fields))

    def read(self, submitted: Element) -> Answers:
        """Check a submitted form field by field; what we did not ask for is ignored.

        Raises:
            StanzaError: If it is not a submission of this form, or a field holds what it can't.
        """
        if submitted.get("type") != "submit":
            raise StanzaError("bad-request", "A form of type submit is expected")
        kind = type_of(submitted)
        if self.type and kind and kind != self.type:
            raise StanzaError("bad-request", f"A form of the kind {self.type} is expected, not {kind}")
        given = values_of(submitted)
        asked = [field for field in self.fields if field.type != "fixed"]
        return Answers({field.name: field.read(given.get(field.name, ())) for field in asked})


class Answers(Mapping[str, tuple[str, ...]]):
    """What somebody filled in, checked and in normal form; nothing, where a field was left empty."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str, default: str = "") -> str:
        """Read a text, its lines joined."""
        return "\n".join(self.get(name, ())) or default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Read a boolean."""
        values = self.get(name, ())
        return values[0] == "1" if values else default

    def jids(self, name: str) -> list[JID]:
        """Read addresses, each once."""
        return list(dict.fromkeys(JID.parse(text) for text in self.get(name, ())))

    def jid(self, name: str) -> JID | None:
        """Read an address."""
        return next(iter(self.jids(name)), None)


@dataclass(frozen=True, slots=True)
class Table:
    """A result of many rows (3.4)."""

    columns: tuple[Field, ...]
    rows: tuple[Mapping[str, Value], ...]
    type: str = ""
    title: str = ""

    def to_element(self) -> Element:
        """Write it as a form of type result."""
        form = _head("result", self.title, "")
        if self.type:
            form.add(Field(FORM_TYPE, "hidden", value=self.type).to_element())
        form.add(Element("reported", DATA_FORMS).add(*(column.to_element() for column in self.columns)))
        return form.add(*(self._item(row) for row in self.rows))

    def _item(self, row: Mapping[str, Value]) -> Element:
        item = Element("item", DATA_FORMS)
        for column in self.columns:
            texts = _texts(column.type, row.get(column.name))
            cell = Element("field", DATA_FORMS, {"var": column.name})
            item.add(cell.add(*(Element("value", DATA_FORMS, text=text) for text in texts)))
        return item


def find_form(parent: Element) -> Element | None:
    """Find the form inside an element."""
    return parent.child("x", DATA_FORMS)


def type_of(form: Element) -> str:
    """Read what kind of form it is (XEP-0068); "" if it does not say."""
    return next(iter(values_of(form).get(FORM_TYPE, ())), "")


def values_of(form: Element) -> dict[str, tuple[str, ...]]:
    """Read all values of a form as they stand there, unchecked.

    Raises:
        StanzaError: If a field is there twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for field in form.all("field"):
        name = field.get("var")
        if name in found:
            raise StanzaError("bad-request", f"The field {name!r} is there twice")
        if name:
            found[name] = tuple(value.text for value in field.all("value"))
    return found


def _head(kind: str, title: str, instructions: str) -> Element:
    form = Element("x", DATA_FORMS, {"type": kind})
    if title:
        form.add(Element("title", DATA_FORMS, text=title))
    if instructions:
        form.add(Element("instructions", DATA_FORMS, text=instructions))
    return form


def _element(name: str, **attributes: str) -> Element:
    return Element(name, DATA_FORMS, {key: value for key, value in attributes.items() if value})


def _texts(type: FieldType, value: Value) -> Iterable[str]:
    match value:
        case None:
            return ()
        case bool():
            return ("1" if value else "0",)
        case str():
            # 3.3: a text of several lines is written as one value a line.
            return value.splitlines() if type == "text-multi" else (value,)
    return value
