"""Who somebody is to the contact centre: an agent, a client, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver import JID
from imserver.desk import find_desk
from imserver_file_policy.rules import Asker

if TYPE_CHECKING:
    from imserver import Server
    from imserver.desk import Conversation, Desk

ACCOUNT = Asker("account")


def desk_of(server: Server) -> Desk | None:
    """Find the desk, if this server has one."""
    try:
        return find_desk(server)
    except KeyError:
        return None


async def find_asker(server: Server, account: JID) -> Asker:
    """Find out who it is."""
    desk = desk_of(server)
    if desk is None:
        return ACCOUNT
    account = account.bare
    if is_agent(desk, account):
        return Asker("agent", _channels_of_agent(desk, account))
    channels = [client.domain for client in await clients_of(desk, account)]
    if channels:
        return Asker("client", [desk.channels[domain].about.label for domain in channels])
    return ACCOUNT


def is_agent(desk: Desk, account: JID) -> bool:
    """Tell whether somebody attends clients."""
    return account in desk.floor.agents


def _channels_of_agent(desk: Desk, agent: JID) -> list[str]:
    """List where the clients are whom an agent may send the file to; they are not named at the slot."""
    clients = [JID.parse(one.client) for one in desk.floor.of_agent(agent) if one.is_open]
    return sorted({desk.channel_of(client).about.label for client in clients}) or ["xmpp"]


async def clients_of(desk: Desk, account: JID) -> list[JID]:
    """Find the addresses under which agents know somebody, on any channel."""
    if account.domain in desk.channels:
        return [account]
    found = [
        await desk.clients.find_by_alias(JID.parse(domain), f"xmpp:{account}")
        for domain in list(desk.channels)
    ]
    return [client.jid for client in found if client is not None]


async def conversation_of(desk: Desk, account: JID) -> Conversation | None:
    """Find the open conversation in which somebody, as a client, wrote last."""
    of_all = [one for client in await clients_of(desk, account) for one in desk.floor.of_client(client)]
    return max((one for one in of_all if one.is_open), key=lambda one: one.last_client, default=None)
