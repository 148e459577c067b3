"""RFC 6120, 4.9 and 8.3: what ends a stream, and what only comes back."""

from pathlib import Path

import pytest
import structlog

from imserver.running import running
from tests.scenes.actors import Actor, Stage, settings_for
from tests.scenes.doors import condition_of

HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>"
)
PING = "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        ("localhost", "elsewhere.example", "host-unknown"),
        ("to='localhost'", "", "improper-addressing"),
        ("version='1.0'>", ">", "unsupported-version"),
        ("'jabber:client'", "'jabber:server'", "invalid-namespace"),
        ("http://etherx.jabber.org/streams", "urn:x", "invalid-namespace"),
        ("<stream:stream", "<stream:flow", "bad-format"),
        ("<?xml version='1.0'?>", "<?xml version='1.0' encoding='UTF-16'?>", "unsupported-encoding"),
        ("<?xml version='1.0'?>", "<!DOCTYPE stream>", "restricted-xml"),
        ("<?xml version='1.0'?>", "hello?", "not-well-formed"),
    ],
)
async def test_a_header_that_is_wrong(stage: Stage, old: str, new: str, condition: str) -> None:
    stranger = await stage.connects()

    await stranger.sends(HEADER.replace(old, new))

    said = await stranger.is_disconnected()
    assert [one.name for one in said] == ["stream", "error", "end"]
    assert condition_of(said) == condition


@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        ("<message from='luis@localhost'><body>Hi</body></message>", "invalid-from"),
        ("<message from='ana@localhost/other'/>", "invalid-from"),
        ("<presence from='localhost'/>", "invalid-from"),
        ("<song/>", "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", "unsupported-stanza-type"),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "unsupported-stanza-type"),
        (HEADER.removeprefix("<?xml version='1.0'?>"), "bad-format"),
        ("<c:message xmlns:c='jabber:client'><c:body/></c:message>", "bad-namespace-prefix"),
        ("<message><body></message>", "not-well-formed"),
        ("<message><!-- --></message>", "restricted-xml"),
        (f"<message><body>{'x' * 300_000}</body></message>", "policy-violation"),
        ("<a xmlns='urn:xmpp:sm:3' h='one'/>", "undefined-condition"),
    ],
)
async def test_what_ends_a_stream(ana: Actor, xml: str, condition: str) -> None:
    await ana.sends(xml)

    said = await ana.is_disconnected()

    assert [one.name for one in said] == ["error", "end"]
    assert condition_of(said) == condition


@pytest.mark.parametrize("to", ["@", "a@@localhost", "/desk", f"{'x' * 1_024}@localhost", "luis@localhost/"])
async def test_an_address_that_is_none_comes_back_and_the_stream_goes_on(ana: Actor, to: str) -> None:
    await ana.sends(f"<message to='{to}' id='1'><body>Hi</body></message>{PING}")

    answer = await ana.hears()
    assert (answer.name, answer.get("type"), answer.get("id")) == ("message", "error", "1")
    [error] = answer.all("error")
    assert error.child("jid-malformed", "urn:ietf:params:xml:ns:xmpp-stanzas")
    assert (await ana.hears()).get("id") == "p"


@pytest.mark.parametrize(
    "xml",
    [
        "<iq type='get' id='1'/>",
        "<iq type='get' id='1'><a xmlns='u'/><b xmlns='u'/></iq>",
        "<iq type='ask' id='1'><a xmlns='u'/></iq>",
        "<presence type='hungry' id='1'/>",
    ],
)
async def test_a_stanza_that_is_wrong_comes_back_and_the_stream_goes_on(ana: Actor, xml: str) -> None:
    await ana.sends(xml + PING)

    answer = await ana.hears()
    assert (answer.get("type"), answer.get("id")) == ("error", "1")
    assert answer.elements()[-1].child("bad-request", "urn:ietf:params:xml:ns:xmpp-stanzas")
    assert (await ana.hears()).get("id") == "p"


async def test_an_error_never_comes_back(ana: Actor) -> None:
    await ana.sends("<message type='error' to='@' id='1'/><iq type='result' to='@' id='2'/>")

    await ana.receives_nothing()


async def test_what_came_before_an_error_is_served(ana: Actor, luis: Actor) -> None:
    await ana.sends("<message to='luis@localhost' type='chat'><body>Hi</body></message><song/>")

    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'>…<body>Hi</body></message>"
    )
    assert condition_of(await ana.is_disconnected()) == "unsupported-stanza-type"


async def test_nothing_is_served_after_an_error(ana: Actor, luis: Actor) -> None:
    await ana.sends(
        "<message from='luis@localhost'/><r xmlns='urn:xmpp:sm:3'/><active xmlns='urn:xmpp:csi:0'/>"
        "<message to='luis@localhost' type='chat'><body>Hi</body></message>"
    )

    assert condition_of(await ana.is_disconnected()) == "invalid-from"
    await luis.receives_nothing()


async def test_a_client_takes_its_leave(ana: Actor) -> None:
    await ana.sends("</stream:stream>")

    assert [one.name for one in await ana.is_disconnected()] == ["end"]


async def test_when_the_server_stops_everybody_is_told(tmp_path: Path) -> None:
    log = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[log])
    async with running(settings_for(tmp_path, {}), logger) as one:
        stage = Stage(one, log)
        ana = await stage.comes_online("ana")
        stranger = await stage.connects()
        await stranger.opens_stream()
        await ana.sends("<message to='ana@localhost' id='last'><body>Hi</body></message>")
        await ana.receives("<message from='ana@localhost/stage' to='ana@localhost' id='last'>…</message>")

    for actor in (ana, stranger):
        said = await actor.is_disconnected()
        assert condition_of(said) == "system-shutdown"
        assert said[-1].name == "end"
        await actor.vanishes()
    assert not one.connections
