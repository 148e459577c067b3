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
    UNLIMITED,
    ReaderLimits,
    TreeBuilder,
    as_mapping,
    as_stream_error,
    check_beginning,
    new_parser,
    parse,
    split_name,
)
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

if TYPE_CHECKING:
    from collections.abc import Mapping

_STANZAS: Final[Mapping[str, type[Stanza]]] = {
    f"{namespaces.CLIENT}{SEPARATOR}{kind.name}": kind for kind in (Message, Presence, IQ)
}


_STREAM: Final = f"{namespaces.STREAMS}{SEPARATOR}stream"

#: What a parser has read that takes over a stream in the middle.
USUAL_HEADER: Final = (
    f"<stream:stream xmlns='{namespaces.CLIENT}' xmlns:stream='{namespaces.STREAMS}'>".encode()
)
#: How many parsers wait for the next bytes of whatever stream, and how many bytes each may read before it is replaced.
MOST_RESTING: Final = 32
MOST_READ: Final = 1_048_576


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
    """One XML stream: a header, then top-level elements, as the bytes come in.

    Between two of them it holds no parser: see `_Document`.
    """

    __slots__ = ("_document", "limits")

    def __init__(self, limits: ReaderLimits | None = None) -> None:
        self.limits = limits or ReaderLimits()
        self._document: _Document | None = _Document(self.limits)

    @property
    def has_unfinished(self) -> bool:
        """Whether bytes were read that no returned item stands for."""
        return self._document is not None and self._document.has_unfinished

    def feed(self, data: bytes) -> list[Item]:
        """Read more bytes, and return what they complete."""
        document = self._document
        if document is None:
            if is_blank(data):
                return []  # RFC 6120, 4.6.1: a keep-alive
            document = self._document = _Document.at_rest(self.limits)
        items = document.feed(data)
        if document.rest():
            self._document = None
        return items

    def close(self) -> None:
        """Hold nothing any more; nothing may be fed afterwards."""
        if self._document is not None:
            self._document.close()


