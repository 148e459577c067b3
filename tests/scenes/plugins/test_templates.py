"""Templates: sent by an agent from any client, read by the client as if they had been typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import PATIENCE, Actor
from tests.scenes.desk.conftest import SUPPORT, DeskStage, attends, bodies, on_stage, says
from tests.scenes.test_http_upload import Http

QUEUE = "support@desk.localhost"
NS = "urn:imserver:templates:0"
AD_HOC = "http://jabber.org/protocol/commands"
NODE = "urn:imserver:desk:command:t"
CARBONS = "<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>"

TEMPLATES = {
    "hello.md": "+++\ntitle = 'Greeting'\n+++\nHello, this is {{ queue.title }}.",
    "hello.es.md": "+++\ntitle = 'Saludo'\n+++\nHola, somos {{ queue.title }}.",
    "order.md": """+++
title = "Where an order is"
[variables.number]
description = "the number of the order"
[variables.day]
default = "tomorrow"
+++
Order {{ number }} comes {{ day }}. {{ extra }}
""",
    "command.md": "!close is what I type\n!!twice",
    "closed.md": "+++\nwhen = 'not queue.is_open'\n+++\nWe are closed.",
    "sales.md": "+++\nqueues = ['sales']\n+++\nBuy!",
    "prices.md": "+++\nfile = 'price list.pdf'\n+++\nOur prices.",
    "broken.md": "Hello\n{{ client.nme }}",
}
PRICES = b"%PDF-1.4 prices"


class TemplateStage:
    """A desk with templates."""

    def __init__(self, stage: DeskStage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder

    async def reads_again(self) -> None:
        """Wait until the plugin has looked at the folder."""
        seen = len(self.readings)
        async with asyncio.timeout(PATIENCE):
            while len(self.readings) == seen:
                await asyncio.sleep(0.05)

    @property
    def readings(self) -> list[Any]:
        return [entry for entry in self.stage.log.entries if entry["event"] == "read the templates"]

    @property
    def problems(self) -> list[str]:
        return [
            f"{entry['file']}:{entry['line']}: {entry['reason']}"
            for entry in self.stage.log.entries
            if entry["event"] == "a template can't be used"
        ]


@asynccontextmanager
async def with_templates(folder: Path, *others: Path) -> AsyncIterator[TemplateStage]:
    templates = folder / "templates"
    templates.mkdir()
    for name, written in TEMPLATES.items():
        (templates / name).write_text(written)
    (templates / "price list.pdf").write_bytes(PRICES)
    (folder / "desk.toml").write_text(SUPPORT)
    plugins = {
        "enabled": ["templates"],
        "paths": [str(file) for file in others],
        "templates": {"folder": str(templates)},
    }
    async with on_stage(folder, folder / "desk.toml", {"plugins": plugins}) as stage:
        yield TemplateStage(stage, templates)


@pytest.fixture
async def templates(tmp_path: Path) -> AsyncIterator[TemplateStage]:
    async with with_templates(tmp_path) as one:
        yield one


@pytest.fixture
async def stage(templates: TemplateStage) -> DeskStage:
    return templates.stage


@pytest.fixture
async def ana(stage: DeskStage) -> Actor:
    return await stage.comes_online("ana")


@pytest.fixture
async def luis(stage: DeskStage) -> Actor:
    return await stage.comes_online("luis")


async def types(agent: Actor, client: str, text: str) -> list[str]:
    """Type something, and read what comes of it."""
    await says(agent, client, text)
    return bodies(await agent.swallows())


def carbons(received: list[Element]) -> list[Element]:
    """Unwrap the copies of what one's account has sent."""
    found = []
    for one in received:
        sent = one.child("sent", "urn:xmpp:carbons:2")
        forwarded = sent.child("forwarded", "urn:xmpp:forward:0") if sent is not None else None
        message = forwarded.child("message", "jabber:client") if forwarded is not None else None
        if message is not None:
            found.append(message)
    return found


async def history(actor: Actor, peer: str) -> list[Element]:
    """Read one's own archive."""
    await actor.sends(
        "<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>"
        "<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
        f"<field var='with'><value>{peer}</value></field></x></query></iq>"
    )
    found = []
    for one in await actor.swallows():
        result = one.child("result", "urn:xmpp:mam:2")
        forwarded = result.child("forwarded", "urn:xmpp:forward:0") if result is not None else None
        message = forwarded.child("message", "jabber:client") if forwarded is not None else None
        if message is not None:
            found.append(message)
    return found


# What is typed


