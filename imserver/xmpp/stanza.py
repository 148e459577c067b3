"""The three stanzas of RFC 6120, 8: message, presence and IQ.

A stanza that came over the wire keeps its payload as the bytes that were read, and the names of its children.
Most messages are passed on without anybody asking for more; the tree is built when somebody does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element, escape_attribute
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.parser import XML_LANG, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MESSAGE_TYPES: Final = frozenset({"normal", "chat", "groupchat", "headline", "error"})
PRESENCE_TYPES: Final = frozenset(
    {"", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"}
)
IQ_TYPES: Final = frozenset({"get", "set", "result", "error"})


def child_key(name: str, namespace: str) -> str:
    """Name a child the way the parser does, so that looking for one costs a comparison."""
    return f"{namespace}\n{name}" if namespace else name


class Stanza:
    """Addresses, id, type and language; and a payload, as bytes or as a tree."""

    __slots__ = ("_element", "_inner", "_names", "_wire", "id", "lang", "refusal", "sender", "to", "type")
    name: ClassVar[str]

    def __init__(
        self,
        *,
        sender: JID | None = None,
        to: JID | None = None,
        type: str = "",
        id: str = "",
        lang: str = "",
        payload: Iterable[Element] = (),
    ) -> None:
        self.sender = sender
        self.to = to
        self.type = type
        self.id = id
        self.lang = lang
        #: What is wrong with its own attributes; to be answered instead of served.
        self.refusal: StanzaError | None = None
        self._wire: bytes | None = None
        self._element: Element | None = None
        children = list(payload)
        self._names = [child_key(child.name, child.namespace) for child in children]
        self._inner = _write_all(children)

    @classmethod
    def from_wire(cls, attributes: dict[str, str], names: list[str], payload: bytes | Element) -> Self:
        """Make a stanza of what a reader accepted: the payload's own bytes, or an element around its tree."""
        stanza = cls.__new__(cls)
        stanza.refusal = stanza._wire = stanza._element = None
        get = attributes.get
        stanza.id = get("id", "")
        stanza.type = get("type", "")
        stanza.lang = get(XML_LANG, "")
        to, sender = get("to"), get("from")
        stanza.to = None if to is None else stanza._read_address(to, "to")
        stanza.sender = None if sender is None else stanza._read_address(sender, "from")
        stanza._names = names
        stanza._inner = payload if isinstance(payload, bytes) else _write_all(payload.elements())
        stanza._check()
        return stanza

    def _check(self) -> None:
        """Note in `refusal` what RFC 6120, 8.1 forbids."""

    def _read_address(self, text: str, attribute: str) -> JID | None:
        try:
            return JID.parse(text)
        except JIDError as error:
            self.refusal = StanzaError("jid-malformed", f"The '{attribute}' address is not a JID: {error}")
            return None

    def has(self, name: str, namespace: str) -> bool:
        """Tell whether such a child is there, without building the tree."""
        return child_key(name, namespace) in self._names

    def has_any(self, keys: frozenset[str]) -> bool:
        """Tell whether one of the children named by `child_key` is there, without building the tree."""
        return not keys.isdisjoint(self._names)

    @property
    def child_keys(self) -> list[str]:
        """The children's names, as `child_key` writes them."""
        return self._names

    def child(self, name: str, namespace: str) -> Element | None:
        """Find a child; builds the tree only when it is there."""
        if child_key(name, namespace) not in self._names:
            return None
        return self.element.child(name, namespace)

    def children(self) -> list[Element]:
        """List the child elements."""
        return self.element.elements()

    def add(self, *children: Element) -> Self:
        """Append children; a tree is not built for it."""
        for child in children:
            self.append(child_key(child.name, child.namespace), child.to_bytes())
        return self

    def append(self, key: str, written: bytes) -> None:
        """Append one child that is already written for a `jabber:client` stream."""
        self._names = [*self._names, key]
        if self._wire is not None:
            end = b"</%b>" % self.name.encode() if self._inner else b""
            self._wire = b"%b%b%b" % (self._wire[: -len(end)], written, end) if end else None
        self._inner += written
        self._element = None

    def take_payload(self, other: Stanza) -> None:
        """Put another's payload in place of its own, as it was written."""
        self._names, self._inner = other._names, other._inner
        self._wire = self._element = None

    def remove(
        self, name: str, namespace: str, *, where: Callable[[Element], bool] = lambda child: True
    ) -> None:
        """Take out every such child."""
        if not self.has(name, namespace):
            return
        gone = [child for child in self.element.all(name, namespace) if where(child)]
        self.replace_children([child for child in self.children() if not any(child is one for one in gone)])

    def replace_children(self, children: Iterable[Element]) -> None:
        """Put a new payload in place of the old."""
        payload = list(children)
        self._names = [child_key(child.name, child.namespace) for child in payload]
        self._inner = _write_all(payload)
        self._wire = self._element = None

    @property
    def element(self) -> Element:
        """The whole stanza as a tree; change it through the stanza's own methods only."""
        if self._element is None:
            tree = self._header()
            tree.children = _parse_children(self._inner)
            self._element = tree
        else:
            self._element.attributes = self._header().attributes
        return self._element

    def _header(self) -> Element:
        values = {
            "from": self.sender,
            "to": self.to,
            "id": self.id,
            "type": self.wire_type,
            "xml:lang": self.lang,
        }
        return Element(self.name, namespaces.CLIENT, {key: value for key, value in values.items() if value})

    @property
    def wire_type(self) -> str:
        """The type as it is written: nothing where the default is meant."""
        return self.type

    @property
    def inner(self) -> bytes:
        """The payload as it stands on a `jabber:client` stream."""
        return self._inner

    @property
    def wire(self) -> bytes:
        """The stanza as it stands on a `jabber:client` stream. Do not change the stanza afterwards."""
        if self._wire is None:
            self._wire = self._write("")
        return self._wire

    @property
    def framed(self) -> bytes:
        """The stanza as a document of its own (RFC 7395, 3.3.3), or inside XEP-0297's `forwarded`."""
        return self._write(f" xmlns='{namespaces.CLIENT}'")

    def _write(self, declaration: str) -> bytes:
        sender, to, id, type, lang = self.sender, self.to, self.id, self.wire_type, self.lang
        start = (
            f"<{self.name}{declaration}"
            f"{_written_from(sender) if sender is not None else ''}"
            f"{_written_to(to) if to is not None else ''}"
            f"{_written('id', id) if id else ''}"
            f"{_written_type(type) if type else ''}"
            f"{_written('xml:lang', lang) if lang else ''}"
        )
        if not self._inner:
            return f"{start}/>".encode()
        return b"%b>%b</%b>" % (start.encode(), self._inner, self.name.encode())

    def readdressed(self, *, sender: JID | None = None, to: JID | None = None) -> Self:
        """Copy it with other addresses; the payload is shared until one of the two changes."""
        twin = self.copy()
        twin.sender = sender or self.sender
        twin.to = to or self.to
        return twin

    def copy(self) -> Self:
        """Copy it; the payload is shared until one of the two changes."""
        twin = type(self).__new__(type(self))
        twin.sender, twin.to, twin.id, twin.type, twin.lang = (
            self.sender,
            self.to,
            self.id,
            self.type,
            self.lang,
        )
        twin.refusal, twin._names, twin._inner = self.refusal, self._names, self._inner
        twin._wire = twin._element = None
        return twin

    def error(self, error: StanzaError) -> Self:
        """Answer with an error, addressed to whoever sent the stanza (RFC 6120, 8.3.1)."""
        twin = self.copy()
        twin.sender, twin.to, twin.type, twin.refusal = self.to, self.sender, "error", None
        twin.append(child_key("error", namespaces.CLIENT), error.to_element().to_bytes())
        return twin

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._write('').decode()}>"

    def __eq__(self, other: object) -> bool:
        return self.element == other.element if isinstance(other, Stanza) else NotImplemented

    __hash__ = object.__hash__


