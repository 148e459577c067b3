"""What a widget learns of a queue before anybody writes, and what visitors fill in (XEP-0004)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from imserver.xmpp.element import Element
from tests.plugins.web.visitors import NAMESPACE, QUEUE, VisitorActor, WebStage, web_on_stage
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import SUPPORT, accepts, bodies, says
from tests.scenes.test_http_upload import Http

HOURS = SUPPORT + 'timezone = "UTC"\nhours = { monday = ["09:00-13:00"] }\n'
PAGE = {
    "form": [
        {"name": "name", "label": {"en": "Your name", "es": "Su nombre"}, "required": True},
        {"name": "topic", "label": "Topic", "type": "list-single", "options": ["Card", "Loan"]},
        {"name": "terms", "label": "Terms read", "type": "boolean"},
    ],
    "survey": [
        {"name": "stars", "label": "Stars", "type": "list-single", "options": ["1", "5"], "required": True}
    ],
    "theme": {"accent": "#0a6"},
}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebStage]:
    async with web_on_stage(
        tmp_path, {"queues": {"support": PAGE}}, desk=HOURS, plugins=("display_name",)
    ) as one:
        await one.stage.is_at("2026-11-23T10:00+00:00")
        yield one


@pytest.fixture
async def ana(web: WebStage) -> Actor:
    return await web.stage.comes_online("ana")


@pytest.fixture
async def mia(web: WebStage) -> VisitorActor:
    return await web.enters()


async def queue(visitor: VisitorActor, lang: str = "en") -> Element:
    answer = await visitor.asks(
        f"<iq xmlns='jabber:client' type='get' id='q' to='{QUEUE}' xml:lang='{lang}'><queue xmlns='{NAMESPACE}'/></iq>"
    )
    assert answer.get("type") == "result", answer
    return answer.elements()[0]


def submission(kind: str, **fields: str) -> str:
    written = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in fields.items())
    return (
        f"<message to='{QUEUE}' type='chat' id='f1'><body>fallback</body><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE' type='hidden'><value>{NAMESPACE}#{kind}</value></field>{written}</x></message>"
    )


def condition(got: Element) -> str:
    error = got.child("error", "jabber:client")
    return error.elements()[0].name if error is not None else ""


async def test_a_queue_describes_itself(mia: VisitorActor) -> None:
    described = await queue(mia, "es")

    assert (described.get("name"), described.get("title"), described.get("open")) == (
        "support",
        "Support",
        "true",
    )
    assert {"en", "es", "pt"} <= {one.text for one in described.all("language")}
    assert {one.get("name"): one.text for one in described.all("text")}[
        "welcome"
    ] == "Le damos la bienvenida a Support."
    forms = {one.get("kind"): one.elements()[0] for one in described.all("form")}
    assert set(forms) == {"form", "survey"}
    assert [one.get("label") for one in forms["form"].all("field")] == [
        "",
        "Su nombre",
        "Topic",
        "Terms read",
    ]
    assert [(one.get("name"), one.text) for one in described.all("theme")] == [("accent", "#0a6")]


async def test_a_queue_that_is_closed_says_when_it_opens(web: WebStage, mia: VisitorActor) -> None:
    await web.stage.is_at("2026-11-24T10:00+00:00")

    described = await queue(mia)

    assert (described.get("open"), described.get("opens")) == ("false", "2026-11-30T09:00:00.000000Z")
    await mia.sends(f"<presence to='{QUEUE}'/>")
    await mia.receives(
        f"<presence from='{QUEUE}' to='{mia.jid}'><show>xa</show><status>Support</status></presence>"
    )


async def test_agents_read_what_was_filled_in(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    await mia.sends(submission("form", name="Mia", topic="Card", terms="true"))
    await mia.swallows()
    await web.stage.settles()
    await accepts(web.stage, ana)

    assert "Your name: Mia\nTopic: Card\nTerms read: ✓" in bodies(await ana.swallows())
    client = await web.stage.desk.clients.find(mia.jid.bare)
    assert client is not None
    assert client.name.startswith("“Mia”")


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        (submission("form", topic="Card"), "bad-request"),
        (submission("form", name="Mia", topic="Other"), "bad-request"),
        (submission("leave_message", name="Mia"), "not-acceptable"),
        (submission("other", name="Mia"), "not-acceptable"),
        (submission("form", name="x" * 4_000 + "\n" * 10), ""),
    ],
    ids=["missing", "not offered", "not asked", "unknown", "long"],
)
async def test_what_does_not_fit_the_form_is_refused(
    web: WebStage, mia: VisitorActor, sent: str, refusal: str
) -> None:
    await mia.sends(sent)

    errors = [condition(one) for one in await mia.swallows() if one.get("type") == "error"]
    assert errors == ([refusal] if refusal else [])
    assert bool(web.stage.desk.floor.conversations) == (not refusal)


async def test_a_survey_opens_no_conversation_and_is_kept(
    web: WebStage, ana: Actor, mia: VisitorActor
) -> None:
    client = await web.attends(ana, mia)
    await says(ana, client, "!close")
    await web.stage.settles()
    await mia.swallows()

    await mia.sends(submission("survey", stars="5"))
    await mia.swallows()
    await web.stage.settles()

    assert [one.is_open for one in web.stage.desk.floor.conversations.values()] == [False]
    page = await web.server.store.archive.page(client, limit=10)
    assert b"Stars: 5" in page.rows[-1].stanza


async def test_files_go_both_ways(tmp_path: Path) -> None:
    async with (
        web_on_stage(tmp_path) as web,
        aiohttp.ClientSession() as client,
    ):
        mia = await web.enters()
        items = await mia.asks(
            "<iq xmlns='jabber:client' type='get' id='i' to='web.localhost'>"
            "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
        )
        assert [one.get("jid") for one in items.elements()[0].elements()] == ["upload.localhost"]
        answer = await mia.asks(
            "<iq xmlns='jabber:client' type='get' id='u' to='upload.localhost'>"
            "<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='3' content-type='image/png'/></iq>"
        )
        assert answer.get("type") == "result", answer
        url = answer.elements()[0].elements()[0].get("url")
        status, _, _ = await Http(web.stage, client)("PUT", url, b"abc", {"Content-Type": "image/png"})
        assert status == 201
        assert [one.owner for one in await web.server.store.uploads.owned_by(mia.jid.bare)] == [
            str(mia.jid.bare)
        ]


async def test_an_address_fills_no_disk(tmp_path: Path) -> None:
    async with web_on_stage(tmp_path, {"upload_bytes_per_hour_and_address": 10}) as web:
        answers = []
        for _ in range(3):
            visitor = await web.enters()
            answers.append(
                await visitor.asks(
                    "<iq xmlns='jabber:client' type='get' id='u' to='upload.localhost'>"
                    "<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='5'/></iq>"
                )
            )

        assert [condition(one) for one in answers] == ["", "", "resource-constraint"]


async def test_a_survey_long_after_opens_nothing_either(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)
    await says(ana, client, "!close")
    await web.stage.settles()
    await web.stage.passes(100_000)
    await mia.swallows()

    await mia.sends(submission("survey", stars="5"))

    assert "item-not-found" in [condition(one) for one in await mia.swallows()]
    assert not [one for one in web.stage.desk.floor.conversations.values() if one.is_open]
