"""Debian's ejabberd: on PostgreSQL with its pool when the archive is on, on Mnesia when it is off.

It runs as a node without a name: neither epmd nor a port for other nodes is needed.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from contrib.bench.accounts import Population
from contrib.bench.peers.loopback import DOMAIN, HOST, make_certificate
from contrib.bench.peers.packages import EJABBERD, EJABBERD_PGSQL, OPENSSL, POSTGRESQL, place_of
from contrib.bench.peers.peer import Peer, first_line
from contrib.bench.peers.postgresql import DATABASE, USER, PostgreSQL
from contrib.bench.scram import stored_keys

ITERATIONS = 4096  # ejabberd's own default
SCHEMA = Path("/usr/share/ejabberd/sql/pg.sql")

CONFIGURATION = """\
loglevel: warning
hosts: [{domain}]
certfiles: ["{folder}/certificate.pem", "{folder}/key.pem"]
listen:
  - port: {port}
    ip: "{host}"
    module: ejabberd_c2s
    backlog: 1000
    max_stanza_size: 262144
    shaper: none
    access: all
    starttls: true
  - port: {tls_port}
    ip: "{host}"
    module: ejabberd_c2s
    backlog: 1000
    max_stanza_size: 262144
    shaper: none
    access: all
    tls: true
auth_password_format: scram
auth_scram_hash: sha256
{database}
shaper_rules:
  max_user_sessions: 20
  max_user_offline_messages: 500
modules:
  mod_adhoc: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_roster: {{versioning: true}}
  mod_stream_mgmt: {{}}
  mod_time: {{}}
  mod_vcard: {{search: false}}
  mod_version: {{}}
{archive}
"""
ON_POSTGRESQL = """\
auth_method: [sql]
default_db: sql
sql_type: pgsql
sql_server: "{host}"
sql_port: {port}
sql_database: {database}
sql_username: {user}
sql_password: ""
"""
ON_MNESIA = """\
auth_method: [mnesia]
default_db: mnesia
"""
ARCHIVE = "  mod_mam: {default: always}"

# Run when all of ejabberd has started: its ports are open long before its pool of connections is there.
WHEN_STARTED = """\
{{ok, Accounts}} = file:consult("{folder}/accounts.terms"),
lists:foreach(fun(Account) -> ok = mnesia:dirty_write(Account) end, Accounts),
ok = file:write_file("{folder}/ready", "").
"""


class Ejabberd(Peer):
    name = "ejabberd"
    packages = (OPENSSL, EJABBERD, EJABBERD_PGSQL, POSTGRESQL)

    def __init__(self, folder: Path, *, archive: bool) -> None:
        super().__init__(folder, archive=archive)
        self._postgresql = PostgreSQL() if archive else None

    @classmethod
    def version(cls) -> str:
        about = first_line("dpkg-query", "--show", "--showformat=${Version}", "ejabberd")
        return f"ejabberd {about}, {PostgreSQL.version()}"

    def prepare(self, population: Population) -> None:
        make_certificate(self.folder)
        keys = Keys(population.accounts[0].password)
        (self.folder / "accounts.terms").write_text("")
        if self._postgresql:
            self._postgresql.start()
            self._postgresql.execute(SCHEMA.read_text() + "".join(rows(population, keys)))
            database = ON_POSTGRESQL.format(
                host=HOST, port=self._postgresql.port, database=DATABASE, user=USER
            )
        else:
            (self.folder / "accounts.terms").write_text("".join(terms(population, keys)))
            database = ON_MNESIA
        (self.folder / "ejabberd.yml").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                host=HOST,
                domain=DOMAIN,
                port=self.port,
                tls_port=self.tls_port,
                database=database,
                archive=ARCHIVE if self.archive else "",
            )
        )

    def command(self) -> list[str]:
        return [
            *("erl", "-noinput", "+K", "true", "+P", "250000"),  # as Debian's ejabberdctl starts it
            *("-mnesia", "dir", f'"{self.folder}/spool"', "-ejabberd", "log_rotate_count", "0"),
            *("-s", "ejabberd", "-eval", WHEN_STARTED.format(folder=self.folder)),
        ]

    def environment(self) -> Mapping[str, str]:
        libraries = place_of(EJABBERD).parents[2]
        return os.environ | {
            "ERL_LIBS": str(libraries),
            "ERL_MAX_PORTS": "32000",
            "ERL_MAX_ETS_TABLES": "1400",
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
            "HOME": str(self.folder),
        }

    def is_ready(self) -> bool:
        return (self.folder / "ready").exists() and super().is_ready()

    def pids(self) -> list[int]:
        return [*super().pids(), *(self._postgresql.pids() if self._postgresql else [])]

    def stop(self) -> None:
        super().stop()
        if self._postgresql:
            self._postgresql.stop()

    def last_words(self) -> str:
        log = self.folder / "ejabberd.log"
        return super().last_words() + (log.read_text(errors="replace")[-2000:] if log.exists() else "")


class Keys:
    """What ejabberd keeps of a password, with one salt for all, so that the load derives its keys once."""

    def __init__(self, password: str) -> None:
        salt = secrets.token_bytes(16)
        stored_key, server_key = stored_keys("sha256", password, salt, ITERATIONS)
        self.stored_key, self.server_key, self.salt = (
            base64.b64encode(value).decode() for value in (stored_key, server_key, salt)
        )


def terms(population: Population, keys: Keys) -> Iterator[str]:
    """Write the accounts as Mnesia keeps them."""
    if population.contacts:
        raise NotImplementedError("rosters are made on PostgreSQL only: have the archive on")
    for account in population.accounts:
        yield (
            f'{{passwd, {{<<"{account.local}">>, <<"{account.domain}">>}}, {{scram, <<"{keys.stored_key}">>,'
            f' <<"{keys.server_key}">>, <<"{keys.salt}">>, sha256, {ITERATIONS}}}}}.\n'
        )


def rows(population: Population, keys: Keys) -> Iterator[str]:
    """Write the accounts and the rosters as PostgreSQL reads them."""
    yield "\nCOPY users (username, password, serverkey, salt, iterationcount) FROM stdin;\n"
    for account in population.accounts:
        yield f"{account.local}\tsha256:{keys.stored_key}\t{keys.server_key}\t{keys.salt}\t{ITERATIONS}\n"
    yield "\\.\n"
    if population.contacts:
        columns = "username, jid, nick, subscription, ask, askmessage, server, subscribe, type"
        yield f"COPY rosterusers ({columns}) FROM stdin;\n"
        for number, account in enumerate(population.accounts):
            for contact in population.contacts_of(number):
                yield f"{account.local}\t{contact.jid}\t\tB\tN\t\tN\t\titem\n"
        yield "\\.\n"
    yield "ANALYZE;\n"
