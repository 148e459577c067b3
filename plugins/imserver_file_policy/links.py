"""Links to files in messages: which of them are to files that were uploaded here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imserver import Element, Message

OOB: Final = "jabber:x:oob"
FILE_SHARING: Final = "urn:xmpp:sfs:0"
URL_DATA: Final = "http://jabber.org/protocol/url-data"


def foreign_link(message: Message, ours: str) -> str:
    """Find the first file that a message shares and that is not below our address; `""` if there is none."""
    if not (message.has("x", OOB) or message.has("file-sharing", FILE_SHARING)):
        return ""
    return next((url for url in _links(message.element) if not url.startswith(ours)), "")


def _links(element: Element) -> Iterator[str]:
    for child in element.elements():
        if (child.name, child.namespace) == ("url", OOB):
            yield child.text.strip()
        elif child.namespace == URL_DATA:
            yield child.get("target", "").strip()
        else:
            yield from _links(child)
