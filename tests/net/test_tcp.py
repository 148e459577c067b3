"""A stream over TCP: however the bytes come, and however the connection ends."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.net.tcp import TCPConnection
from tests.scenes.actors import PATIENCE, Actor, Stage, staged
from tests.scenes.doors import (
    STARTTLS,
    TLS,
    client_context,
    condition_of,
    connects_by_tls,
    connects_narrowly,
    eventually,
    tls_of,
)

PING = "<iq type='get' id='{}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, {}) as one:
        yield one


def fill(stage: Stage) -> None:
    """Send to the only client there is until it cannot take more."""
    [connection] = stage.running.connections
    assert isinstance(connection, TCPConnection)
    while connection.is_drained:
        connection._send_later(b"<message><body>" + b"x" * 50_000 + b"</body></message>")
        connection._flush()


@pytest.fixture
async def ana(stage: Stage) -> Actor:
    return await stage.comes_online("ana")


async def test_many_stanzas_in_one_packet_are_answered_in_order(ana: Actor) -> None:
    await ana.sends("".join(PING.format(number) for number in range(100)))

    assert [(await ana.hears()).get("id") for _ in range(100)] == [str(number) for number in range(100)]


async def test_a_stanza_in_many_packets_is_one(ana: Actor) -> None:
    for letter in PING.format(1):
        await ana.sends(letter)
        await asyncio.sleep(0)

    assert (await ana.hears()).get("id") == "1"


async def test_who_hangs_up_without_a_word_is_gone(stage: Stage, ana: Actor) -> None:
    await ana.vanishes()

    await eventually(lambda: len(stage.server.sessions) == 0)
    assert not stage.running.connections


async def test_who_stops_writing_is_gone(stage: Stage, ana: Actor) -> None:
    ana._writer.write_eof()

    assert await ana.is_disconnected() == []
    await eventually(lambda: len(stage.server.sessions) == 0)


async def test_who_never_hangs_up_is_cut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imserver.net.connection.GOODBYE_SECONDS", 0.2)
    ana = await stage.comes_online("ana")
    await stage.account("luis")
    luis = await connects_narrowly(stage, tls=False)
    await luis.logs_in("luis")
    await luis.binds("slow")
    for _ in range(8):
        await ana.sends(f"<message to='{luis.jid}' type='headline'><body>{'x' * 100_000}</body></message>")
    await ana.swallows()
    session = stage.server.sessions.find(luis.jid)
    assert session is not None
    assert session.outlet is not None

    session.outlet.end()

    await eventually(lambda: len(stage.running.connections) == 1)


async def test_what_comes_together_with_the_end_of_the_handshake_is_heard(stage: Stage) -> None:
    # The last message of the handshake and the new stream header may be one packet.
    stranger = await stage.connects()
    await stranger.opens_stream()
    await stranger.sends(STARTTLS)
    await stranger.receives(f"<proceed xmlns='{TLS}'/>")

    await stranger._writer.start_tls(client_context())
    features = await stranger.opens_stream()

    assert tls_of(stranger).version() == "TLSv1.3"
    assert features.child("sasl-channel-binding", "urn:xmpp:sasl-cb:0")


async def test_whoever_sends_much_waits_for_the_reader(stage: Stage) -> None:
    await stage.account("luis")
    luis = await connects_narrowly(stage, tls=False)
    await luis.logs_in("luis")
    await luis.binds("slow")
    session = stage.server.sessions.find(luis.jid)
    assert session is not None
    fill(stage)

    waiting = asyncio.create_task(session.drained())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    while not waiting.done():
        await luis._reader.read(65_536)
    await waiting


async def test_nobody_waits_for_a_reader_who_is_gone(stage: Stage) -> None:
    await stage.account("luis")
    luis = await connects_narrowly(stage, tls=False)
    await luis.logs_in("luis")
    await luis.binds("slow")
    session = stage.server.sessions.find(luis.jid)
    assert session is not None
    fill(stage)
    waiting = asyncio.create_task(session.drained())
    await asyncio.sleep(0.05)

    await luis.vanishes()

    async with asyncio.timeout(PATIENCE):
        await waiting
        await session.drained()


# Under TLS


@pytest.fixture
async def secret_ana(stage: Stage) -> Actor:
    """Ana, whose session may be resumed, by TLS from the first byte."""
    await stage.account("ana")
    one = await connects_by_tls(stage)
    await one.logs_in("ana")
    await one.binds("desk")
    await one.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    assert (await one.hears()).name == "enabled"
    return one


async def test_under_tls_a_long_stanza_comes_and_goes_whole(stage: Stage, secret_ana: Actor) -> None:
    body = "x" * 100_000

    await secret_ana.sends(f"<message to='{secret_ana.jid}' type='headline'><body>{body}</body></message>")

    heard = await secret_ana.hears()
    assert heard.child("body").text == body  # type: ignore[union-attr]


@pytest.mark.parametrize("last", ["alert", "nonsense", "nothing"])
async def test_when_tls_ends_before_the_stream_the_session_can_be_resumed(
    stage: Stage, secret_ana: Actor, last: str
) -> None:
    transport = secret_ana._writer.transport
    raw = transport.get_extra_info("socket")
    match last:
        case "alert":
            transport.close()
        case "nonsense":
            os.write(raw.fileno(), b"<presence/>")
        case "nothing":
            await secret_ana.vanishes()

    await eventually(lambda: not stage.running.connections)
    [session] = stage.server.sessions
    assert session.is_resumable
    assert not session.is_connected
    assert not len(stage.running.reception.doorkeeper)


async def test_under_tls_the_last_words_arrive_and_the_client_hangs_up_first(
    stage: Stage, secret_ana: Actor
) -> None:
    await secret_ana.sends("<message" + " " * 300_000)

    assert condition_of(await secret_ana.is_disconnected()) == "policy-violation"

    secret_ana._writer.close()
    await eventually(lambda: not stage.running.connections)


async def test_under_tls_who_never_hangs_up_is_cut(
    stage: Stage, secret_ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imserver.net.connection.GOODBYE_SECONDS", 0.2)
    secret_ana._writer.transport.pause_reading()  # type: ignore[attr-defined]
    [connection] = stage.running.connections

    connection.end()

    await eventually(lambda: not stage.running.connections)


async def test_who_does_not_read_under_tls_is_cut(tmp_path: Path) -> None:
    async with staged(tmp_path, {"limits": {"send_buffer_bytes": 100_000, "stanza_bytes": 60_000}}) as stage:
        await stage.account("luis")
        luis = await connects_narrowly(stage, tls=True)
        await luis.logs_in("luis")
        await luis.binds("slow")
        [connection] = stage.running.connections

        for _ in range(400):
            connection._send_later(b"<message><body>" + b"x" * 50_000 + b"</body></message>")
            connection._flush()

        await eventually(lambda: not stage.running.connections)


async def test_a_handshake_is_counted_from_its_first_byte(stage: Stage) -> None:
    port = stage.running.ports["c2s_tls"][0]

    _, writer = await asyncio.open_connection("127.0.0.1", port)

    await eventually(lambda: len(stage.running.reception.doorkeeper) == 1)
    writer.close()
    await eventually(lambda: len(stage.running.reception.doorkeeper) == 0)
