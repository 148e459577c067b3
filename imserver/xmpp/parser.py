"""expat, made safe: limits, no DTD, no surprises; and whole documents as trees.

What RFC 6120, 11.1 restricts (DTD, processing instructions, comments) is refused before it is expanded.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Callable

# CVE-2022-25235 and -25236: older ones let bytes through that other readers see as markup.
if expat.version_info < (2, 4, 5):
    raise ImportError(f"expat {expat.EXPAT_VERSION} is not safe; 2.4.5 or later is needed")

# A line break can't stand in a URI, and expat refuses a namespace that holds its separator.
SEPARATOR: Final = "\n"
XML_LANG: Final = f"{namespaces.XML}{SEPARATOR}lang"


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What one top-level element may be: bytes and elements in all, how deep, how many attributes each."""

    stanza_bytes: int = 262_144
    elements: int = 4_096
    depth: int = 64
    attributes: int = 64
    # expat 2.5 scans an unfinished token again from its start with every chunk; no honest tag is this long.
    token_bytes: int = 16_384


#: For what was measured when it came in, and may have grown by what we added ourselves.
UNLIMITED: Final = ReaderLimits(
    stanza_bytes=sys.maxsize,
    elements=sys.maxsize,
    depth=sys.maxsize,
    attributes=sys.maxsize,
    token_bytes=sys.maxsize,
)


def parse(data: bytes, limits: ReaderLimits = UNLIMITED) -> Element:
    """Read one whole document as a tree.

    Raises:
        StreamError: If it is not well-formed, or holds what XMPP restricts.
    """
    found: list[Element] = []
    parser = new_parser()
    TreeBuilder(limits, found.append).listen(parser)
    check_beginning(data[:2], 0)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise as_stream_error(error) from None
    return found[0]


def parse_message(wire: bytes) -> Element:
    """Read a message that we wrote for a `jabber:client` stream, whose header declares the namespace."""
    return parse(b"<message xmlns='jabber:client'%b" % wire.removeprefix(b"<message"))


class TreeBuilder:
    """Builds one element after the other, and hands each over when it is whole."""

    def __init__(self, limits: ReaderLimits, done: Callable[[Element], None]) -> None:
        self._limits = limits
        self._done = done
        self._open: list[Element] = []
        self._elements = 0

    def listen(self, parser: expat.XMLParserType) -> None:
        """Take over the parser's handlers."""
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        self._elements += 1
        if self._elements > self._limits.elements or len(self._open) > self._limits.depth:
            raise StreamError("policy-violation", "Too many elements, or too deep, in one stanza")
        if len(attributes) > self._limits.attributes:
            raise StreamError(
                "policy-violation", f"No element may have more than {self._limits.attributes} attributes"
            )
        namespace, local = split_name(name)
        element = Element(local, namespace, as_mapping(attributes))
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, name: str) -> None:
        """Close the innermost element."""
        element = self._open.pop()
        if not self._open:
            self._done(element)

    def text(self, text: str) -> None:
        """Add text to the innermost element."""
        children = self._open[-1].children
        if children and isinstance(children[-1], str):
            children[-1] += text
        else:
            children.append(text)


def new_parser() -> expat.XMLParserType:
    """Make a parser that refuses what XMPP restricts, and names things by namespace and name, a line each."""
    parser = expat.ParserCreate("utf-8", namespace_separator=SEPARATOR)
    parser.XmlDeclHandler = _check_declaration
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse_dtd
    parser.ProcessingInstructionHandler = _refuse_instruction
    parser.CommentHandler = _refuse_comment
    # expat 2.6 holds back what it has read until more comes, and a stanza with it.
    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(False)
    return parser


def check_beginning(data: bytes, at: int) -> None:
    """Refuse a document in UTF-16, of whose first two bytes these are the ones from `at` on.

    expat guesses by them and believes its guess more than what it was told. Bytes that we pass on as they are would
    then be read by others as UTF-8: any character as two of ASCII, and any markup with them.

    Raises:
        StreamError: If it is not in UTF-8.
    """
    if at == 0 and data[:1] in (b"\0", b"\xfe", b"\xff"):
        raise StreamError("unsupported-encoding", "XMPP is UTF-8")
    if data[1 - at : 2 - at] == b"\0":
        raise StreamError("not-well-formed", "XMPP is UTF-8")


def _check_declaration(version: str, encoding: str | None, standalone: int) -> None:
    # RFC 6120, 11.6.
    if encoding is not None and encoding.lower() != "utf-8":
        raise StreamError("unsupported-encoding", "XMPP is UTF-8")


# RFC 6120, 11.1.
def _refuse_dtd(*declaration: object) -> None:
    raise StreamError("restricted-xml", "XMPP has no document type declarations")


def _refuse_instruction(target: str, data: str) -> None:
    raise StreamError("restricted-xml", "XMPP has no processing instructions")


def _refuse_comment(text: str) -> None:
    raise StreamError("restricted-xml", "XMPP has no comments")


def as_stream_error(error: expat.ExpatError) -> StreamError:
    """Name the stream error for what the parser found (RFC 6120, 4.9.3)."""
    reason = expat.errors.messages[error.code]
    if error.code in (
        expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
        expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
    ):
        return StreamError("unsupported-encoding", "XMPP is UTF-8")
    if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        return StreamError("restricted-xml", "XMPP has no entities but XML's own")
    return StreamError("not-well-formed", reason)


def split_name(name: str) -> tuple[str, str]:
    """Take the parser's name apart: namespace and local name."""
    namespace, separator, local = name.rpartition(SEPARATOR)
    return (namespace, local) if separator else ("", name)


def as_mapping(attributes: dict[str, str]) -> dict[str, str]:
    """Name attributes the way `Element` does."""
    if not any(SEPARATOR in key for key in attributes):
        return attributes
    return {_attribute_name(key): value for key, value in attributes.items()}


def _attribute_name(key: str) -> str:
    namespace, local = split_name(key)
    if namespace == namespaces.XML:
        return f"xml:{local}"  # Namespaces in XML, 3: nothing else may stand for it
    return f"{{{namespace}}}{local}" if namespace else local
