"""What a stream offers, in the order of XEP-0170, as elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterable


def starttls(*, required: bool) -> Element:
    """RFC 6120, 5.4.1."""
    offer = Element("starttls", namespaces.TLS)
    return offer.add(Element("required", namespaces.TLS)) if required else offer


def mechanisms(names: Iterable[str]) -> Element:
    """RFC 6120, 6.4.1."""
    return Element("mechanisms", namespaces.SASL).add(
        *(Element("mechanism", namespaces.SASL, text=name) for name in names)
    )


def channel_bindings(types: Iterable[str]) -> Element:
    """XEP-0440."""
    return Element("sasl-channel-binding", namespaces.CHANNEL_BINDING).add(
        *(Element("channel-binding", namespaces.CHANNEL_BINDING, {"type": name}) for name in types)
    )


def limits(max_bytes: int, idle_seconds: int = 0) -> Element:
    """XEP-0478."""
    offer = Element("limits", namespaces.LIMITS).add(
        Element("max-bytes", namespaces.LIMITS, text=str(max_bytes))
    )
    if idle_seconds:
        offer.add(Element("idle-seconds", namespaces.LIMITS, text=str(idle_seconds)))
    return offer


def bind() -> Element:
    """RFC 6120, 7.4."""
    return Element("bind", namespaces.BIND)


def session() -> Element:
    """RFC 3921, 3, marked as not needed, for clients that still ask."""
    return Element("session", namespaces.SESSION).add(Element("optional", namespaces.SESSION))


def management() -> Element:
    """XEP-0198, 3."""
    return Element("sm", namespaces.MANAGEMENT)


def client_state() -> Element:
    """XEP-0352, 4."""
    return Element("csi", namespaces.CLIENT_STATE)
