"""XEP-0431: Full Text Search in MAM."""

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage

MAM = "urn:xmpp:mam:2"
FULL_TEXT = "urn:xmpp:fulltext:0"
FIELD = f"{{{FULL_TEXT}}}fulltext"


async def search(actor: Actor, words: str) -> tuple[list[str], Element]:
    """Look for words in one's own archive; return what was found, and the answer."""
    await actor.sends(
        f"<iq type='set' id='q'><query xmlns='{MAM}'><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE'><value>{MAM}</value></field>"
        f"<field var='{FIELD}'><value>{words}</value></field></x></query></iq>"
    )
    found = []
    while (got := await actor.hears()).name == "message":
        message = got.all("result", MAM)[0].elements()[0].elements()[-1]
        found += [body.text for body in message.all("body")]
    return found, got


async def talk(ana: Actor, luis: Actor) -> None:
    for text in ("Where is the parcel?", "A parcel for Luís", "Tomorrow!"):
        await ana.sends(f"<message to='luis@localhost' type='chat'><body>{text}</body></message>")
    await luis.swallows()


async def test_what_was_said_a_moment_ago_is_found(stage: Stage, ana: Actor, luis: Actor) -> None:
    await talk(ana, luis)

    assert (await search(luis, "parcel"))[0] == ["Where is the parcel?", "A parcel for Luís"]
    assert (await search(ana, "LUIS parcel"))[0] == ["A parcel for Luís"]
    assert (await search(ana, "tom*"))[0] == ["Tomorrow!"]


@pytest.mark.parametrize("words", ["nowhere", "?!"])
async def test_what_is_not_there_is_an_empty_page(stage: Stage, ana: Actor, luis: Actor, words: str) -> None:
    await talk(ana, luis)

    found, answer = await search(ana, words)

    assert found == []
    assert answer.all("fin", MAM)[0].get("complete") == "true"


async def test_clients_can_see_that_it_is_there(stage: Stage, ana: Actor) -> None:
    form = await ana.asks(f"<iq type='get' id='f'><query xmlns='{MAM}'/></iq>")
    info = await ana.asks(
        "<iq type='get' id='i' to='ana@localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )

    assert FIELD in str(form)
    assert f"var='{FULL_TEXT}'" in str(info)


@pytest.mark.settings(archive={"search": False})
async def test_it_can_be_switched_off(stage: Stage, ana: Actor, luis: Actor) -> None:
    await talk(ana, luis)

    _, answer = await search(ana, "parcel")
    form = await ana.asks(f"<iq type='get' id='f'><query xmlns='{MAM}'/></iq>")

    assert answer.get("type") == "error"
    assert "feature-not-implemented" in str(answer)
    assert FIELD not in str(form)
