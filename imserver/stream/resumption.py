"""XEP-0198: Stream Management. Who has counted what; no clocks, no I/O."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError

#: XEP-0198, 5: counters wrap.
MODULUS: Final = 2**32

T = TypeVar("T")


class Acknowledgements(Generic[T]):
    """The two counters of one session, and what was sent but not acknowledged, oldest first."""

    __slots__ = ("asked", "handled", "total", "waiting")

    def __init__(self) -> None:
        self.handled = 0
        #: How many were sent in all; on the wire it wraps.
        self.total = 0
        self.waiting: deque[T] = deque()
        #: Whether an answer to our `<r/>` is due.
        self.asked = False

    def sending(self, stanza: T) -> None:
        """Count a stanza that goes out."""
        self.total += 1
        self.waiting.append(stanza)

    def handle(self) -> None:
        """Count a stanza that came in and is taken care of: from now on we may say so."""
        self.handled = (self.handled + 1) % MODULUS

    def acknowledge(self, h: int) -> list[T]:
        """Let go of what the peer says it has, and return it.

        Raises:
            StreamError: If the peer has counted more than was sent (XEP-0198, 4).
        """
        newly = (h - (self.total - len(self.waiting))) % MODULUS
        if newly > len(self.waiting):
            sent = self.total % MODULUS
            counted = {"h": str(h), "send-count": str(sent)}
            raise StreamError(
                "undefined-condition",
                f"{h} stanzas acknowledged, {sent} sent",
                application=Element("handled-count-too-high", namespaces.MANAGEMENT, counted),
            )
        self.asked = False
        return [self.waiting.popleft() for _ in range(newly)]


def read_count(element: Element) -> int:
    """Read the `h` of an element.

    Raises:
        StreamError: If there is none, or it is no counter.
    """
    text = element.get("h")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < MODULUS):
        raise StreamError(
            "undefined-condition", f"<{element.name}/> needs h, a number below 2^32 (XEP-0198, 4)"
        )
    return int(text)


def acknowledgement(handled: int) -> Element:
    """Tell how many stanzas are taken care of."""
    return Element("a", namespaces.MANAGEMENT, {"h": str(handled)})
