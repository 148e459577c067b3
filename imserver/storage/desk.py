"""What the desk keeps, and what touches all of it: that two clients are one, and that one is to be forgotten."""

from sqlalchemy import delete, select, update

from imserver.storage.clients import Clients, find_current, names_in, put_names
from imserver.storage.conversations import OPEN_STATES, Conversations
from imserver.storage.happenings import Happenings
from imserver.storage.schema import desk_aliases, desk_clients, desk_conversations, desk_notes


class ConversationGoesOn(Exception):
    """The client has a conversation that is not closed yet."""


class DeskStore(Clients, Conversations, Happenings):
    """Clients with their aliases, conversations with their notes, agents, and what happened."""

    async def merge(self, key: str, into: str) -> None:
        """Let two clients be one, which has all aliases, conversations, notes and names.

        Of two names from one origin it keeps that of `into`.
        The key that is left leads to it for ever: it stands in the rosters and archives of agents.

        Raises:
            ClientUnknown: If there is no such client.
        """
        async with self._database.writing() as connection:
            # In one order, so that two nodes that merge the same two do not wait for each other.
            current = {one: await find_current(connection, one) for one in sorted({key, into})}
            old, new = current[key], current[into]
            if old == new:
                return
            for table in (desk_aliases, desk_conversations):
                await connection.execute(update(table).where(table.c.client == old).values(client=new))
            names = await names_in(connection, old) | await names_in(connection, new)
            await put_names(connection, new, names.values())
            clients = desk_clients
            await connection.execute(
                update(clients).where((clients.c.key == old) | (clients.c.merged == old)).values(merged=new)
            )

    async def erase(self, key: str) -> None:
        """Forget who a client is: aliases, names, notes, and the details of conversations; the figures stay.

        Nothing leads from them to the client any more. The messages are not ours: remove them from the archive
        before, for each of `keys_of`.

        Raises:
            ClientUnknown: If there is no such client.
            ConversationGoesOn: If it is being attended, or waits for it: close that first.
        """
        conversations = desk_conversations
        async with self._database.writing() as connection:
            current = await find_current(connection, key)
            his = conversations.c.client == current
            goes_on = select(conversations.c.id).where(his, conversations.c.state.in_(OPEN_STATES)).limit(1)
            if await connection.scalar(goes_on) is not None:
                raise ConversationGoesOn(key)

            ids = select(conversations.c.id).where(his)
            await connection.execute(delete(desk_notes).where(desk_notes.c.conversation.in_(ids)))
            await connection.execute(delete(desk_aliases).where(desk_aliases.c.client == current))
            await connection.execute(
                delete(desk_clients).where(
                    (desk_clients.c.key == current) | (desk_clients.c.merged == current)
                )
            )
            await connection.execute(
                update(conversations).where(his).values(client="", channel="", details={})
            )
