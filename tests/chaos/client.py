"""A client that never loses count: XEP-0198 from both sides, and connections that break."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import suppress

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor

SM = "urn:xmpp:sm:3"
#: How many messages may wait for the server's acknowledgement.
WINDOW = 30


class Broken(Exception):
    """The connection is gone."""


class Client:
    """One account's client: sends numbered messages to a partner, and takes down what it receives."""

    def __init__(self, name: str, partner: str, port: int, tls: ssl.SSLContext) -> None:
        self.name, self.partner = name, partner
        self._port, self._tls = port, tls
        self._actor: Actor | None = None
        self._token = ""
        self._received = 0  # stanzas, since the session began
        self._sent: deque[str] = deque()  # stanzas that are not acknowledged
        self._acknowledged_until = 0
        self._number = 0
        self.acknowledged: list[int] = []
        self.heard: list[int] = []

    # Connecting

    async def connect(self) -> None:
        """Log in; resume if there is something to resume, or begin a new session."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._tls, server_hostname="localhost"
        )
        self._actor = Actor(None, reader, writer)
        await self._actor.logs_in(self.name)
        if not (self._token and await self._resume()):
            await self._begin()

    async def _resume(self) -> bool:
        actor = self._connected
        await actor.sends(f"<resume xmlns='{SM}' previd='{self._token}' h='{self._received}'/>")
        answer = await actor.hears()
        if answer.name != "resumed":
            self._token = ""
            return False
        self._acknowledge(int(answer.get("h")))
        for stanza in self._sent:
            await actor.sends(stanza)
        return True

    async def _begin(self) -> None:
        actor = self._connected
        await actor.binds("chaos")
        await actor.sends(f"<enable xmlns='{SM}' resume='true'/>")
        self._token = (await actor.hears()).get("id")
        self._received = self._acknowledged_until = 0
        self._sent.clear()
        await self._send("<presence/>")

    @property
    def _connected(self) -> Actor:
        assert self._actor is not None
        return self._actor

    # Talking

    async def talk(self, messages: int | None = None) -> None:
        """Send so many messages, or until the connection breaks, and take what comes."""
        listening = asyncio.create_task(self._listen())
        try:
            while messages is None or messages > 0:
                if listening.done():
                    break
                if len(self._sent) >= WINDOW:
                    await asyncio.sleep(0.001)
                    continue
                await self._say()
                messages = None if messages is None else messages - 1
            if messages == 0:
                while self._sent and not listening.done():
                    await self._connected.sends(f"<r xmlns='{SM}'/>")
                    await asyncio.sleep(0.01)
        except (OSError, EOFError):
            pass
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, OSError, EOFError):
                await listening

    async def listen_until(self, count: int) -> None:
        """Take what comes until so many messages were heard."""
        while len(self.heard) < count:
            await self._hear()

    async def _say(self) -> None:
        self._number += 1
        number = self._number
        await self._send(
            f"<message to='{self.partner}@localhost' type='chat' id='{self.name}-{number}'>"
            f"<body>{number}</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        if number % 5 == 0:
            await self._connected.sends(f"<r xmlns='{SM}'/>")

    async def _send(self, stanza: str) -> None:
        self._sent.append(stanza)
        await self._connected.sends(stanza)

    async def _listen(self) -> None:
        while True:
            await self._hear()

    async def _stanza(self) -> Element:
        while (got := await self._connected.hears()).namespace == SM:
            await self._count(got)
        self._received += 1
        return got

    async def _hear(self) -> None:
        got = await self._stanza()
        body = got.child("body")
        if got.name == "message" and body is not None and got.get("type") == "chat":
            self.heard.append(int(body.text))

    async def _count(self, element: Element) -> None:
        if element.name == "r":
            await self._connected.sends(f"<a xmlns='{SM}' h='{self._received}'/>")
        elif element.name == "a":
            self._acknowledge(int(element.get("h")))

    def _acknowledge(self, h: int) -> None:
        for _ in range(h - self._acknowledged_until):
            stanza = self._sent.popleft()
            if stanza.startswith("<message"):
                self.acknowledged.append(int(stanza.split("id='")[1].split("'")[0].split("-")[1]))
        self._acknowledged_until = h

    async def breaks(self) -> None:
        """Drop the connection as a network does."""
        if self._actor is not None:
            await self._actor.vanishes()

    async def history(self) -> list[tuple[str, int]]:
        """Read the whole archive, page by page: who sent which number."""
        found: list[tuple[str, int]] = []
        after = ""
        while True:
            page, complete, last = await self._page(after)
            found += page
            if complete:
                return found
            after = last

    async def _page(self, after: str) -> tuple[list[tuple[str, int]], bool, str]:
        actor = self._connected
        position = f"<after>{after}</after>" if after else ""
        await actor.sends(
            "<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>"
            f"<max>100</max>{position}</set></query></iq>"
        )
        rows: list[tuple[str, int]] = []
        while True:
            got = await self._stanza()
            if got.get("id") == "page":
                fin = got.elements()[0]
                last = fin.elements()[0].child("last") if fin.elements() else None
                return rows, fin.get("complete") == "true", last.text if last is not None else ""
            result = got.child("result", "urn:xmpp:mam:2")
            if result is not None:
                message = next(one for one in result.elements()[0].elements() if one.name == "message")
                body = message.child("body")
                assert body is not None
                rows.append((message.get("from").split("@")[0], int(body.text)))
