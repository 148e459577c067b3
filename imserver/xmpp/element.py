"""An XML element as a small tree, and its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self

from imserver.xmpp import namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# XML 1.0, 2.2: what no document may hold, however it is escaped.
_NOT_XML: Final = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_IN_TEXT: Final = re.compile("[&<>\r]|" + _NOT_XML)
# Readers turn line breaks and tabs of an attribute into blanks unless they are written as references.
_IN_ATTRIBUTE: Final = re.compile("[&<>\"'\n\r\t]|" + _NOT_XML)
_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
    "\n": "&#10;",
    "\r": "&#13;",
    "\t": "&#9;",
}


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0], "\ufffd")


def escape_text(text: str) -> str:
    """Escape text for the inside of an element; what XML can't hold becomes U+FFFD."""
    return _IN_TEXT.sub(_escape, text) if _IN_TEXT.search(text) else text


def escape_attribute(text: str) -> str:
    """Escape text for an attribute in either kind of quotes; what XML can't hold becomes U+FFFD."""
    return _IN_ATTRIBUTE.sub(_escape, text) if _IN_ATTRIBUTE.search(text) else text


class Element:
    """A name, a namespace, attributes and children.

    An attribute's key is its name, `xml:name`, or `{namespace}name`.
    """

    __slots__ = ("attributes", "children", "name", "namespace")

    def __init__(
        self,
        name: str,
        namespace: str = "",
        attributes: Mapping[str, str] | None = None,
        *,
        text: str | None = None,
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.attributes: dict[str, str] = dict(attributes) if attributes else {}
        self.children: list[Element | str] = [text] if text else []

    def add(self, *children: Element | str) -> Self:
        """Append children, and return the element so that trees read as one expression."""
        self.children.extend(children)
        return self

    def get(self, attribute: str, default: str = "") -> str:
        """Read an attribute."""
        return self.attributes.get(attribute, default)

    def elements(self) -> list[Element]:
        """List the child elements, without the text between them."""
        return [child for child in self.children if isinstance(child, Element)]

    def all(self, name: str, namespace: str | None = None) -> list[Element]:
        """List the child elements of that name; the namespace is the element's own unless given."""
        wanted = self.namespace if namespace is None else namespace
        return [child for child in self.elements() if child.name == name and child.namespace == wanted]

    def child(self, name: str, namespace: str | None = None) -> Element | None:
        """Find the first child element of that name; the namespace is the element's own unless given."""
        return next(iter(self.all(name, namespace)), None)

    @property
    def text(self) -> str:
        """The text directly inside."""
        return "".join(child for child in self.children if isinstance(child, str))

    def copy(self) -> Element:
        """Copy the whole tree."""
        twin = Element(self.name, self.namespace, self.attributes)
        twin.children = [child.copy() if isinstance(child, Element) else child for child in self.children]
        return twin

    def to_bytes(self, inherited: str = namespaces.CLIENT) -> bytes:
        """Write it for a place where `inherited` is the default namespace."""
        return "".join(self._write(inherited)).encode()

    def _write(self, inherited: str) -> Iterator[str]:
        name, namespace = self.name, inherited
        if self.namespace == namespaces.XML:
            name = f"xml:{name}"  # Namespaces in XML, 3: nothing else may stand for it
        elif self.namespace != inherited:
            namespace = self.namespace
        yield f"<{name}"
        if namespace != inherited:
            yield f" xmlns='{escape_attribute(namespace)}'"
        for index, (key, value) in enumerate(self.attributes.items()):
            yield from _write_attribute(index, key, value)
        if not self.children:
            yield "/>"
            return
        yield ">"
        for child in self.children:
            if isinstance(child, Element):
                yield from child._write(namespace)
            else:
                yield escape_text(child)
        yield f"</{name}>"

    def __str__(self) -> str:
        return self.to_bytes("").decode()

    def __repr__(self) -> str:
        return f"<Element {self}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        return (self.name, self.namespace, self.attributes, self.children) == (
            other.name,
            other.namespace,
            other.attributes,
            other.children,
        )

    __hash__ = None  # type: ignore[assignment]  # it can change


def _write_attribute(index: int, key: str, value: str) -> Iterator[str]:
    if not key.startswith("{"):
        yield f" {key}='{escape_attribute(value)}'"
        return
    namespace, _, name = key[1:].rpartition("}")  # a namespace may hold a brace, a name can't
    yield f" xmlns:a{index}='{escape_attribute(namespace)}' a{index}:{name}='{escape_attribute(value)}'"
