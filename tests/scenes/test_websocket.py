"""RFC 7395, as web clients see it."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from imserver.stream.machine import State
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from tests.scenes.actors import DOMAIN, PASSWORD, PATIENCE, Actor, Stage
from tests.scenes.doors import eventually

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
OPEN = f"<open xmlns='{FRAMING}' to='{DOMAIN}' version='1.0'/>"
CLIENT = " xmlns='jabber:client'"
CLOSE = f"<close xmlns='{FRAMING}'/>"


class WebActor(Actor):
    """A client that speaks XML by hand, over WebSocket."""

    def __init__(self, stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.stage = stage
        self.socket = socket
        self.jid = JID.of("", DOMAIN)
        self.features: Element | None = None
        self._arrived: deque[Element] = deque()
        #: Every message as it came.
        self.frames: list[str] = []
        self.is_over = False

    async def sends(self, xml: str | bytes) -> None:
        """Send a message; what declares no namespace is a stanza of `jabber:client`."""
        text = xml if isinstance(xml, str) else xml.decode()
        await self.socket.send_str(re.sub(r"^<(iq|message|presence)\b(?![^>]*xmlns=)", rf"<\1{CLIENT}", text))

    async def vanishes(self) -> None:
        await self.socket.close()

    async def _next(self) -> Element:
        if self._arrived:
            return self._arrived.popleft()
        async with asyncio.timeout(PATIENCE):
            message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            self.is_over = True
            raise EOFError(f"{self} was disconnected: {message}")
        self.frames.append(message.data)
        return parse(message.data.encode())

    async def opens_stream(self) -> Element:
        await self.sends(OPEN)
        header = await self._next()
        assert (header.name, header.namespace) == ("open", FRAMING), header
        self.features = await self._next()
        return self.features


class Web:
    """Brings web clients on stage."""

    def __init__(self, stage: Stage, client: aiohttp.ClientSession) -> None:
        self._stage = stage
        self._client = client

    async def connects(self) -> WebActor:
        """Somebody opens a WebSocket, and nothing more."""
        settings = self._stage.server.settings
        port = self._stage.running.ports["http"][0]
        if settings.http.tls:
            trusted = ssl.create_default_context(cafile=settings.data / "certificate.pem")
            socket = await self._client.ws_connect(
                f"wss://localhost:{port}/xmpp-websocket", protocols=["xmpp"], ssl=trusted
            )
        else:
            socket = await self._client.ws_connect(
                f"ws://127.0.0.1:{port}/xmpp-websocket", protocols=["xmpp"]
            )
        return WebActor(self._stage, socket)

    async def enters(self, name: str, resource: str = "web") -> WebActor:
        """Somebody logs in and binds a resource."""
        await self._stage.account(name)
        actor = await self.connects()
        await actor.logs_in(name)
        await actor.binds(resource)
        return actor

    async def comes_online(self, name: str, resource: str = "web") -> WebActor:
        """Somebody logs in and sends initial presence; what that brings is swallowed."""
        actor = await self.enters(name, resource)
        await actor.sends("<presence/>")
        await actor.swallows()
        return actor


@pytest.fixture
async def web(stage: Stage) -> AsyncIterator[Web]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Web(stage, client)


async def plain(actor: WebActor, name: str) -> Element:
    text = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
    await actor.sends(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>")
    return await actor.hears()


def mechanisms(features: Element) -> list[str]:
    [offered] = [one for one in features.elements() if one.name == "mechanisms"]
    return [one.text for one in offered.elements()]


def says(to: str, body: str) -> str:
    return f"<message xmlns='jabber:client' type='chat' to='{to}' id='1'><body>{body}</body></message>"


async def test_web_and_tcp_clients_talk_to_each_other(stage: Stage, web: Web) -> None:
    ana, luis = await web.comes_online("ana"), await stage.comes_online("luis")

    await ana.sends(says("luis@localhost", "Hi"))
    await luis.receives(
        "<message type='chat' from='ana@localhost/web' to='luis@localhost'><body>Hi</body>…</message>"
    )

    await luis.sends("<message type='chat' to='ana@localhost'><body>Hi yourself</body></message>")
    await ana.receives(
        "<message type='chat' from='luis@localhost/stage' to='ana@localhost'><body>Hi yourself</body>…</message>"
    )


async def test_every_message_holds_one_element_that_stands_for_itself(stage: Stage, web: Web) -> None:
    ana, luis = await web.comes_online("ana"), await stage.comes_online("luis")
    ana.frames.clear()

    for number in range(3):
        await luis.sends(f"<message type='chat' to='ana@localhost'><body>{number}</body></message>")
    for _ in range(3):
        await ana.hears()

    assert [parse(frame.encode()).namespace for frame in ana.frames] == ["jabber:client"] * 3
    assert not any(frame.startswith("<?xml") for frame in ana.frames)


async def test_features_declare_the_stream_prefix(web: Web) -> None:
    ana = await web.connects()

    await ana.opens_stream()

    assert ana.frames[0].startswith("<open ")
    assert ana.frames[1].startswith("<stream:features xmlns:stream='http://etherx.jabber.org/streams'")


@pytest.mark.settings(c2s={"require_tls": True})
async def test_behind_a_proxy_scram_is_offered_and_plain_and_starttls_are_not(web: Web) -> None:
    ana = await web.connects()

    features = await ana.opens_stream()

    assert "SCRAM-SHA-256" in mechanisms(features)
    assert "PLAIN" not in mechanisms(features)
    assert not [one for one in features.elements() if one.name == "starttls"]


@pytest.mark.settings(c2s={"require_tls": True}, http={"tls": True})
async def test_over_tls_plain_is_offered_too(stage: Stage, web: Web) -> None:
    await stage.account("ana")
    ana = await web.connects()

    assert "PLAIN" in mechanisms(await ana.opens_stream())
    assert (await plain(ana, "ana")).name == "success"


async def test_plain_without_tls_is_refused(stage: Stage, web: Web) -> None:
    await stage.account("ana")
    ana = await web.connects()
    await ana.opens_stream()

    assert (await plain(ana, "ana")).name == "failure"


async def test_blanks_keep_the_connection_and_are_not_answered(web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.sends(" ")
    await ana.sends("\n")
    await ana.sends("")

    await ana.receives_nothing()


async def test_a_websocket_ping_is_answered(web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.socket.ping(b"there?")

    await ana.receives_nothing()
    assert not ana.socket.closed


async def test_a_stanza_in_several_frames_is_one(stage: Stage, web: Web) -> None:
    ana, luis = await web.comes_online("ana"), await stage.comes_online("luis")
    xml = says("luis@localhost", "in pieces").encode()

    await _send_in_pieces(ana, [xml[:20], xml[20:21], xml[21:]])

    await luis.receives("<message type='chat' from='…' to='…'><body>in pieces</body>…</message>")


async def test_close_is_answered_with_close_and_the_session_is_over(stage: Stage, web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.sends(CLOSE)

    await ana.receives(CLOSE)
    assert await ana.is_disconnected() == []
    assert ana.socket.close_code == 1000
    await stage.settles()
    assert len(stage.server.sessions) == 0


async def test_a_websocket_closed_without_a_word_can_be_resumed(stage: Stage, web: Web) -> None:
    ana, luis = await web.comes_online("ana"), await stage.comes_online("luis")
    await ana.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    enabled = await ana.hears()
    await ana.vanishes()
    await luis.sends("<message type='chat' to='ana@localhost/web'><body>Still there?</body></message>")
    await stage.settles()

    again = await web.connects()
    await again.logs_in("ana")
    await again.sends(f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>")

    await again.receives("<resumed xmlns='urn:xmpp:sm:3' previd='…' h='0'/>")
    await again.receives("<message type='chat' from='…' to='…'><body>Still there?</body>…</message>")


async def refused(ana: WebActor, condition: str, code: int) -> None:
    error = (await ana.is_disconnected())[-2:]
    assert [one.name for one in error] == ["error", "close"]
    assert error[0].elements()[0].name == condition
    assert ana.socket.close_code == code


async def test_binary_is_refused(web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.socket.send_bytes(b"<presence xmlns='jabber:client'/>")

    await refused(ana, "bad-format", 1003)


async def test_two_elements_in_one_message_are_refused(web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.sends("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>")

    await refused(ana, "not-well-formed", 1000)


async def test_half_an_element_is_refused(web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.sends("<presence xmlns='jabber:client'>")

    await refused(ana, "not-well-formed", 1000)


@pytest.mark.parametrize("xml", ["<!DOCTYPE x [<!ENTITY a 'b'>]><presence/>", "<?pi?><presence/>"])
async def test_what_xmpp_forbids_in_xml_is_refused(web: Web, xml: str) -> None:
    ana = await web.comes_online("ana")

    await ana.sends(xml)

    await refused(ana, "restricted-xml", 1000)


async def test_a_tcp_header_is_refused(web: Web) -> None:
    ana = await web.connects()

    await ana.sends(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'/>"
    )

    assert (await ana.is_disconnected())[-2].name == "error"


async def test_before_login_a_message_of_more_than_8_kib_is_refused_before_it_is_kept(
    stage: Stage, web: Web
) -> None:
    ana = await web.connects()
    await ana.opens_stream()

    await ana.sends("<auth>" + "x" * 8192 + "</auth>")

    await refused(ana, "policy-violation", 1009)


async def test_after_login_a_larger_stanza_is_taken(stage: Stage, web: Web) -> None:
    ana, luis = await web.comes_online("ana"), await stage.comes_online("luis")

    await ana.sends(says("luis@localhost", "x" * 100_000))

    assert len((await luis.hears()).elements()[0].text) == 100_000


@pytest.mark.settings(limits={"stanza_bytes": 10_000})
async def test_a_stanza_beyond_the_limit_is_refused(web: Web) -> None:
    ana = await web.comes_online("ana")

    await ana.sends(says("luis@localhost", "x" * 10_000))

    await refused(ana, "policy-violation", 1009)


@pytest.mark.settings(limits={"login_seconds": 0.3})
async def test_whoever_does_not_log_in_has_to_go(web: Web) -> None:
    ana = await web.connects()

    await refused(ana, "connection-timeout", 1000)


@pytest.mark.settings(limits={"send_buffer_bytes": 65_536, "stanza_bytes": 60_000})
async def test_a_slow_reader_costs_bounded_memory(stage: Stage, web: Web) -> None:
    ana, luis = await web.comes_online("ana"), await stage.comes_online("luis")
    transport = ana.socket._conn.transport if ana.socket._conn is not None else None
    assert transport is not None
    transport.pause_reading()

    for _ in range(400):
        await luis.sends(
            f"<message type='headline' to='ana@localhost/web'><body>{'x' * 50_000}</body></message>"
        )
        if stage.server.sessions.find(JID.parse("ana@localhost/web")) is None:
            break

    await stage.settles()
    assert stage.server.sessions.find(JID.parse("ana@localhost/web")) is None
    assert "reads too slowly" in [entry["event"] for entry in stage.log.entries]
    transport.abort()


async def test_a_stopping_server_says_so(stage: Stage, web: Web) -> None:
    ana = await web.comes_online("ana")

    stopping = asyncio.create_task(stage.running.close())

    await refused(ana, "system-shutdown", 1000)
    await stopping


async def test_nothing_is_left_of_a_connection_that_is_gone(stage: Stage, web: Web) -> None:
    ana = await web.comes_online("ana")
    [connection] = stage.running.connections

    await ana.vanishes()
    await eventually(lambda: not stage.running.connections)
    await stage.settles()

    assert connection.session is None
    assert connection.stream.state is not State.OPENING
    assert len(stage.running.reception.doorkeeper) == 0
    assert len(stage.server.sessions) == 0


async def _send_in_pieces(actor: WebActor, pieces: list[bytes]) -> None:
    """Write the frames of one message, as aiohttp's own client never does."""
    assert actor.socket._conn is not None
    transport = actor.socket._conn.transport
    assert transport is not None
    for index, piece in enumerate(pieces):
        first = (0x80 if index == len(pieces) - 1 else 0) | (0 if index else 1)
        size = len(piece)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        transport.write(bytes((first,)) + length + bytes(4) + piece)


