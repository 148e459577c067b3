"""XEP-0205: what nobody may ask of us, and what becomes of those who do."""

import asyncio
import gc
import weakref

import pytest

from imserver.settings import Settings
from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import (
    condition_of,
    connects_narrowly,
    eventually,
    time_to_log_in_is_over,
    tries,
)


def change(stage: Stage, **limits: float) -> None:
    """Let the server take over other limits, as SIGHUP does."""
    old = stage.server.settings.model_dump()
    stage.running.adopt(Settings.model_validate(old | {"limits": old["limits"] | limits}))


def told_limit(actor: Actor) -> str:
    assert actor.features is not None
    limits = actor.features.child("limits", "urn:xmpp:stream-limits:0")
    assert limits is not None
    return limits.elements()[0].text


# Before login


@pytest.mark.settings(limits={"login_seconds": 0.3})
async def test_who_does_not_log_in_is_cut(stage: Stage) -> None:
    stranger = await stage.connects()

    assert condition_of(await stranger.is_disconnected()) == "connection-timeout"


@pytest.mark.settings(limits={"login_seconds": 0.3})
async def test_keeping_alive_is_no_way_to_stay(stage: Stage) -> None:
    stranger = await stage.connects()

    said = asyncio.create_task(stranger.is_disconnected())
    while not said.done():
        stranger._writer.write(b" ")
        await asyncio.sleep(0.02)

    assert condition_of(await said) == "connection-timeout"


async def test_who_has_only_opened_a_stream_is_cut_too(stage: Stage) -> None:
    stranger = await stage.connects()
    await stranger.opens_stream()

    time_to_log_in_is_over(stage)

    assert condition_of(await stranger.is_disconnected()) == "connection-timeout"


async def test_keeping_alive_is_not_answered(stage: Stage) -> None:
    stranger = await stage.connects()
    await stranger.opens_stream()

    await stranger.sends(b" \n" * 100 + b"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")

    assert (await stranger._reader.read(1)) == b"<"


async def test_who_has_logged_in_may_stay(stage: Stage) -> None:
    ana = await stage.enters("ana")

    time_to_log_in_is_over(stage)

    await ana.receives_nothing()


async def test_200_who_never_log_in_leave_nothing_behind(stage: Stage) -> None:
    # Prosody CVE-2026-43506, Openfire OF-2896: what is kept of them is memory that anybody can take from us.
    strangers = [await stage.connects() for _ in range(200)]
    for number, stranger in enumerate(strangers):
        if number % 2:
            await stranger.sends("<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='")
    await eventually(lambda: len(stage.running.connections) == 200)
    remembered = [weakref.ref(connection) for connection in stage.running.connections]

    time_to_log_in_is_over(stage)

    await eventually(lambda: not stage.running.connections)

    for stranger in strangers:
        await stranger.vanishes()
    await stage.settles()
    gc.collect()
    assert not [one for one in remembered if one() is not None]
    assert not len(stage.running.reception.doorkeeper)


@pytest.mark.settings(limits={"pre_auth_bytes": 8192})
async def test_who_has_not_logged_in_gets_8_kib(stage: Stage) -> None:
    stranger = await stage.connects()
    await stranger.opens_stream()
    assert told_limit(stranger) == "8192"

    await stranger.sends(
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{'A' * 8200}</auth>"
    )

    assert condition_of(await stranger.is_disconnected()) == "policy-violation"