async def test_the_client_reads_it_as_if_it_had_been_typed(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    answer = await types(ana, client, "!t hello")

    assert answer == ["Sent: Hello, this is Support."]  # this device has no carbons
    await luis.receives(
        f"<message from='{QUEUE}' to='{luis}' type='chat'><body>Hello, this is Support.</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>…</message>"
    )


async def test_all_devices_of_the_agent_see_it_as_sent(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    phone = await stage.comes_online("ana", "phone", priority=-1)
    for device in (ana, phone):
        await device.asks(CARBONS)

    await says(ana, client, "!t hello")

    received = await ana.swallows()
    assert bodies(received) == ["Sent."]
    for copies in (carbons(received), carbons(await phone.swallows())):
        said = [one for one in copies if bodies([one]) == ["Hello, this is Support."]]
        assert len(said) == 1
        assert said[0].get("from") == "ana@localhost"
        assert said[0].get("to") == client


async def test_it_is_on_record_for_both(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!t command")
    await ana.swallows()
    await luis.swallows()

    text = "!close is what I type\n!!twice"
    assert bodies(await history(luis, QUEUE))[-1] == text
    assert bodies(await history(ana, client))[-1] == text
    transcript, _ = await types(ana, client, "!history")
    assert transcript.endswith(f"ana: {text}")


async def test_a_prefix_in_a_template_is_said(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    await says(ana, client, "!t command")

    assert bodies(await luis.swallows()) == ["!close is what I type\n!!twice"]


async def test_values_are_filled_in(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    await says(ana, client, '!t ORDER number=4711 extra="!done {{ client.name }} &lt;b>"')

    assert bodies(await luis.swallows()) == ["Order 4711 comes tomorrow. !done {{ client.name }} <b>"]


async def test_what_is_missing_is_named_and_nothing_is_sent(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)

    assert await types(ana, client, "!t order day=today") == [
        "Nothing was sent: order needs number (the number of the order), extra."
        " Write !t order number=… extra=…"
    ]
    assert await types(ana, client, "!t order nmber=1") == [
        "Nothing was sent: order has no nmber; it has number, day, extra."
    ]
    assert await types(ana, client, "!t helo") == [
        "There is no template helo for this chat. Did you mean hello? Nothing was sent."
    ]
    assert await types(ana, client, "!t xyzzy") == [
        "There is no template xyzzy for this chat. !templates lists them all. Nothing was sent."
    ]
    assert not bodies(await luis.swallows())


async def test_only_what_applies_is_listed(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    assert (await types(ana, client, "!templates"))[0].splitlines() == [
        "command",
        "hello: Greeting",
        "order number=… extra=…: Where an order is",
        "prices",
    ]
    assert await types(ana, client, "!templates where order") == ["order number=… extra=…: Where an order is"]
    assert "There is no template sales" in (await types(ana, client, "!t sales"))[0]

    await stage.sets(SUPPORT + 'holidays = ["01-01"]\n')
    await stage.is_at("2027-01-01T12:00+00:00")
    await ana.swallows()
    assert "closed" in (await types(ana, client, "!templates"))[0].splitlines()


async def test_the_clients_language_is_taken(stage: DeskStage, ana: Actor) -> None:
    luis = await stage.begins_work("luis", lang="es-MX")
    await luis.swallows()
    client = await attends(stage, ana, luis)

    await says(ana, client, "!t hello")

    assert bodies(await luis.swallows()) == ["Hola, somos Support."]


async def test_it_counts_as_an_answer(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    (conversation,) = stage.desk.floor.conversations.values()

    await stage.passes(10)
    await says(ana, client, "!t hello")
    await stage.settles()

    assert conversation.answered == stage.time
    assert conversation.unanswered_since is None


async def test_a_colleague_in_the_conversation_sees_it(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")
    await types(ana, client, "!invite eva")
    await eva.swallows()

    await says(ana, client, "!t hello")

    assert bodies(await eva.swallows()) == ["ana: Hello, this is Support."]
    assert bodies(await luis.swallows())[-1] == "Hello, this is Support."


async def test_receipts_and_errors_are_bound_to_it(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await ana.asks(CARBONS)
    await says(ana, client, "!t hello")
    (copy,) = carbons(await ana.swallows())[-1:]
    (message,) = [one for one in await luis.swallows() if bodies([one])]
    assert message.get("id") == copy.get("id")

    await luis.sends(
        f"<message to='{QUEUE}' id='r'><received xmlns='urn:xmpp:receipts' id='{copy.get('id')}'/></message>"
        f"<message to='{QUEUE}' type='error' id='{copy.get('id')}'>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )

    await luis.swallows()
    receipt, error = (one for one in await ana.swallows() if one.name == "message")
    assert receipt.child("received", "urn:xmpp:receipts") is not None
    assert (error.get("type"), error.get("id")) == ("error", copy.get("id"))


async def test_a_device_without_copies_is_told_too_that_it_failed(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!t hello")
    await ana.swallows()
    (message,) = [one for one in await luis.swallows() if bodies([one])]

    await luis.sends(
        f"<message to='{QUEUE}' type='error' id='{message.get('id')}'>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )

    await luis.swallows()
    (error,) = (one for one in await ana.swallows() if one.name == "message")
    assert (error.get("type"), error.get("id")) == ("error", message.get("id"))


async def test_nothing_is_sent_when_it_is_over(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await stage.sets(SUPPORT + "wrap_up_seconds = 60\n")
    client = await attends(stage, ana, luis)
    await types(ana, client, "!close")
    await luis.swallows()

    assert await types(ana, client, "!t hello") == ["This conversation is over."]
    assert not bodies(await luis.swallows())


# Files


async def test_a_file_goes_first_and_can_be_had(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    await says(ana, client, "!t prices")
    await says(ana, client, "!t prices")

    messages = [one for one in await luis.swallows() if bodies([one])]
    url, text, again, _ = bodies(messages)
    assert text == "Our prices."
    assert again == url  # the same file, put there once
    oob = messages[0].child("x", "jabber:x:oob")
    assert oob is not None
    assert [one.text for one in oob.elements()] == [url]
    shared = messages[0].child("file-sharing", "urn:xmpp:sfs:0")
    assert shared is not None
    assert "<name>price list.pdf</name>" in str(shared)
    async with aiohttp.ClientSession() as session:
        status, headers, content = await Http(stage, session)("GET", url)
    assert (status, content) == (200, PRICES)
    assert headers["Content-Type"] == "application/pdf"


async def test_a_file_that_has_gone_refuses_to_be_sent(
    templates: TemplateStage, stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    (templates.folder / "price list.pdf").unlink()

    (answer,) = await types(ana, client, "!t prices")

    assert answer in (
        "Nothing was sent: the file price list.pdf of prices is not there.",
        "There is no template prices for this chat. !templates lists them all. Nothing was sent.",
    )
    assert not bodies(await luis.swallows())


# The folder


async def test_a_change_is_read_live_and_a_broken_file_is_named(
    templates: TemplateStage, stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    assert templates.problems == ["broken.md:2: client has no nme; it has: address, channel, language, name"]

    (templates.folder / "hello.md").write_text("Hello again.")
    (templates.folder / "order.md").write_text("{% if %}")
    await templates.reads_again()

    assert templates.problems[-1] == "order.md:1: Expected an expression, got 'end of statement block'"
    await says(ana, client, "!t hello")
    assert bodies(await luis.swallows()) == ["Hello again."]


# Menus


async def menu(agent: Actor, client: str, fields: str = "", **attributes: str) -> Element:
    given = "".join(f" {name}='{value}'" for name, value in attributes.items())
    form = f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>" if fields else ""
    answer = await agent.asks(
        f"<iq type='set' id='menu' to='{client}'><command xmlns='{AD_HOC}' node='{NODE}'{given}>{form}</command></iq>"
    )
    command = answer.child("command", AD_HOC)
    assert command is not None, answer
    return command


def field(command: Element, var: str) -> Element:
    form = command.child("x", "jabber:x:data")
    assert form is not None
    return next(one for one in form.all("field") if one.get("var") == var)


def value(var: str, text: str) -> str:
    return f"<field var='{var}'><value>{text}</value></field>"


async def test_from_the_menu_it_is_chosen_looked_at_and_sent(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)

    listed = await menu(ana, client)
    options = field(listed, "shortcut").all("option")
    assert [(one.get("label"), one.elements()[0].text) for one in options] == [
        ("command", "command"),
        ("Greeting (hello)", "hello"),
        ("Where an order is (order)", "order"),
        ("prices", "prices"),
    ]

    id = listed.get("sessionid")
    shown = await menu(ana, client, value("shortcut", "order"), sessionid=id, action="next")
    assert "".join(one.text for one in field(shown, "preview").all("value")) == (
        "Order ‹number› comes tomorrow. ‹extra›"
    )
    number = field(shown, "value:number")
    assert number.child("required") is not None
    description = number.child("desc")
    assert description is not None
    assert description.text == "the number of the order"
    assert [one.text for one in field(shown, "value:day").all("value")] == ["tomorrow"]

    filled = value("value:number", "7") + value("value:day", "today") + value("value:extra", "!")
    done = await menu(ana, client, filled, sessionid=id, action="complete")
    assert done.get("status") == "completed"
    assert bodies(await luis.swallows()) == ["Order 7 comes today. !"]


# Consoles


async def question(agent: Actor, client: str, payload: str, type: str = "set") -> Element:
    return await agent.asks(f"<iq type='{type}' id='q' to='{client}'>{payload}</iq>")


async def test_a_console_lists_previews_and_sends(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    answer = await question(ana, client, f"<templates xmlns='{NS}'/>", "get")
    listed = answer.elements()[0]
    order = next(one for one in listed.elements() if one.get("shortcut") == "order")
    assert str(order) == (
        f"<template xmlns='{NS}' shortcut='order' title='Where an order is'>"
        "<variable name='number' required='true'><description>the number of the order</description></variable>"
        "<variable name='day'><default>tomorrow</default></variable><variable name='extra' required='true'/>"
        "<body>Order ‹number› comes tomorrow. ‹extra›</body></template>"
    )

    values = "<value name='number'>7</value><value name='extra'>Bye</value>"
    shown = await question(
        ana, client, f"<template xmlns='{NS}' shortcut='order' preview='true'>{values}</template>"
    )
    assert "<body>Order 7 comes tomorrow. Bye</body>" in str(shown)
    await luis.receives_nothing()

    sent = await question(ana, client, f"<template xmlns='{NS}' shortcut='order'>{values}</template>")
    assert sent.get("type") == "result"
    assert bodies(await luis.swallows()) == ["Order 7 comes tomorrow. Bye"]


async def test_a_console_is_told_what_is_missing(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    missing = await question(
        ana, client, f"<template xmlns='{NS}' shortcut='order'><value name='number'>7</value></template>"
    )
    unknown = await question(ana, client, f"<template xmlns='{NS}' shortcut='xyzzy'/>")

    assert f"<missing xmlns='{NS}'><variable name='extra'/></missing>" in str(missing)
    assert "not-acceptable" in str(missing)
    assert "item-not-found" in str(unknown)
    await luis.receives_nothing()


async def test_nobody_else_may(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")

    for outsider in (eva, luis):
        answer = await question(outsider, client, f"<templates xmlns='{NS}'/>", "get")
        assert "forbidden" in str(answer)
        answer = await question(outsider, client, f"<template xmlns='{NS}' shortcut='hello'/>")
        assert "forbidden" in str(answer)
    assert not bodies(await luis.swallows())


# Other plugins

FILTER = """
from imserver import StanzaError, hookimpl

@hookimpl
def refine_message(message):
    if message.has_body and message.body == "Our prices.":
        raise StanzaError("policy-violation", "No prices on Sundays")
"""
FAILING = """
import asyncio
from imserver import hookimpl

@hookimpl(tryfirst=True)
async def find_template(shortcut):
    if shortcut == "hello":
        raise RuntimeError("oh")
    if shortcut == "command":
        return "nonsense"

@hookimpl
def find_templates():
    return None
"""


async def test_a_filter_that_refuses_it_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "filter.py").write_text(FILTER)
    async with with_templates(tmp_path, tmp_path / "filter.py") as one:
        stage = one.stage
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        client = await attends(stage, ana, luis)

        assert await types(ana, client, "!t prices") == ["This was not sent: No prices on Sundays"]

        (url,) = bodies(await luis.swallows())
        assert url.startswith("http")


async def test_a_plugin_that_fails_is_named_and_the_agent_told(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    async with with_templates(tmp_path, tmp_path / "failing.py") as one:
        stage = one.stage
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        client = await attends(stage, ana, luis)

        for shortcut in ("hello", "command"):
            (answer,) = await types(ana, client, f"!t {shortcut}")
            assert answer.startswith("This was not sent: ")
            failures = [entry for entry in stage.log.entries if entry["log_level"] == "error"]
            assert [(entry["plugin"], entry["hook"]) for entry in failures] == [("failing", "find_template")]
            for entry in failures:
                stage.log.entries.remove(entry)
        await says(ana, client, "still here")
        assert bodies(await luis.swallows()) == ["still here"]


# Without it


async def test_switched_off_the_desk_still_works(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(SUPPORT)
    async with on_stage(tmp_path, tmp_path / "desk.toml") as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        client = await attends(stage, ana, luis)

        assert await types(ana, client, "!t hello") == ["No templates are installed."]
        assert await types(ana, client, "!templates") == ["No templates are installed."]
        answer = await question(ana, client, f"<templates xmlns='{NS}'/>", "get")
        assert answer.get("type") == "result"
        await says(ana, client, "hello")
        assert bodies(await luis.swallows()) == ["hello"]
