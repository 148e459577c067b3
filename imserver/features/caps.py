"""XEP-0115: Entity Capabilities, of the server itself."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from imserver.features import disco
from imserver.hooks import hookimpl
from imserver.iq import Target
from imserver.xmpp.element import Element
from imserver.xmpp.forms import FORM_TYPE, type_of, values_of
from imserver.xmpp.namespaces import CAPS, DATA_FORMS, DISCO_INFO

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

#: What names this software; with the hash, it names what this server can do.
NODE: Final = "urn:imserver"


class Plugin:
    """Tells clients what the server can do by a hash: those that know it need not ask."""

    def __init__(self) -> None:
        self._told = ""

    @hookimpl
    def register_stream_features(self, server: Server) -> list[Element]:
        """Offer the hash with the stream (section 6.3)."""
        self._told = verification(disco.server_info(server))
        return [Element("c", CAPS, {"hash": "sha-1", "node": NODE, "ver": self._told})]

    @hookimpl
    def register_disco_features(self) -> list[tuple[Target, str]]:
        """Show that we have capabilities."""
        return [(Target.SERVER, CAPS)]

    @hookimpl
    def find_disco_node(self, server: Server, iq: IQ) -> Element | None:
        """Say what the hash stands for (section 6.2)."""
        node = iq.query.get("node")
        if iq.query.namespace != DISCO_INFO or node != f"{NODE}#{self._told}":
            return None
        # What is live among the settings may have changed since: whoever asks finds out by hashing (section 5.4).
        answer = disco.server_info(server)
        answer.attributes["node"] = node
        return answer


def verification(info: Element) -> str:
    """Hash an answer to "what are you?" (section 5.1)."""
    text = "".join(
        [*_identities(info), *_sorted(one.get("var") for one in info.all("feature")), *_forms(info)]
    )
    return b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _identities(info: Element) -> list[str]:
    return _sorted(
        "/".join((one.get("category"), one.get("type"), one.get("xml:lang"), one.get("name")))
        for one in info.all("identity")
    )


def _forms(info: Element) -> list[str]:
    parts = []
    for form in sorted(info.all("x", DATA_FORMS), key=lambda form: type_of(form).encode()):
        parts.append(f"{type_of(form)}<")
        values = values_of(form)
        for name in sorted(values.keys() - {FORM_TYPE}, key=str.encode):
            parts += [f"{name}<", *_sorted(values[name])]
    return parts


def _sorted(texts: Iterable[str]) -> list[str]:
    # Section 5.1: in the order of their bytes, as "i;octet" of RFC 4790.
    return [f"{text}<" for text in sorted(texts, key=str.encode)]
