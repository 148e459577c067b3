"""What a connection does with a stream's events, in the order in which they came."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.net.connection import ANSWER_TIME, SILENCE, Connection
from tests.scenes.actors import Actor, Stage, staged
from tests.scenes.doors import condition_of, eventually

SM = "urn:xmpp:sm:3"
PING = "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
PONG = "<iq type='result' id='p' from='localhost' to='ana@localhost/stage'/>"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, {}) as one:
        yield one


@pytest.fixture
async def ana(stage: Stage) -> Actor:
    return await stage.comes_online("ana")


@pytest.fixture
def connection(stage: Stage, ana: Actor) -> Connection:
    """Ana's."""
    [one] = stage.running.connections
    return one


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


# Order


async def test_management_begins_before_what_comes_after_it_is_answered(ana: Actor) -> None:
    # Off by one here is a duplicate at every resumption.
    await ana.sends(f"<enable xmlns='{SM}'/>{PING}<r xmlns='{SM}'/>")

    await ana.receives(f"<enabled xmlns='{SM}'/>")
    await ana.receives(PONG)
    await ana.receives(f"<a xmlns='{SM}' h='1'/>")


async def test_what_came_before_management_is_not_counted(ana: Actor) -> None:
    message = "<message to='ana@localhost/none' type='chat' id='m'><body>Hi</body></message>"

    await ana.sends(f"{message}{message}<enable xmlns='{SM}'/><r xmlns='{SM}'/>")

    said = await ana.swallows()
    assert [one.get("h") for one in said if one.name == "a"] == ["0"]


async def test_an_answer_to_r_waits_for_what_came_before_it(ana: Actor) -> None:
    message = "<message to='ana@localhost' type='chat' id='m'><body>Hi</body></message>"

    await ana.sends(f"<enable xmlns='{SM}'/>{message}<r xmlns='{SM}'/>")

    said = await ana.swallows()
    assert [one.name for one in said if one.name != "r"] == ["enabled", "message", "a"]
    assert said[-1].get("h") == "1" or said[-2].get("h") == "1"


async def test_management_is_enabled_once(ana: Actor) -> None:
    await ana.sends(f"<enable xmlns='{SM}'/><enable xmlns='{SM}'/>{PING}")

    await ana.receives(f"<enabled xmlns='{SM}'/>")
    await ana.receives(
        f"<failed xmlns='{SM}'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    )
    await ana.receives(PONG)


@pytest.mark.parametrize(
    "last",
    [
        f"<r xmlns='{SM}'/>",
        f"<a xmlns='{SM}' h='0'/>",
        f"<enable xmlns='{SM}'/>",
        "<active xmlns='urn:xmpp:csi:0'/>",
    ],
)
async def test_what_comes_with_the_end_does_no_harm(stage: Stage, ana: Actor, last: str) -> None:
    message = "<message to='ana@localhost' type='chat'><body>Hi</body></message>"

    await ana.sends(f"{message}{last}</stream:stream>{last}")

    assert condition_of(await ana.is_disconnected()) == ""
    await eventually(lambda: not stage.running.connections)
    await stage.settles()
    assert not [entry for entry in stage.log.entries if entry["log_level"] == "error"]


async def test_a_count_that_is_too_high_ends_the_stream(ana: Actor) -> None:
    await ana.sends(f"<enable xmlns='{SM}'/><a xmlns='{SM}' h='5'/><r xmlns='{SM}'/>")

    said = await ana.is_disconnected()

    assert condition_of(said) == "undefined-condition"
    [error] = [one for one in said if one.name == "error"]
    assert error.child("handled-count-too-high", SM)


# Silence


async def test_a_silent_client_is_asked_whether_it_is_there(ana: Actor, connection: Connection) -> None:
    connection.check(connection.last_heard + SILENCE - 1)
    await ana.receives_nothing()

    connection.check(later(SILENCE + 1))

    await ana.receives(
        "<iq type='get' from='localhost' to='ana@localhost/stage'><ping xmlns='urn:xmpp:ping'/></iq>"
    )


async def test_who_answers_stays(ana: Actor, connection: Connection) -> None:
    connection.check(later(SILENCE + 1))
    asked = await ana.hears()

    await ana.sends(f"<iq type='result' to='localhost' id='{asked.get('id')}'/>")

    await ana.swallows()
    connection.check(later(ANSWER_TIME + 1))
    await ana.receives_nothing()


async def test_who_does_not_answer_is_gone(stage: Stage, ana: Actor, connection: Connection) -> None:
    asked = later(SILENCE + 1)
    connection.check(asked)
    await ana.hears()

    connection.check(asked + ANSWER_TIME - 1)
    assert connection in stage.running.connections
    connection.check(asked + ANSWER_TIME + 1)

    assert await ana.is_disconnected() == []
    await eventually(lambda: len(stage.server.sessions) == 0)


async def test_who_counts_is_asked_for_its_count(ana: Actor, connection: Connection) -> None:
    await ana.sends(f"<enable xmlns='{SM}'/>{PING}")
    await ana.receives(f"<enabled xmlns='{SM}'/>")
    await ana.receives(PONG)

    connection.check(later(0))
    await ana.receives(f"<r xmlns='{SM}'/>")

    await ana.sends(f"<a xmlns='{SM}' h='1'/>")
    await ana.receives_nothing()


# Failures of our own


async def test_a_failure_of_ours_ends_the_stream_and_is_in_the_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(jid: object) -> None:
        raise OSError("the disk is on fire")

    monkeypatch.setattr(stage.server.store.accounts, "credentials", breaks)
    stranger = await stage.connects()
    await stranger.opens_stream()

    await stranger.sends(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>biwsbj1hbmEscj0x</auth>"
    )

    assert condition_of(await stranger.is_disconnected()) == "internal-server-error"
    assert any(entry["log_level"] == "error" for entry in stage.log.entries)
    assert not any("fire" in str(one) for one in stranger._arrived)


async def test_who_is_cut_while_it_binds_leaves_no_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await stage.logs_in("ana")
    [connection] = stage.running.connections
    await ana.sends("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")

    connection._too_late()

    assert condition_of(await ana.is_disconnected()) in ("connection-timeout", "")
    await eventually(lambda: not stage.running.connections)
    await stage.settles()
    assert len(stage.server.sessions) == 0