def _written(name: str, value: str) -> str:
    return f" {name}='{escape_attribute(value)}'"


@lru_cache(maxsize=64)
def _written_type(type: str) -> str:
    return _written("type", type)


# The same addresses come again and again. Strangers choose them, up to 3 KiB each: not too many.
@lru_cache(maxsize=4_096)
def _written_from(address: JID) -> str:
    return _written("from", address)


@lru_cache(maxsize=4_096)
def _written_to(address: JID) -> str:
    return _written("to", address)


def _write_all(children: Iterable[Element]) -> bytes:
    return b"".join(child.to_bytes() for child in children)


def _parse_children(inner: bytes) -> list[Element | str]:
    return parse(b"<m xmlns='jabber:client'>%b</m>" % inner).children if inner else []


class Message(Stanza):
    """RFC 6121, 5."""

    __slots__ = ("copied", "number", "passed_on", "readers", "stable_ids")
    name = "message"

    #: Its place among all messages of this server, and its time: microseconds since 1970, never twice the same.
    #: 0 for what the server itself says.
    number: int
    #: Its id in the archive of each account that keeps it (XEP-0359).
    stable_ids: dict[JID, int] | None
    #: Who was handed it, or a copy of it, and has not lost it since.
    readers: list[Any] | None
    #: The message that this one carries a copy of (XEP-0280).
    copied: Message | None
    #: What a component makes of it for others: on record together with it, and delivered in its place.
    passed_on: list[Message] | None

    def __init__(self, *, type: str = "normal", **rest: Any) -> None:
        super().__init__(type=type, **rest)
        self.number = 0
        self.stable_ids = self.readers = self.copied = self.passed_on = None

    def copy(self) -> Self:
        """Copy it; the payload is shared until one of the two changes."""
        twin = super().copy()
        twin.number, twin.stable_ids, twin.readers = self.number, self.stable_ids, self.readers
        twin.copied, twin.passed_on = self.copied, None
        return twin

    def _check(self) -> None:
        self.number = 0
        self.stable_ids = self.readers = self.copied = self.passed_on = None
        # RFC 6121, 5.2.2: what we do not understand is 'normal'.
        if self.type not in MESSAGE_TYPES:
            self.type = "normal"

    @property
    def wire_type(self) -> str:
        return "" if self.type == "normal" else self.type

    @property
    def body(self) -> str:
        """The text for people, in the first language given; "" when there is none."""
        inner = self._inner
        if inner.startswith(b"<body>"):
            end = inner.index(b"<", 6)
            text = inner[6:end]
            # Nothing in it that a parser would write otherwise: no tree is built for it.
            if b"&" not in text and b"\r" not in text and inner.startswith(b"</body>", end):
                return text.decode()
        body = self.child("body", namespaces.CLIENT)
        return body.text if body is not None else ""

    @property
    def has_body(self) -> bool:
        """Whether there is text for people; does not build the tree."""
        return "jabber:client\nbody" in self._names


