"""A server in a process of its own, that can be killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.storage.accounts import StoredCredentials
from imserver.storage.database import Database
from imserver.storage.store import Store
from tests.clients.running import RunningServer
from tests.scenes.actors import CREDENTIALS

NAMES = tuple(f"user{number}" for number in range(8))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    """A running server with accounts for everybody."""
    data = tmp_path / "data"
    data.mkdir()
    database = await Database.open(f"sqlite+aiosqlite:///{data / 'imserver.db'}")
    kept = [
        StoredCredentials(one.mechanism, one.salt, one.iterations, one.stored_key, one.server_key)
        for one in CREDENTIALS
    ]
    await Store(database).accounts.add_many([(f"{name}@localhost", kept) for name in NAMES])
    await database.close()

    running = RunningServer(tmp_path)
    running.start()
    yield running
    running.stop()
