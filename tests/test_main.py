"""A process of its own: signals, exit codes, and what it writes."""

import asyncio
import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.running import Account, RunningServer
from tests.scenes.actors import PATIENCE, Actor

ANA = Account("ana@localhost", "secret of ana")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    running.config.write_text(running.config.read_text() + '\n[log]\nformat = "json"\n')
    running.add_account(ANA)
    running.start()
    yield running
    running.stop()


def lines(server: RunningServer) -> list[dict[str, object]]:
    return [json.loads(line) for line in server.log.read_text().splitlines()]


async def said(server: RunningServer, event: str) -> dict[str, object]:
    async with asyncio.timeout(PATIENCE):
        while True:
            for line in lines(server):
                if line["event"] == event:
                    return line
            await asyncio.sleep(0.02)


async def connect(server: RunningServer) -> Actor:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.ports.c2s_tls, ssl=server.ca, server_hostname="localhost"
    )
    actor = Actor(None, reader, writer)
    await actor.opens_stream()
    return actor


async def test_sigterm_says_goodbye_to_everybody_and_ends_well(server: RunningServer) -> None:
    actor = await connect(server)

    code = await asyncio.to_thread(server.stop)

    farewell = await actor.is_disconnected()
    await actor.vanishes()
    assert "system-shutdown" in str(farewell[0])
    assert code == 0


async def test_sighup_takes_over_what_can_change_and_names_the_rest(server: RunningServer) -> None:
    settings = server.config.read_text().replace('format = "json"', 'format = "json"\nlevel = "debug"')
    server.config.write_text(settings + "\n[limits]\nstanza_bytes = 20000\n[archive]\nkeep_days = 9\n")

    server.signal(signal.SIGHUP)

    line = await said(server, "read the settings again")
    assert line["changed"] == ["limits.stanza_bytes", "log.level"]
    assert line["needs_restart"] == ["archive.keep_days"]


async def test_settings_that_are_wrong_change_nothing(server: RunningServer) -> None:
    server.config.write_text("domain = 3\n")

    server.signal(signal.SIGHUP)

    line = await said(server, "the settings could not be read again; nothing has changed")
    assert "domain" in str(line["reason"])
    await (await connect(server)).vanishes()


async def test_the_log_holds_no_password(server: RunningServer) -> None:
    actor = await connect(server)
    for password in ("a wrong one", ANA.password):
        token = base64.b64encode(f"\0ana\0{password}".encode()).decode()
        await actor.sends(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>")
        await actor.hears()

    await said(server, "logged in")
    await actor.vanishes()
    log = server.log.read_text()
    assert ANA.password not in log
    assert "a wrong one" not in log
