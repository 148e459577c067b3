"""XEP-0049: Private XML Storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.namespaces import CLIENT
from imserver.xmpp.stanza import child_key

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.element import Element
    from imserver.xmpp.stanza import IQ

NAMESPACE: Final = "jabber:iq:private"
_KEY: Final = child_key("query", NAMESPACE)

#: How many elements an account may keep; how large each can be, the limit of a stanza says.
MOST_ELEMENTS: Final = 100


@iq_handler("get", NAMESPACE, "query", target=Target.ACCOUNT)
async def answer_private(server: Server, iq: IQ) -> IQ:
    """Give back what was kept; what was asked for, if that is nothing."""
    assert iq.sender is not None
    asked = iq.query.elements()
    if len(asked) != 1:
        raise StanzaError("bad-request", "Ask for one element, by its name and namespace")
    kept = await server.store.private.get(iq.sender.bare, asked[0].namespace, asked[0].name)
    result = iq.result()
    result.append(_KEY, b"<query xmlns='%b'>%b</query>" % (NAMESPACE.encode(), kept or _write(asked[0])))
    return result


@iq_handler("set", NAMESPACE, "query", target=Target.ACCOUNT)
async def keep_private(server: Server, iq: IQ) -> None:
    """Keep elements under their names, in place of those that were there."""
    assert iq.sender is not None
    owner, elements = iq.sender.bare, iq.query.elements()
    _check_namespaces(elements)
    known = await server.store.private.names(owner)
    if len(known | {(element.namespace, element.name) for element in elements}) > MOST_ELEMENTS:
        raise StanzaError("policy-violation", f"An account keeps at most {MOST_ELEMENTS} private elements")
    for element in elements:
        await server.store.private.put(owner, element.namespace, element.name, _write(element))


def _check_namespaces(elements: list[Element]) -> None:
    namespaces = {element.namespace for element in elements}
    if len(namespaces) != 1 or not namespaces.isdisjoint({"", NAMESPACE, CLIENT}):
        # Section 2.3.
        raise StanzaError("not-acceptable", "There must be elements, in one namespace of their own")


def _write(element: Element) -> bytes:
    return element.to_bytes(NAMESPACE)


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Keep what clients want kept."""
    # Section 2.3: to others it is unavailable, as everything nobody answers.
    return [answer_private, keep_private]
