"""The server of this repository, in the interpreter that runs this program, with the example plugin."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import secrets
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import ClassVar

from sqlalchemy import insert

import imserver
from contrib.bench.accounts import Population
from contrib.bench.peers.loopback import DOMAIN, HOST, free_port, make_certificate
from contrib.bench.peers.packages import OPENSSL, POSTGRESQL
from contrib.bench.peers.peer import Peer
from contrib.bench.peers.postgresql import PostgreSQL
from imserver.storage import schema
from imserver.storage.accounts import Accounts, StoredCredentials
from imserver.storage.database import Database
from imserver.stream.scram import SALT_LENGTH, make_credentials

ITERATIONS = 4096  # imserver's own default
ROWS_AT_ONCE = 2_000
EXAMPLE_PLUGIN = Path(__file__).resolve().parents[2] / "example_plugin" / "mask_cards.py"

CONFIGURATION = """\
domain = "{domain}"
data = "{folder}/data"

[listen]
c2s = ["{host}:{port}"]
c2s_tls = ["{host}:{tls_port}"]
http = ["{host}:{http_port}"]

[tls]
certificate = "{folder}/certificate.pem"
key = "{folder}/key.pem"

[c2s]
require_tls = false

[limits]
connections_per_address = 100000

[log]
level = "warning"

[storage]
url = "{database}"

[archive]
enabled = {archive}

[plugins]
paths = {plugins}
"""

# One client each, so that everybody has somebody to talk to.
QUEUE = """\
[queues.support]
members = {agents}
accept = "assign"
agent_capacity = 1
"""
#: The plugins that every contact centre switches on.
BUNDLED = ("display_name", "file_policy", "history_by_from", "templates")


class Imserver(Peer):
    """On SQLite, which is its default; every commit waits for the disk."""

    name = "imserver"
    plugins: ClassVar[Sequence[Path]] = (EXAMPLE_PLUGIN,)

    @classmethod
    def version(cls) -> str:
        return f"imserver {imserver.__version__}, Python {platform.python_version()}"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder}/data/bench.sqlite"

    def prepare(self, population: Population) -> None:
        make_certificate(self.folder)
        (self.folder / "data").mkdir(mode=0o700)
        (self.folder / "imserver.toml").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                host=HOST,
                domain=DOMAIN,
                port=self.port,
                tls_port=self.tls_port,
                http_port=free_port(),
                database=self.database,
                archive=str(self.archive).lower(),
                plugins=[str(path) for path in self.plugins],
            )
        )
        asyncio.run(fill(self.database, population))

    def command(self) -> list[str]:
        return [sys.executable, "-m", "imserver", "run", "--config", str(self.folder / "imserver.toml")]


class ImserverBare(Imserver):
    """Without the plugin: what the plugin costs is the difference."""

    name = "imserver-bare"
    plugins = ()


class ImserverDesk(Imserver):
    """With a queue: every second account is an agent."""

    name = "imserver-desk"
    enabled: ClassVar[Sequence[str]] = ()

    def prepare(self, population: Population) -> None:
        super().prepare(population)
        agents = [account.jid for account in population.accounts[::2]]
        (self.folder / "desk.toml").write_text(QUEUE.format(agents=agents))
        with (self.folder / "imserver.toml").open("a") as file:
            file.write(f"enabled = {list(self.enabled)}\n\n[desk]\nfile = '{self.folder}/desk.toml'\n")


class ImserverDeskPlugins(ImserverDesk):
    """With everything that is bundled."""

    name = "imserver-desk-plugins"
    enabled = BUNDLED


class ImserverPostgreSQL(Imserver):
    """On PostgreSQL, through asyncpg."""

    name = "imserver-postgresql"
    packages = (OPENSSL, POSTGRESQL)

    def __init__(self, folder: Path, *, archive: bool) -> None:
        super().__init__(folder, archive=archive)
        self._postgresql = PostgreSQL()

    @classmethod
    def missing(cls) -> list[str]:
        driver = [] if importlib.util.find_spec("asyncpg") else ["imserver[postgresql] (by pip)"]
        return [*super().missing(), *driver]

    @classmethod
    def version(cls) -> str:
        return f"{super().version()}, {PostgreSQL.version()}"

    @property
    def database(self) -> str:
        return self._postgresql.url

    def prepare(self, population: Population) -> None:
        self._postgresql.start()
        super().prepare(population)

    def pids(self) -> list[int]:
        return [*super().pids(), *self._postgresql.pids()]

    def stop(self) -> None:
        super().stop()
        self._postgresql.stop()


async def fill(url: str, population: Population) -> None:
    """Make the accounts and the rosters, with one salt for all, so that the load derives its keys once."""
    salt = secrets.token_bytes(SALT_LENGTH)
    database = await Database.open(url)
    try:
        password = population.accounts[0].password
        made = make_credentials(password, iterations=ITERATIONS, salt=salt)
        credentials = [StoredCredentials(*astuple(one)) for one in made]
        await Accounts(database).add_many([(account.jid, credentials) for account in population.accounts])
        if population.contacts:
            await fill_rosters(database, population)
    finally:
        await database.close()


async def fill_rosters(database: Database, population: Population) -> None:
    items: list[dict[str, object]] = [
        {
            "owner": account.jid,
            "contact": contact.jid,
            "name": "",
            "subscription": "both",
            "ask": False,
            "approved": False,
            "pending_in": None,
            "groups": [],
            "listed": True,
            "version": version,
        }
        for number, account in enumerate(population.accounts)
        for version, contact in enumerate(population.contacts_of(number), start=1)
    ]
    versions: list[dict[str, object]] = [
        {"owner": account.jid, "version": population.contacts, "forgotten": 0}
        for account in population.accounts
    ]
    async with database.writing() as connection:
        await connection.execute(insert(schema.roster_versions), versions)
        for first in range(0, len(items), ROWS_AT_ONCE):
            await connection.execute(insert(schema.roster_items), items[first : first + ROWS_AT_ONCE])
