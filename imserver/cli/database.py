"""The database, for commands that work on it beside the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from imserver.cli.console import fail
from imserver.cli.server import check_data_folder
from imserver.settings import Settings
from imserver.storage.database import Database


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database that the settings name, or end with the reason why not."""
    check_data_folder(settings)
    try:
        database = await Database.open(settings.database_url)
    except Exception as error:  # each driver has its own
        fail(f"the database cannot be opened: {error}", f"Have a look at [storage] in {settings.file}.")
    try:
        yield database
    finally:
        await database.close()
