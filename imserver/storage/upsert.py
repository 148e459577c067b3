"""Insert a row, or replace the one with the same primary key."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.schema import Values


async def upsert(
    connection: AsyncConnection, table: Table, values: Values, *, instead: Values | None = None
) -> None:
    """Insert the values; where there is such a row already, write them, or what is said `instead`."""
    insert = _insert(connection, table).values(values)
    key = [column.name for column in table.primary_key]
    replacement = instead or {name: insert.excluded[name] for name in values if name not in key}

    if replacement:
        await connection.execute(insert.on_conflict_do_update(index_elements=key, set_=replacement))
    else:
        await connection.execute(insert.on_conflict_do_nothing(index_elements=key))


def _insert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
