"""XEP-0012, as clients see it."""

from datetime import UTC, datetime, timedelta

import pytest

from imserver.storage.lasts import Last
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage

ASK = "<iq type='get' id='last'{to}><query xmlns='jabber:iq:last'/></iq>"


async def asks(actor: Actor, to: str) -> Element:
    return await actor.asks(ASK.format(to=f" to='{to}'" if to else ""))


async def test_the_server_says_how_long_it_is_up(ana: Actor) -> None:
    await ana.sends(ASK.format(to=" to='localhost'"))

    answer = await ana.receives(
        "<iq type='result' id='last' from='localhost' to='ana@localhost/stage'>"
        "<query xmlns='jabber:iq:last' seconds='…'/></iq>"
    )
    assert 0 <= int(answer.elements()[0].get("seconds")) < 60


async def test_a_contact_learns_when_somebody_left_and_what_they_said(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await stage.server.store.lasts.put("luis@localhost", Last(yesterday, "to lunch"))
    ana = await stage.comes_online("ana")

    await ana.sends(ASK.format(to=" to='luis@localhost'"))

    answer = await ana.receives(
        "<iq type='result' id='last' from='luis@localhost' to='ana@localhost/stage'>"
        "<query xmlns='jabber:iq:last' seconds='…'>to lunch</query></iq>"
    )
    assert 86_400 <= int(answer.elements()[0].get("seconds")) < 86_460


async def test_who_says_goodbye_is_remembered(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
    await luis.sends("<presence type='unavailable'><status>Home</status></presence>")
    await luis.swallows()

    answer = await asks(ana, "luis@localhost")

    assert (answer.elements()[0].get("seconds"), answer.elements()[0].text) == ("0", "Home")
    await stage.settles()
    last = await stage.server.store.lasts.get("luis@localhost")
    assert last is not None
    assert last.status == "Home"


async def test_who_loses_the_connection_is_remembered_too(stage: Stage) -> None:
    phone = await stage.comes_online("luis", "phone")
    desk = await stage.comes_online("luis", "desk")

    await phone.vanishes()
    await desk.receives("<presence type='unavailable' from='luis@localhost/phone' to='luis@localhost/desk'/>")
    await stage.settles()
    assert await stage.server.store.lasts.get("luis@localhost") is None

    await desk.sends("</stream:stream>")
    await desk.is_disconnected()
    await stage.settles()
    assert await stage.server.store.lasts.get("luis@localhost") is not None


async def test_who_is_online_was_here_just_now(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    await stage.server.store.lasts.put("luis@localhost", Last(datetime(2020, 1, 1, tzinfo=UTC)))
    ana, _ = await stage.comes_online("ana"), await stage.comes_online("luis")

    answer = await asks(ana, "luis@localhost")

    assert answer.elements()[0].get("seconds") == "0"


@pytest.mark.parametrize("to", ["luis@localhost", "nobody@localhost"])
async def test_strangers_learn_nothing_not_even_whether_the_account_exists(stage: Stage, to: str) -> None:
    ana, _ = await stage.comes_online("ana"), await stage.comes_online("luis")

    answer = await asks(ana, to)

    error = answer.child("error")
    assert error is not None
    assert error.child("forbidden", "urn:ietf:params:xml:ns:xmpp-stanzas") is not None


@pytest.mark.parametrize("to", ["", "ana@localhost"])
async def test_everybody_may_ask_about_themselves(ana: Actor, to: str) -> None:
    answer = await asks(ana, to)

    assert answer.elements()[0].get("seconds") == "0"


async def test_who_has_never_been_here_has_no_last_time(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana = await stage.comes_online("ana")

    assert "item-not-found" in str(await asks(ana, "luis@localhost"))


async def test_a_contact_asks_a_client_itself(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")
    await luis.swallows()

    await ana.sends(ASK.format(to=" to='luis@localhost/stage'"))

    await luis.receives(
        "<iq type='get' id='last' from='ana@localhost/stage' to='luis@localhost/stage'>"
        "<query xmlns='jabber:iq:last'/></iq>"
    )