class _Document:
    """A parser, and what it has seen of the element that is open.

    After a header as everybody writes it, and while no element is open, any stream's parser stands where any other's
    does: below `<stream:stream>`, with the same two namespaces and not a byte unread. So a stream lets go of it there,
    and takes one that rests when more comes: a parser is 10 kB, and few are in use at a time. One that has failed, has
    read half an element, or any other header, is never shared.
    """

    __slots__ = (
        "_attributes",
        "_base",
        "_buffer",
        "_content",
        "_depth",
        "_done",
        "_elements",
        "_failed",
        "_fed",
        "_first_child",
        "_is_usual",
        "_items",
        "_kind",
        "_limits",
        "_names",
        "_parser",
        "_prefixes",
    )

    #: How deep a top-level element stands: inside the stream's root.
    root_depth = 1

    def __init__(self, limits: ReaderLimits) -> None:
        self._limits = limits
        self._items: list[Item] = []
        self._failed = False
        self._depth = 0
        self._fed = 0  # bytes given to the parser so far
        self._done = 0  # where the open top-level element begins, or the last one ended
        self._buffer: bytes | bytearray = b""  # the bytes from `_base` on that are still needed
        self._base = 0
        self._prefixes: dict[str, str] = {}  # declared by the root
        self._content = ""
        self._is_usual = False  # whether the root declares what `USUAL_HEADER` does, and no more
        # Of the stanza that is open:
        self._kind: type[Stanza] = Message
        self._attributes: dict[str, str] = {}
        self._names: list[str] = []  # its children's
        self._first_child = -1
        self._elements = 0
        self._parser = new_parser()
        self._parser.StartNamespaceDeclHandler = self._declare
        self._listen()

    @classmethod
    def at_rest(cls, limits: ReaderLimits) -> _Document:
        """Take one that stands between two elements of a usual stream."""
        try:
            document = _RESTING.pop()
        except IndexError:
            document = cls(UNLIMITED)
            document.feed(USUAL_HEADER)
        document._limits = limits
        return document

    def rest(self) -> bool:
        """Let go of it if it stands between two elements of a usual stream, and tell whether it does."""
        if self._done != self._fed or self._depth != self.root_depth or self._failed or not self._is_usual:
            return False
        # The parser keeps every name that it has ever seen; nobody can make it keep more than so many.
        if len(_RESTING) < MOST_RESTING and self._fed < MOST_READ:
            _RESTING.append(self)
        else:
            self.close()
        return True

    def close(self) -> None:
        """Read nothing any more, and undo the circle of parser and handlers: the garbage collector comes rarely."""
        self._failed = True
        self._buffer = b""
        self._parser = None  # type: ignore[assignment]  # nobody asks for it any more

    @property
    def has_unfinished(self) -> bool:
        """Whether bytes were read that no returned item stands for."""
        return self._done != self._fed or self._depth > self.root_depth

    def feed(self, data: bytes) -> list[Item]:
        """Read more bytes, and return what they complete."""
        items = self._items = []
        if self._failed:
            return items
        try:
            room = self._limits.stanza_bytes - self._fed + self._done
            while len(data) > room:
                if room <= 0:
                    raise StreamError(
                        "policy-violation", f"No stanza may exceed {self._limits.stanza_bytes} bytes"
                    )
                self._read(data[:room])
                data = data[room:]
                room = self._limits.stanza_bytes - self._fed + self._done
            self._read(data)
        except StreamError as error:
            self._failed = True
            items.append(error)
        return items

    def _read(self, data: bytes) -> None:
        if self._fed < 2:
            check_beginning(data[:2], self._fed)
        if not self._buffer:
            self._buffer, self._base = data, self._fed
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        self._fed += len(data)
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            raise as_stream_error(error) from None
        token = self._parser.CurrentByteIndex
        if self._depth == self.root_depth:
            self._done = token
            if token == self._fed:
                self._buffer = b""
                return
        self._keep_unfinished(token)

    def _keep_unfinished(self, token: int) -> None:
        """Keep the bytes of the open stanza, or of the tag that is not finished yet."""
        if self._fed - token > self._limits.token_bytes:
            raise StreamError("policy-violation", f"No tag may exceed {self._limits.token_bytes} bytes")
        if self._done > self._base:
            self._buffer = self._buffer[self._done - self._base :]
            self._base = self._done

    def _listen(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = None

    # What the parser calls. This is the hot path: a start and an end for each element of a message.

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = self._depth - self.root_depth
        self._depth += 1
        if depth > 0:
            if depth == 1:
                if self._first_child < 0:
                    self._first_child = self._parser.CurrentByteIndex
                self._names.append(name)
            self._elements += 1
            limits = self._limits
            if (
                self._elements > limits.elements
                or depth > limits.depth
                or len(attributes) > limits.attributes
            ):
                raise _too_much()
        elif depth == 0:
            self._start_element(name, attributes)
        else:
            self._start_stream(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == self.root_depth:
            self._end_stanza(self._parser.CurrentByteIndex)
        elif self._depth < self.root_depth:
            self._items.append(StreamEnd())

    def _start_element(self, name: str, attributes: dict[str, str]) -> None:
        self._done = self._parser.CurrentByteIndex
        self._elements = 1
        if len(attributes) > self._limits.attributes:
            raise _too_much()
        kind = _STANZAS.get(name)
        if kind is None:
            self._start_tree(name, attributes)
            return
        self._kind, self._attributes = kind, attributes
        self._names = []

    def _end_stanza(self, end: int) -> None:
        kind, base = self._kind, self._base
        if self._first_child < 0:
            self._items.append(kind.from_wire(self._attributes, [], b""))
            return
        inner = bytes(self._buffer[self._first_child - base : end - base])
        head = self._buffer[self._done - base : self._first_child - base]
        self._first_child = -1
        payload: bytes | Element = inner
        if (
            b"<!" in inner  # CDATA: all else that begins so was refused, and `<?` everywhere but in CDATA
            or b"stream:" in inner
            or b"xmlns:" in head
            or self._prefixes
            or not (inner.isascii() or _is_utf8(inner))
        ):
            payload = self._read_again(bytes(head) + inner, kind)
        self._items.append(kind.from_wire(self._attributes, self._names, payload))

    def _read_again(self, stanza: bytes, kind: type[Stanza]) -> Element:
        """Read a stanza as a tree, where the prefixes that it may lean on are declared."""
        if not stanza.startswith(b"<%b" % kind.name.encode()):
            raise StreamError("bad-namespace-prefix", "A stanza has no prefix")  # RFC 6120, 4.8.5
        declared = {"stream": namespaces.STREAMS} | self._prefixes
        around = Element(
            "around", namespaces.CLIENT, {f"xmlns:{prefix}": uri for prefix, uri in declared.items()}
        )
        tree = parse(b"%b>%b</%b></around>" % (around.to_bytes("")[:-2], stanza, kind.name.encode()))
        return tree.elements()[0]

    # The header, and what is no stanza (STARTTLS, SASL, stream management): small, and a tree at once.

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if prefix is None:
            self._content = uri or ""
        elif uri is not None and (prefix, uri) != ("stream", namespaces.STREAMS):
            self._prefixes[prefix] = uri

    def _start_stream(self, name: str, attributes: dict[str, str]) -> None:
        namespace, local = split_name(name)
        if namespace != namespaces.STREAMS:
            raise StreamError("invalid-namespace", f"A stream is opened in {namespaces.STREAMS}")
        if local != "stream":
            raise StreamError("bad-format", "A stream is opened by <stream:stream>")
        if len(attributes) > self._limits.attributes:
            raise _too_much()
        self._parser.StartNamespaceDeclHandler = None
        self._is_usual = self._content == namespaces.CLIENT and not self._prefixes
        self._items.append(StreamHeader(as_mapping(attributes), self._content))

    def _start_tree(self, name: str, attributes: dict[str, str]) -> None:
        if name == _STREAM:
            raise StreamError("bad-format", "The stream is open already")
        tree = TreeBuilder(self._limits, self._end_tree)
        tree.listen(self._parser)
        tree.start(name, attributes)

    def _end_tree(self, tree: Element) -> None:
        self._depth -= 1
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
        if is_blank(data):
            return []  # RFC 7395, 3.8 has WebSocket pings for it, but some clients send blanks
        if len(data) > self.limits.stanza_bytes:
            return [StreamError("policy-violation", f"No stanza may exceed {self.limits.stanza_bytes} bytes")]
        document = _OneElement(self.limits)
        items = document.feed(data)
        document.close()
        match items:
            case [Stanza() | Element() | StreamError() as item]:
                return [item]
        return [StreamError("not-well-formed", "A frame holds exactly one element (RFC 7395, 3.3.3)")]

    def close(self) -> None:
        """Nothing is held between frames."""


class _OneElement(_Document):
    __slots__ = ()

    root_depth = 0

    def _read(self, data: bytes) -> None:
        super()._read(data)
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise as_stream_error(error) from None


def is_blank(data: bytes) -> bool:
    """Tell whether it is nothing but what XML calls white space."""
    return not data.strip(b" \t\r\n")


def _too_much() -> StreamError:
    return StreamError("policy-violation", "Too many elements or attributes, or too deep, in one stanza")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


_RESTING: Final[list[_Document]] = []
