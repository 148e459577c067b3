"""XEP-0115, as clients see it."""

from imserver.features.caps import verification
from tests.scenes.actors import Actor, Stage

CAPS = "http://jabber.org/protocol/caps"
INFO = "http://jabber.org/protocol/disco#info"


async def test_the_stream_names_what_the_server_can_do_by_a_hash_that_fits(stage: Stage) -> None:
    ana = await stage.logs_in("ana")
    assert ana.features is not None
    told = ana.features.child("c", CAPS)
    assert told is not None
    node = f"{told.get('node')}#{told.get('ver')}"
    await ana.binds("stage")

    answer = await ana.asks(
        f"<iq type='get' id='1' to='localhost'><query xmlns='{INFO}' node='{node}'/></iq>"
    )

    query = answer.child("query", INFO)
    assert query is not None
    assert query.get("node") == node
    assert told.get("hash") == "sha-1"
    assert verification(query) == told.get("ver")


async def test_another_hash_is_not_found(ana: Actor) -> None:
    answer = await ana.asks(
        f"<iq type='get' id='1' to='localhost'><query xmlns='{INFO}' node='urn:imserver#AAAA'/></iq>"
    )

    assert "<item-not-found " in str(answer)


async def test_the_server_says_that_it_has_capabilities(ana: Actor) -> None:
    answer = await ana.asks(f"<iq type='get' id='1' to='localhost'><query xmlns='{INFO}'/></iq>")

    assert f"<feature var='{CAPS}'/>" in str(answer)
