"""XEP-0054: vcard-temp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.stanza import child_key

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

NAMESPACE: Final = "vcard-temp"
_KEY: Final = child_key("vCard", NAMESPACE)


@iq_handler("get", NAMESPACE, "vCard", target=Target.ACCOUNT)
async def answer_own_card(server: Server, iq: IQ) -> IQ:
    """Hand out the asker's own card; an empty one, if it has none yet."""
    assert iq.sender is not None
    card = await server.store.vcards.get(iq.sender.bare)
    # COMPAT: an error is allowed too (section 3.1), but some clients then refuse to edit a first card.
    return _result(iq, card or Element("vCard", NAMESPACE).to_bytes())


@iq_handler("set", NAMESPACE, "vCard", target=Target.ACCOUNT)
async def keep_card(server: Server, iq: IQ) -> None:
    """Replace the asker's card; its size is bounded by that of a stanza."""
    assert iq.sender is not None
    await server.store.vcards.put(iq.sender.bare, iq.query.to_bytes())


@iq_handler("get", NAMESPACE, "vCard", target=Target.CONTACT)
async def answer_card(server: Server, iq: IQ) -> IQ:
    """Hand out somebody's card to anybody: cards are public (section 5)."""
    assert iq.to is not None
    card = await server.store.vcards.get(iq.to)
    # Section 3.3: the same whether there is no card, no such account, or (XEP-0191, 3.5) the asker is blocked.
    if card is None:
        raise StanzaError("service-unavailable")
    return _result(iq, card)


@iq_handler("set", NAMESPACE, "vCard", target=Target.CONTACT)
def refuse_card(server: Server, iq: IQ) -> None:
    """Let nobody write somebody else's card (section 3.2)."""
    raise StanzaError("forbidden", "Everybody writes their own card")


def _result(iq: IQ, card: bytes) -> IQ:
    result = iq.result()
    result.append(_KEY, card)
    return result


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Keep cards, and hand them out."""
    return [answer_own_card, keep_card, answer_card, refuse_card]


@hookimpl
def register_disco_features() -> list[tuple[Target, str]]:
    """Show at the server, too, that there are cards (section 4)."""
    return [(Target.SERVER, NAMESPACE)]