class Presence(Stanza):
    """RFC 6121, 4."""

    __slots__ = ()
    name = "presence"

    def _check(self) -> None:
        if self.type not in PRESENCE_TYPES and self.refusal is None:
            self.refusal = StanzaError("bad-request", f"There is no presence of type {self.type!r}")

    @property
    def priority(self) -> int:
        """The priority, 0 unless one from -128 to 127 is given (RFC 6121, 4.7.2.3)."""
        child = self.child("priority", namespaces.CLIENT)
        try:
            number = int(child.text) if child is not None else 0
        except ValueError:
            return 0
        return number if -128 <= number <= 127 else 0

    @property
    def show(self) -> str:
        """`away`, `chat`, `dnd`, `xa`, or "" (RFC 6121, 4.7.2.1)."""
        child = self.child("show", namespaces.CLIENT)
        return child.text.strip() if child is not None else ""

    @property
    def status(self) -> str:
        """The text for people about it."""
        child = self.child("status", namespaces.CLIENT)
        return child.text if child is not None else ""


class IQ(Stanza):
    """RFC 6120, 8.2.3: one question, one answer."""

    __slots__ = ()
    name = "iq"

    def _check(self) -> None:
        if self.refusal is not None:
            return
        if self.type not in IQ_TYPES:
            self.refusal = StanzaError("bad-request", "An IQ is of type get, set, result or error")
        elif not self.id:
            self.refusal = StanzaError("bad-request", "An IQ needs an id")
        elif self.type in ("get", "set") and len(self._names) != 1:
            self.refusal = StanzaError("bad-request", "An IQ of type get or set has exactly one child")

    @property
    def query(self) -> Element:
        """The one child of a get or set; the first of a result."""
        children = self.element.elements()
        return children[0] if children else Element("none")

    @property
    def query_key(self) -> str:
        """The name of that child, without building the tree."""
        return self._names[0] if self._names else ""

    def result(self, payload: Element | None = None) -> IQ:
        """Answer it."""
        return IQ(
            sender=self.to,
            to=self.sender,
            type="result",
            id=self.id,
            payload=() if payload is None else (payload,),
        )
