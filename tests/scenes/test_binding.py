"""RFC 6120, 7: a resource for each client."""

import asyncio

import pytest

from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import condition_of, eventually

BIND = "urn:ietf:params:xml:ns:xmpp-bind"


def request(resource: str) -> str:
    return f"<iq type='set' id='b'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>"


async def test_a_client_gets_the_resource_that_it_wants(stage: Stage) -> None:
    ana = await stage.logs_in("ana")

    await ana.sends(request("desk"))

    await ana.receives(
        f"<iq type='result' id='b'><bind xmlns='{BIND}'><jid>ana@localhost/desk</jid></bind></iq>"
    )


async def test_a_client_that_wants_none_gets_one_that_cannot_be_guessed(stage: Stage) -> None:
    given = set()
    for _ in range(2):
        ana = await stage.logs_in("ana")
        await ana.sends(f"<iq type='set' id='b'><bind xmlns='{BIND}'/></iq>")
        bound = await ana.receives(f"<iq type='result' id='b'><bind xmlns='{BIND}'><jid>…</jid></bind></iq>")
        given.add(bound.elements()[0].elements()[0].text)

    assert len(given) == 2
    assert all(len(jid) > len("ana@localhost/imserver-") + 8 for jid in given)


@pytest.mark.parametrize("resource", ["x" * 1024, "a\u0007b".replace("\u0007", "&#x7F;"), "&#xFFFD;\u2028"])
async def test_a_resource_that_cannot_be_is_refused_and_another_may_be_tried(
    stage: Stage, resource: str
) -> None:
    ana = await stage.logs_in("ana")

    await ana.sends(request(resource))

    await ana.receives(
        "<iq type='error' id='b'><error type='modify'>…"
        "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    await ana.binds("desk")


async def test_a_resource_is_normalised(stage: Stage) -> None:
    ana = await stage.logs_in("ana")

    await ana.binds("\u00e4\u0020\u0061\u0308")

    assert ana.jid == "ana@localhost/ä ä"


async def test_who_comes_later_takes_the_resource_over(stage: Stage) -> None:
    first = await stage.comes_online("ana", "desk")

    second = await stage.enters("ana", "desk")

    assert condition_of(await first.is_disconnected()) == "conflict"
    await second.receives_nothing()
    assert len(stage.server.sessions) == 1


async def test_many_at_once_leave_one(stage: Stage) -> None:
    actors = [await stage.logs_in("ana") for _ in range(8)]

    await asyncio.gather(*(actor.sends(request("desk")) for actor in actors))

    await eventually(lambda: len(stage.running.connections) == 1)
    [session] = stage.server.sessions
    assert session.is_connected


async def test_resources_of_one_account_live_side_by_side(stage: Stage) -> None:
    desk = await stage.enters("ana", "desk")
    phone = await stage.enters("ana", "phone")

    await desk.receives_nothing()
    await phone.receives_nothing()
    assert len(stage.server.sessions) == 2


@pytest.mark.settings(limits={"sessions_per_account": 2})
async def test_an_account_has_only_so_many_sessions(stage: Stage) -> None:
    first = await stage.enters("ana", "one")
    await stage.enters("ana", "two")
    third = await stage.logs_in("ana")

    await third.sends(request("three"))
    await third.receives(
        "<iq type='error' id='b'><error type='wait'>…"
        "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )

    await first.vanishes()
    await eventually(lambda: len(stage.server.sessions) == 1)
    await third.binds("three")


async def test_a_second_resource_on_one_stream_is_refused(ana: Actor) -> None:
    await ana.sends(request("other"))

    answer = await ana.hears()
    assert (answer.get("type"), answer.get("id")) == ("error", "b")


async def test_stanzas_must_wait_for_a_resource(stage: Stage) -> None:
    ana = await stage.logs_in("ana")

    await ana.sends("<presence/>")

    assert condition_of(await ana.is_disconnected()) == "not-authorized"


async def test_stanzas_may_follow_the_request_at_once(stage: Stage) -> None:
    ana = await stage.logs_in("ana")

    await ana.sends(
        request("desk") + "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
    )

    await ana.receives(f"<iq type='result' id='b'><bind xmlns='{BIND}'><jid>…</jid></bind></iq>")
    await ana.receives("<iq type='result' id='p' from='localhost' to='ana@localhost/desk'/>")


async def test_who_is_gone_before_the_answer_leaves_no_session(stage: Stage) -> None:
    ana = await stage.logs_in("ana")

    await ana.sends(request("desk"))
    await ana.vanishes()

    await eventually(lambda: not stage.running.connections)
    await stage.settles()
    assert len(stage.server.sessions) == 0
