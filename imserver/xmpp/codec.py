"""Bytes in, whole stanzas out: the only reader of streams from outside.

Sizes are counted before the parser sees the bytes. A stanza's payload is passed on as the very bytes that were read
only when the parser accepted them, they are strict UTF-8, hold no `<!` and no `<?`, and lean on no prefix
from outside; else it is written anew from the tree, so that no two readers can see different things in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError
from imserver.xmpp.parser import (
    SEPARATOR,
    XML_LANG,
    ReaderLimits,
    TreeBuilder,
    as_mapping,
    as_stream_error,
    new_parser,
    pairs,
    parse,
    split_name,
)
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

if TYPE_CHECKING:
    from collections.abc import Mapping

_STANZAS: Final[Mapping[str, type[Stanza]]] = {
    f"{namespaces.CLIENT}{SEPARATOR}{kind.name}": kind for kind in (Message, Presence, IQ)
}


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """The `<stream:stream>` start tag (RFC 6120, 4.7)."""

    attributes: dict[str, str] = field(default_factory=dict)
    #: The default namespace inside it.
    content: str = ""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The `</stream:stream>` end tag."""


#: What a reader returns; an error is the last thing it ever returns.
Item = Stanza | Element | StreamHeader | StreamEnd | StreamError


class StreamReader:
    """One XML stream: a header, then top-level elements, as the bytes come in."""

    #: How deep a top-level element stands: inside the stream's root.
    root_depth = 1

    def __init__(self, limits: ReaderLimits | None = None) -> None:
        self.limits = limits or ReaderLimits()
        self._items: list[Item] = []
        self._failed = False
        self._depth = 0
        self._fed = 0  # bytes given to the parser so far
        self._done = 0  # where the open top-level element begins, or the last one ended
        self._buffer: bytes | bytearray = b""  # what a slice may still need, from `_base` on
        self._base = 0
        self._root_prefixes: dict[str, str] = {}
        self._content = ""
        # Of the top-level element that is open:
        self._name = ""
        self._attributes: list[str] = []
        self._names: list[str] = []  # its children's
        self._first_child = -1
        self._elements = 0
        self._is_prefixed = False
        self._own_prefixes: dict[str, str] = {}
        self._tree: TreeBuilder | None = None
        self._parser = new_parser()
        self._listen()

    @property
    def has_unfinished(self) -> bool:
        """Whether bytes were read that no returned item stands for."""
        return self._done != self._fed or self._depth > self.root_depth

    def feed(self, data: bytes) -> list[Item]:
        """Read more bytes, and return what they complete."""
        if self._failed or (self._depth == self.root_depth and self._done == self._fed and data.isspace()):
            return []  # RFC 6120, 4.6.1: a whitespace keep-alive
        self._items = []
        try:
            self._feed(data)
        except StreamError as error:
            self._failed = True
            self._items.append(error)
        return self._items

    def _feed(self, data: bytes) -> None:
        room = self.limits.stanza_bytes - (self._fed - self._done)
        while len(data) > room:
            if room <= 0:
                raise StreamError(
                    "policy-violation", f"No stanza may exceed {self.limits.stanza_bytes} bytes"
                )
            self._read(data[:room])
            data = data[room:]
            room = self.limits.stanza_bytes - (self._fed - self._done)
        self._read(data)

    def _read(self, data: bytes) -> None:
        if self._buffer:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        else:
            self._buffer, self._base = data, self._fed
        self._fed += len(data)
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            raise as_stream_error(error) from None
        self._forget_bytes(self._parser.CurrentByteIndex)

    def _forget_bytes(self, token: int) -> None:
        """Keep from the first child of the open element on, else from the token that is not finished yet."""
        if self._depth == self.root_depth:
            self._done = token
        if token == self._fed and self._first_child < 0:
            self._buffer = b""
            return
        if self._fed - token > self.limits.token_bytes:
            raise StreamError("policy-violation", f"No tag may exceed {self.limits.token_bytes} bytes")
        keep = self._first_child if self._first_child >= 0 else token
        if keep > self._base:
            self._buffer = self._buffer[keep - self._base :]
            self._base = keep

    def _listen(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = None
        self._parser.StartNamespaceDeclHandler = self._declare

    # What the parser calls. This is the hot path: a start and an end for each element of a message.

    def _start(self, name: str, attributes: list[str]) -> None:
        depth = self._depth - self.root_depth
        self._depth += 1
        if depth > 0:
            if depth == 1:
                if self._first_child < 0:
                    self._first_child = self._parser.CurrentByteIndex
                    self._parser.StartNamespaceDeclHandler = None
                self._names.append(name)
            self._elements += 1
            if depth > self.limits.depth or self._elements > self.limits.elements:
                raise StreamError("policy-violation", "Too many elements, or too deep, in one stanza")
            if name.count(SEPARATOR) == 2:
                self._is_prefixed = True
                if depth == 1:
                    self._names[-1] = name[: name.rindex(SEPARATOR)]
            if attributes:
                self._check_attributes(attributes)
        elif depth == 0:
            self._start_element(name, attributes)
        else:
            self._start_stream(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == self.root_depth:
            self._end_element(self._parser.CurrentByteIndex)
        elif self._depth < self.root_depth:
            self._items.append(StreamEnd())

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if prefix is None:
            self._content = (uri or "") if self._depth < self.root_depth else self._content
        elif uri is not None:
            (self._root_prefixes if self._depth < self.root_depth else self._own_prefixes)[prefix] = uri

    def _check_attributes(self, attributes: list[str]) -> None:
        if len(attributes) > 2 * self.limits.attributes:
            raise StreamError(
                "policy-violation", f"No element may have more than {self.limits.attributes} attributes"
            )
        for key in attributes[::2]:
            if SEPARATOR in key and key != XML_LANG:
                self._is_prefixed = True

    def _start_stream(self, name: str, attributes: list[str]) -> None:
        namespace, local, prefix = split_name(name)
        if namespace != namespaces.STREAMS:
            raise StreamError("invalid-namespace", f"A stream is opened in {namespaces.STREAMS}")
        if local != "stream":
            raise StreamError("bad-format", "A stream is opened by <stream:stream>")
        if prefix not in ("stream", ""):
            raise StreamError("bad-namespace-prefix", "The prefix of the stream's namespace is 'stream'")
        self._check_attributes(attributes)
        self._items.append(StreamHeader(as_mapping(attributes), self._content))

    def _start_element(self, name: str, attributes: list[str]) -> None:
        self._done = self._parser.CurrentByteIndex
        if len(attributes) > 2 * self.limits.attributes:
            self._check_attributes(attributes)
        if name not in _STANZAS:
            self._start_tree(name, attributes)
            return
        self._name, self._attributes = name, attributes
        self._names = []
        self._elements = 0
        self._is_prefixed = False

    def _end_element(self, end: int) -> None:
        inner = b""
        if self._first_child >= 0:
            inner = bytes(self._buffer[self._first_child - self._base : end - self._base])
            self._first_child = -1
            self._parser.StartNamespaceDeclHandler = self._declare
        payload: bytes | Element = inner
        if self._is_prefixed or b"<!" in inner or b"<?" in inner or not _is_utf8(inner):
            payload = self._payload_tree(inner)
        self._items.append(_STANZAS[self._name].from_wire(pairs(self._attributes), self._names, payload))
        if self._own_prefixes:
            self._own_prefixes = {}

    def _payload_tree(self, inner: bytes) -> Element:
        """Read the payload again where the prefixes it may lean on are declared."""
        declared = self._root_prefixes | self._own_prefixes
        around = Element(
            "around", namespaces.CLIENT, {f"xmlns:{prefix}": uri for prefix, uri in declared.items()}
        )
        return parse(b"%b>%b</around>" % (around.to_bytes("").removesuffix(b"/>"), inner))

    # What is no stanza (STARTTLS, SASL, stream management) is small and becomes a tree at once.

    def _start_tree(self, name: str, attributes: list[str]) -> None:
        namespace, _, prefix = split_name(name)
        if prefix and namespace != namespaces.STREAMS:
            raise StreamError("bad-namespace-prefix", f"The prefix {prefix!r} is not understood here")
        self._tree = TreeBuilder(self.limits, self._end_tree)
        self._tree.listen(self._parser)
        self._tree.start(name, attributes)

    def _end_tree(self, tree: Element) -> None:
        self._depth -= 1
        self._tree = None
        self._own_prefixes = {}
        self._items.append(tree)
        self._listen()
        if self._depth < self.root_depth:
            self._items.append(StreamEnd())


class FrameReader:
    """RFC 7395: every WebSocket message is one whole element."""

    def __init__(self, limits: ReaderLimits | None = None) -> None:
        self.limits = limits or ReaderLimits()
        self.has_unfinished = False

    def feed(self, data: bytes) -> list[Item]:
        """Read one frame."""
        if not data or data.isspace():
            return []  # RFC 7395, 3.8 has WebSocket pings for it, but some clients send blanks
        if len(data) > self.limits.stanza_bytes:
            return [StreamError("policy-violation", f"No stanza may exceed {self.limits.stanza_bytes} bytes")]
        reader = _OneElementReader(self.limits)
        items = reader.feed(data)
        match items:
            case [Stanza() | Element() | StreamError() as item]:
                return [item]
        return [StreamError("not-well-formed", "A frame holds exactly one element (RFC 7395, 3.3.3)")]


class _OneElementReader(StreamReader):
    root_depth = 0

    def _feed(self, data: bytes) -> None:
        self._read(data)
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise as_stream_error(error) from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
