"""A visitor who comes back reads what was said with a queue, as they saw it (XEP-0313)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.xmpp.element import Element
from tests.plugins.web.visitors import QUEUE, VisitorActor, WebStage, web_on_stage
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import SUPPORT, accepts, says

SEVERAL = SUPPORT + '[queues.sales]\nmembers = ["eva@localhost"]\n'
SALES = "sales@desk.localhost"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebStage]:
    async with web_on_stage(tmp_path, desk=SEVERAL) as one:
        yield one


@pytest.fixture
async def ana(web: WebStage) -> Actor:
    return await web.stage.comes_online("ana", "7SECRET")


@pytest.fixture
async def mia(web: WebStage) -> VisitorActor:
    return await web.enters()


def form(**fields: str) -> str:
    written = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in fields.items())
    kind = "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"
    return f"<x xmlns='jabber:x:data' type='submit'>{kind}{written}</x>"


async def reads(
    visitor: VisitorActor, page: str = "", *, to: str = "", **fields: str
) -> tuple[list[tuple[str, str, str]], Element]:
    """Read a page: who wrote what to whom."""
    address = f" to='{to}'" if to else ""
    paging = f"<set xmlns='http://jabber.org/protocol/rsm'>{page}</set>" if page else ""
    await visitor.sends(
        f"<iq xmlns='jabber:client' type='set' id='h'{address}><query xmlns='urn:xmpp:mam:2'>"
        f"{form(**fields) if fields else ''}{paging}</query></iq>"
    )
    found: list[tuple[str, str, str]] = []
    while (got := await visitor.hears()).name != "iq":
        result = got.child("result", "urn:xmpp:mam:2")
        if result is None:
            continue
        message = result.elements()[0].elements()[1]
        body = message.child("body", "jabber:client")
        found.append((message.get("from"), message.get("to"), body.text if body is not None else ""))
    return found, got


async def test_both_sides_are_there_and_nobody_is_named(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = str(await web.attends(ana, mia, "one"))
    await says(ana, client, "two")
    await says(ana, client, "!note difficult")
    await mia.says("three")
    await web.stage.settles()
    await mia.swallows()
    mia.frames.clear()

    said, fin = await reads(mia)

    assert said == [(client, QUEUE, "one"), (QUEUE, client, "two"), (client, QUEUE, "three")]
    assert fin.elements()[0].get("complete") == "true"
    assert not [frame for frame in mia.frames if "ana" in frame or "7SECRET" in frame or "difficult" in frame]


async def test_who_returns_catches_up(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = str(await web.attends(ana, mia, "one"))
    await says(ana, client, "two")
    [answer] = [one for one in await mia.swallows() if one.name == "message"]
    mark = answer.child("stanza-id", "urn:xmpp:sid:0")
    assert mark is not None
    token = await mia.gets_token()
    await web.stage.loses(mia)
    await says(ana, client, "three")
    await web.stage.settles()

    again = await web.enters(token)
    said, _ = await reads(again, f"<after>{mark.get('id')}</after>")

    assert said == [(QUEUE, client, "three")]


async def test_a_page_has_as_many_as_were_asked_for(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia, "0")
    for number in range(1, 6):
        await says(ana, client, str(number))
    await web.stage.settles()
    await mia.swallows()

    newest, fin = await reads(mia, "<max>2</max><before/>")
    assert [text for _, _, text in newest] == ["4", "5"]
    first = fin.elements()[0].elements()[0].elements()[0].text
    older, _ = await reads(mia, f"<max>2</max><before>{first}</before>")
    assert [text for _, _, text in older] == ["2", "3"]


async def test_each_queue_has_its_own(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    eva = await web.stage.comes_online("eva")
    client = await web.attends(ana, mia, "help")
    await says(ana, client, "helping")
    await mia.says("sell me", to=SALES)
    await web.stage.settles()
    await accepts(web.stage, eva)
    await says(eva, f"{client}", "selling")
    await web.stage.settles()
    await mia.swallows()

    support, _ = await reads(mia, **{"with": QUEUE})
    sales, _ = await reads(mia, **{"with": SALES})

    assert [text for _, _, text in support] == ["help", "helping"]
    assert [text for _, _, text in sales] == ["sell me", "selling"]
    assert (await reads(mia, **{"with": "ana@localhost"}))[0] == []


async def test_nobody_reads_what_others_said(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = str(await web.attends(ana, mia, "mine"))
    tom = await web.enters()

    assert (await reads(tom))[0] == []
    said, answer = await reads(tom, to=client)
    assert (said, answer.get("type")) == ([], "error")


async def test_words_are_not_looked_for(web: WebStage, mia: VisitorActor) -> None:
    answer = await mia.asks(
        "<iq xmlns='jabber:client' type='set' id='h'><query xmlns='urn:xmpp:mam:2'>"
        + form(**{"{urn:xmpp:fulltext:0}fulltext": "ana"})
        + "</query></iq>"
    )

    assert answer.get("type") == "error"


async def test_what_waits_for_an_agent_is_there_too(mia: VisitorActor) -> None:
    await mia.says("anybody?")
    await mia.swallows()

    assert (await reads(mia))[0] == [(str(mia.jid.bare), QUEUE, "anybody?")]
