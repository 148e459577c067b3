"""XEP-0092: Software Version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.xmpp.element import Element

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

NAMESPACE: Final = "jabber:iq:version"


@iq_handler("get", NAMESPACE, "query", target=Target.SERVER)
def answer_version(server: Server, iq: IQ) -> Element:
    """Say which server this is; what it runs on is nobody's business."""
    return Element("query", NAMESPACE).add(
        Element("name", NAMESPACE, text="imserver"), Element("version", NAMESPACE, text=server.version)
    )


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Answer who we are."""
    return [answer_version]
