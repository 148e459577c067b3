"""XEP-0059: Result Set Management. Which page is asked for, and which one it was."""

from __future__ import annotations

from dataclasses import dataclass

from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.namespaces import RESULT_SETS


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page that somebody wants to see."""

    #: How many items at most; None if that is left to us. 0 asks how many there are (2.7).
    max: int | None = None
    #: Behind which item the page begins; None for the first page.
    after: str | None = None
    #: Before which item the page ends; "" for the last page (2.5).
    before: str | None = None

    @property
    def is_backwards(self) -> bool:
        """Whether the page is counted from the end."""
        return self.before is not None

    def limit(self, default: int, most: int) -> int:
        """Say how many items it may have, when we would give `default` and never more than `most`."""
        return default if self.max is None else min(self.max, most)

    def to_element(self) -> Element:
        """Write it as a child of a query."""
        page = Element("set", RESULT_SETS)
        for name, value in (("max", self.max), ("after", self.after), ("before", self.before)):
            if value is not None:
                page.add(Element(name, RESULT_SETS, text=str(value)))
        return page


def read_page_request(query: Element) -> PageRequest:
    """Read which page of its result a query asks for.

    Raises:
        StanzaError: If that can't be understood, or is a page by its number (2.6), which we don't count.
    """
    page = query.child("set", RESULT_SETS)
    if page is None:
        return PageRequest()
    if page.child("index") is not None:
        raise StanzaError("feature-not-implemented", "Ask for pages by 'after' or 'before', not by 'index'")
    return PageRequest(
        max=_read_max(page.child("max")),
        # Before the first page there is no item: an empty <after/> asks for it.
        after=_read_text(page.child("after")) or None,
        before=_read_text(page.child("before")),
    )


def _read_text(element: Element | None) -> str | None:
    return element.text if element is not None else None


def _read_max(element: Element | None) -> int | None:
    if element is None:
        return None
    text = element.text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise StanzaError("bad-request", f"'max' is a number of items, not {text!r}")
    return int(text)


@dataclass(frozen=True, slots=True)
class PageResult:
    """Which page it was: the ids of its first and last item, if it has any."""

    first: str | None = None
    last: str | None = None
    #: How many there are in all; None if nobody counted.
    count: int | None = None

    def to_element(self) -> Element:
        """Write it as a child of the answer."""
        page = Element("set", RESULT_SETS)
        for name, value in (("first", self.first), ("last", self.last), ("count", self.count)):
            if value is not None:
                page.add(Element(name, RESULT_SETS, text=str(value)))
        return page