async def test_who_has_not_logged_in_gets_32_elements(stage: Stage) -> None:
    stranger = await stage.connects()
    await stranger.opens_stream()

    await stranger.sends(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{'<a/>' * 32}</auth>")

    assert condition_of(await stranger.is_disconnected()) == "policy-violation"


# By address


@pytest.mark.settings(limits={"connections_per_address": 3})
async def test_an_address_has_only_so_many_connections(stage: Stage) -> None:
    first, *_ = [await stage.connects() for _ in range(3)]
    await first.opens_stream()

    refused = await stage.connects()
    with pytest.raises((EOFError, ConnectionError)):
        await refused.opens_stream()

    await first.vanishes()
    await eventually(lambda: len(stage.running.connections) == 2)
    await (await stage.connects()).opens_stream()


@pytest.mark.settings(limits={"failed_logins_per_address": 3})
async def test_an_address_may_fail_only_so_often(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.account("ana")
    stranger = await stage.connects()
    await stranger.opens_stream()
    for _ in range(3):
        assert (await tries(stranger, password="guess")).child("not-authorized")

    other = await stage.connects()
    await other.opens_stream()
    refused = await tries(other)

    assert refused.child("temporary-auth-failure"), "even with the right password, and on another connection"
    later = asyncio.get_running_loop().time() + stage.server.settings.limits.failed_login_seconds + 1
    monkeypatch.setattr(stage.running.reception.doorkeeper, "_now", lambda: later)
    assert (await tries(other)).name == "success"


# Readers and writers


@pytest.mark.settings(limits={"send_buffer_bytes": 300_000})
@pytest.mark.parametrize("tls", [False, True])
async def test_a_slow_reader_is_cut_and_the_others_go_on(stage: Stage, tls: bool) -> None:
    ana = await stage.comes_online("ana")
    await stage.account("luis")
    luis = await connects_narrowly(stage, tls=tls)
    await luis.logs_in("luis")
    await luis.binds("slow")
    connection = next(one for one in stage.running.connections if one.session and one.session.jid == luis.jid)
    most = 0

    body = "x" * 100_000
    for _ in range(200):
        await ana.sends(f"<message to='luis@localhost/slow' type='headline'><body>{body}</body></message>")
        await ana.swallows()
        if connection not in stage.running.connections:
            break
        most = max(most, connection._transport.get_write_buffer_size())

    await eventually(lambda: connection not in stage.running.connections)
    assert most <= 300_000
    assert any(entry["event"] == "reads too slowly" for entry in stage.log.entries)
    assert [session.jid for session in stage.server.sessions] == [ana.jid]
    await ana.receives_nothing()


async def test_a_client_that_sends_faster_than_it_is_served_is_held_up(stage: Stage) -> None:
    ana = await stage.comes_online("ana")
    luis = await stage.comes_online("luis")
    count = 1_500

    for number in range(count):
        ana._writer.write(
            f"<message to='luis@localhost' type='chat' id='{number}'><body>Hi</body></message>".encode()
        )

    heard = [(await luis.hears()).get("id") for _ in range(count)]
    assert heard == [str(number) for number in range(count)]


async def test_a_stanza_may_be_as_large_as_told(stage: Stage) -> None:
    ana = await stage.comes_online("ana")
    luis = await stage.comes_online("luis")
    around = f"<message from='{ana.jid}' to='{luis.jid}' type='headline'><body></body></message>"
    room = int(told_limit(ana)) - len(around)

    await ana.sends(around.replace("<body>", "<body>" + "x" * room))
    assert len((await luis.hears()).elements()[0].text) == room

    await ana.sends(around.replace("<body>", "<body>x" + "x" * room))
    assert condition_of(await ana.is_disconnected()) == "policy-violation"


# While it runs


async def test_limits_change_while_the_server_runs(stage: Stage) -> None:
    before = await stage.enters("ana", "before")

    change(stage, stanza_bytes=20_000)

    after = await stage.enters("ana", "after")
    assert (told_limit(before), told_limit(after)) == ("262144", "20000")
    big = f"<iq type='get' id='1' to='localhost'><a xmlns='u'>{'x' * 30_000}</a></iq>"
    assert (await before.asks(big)).get("type") == "error"
    await after.sends(big)
    assert condition_of(await after.is_disconnected()) == "policy-violation"


async def test_the_limit_by_address_changes_while_the_server_runs(stage: Stage) -> None:
    await stage.enters("ana")

    change(stage, connections_per_address=1)

    refused = await stage.connects()
    with pytest.raises((EOFError, ConnectionError)):
        await refused.opens_stream()
