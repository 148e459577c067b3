"""Visitors of web pages, over real WebSockets."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp

from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import SUPPORT, DeskStage, button, offer_in, on_stage, says
from tests.scenes.test_websocket import FRAMING, WebActor

WEB = "web.localhost"
NAMESPACE = "urn:imserver:web:0"
QUEUE = "support@desk.localhost"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
PAGE = "https://shop.example"


class VisitorActor(WebActor):
    """Somebody on a web page."""

    async def opens_stream(self, to: str = WEB) -> Element:
        lang = f" xml:lang='{self.lang}'" if getattr(self, "lang", "") else ""
        await self.sends(f"<open xmlns='{FRAMING}' to='{to}' version='1.0'{lang}/>")
        header = await self._next()
        assert (header.name, header.get("from")) == ("open", to), header
        self.features = await self._next()
        return self.features

    async def says_who(self, token: str = "") -> Element:
        """Try to log in, and return what came of it."""
        if not token:
            await self.sends(f"<auth xmlns='{SASL}' mechanism='ANONYMOUS'/>")
            return await self._next()
        return await self.says_who_as("", token)

    async def says_who_as(self, name: str, token: str) -> Element:
        """Show a token, and ask to act as somebody."""
        authzid = f"a={name}" if name else ""
        text = base64.b64encode(f"n,{authzid},\x01auth=Bearer {token}\x01\x01".encode()).decode()
        await self.sends(f"<auth xmlns='{SASL}' mechanism='OAUTHBEARER'>{text}</auth>")
        return await self._next()

    async def enters(self, token: str = "") -> None:
        """Log in and bind a resource."""
        await self.opens_stream()
        success = await self.says_who(token)
        assert success.name == "success", success
        await self.opens_stream()
        await self.binds("mine")

    async def gets_token(self) -> str:
        answer = await self.asks(
            f"<iq xmlns='jabber:client' type='get' id='t{secrets.token_hex(4)}' to='{WEB}'><token xmlns='{NAMESPACE}'/></iq>"
        )
        return answer.elements()[0].text

    async def says(self, text: str, to: str = QUEUE, id: str = "") -> None:
        await says(self, to, text, id)

    @property
    def key(self) -> str:
        return self.jid.local


class WebStage:
    """A desk with a web channel; ana and eva are agents."""

    def __init__(self, stage: DeskStage, client: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.server = stage.server
        self._client = client
        self._visitors: list[VisitorActor] = []

    async def leaves(self) -> None:
        for visitor in self._visitors:
            await visitor.vanishes()

    async def connects(self, origin: str = "") -> VisitorActor:
        port = self.stage.running.ports["http"][0]
        headers = {"Origin": origin} if origin else {}
        socket = await self._client.ws_connect(
            f"ws://127.0.0.1:{port}/xmpp-websocket", protocols=["xmpp"], headers=headers
        )
        visitor = VisitorActor(self.stage, socket)
        self._visitors.append(visitor)
        return visitor

    async def enters(self, token: str = "", lang: str = "") -> VisitorActor:
        """Somebody opens a page with a widget."""
        visitor = await self.connects()
        visitor.lang = lang
        await visitor.enters(token)
        await visitor.sends("<presence/>")
        await visitor.swallows()
        return visitor

    async def attends(self, agent: Actor, visitor: VisitorActor, words: str = "hello") -> JID:
        """Bring a visitor and an agent together."""
        await visitor.says(words)
        await self.stage.settles()
        await says(agent, QUEUE, button(offer_in(await agent.swallows()), "Accept"))
        await self.stage.settles()
        await agent.swallows()
        await visitor.swallows()
        return visitor.jid.bare


@asynccontextmanager
async def web_on_stage(
    folder: Path,
    web: Mapping[str, Any] = MappingProxyType({}),
    *,
    desk: str = SUPPORT,
    others: Mapping[str, Any] = MappingProxyType({}),
    plugins: tuple[str, ...] = (),
) -> AsyncIterator[WebStage]:
    file = folder / "desk.toml"
    file.write_text(desk)
    enabled = {"plugins": {"enabled": ["web", *plugins], "web": dict(web)}}
    async with (
        on_stage(folder, file, {**enabled, **others}) as stage,
        aiohttp.ClientSession() as client,
    ):
        one = WebStage(stage, client)
        try:
            yield one
        finally:
            await one.leaves()
