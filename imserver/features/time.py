"""XEP-0202: Entity Time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.xmpp.element import Element

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

NAMESPACE: Final = "urn:xmpp:time"


@iq_handler("get", NAMESPACE, "time", target=Target.SERVER)
def answer_time(server: Server, iq: IQ) -> Element:
    """Say what time it is here."""
    return time_element(datetime.now(UTC).astimezone())


def time_element(now: datetime) -> Element:
    """Write a moment and its time zone."""
    return Element("time", NAMESPACE).add(
        Element("tzo", NAMESPACE, text=now.isoformat(timespec="minutes")[16:]),
        Element("utc", NAMESPACE, text=f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
    )


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Answer what time it is."""
    return [answer_time]
