"""XEP-0030: Service Discovery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imserver.features.contacts import find_roster
from imserver.hooks import hookimpl, is_awaitable
from imserver.iq import IQHandler, Target, iq_handler
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Field, Form
from imserver.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.jid import JID
    from imserver.xmpp.stanza import IQ


@dataclass(frozen=True, slots=True)
class Identity:
    """What somebody is, in the words of the XMPP registrar."""

    category: str
    type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is found at somebody."""

    jid: str
    node: str = ""
    name: str = ""


def info(
    identities: Iterable[Identity], features: Iterable[str], forms: Iterable[Form] = (), *, node: str = ""
) -> Element:
    """Write the answer to "what are you?"; the forms are those of XEP-0128."""
    query = _element("query", DISCO_INFO, node=node)
    query.add(*(_identity(identity) for identity in identities))
    query.add(*(Element("feature", DISCO_INFO, {"var": name}) for name in sorted(set(features))))
    return query.add(*(form.to_element("result") for form in forms))


def items(found: Iterable[Item], *, node: str = "") -> Element:
    """Write the answer to "what is there?"."""
    query = _element("query", DISCO_ITEMS, node=node)
    return query.add(
        *(_element("item", DISCO_ITEMS, jid=item.jid, node=item.node, name=item.name) for item in found)
    )


def server_info(server: Server) -> Element:
    """Write what this server is."""
    return info(
        [Identity("server", "im", "imserver")],
        server.router.iqs.features(Target.SERVER),
        _contact_addresses(server.settings.admins),
    )


def _contact_addresses(admins: Iterable[JID]) -> list[Form]:
    addresses = [f"xmpp:{admin}" for admin in admins]
    if not addresses:
        return []
    # XEP-0157.
    field = Field("admin-addresses", "list-multi", value=addresses)
    return [Form((field,), type="http://jabber.org/network/serverinfo")]


@iq_handler("get", DISCO_INFO, "query", target=Target.SERVER)
async def answer_server_info(server: Server, iq: IQ) -> Element:
    """Say what the server is."""
    return await _answer_node(server, iq) if iq.query.get("node") else server_info(server)


@iq_handler("get", DISCO_ITEMS, "query", target=Target.SERVER)
async def answer_server_items(server: Server, iq: IQ) -> Element:
    """Say what else is here."""
    if iq.query.get("node"):
        return await _answer_node(server, iq)
    return items(Item(one.domain, name=one.name) for one in server.router.components.values())


async def _answer_node(server: Server, iq: IQ) -> Element:
    answer = server.hooks.find_disco_node.ask(server=server, iq=iq)
    found: Element | None = await answer if is_awaitable(answer) else answer
    if found is None:
        raise _no_such_node(iq)
    return found


@iq_handler("get", DISCO_INFO, "query", target=Target.ACCOUNT)
def answer_own_info(server: Server, iq: IQ) -> Element:
    """Say what the asker's own account is."""
    if iq.query.get("node"):
        raise _no_such_node(iq)
    return _account_info(server, Target.ACCOUNT)


@iq_handler("get", DISCO_ITEMS, "query", target=Target.ACCOUNT)
def answer_own_items(server: Server, iq: IQ) -> Element:
    """Say that there is nothing below an account."""
    if iq.query.get("node"):
        raise _no_such_node(iq)
    return items(())


@iq_handler("get", DISCO_INFO, "query", target=Target.CONTACT)
async def answer_contact_info(server: Server, iq: IQ) -> Element:
    """Say what somebody else's account is, to those who may see its presence."""
    # Section 8: the same whether there is no such account, or none for this asker.
    if not await _may_see(server, iq):
        raise StanzaError("service-unavailable")
    if iq.query.get("node"):
        raise _no_such_node(iq)
    return _account_info(server, Target.CONTACT)


@iq_handler("get", DISCO_ITEMS, "query", target=Target.CONTACT)
def answer_contact_items(server: Server, iq: IQ) -> Element:
    """Say that there is nothing below an account, whether it exists or not (section 8)."""
    return items((), node=iq.query.get("node"))


async def _may_see(server: Server, iq: IQ) -> bool:
    assert iq.sender is not None
    assert iq.to is not None
    return (await find_roster(server, iq.to)).is_shown_to(iq.sender.bare)


def _account_info(server: Server, target: Target) -> Element:
    return info([Identity("account", "registered")], server.router.iqs.features(target))


def _no_such_node(iq: IQ) -> StanzaError:
    return StanzaError("item-not-found", f"There is no node {iq.query.get('node')!r} here")


def _identity(identity: Identity) -> Element:
    return _element(
        "identity", DISCO_INFO, category=identity.category, type=identity.type, name=identity.name
    )


def _element(name: str, namespace: str, /, **attributes: str) -> Element:
    return Element(name, namespace, {key: value for key, value in attributes.items() if value})


_HANDLERS: Final = [
    answer_server_info,
    answer_server_items,
    answer_own_info,
    answer_own_items,
    answer_contact_info,
    answer_contact_items,
]


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Answer what we are, and what is here."""
    return _HANDLERS