@pytest.mark.settings(http={"proxies": ["127.0.0.1", "10.0.0.0/8"]}, limits={"connections_per_address": 1})
async def test_behind_a_proxy_each_client_has_an_address_of_its_own(stage: Stage) -> None:
    port = stage.running.ports["http"][0]
    connected = []

    async def connects(client: aiohttp.ClientSession, claimed: str) -> int:
        try:
            socket = await client.ws_connect(
                f"ws://127.0.0.1:{port}/xmpp-websocket",
                protocols=["xmpp"],
                headers={"X-Forwarded-For": claimed},
            )
            connected.append(socket)
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        return 101

    async with aiohttp.ClientSession() as client:
        assert [
            await connects(client, claimed)
            for claimed in (
                "192.0.2.1",
                "192.0.2.2, 10.0.0.7",
                "192.0.2.9, 192.0.2.1",  # what a client claims is not what a proxy saw
                "192.0.2.1, 10.1.2.3",
                "unknown",
            )
        ] == [101, 101, 429, 429, 101]


@pytest.mark.settings(limits={"connections_per_address": 1})
async def test_without_a_proxy_nobody_claims_another_address(stage: Stage) -> None:
    url = f"ws://127.0.0.1:{stage.running.ports['http'][0]}/xmpp-websocket"

    async with aiohttp.ClientSession() as client:
        socket = await client.ws_connect(url, protocols=["xmpp"])
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(url, protocols=["xmpp"], headers={"X-Forwarded-For": "192.0.2.1"})
        assert not socket.closed
