"""expat, made safe: limits, no DTD, no surprises; and whole documents as trees.

What RFC 6120, 11.1 restricts (DTD, processing instructions, comments) is refused before it is expanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# CVE-2022-25235 and -25236: older ones let bytes through that other readers see as markup.
if expat.version_info < (2, 4, 5):
    raise ImportError(f"expat {expat.EXPAT_VERSION} is not safe; 2.4.5 or later is needed")

# A line break can't stand in a URI, and expat refuses a namespace that holds its separator.
SEPARATOR: Final = "\n"
XML_LANG: Final = f"{namespaces.XML}{SEPARATOR}lang{SEPARATOR}xml"


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What one top-level element may be: bytes and elements in all, how deep, how many attributes each."""

    stanza_bytes: int = 262_144
    elements: int = 4_096
    depth: int = 64
    attributes: int = 64
    # expat 2.5 scans an unfinished token again from its start with every chunk; no honest tag is this long.
    token_bytes: int = 16_384


def parse(data: bytes, limits: ReaderLimits | None = None) -> Element:
    """Read one whole document as a tree.

    Raises:
        StreamError: If it is not well-formed, or holds what XMPP restricts.
    """
    found: list[Element] = []
    parser = new_parser()
    TreeBuilder(limits or ReaderLimits(), found.append).listen(parser)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise as_stream_error(error) from None
    return found[0]


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

    def start(self, name: str, attributes: list[str]) -> None:
        """Open an element."""
        self._elements += 1
        if self._elements > self._limits.elements or len(self._open) > self._limits.depth:
            raise StreamError("policy-violation", "Too many elements, or too deep, in one stanza")
        if len(attributes) > 2 * self._limits.attributes:
            raise StreamError(
                "policy-violation", f"No element may have more than {self._limits.attributes} attributes"
            )
        namespace, local, _ = split_name(name)
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
    """Make a parser that refuses what XMPP restricts, and names things by namespace, name and prefix, a line each."""
    parser = expat.ParserCreate("utf-8", namespace_separator=SEPARATOR)
    parser.namespace_prefixes = True
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse_dtd
    parser.ProcessingInstructionHandler = _refuse_instruction
    parser.CommentHandler = _refuse_comment
    # expat 2.6 holds back what it has read until more comes, and a stanza with it.
    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(False)
    return parser


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
    return StreamError("not-well-formed", reason)


def split_name(name: str) -> tuple[str, str, str]:
    """Take the parser's name apart: namespace, local name, prefix."""
    first, *rest = name.split(SEPARATOR)
    match rest:
        case []:
            return "", first, ""
        case [local]:
            return first, local, ""
        case [local, prefix]:
            return first, local, prefix
    raise StreamError("not-well-formed", "That is not a name")


def pairs(attributes: list[str]) -> Iterator[tuple[str, str]]:
    """Pair the parser's flat list of names and values."""
    return zip(attributes[::2], attributes[1::2], strict=True)


def as_mapping(attributes: list[str]) -> dict[str, str]:
    """Name attributes the way `Element` does."""
    named = {}
    for key, value in pairs(attributes):
        namespace, local, _ = split_name(key)
        plain = "xml:lang" if key == XML_LANG else f"{{{namespace}}}{local}" if namespace else local
        named[plain] = value
    return named
