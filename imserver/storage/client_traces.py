"""Where clients of the desk are found besides their own tables, and how they are searched for."""

from collections.abc import Sequence

from sqlalchemy import Text, cast, delete, func, or_, select

from imserver.storage.database import Database
from imserver.storage.schema import blocklists, desk_aliases, desk_clients, roster_items


async def search_clients(database: Database, words: str, limit: int) -> list[str]:
    """List the keys of clients with such an address, name or key."""
    like = f"%{words.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    found = (
        select(desk_clients.c.key)
        .outerjoin(desk_aliases, desk_aliases.c.client == desk_clients.c.key)
        .where(
            desk_clients.c.merged.is_(None),
            or_(
                func.lower(desk_aliases.c.alias).like(like, escape="!"),
                func.lower(cast(desk_clients.c.names, Text)).like(like, escape="!"),
                desk_clients.c.key == words.partition("@")[0],
            ),
        )
        .distinct()
        .order_by(desk_clients.c.key)
        .limit(limit)
    )
    async with database.reading() as connection:
        return list(await connection.scalars(found))


async def contact_lists_with(database: Database, addresses: Sequence[str]) -> list[tuple[str, str]]:
    """List whose contacts these are: the owner, and the address."""
    items = roster_items
    async with database.reading() as connection:
        found = await connection.execute(
            select(items.c.owner, items.c.contact).where(items.c.contact.in_(addresses))
        )
        return [(str(owner), str(contact)) for owner, contact in found]


async def unblock_everywhere(database: Database, addresses: Sequence[str]) -> None:
    """Take addresses out of everybody's blocklist."""
    async with database.writing() as connection:
        await connection.execute(delete(blocklists).where(blocklists.c.jid.in_(addresses)))
