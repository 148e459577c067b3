"""How a stream is opened, filled and closed on its way: RFC 6120 over TCP, RFC 7395 over WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from imserver.xmpp import namespaces
from imserver.xmpp.codec import FrameReader, StreamReader
from imserver.xmpp.element import Element, escape_attribute

if TYPE_CHECKING:
    from imserver.xmpp.codec import Item
    from imserver.xmpp.parser import ReaderLimits
    from imserver.xmpp.stanza import Stanza


class Reader(Protocol):
    """What turns bytes into whole elements."""

    limits: ReaderLimits

    @property
    def has_unfinished(self) -> bool:
        """Whether bytes were read that no returned item stands for."""

    def feed(self, data: bytes) -> list[Item]:
        """Read more bytes, and return what they complete."""

    def close(self) -> None:
        """Hold nothing any more; nothing may be fed afterwards."""


class Framing(Protocol):
    """How things are written; every returned `bytes` is one WebSocket message where that is the way."""

    closing: bytes

    def reader(self, limits: ReaderLimits) -> Reader:
        """Make the reader of a new stream."""

    def opening(self, attributes: dict[str, str]) -> bytes:
        """Write the stream header."""

    def element(self, element: Element) -> bytes:
        """Write one top-level element."""

    def stanza(self, stanza: Stanza) -> bytes:
        """Write one stanza."""


class TCPFraming:
    """RFC 6120, 4: one long document."""

    __slots__ = ()

    closing = b"</stream:stream>"

    def reader(self, limits: ReaderLimits) -> StreamReader:
        """Make the reader of a new stream."""
        return StreamReader(limits)

    def opening(self, attributes: dict[str, str]) -> bytes:
        """Write the stream header."""
        written = "".join(f" {key}='{escape_attribute(value)}'" for key, value in attributes.items())
        return (
            f"<?xml version='1.0'?><stream:stream xmlns='{namespaces.CLIENT}'"
            f" xmlns:stream='{namespaces.STREAMS}'{written}>"
        ).encode()

    def element(self, element: Element) -> bytes:
        """Write one top-level element."""
        return (_prefixed(element) if element.namespace == namespaces.STREAMS else element).to_bytes()

    def stanza(self, stanza: Stanza) -> bytes:
        """Write one stanza."""
        return stanza.wire


class WebSocketFraming:
    """RFC 7395, 3.3: every element a document of its own."""

    closing = Element("close", namespaces.FRAMING).to_bytes("")

    def reader(self, limits: ReaderLimits) -> FrameReader:
        """Make the reader of a new stream."""
        return FrameReader(limits)

    def opening(self, attributes: dict[str, str]) -> bytes:
        """Write the stream header."""
        return Element("open", namespaces.FRAMING, attributes).to_bytes("")

    def element(self, element: Element) -> bytes:
        """Write one top-level element."""
        if element.namespace != namespaces.STREAMS:
            return element.to_bytes("")
        declared = _prefixed(element, namespace="")
        declared.attributes["xmlns:stream"] = namespaces.STREAMS
        return declared.to_bytes("")

    def stanza(self, stanza: Stanza) -> bytes:
        """Write one stanza."""
        return stanza.framed


def _prefixed(element: Element, namespace: str = namespaces.CLIENT) -> Element:
    """Write it with the prefix that many clients look for, instead of the namespace (RFC 6120, 4.8.5)."""
    return Element(f"stream:{element.name}", namespace, element.attributes).add(*element.children)
