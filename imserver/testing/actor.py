"""A client that speaks XML by hand."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import deque
from typing import TYPE_CHECKING, Final

from imserver.testing.password import prove
from imserver.testing.patterns import difference, read
from imserver.xmpp.codec import StreamEnd, StreamHeader, StreamReader
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from imserver.testing.stage import Stage

DOMAIN: Final = "localhost"
#: How long an actor waits for the server, in seconds. Generous: it is only ever spent by a test that fails.
PATIENCE: Final = 60.0


class Actor:
    """One client."""

    def __init__(
        self, stage: Stage | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.stage = stage
        self.jid = JID.of("", DOMAIN)
        self.features: Element | None = None
        #: The language that the client says it speaks.
        self.lang = ""
        self._reader, self._writer = reader, writer
        self._codec = StreamReader()
        self._arrived: deque[Element] = deque()
        self.is_over = False

    def __str__(self) -> str:
        return self.jid

    # Bytes

    async def sends(self, xml: str | bytes) -> None:
        """Write to the socket."""
        self._writer.write(xml.encode() if isinstance(xml, str) else xml)
        await self._writer.drain()

    async def vanishes(self) -> None:
        """Drop the connection without a word."""
        self._writer.transport.abort()
        await asyncio.sleep(0)

    async def _next(self) -> Element:
        while not self._arrived:
            async with asyncio.timeout(PATIENCE):
                data = await self._reader.read(65_536)
            if not data:
                self.is_over = True
                raise EOFError(f"{self} was disconnected")
            for item in self._codec.feed(data):
                self._take(item)
        return self._arrived.popleft()

    def _take(self, item: object) -> None:
        match item:
            case Stanza():
                self._arrived.append(item.element)
            case Element():
                self._arrived.append(item)
            case StreamHeader(attributes):
                self._arrived.append(Element("stream", "http://etherx.jabber.org/streams", attributes))
            case StreamEnd():
                self._arrived.append(Element("end"))
            case StreamError():
                raise item

    # XML

    async def hears(self) -> Element:
        """Take the next element, whatever it is."""
        return await self._next()

    async def receives(self, pattern: str) -> Element:
        """Take the next element; it must look like the pattern (see `difference`)."""
        got = await self._next()
        wanted = read(pattern)
        problem = difference(wanted, got)
        assert not problem, f"{self} {problem}\n  wanted: {pattern}\n  got:    {got}"
        return got

    async def receives_in_any_order(self, *patterns: str) -> list[Element]:
        """Take as many elements as there are patterns; each must look like another one."""
        got = [await self._next() for _ in patterns]
        left = list(got)
        for pattern in patterns:
            wanted = read(pattern)
            found = next((one for one in left if not difference(wanted, one)), None)
            assert found is not None, f"{self} misses {pattern} in\n  " + "\n  ".join(map(str, left))
            left.remove(found)
        return got

    async def swallows(self) -> list[Element]:
        """Take everything that is under way, and what comes of it."""
        taken = await self._take_until_ping()
        if self.stage is not None:
            await self.stage.settles()
        return taken + await self._take_until_ping()

    async def _take_until_ping(self) -> list[Element]:
        mark = f"mark-{secrets.token_hex(4)}"
        await self.sends(f"<iq type='get' id='{mark}' to='{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>")
        taken = []
        while (got := await self._next()).get("id") != mark:
            taken.append(got)
        return taken

    async def receives_nothing(self) -> None:
        """Make sure that nothing is under way."""
        taken = await self.swallows()
        assert not taken, f"{self} received\n  " + "\n  ".join(map(str, taken))

    async def asks(self, xml: str) -> Element:
        """Send an IQ and take its answer; what else arrives meanwhile is kept for later."""
        question = read(xml)
        await self.sends(xml)
        kept: list[Element] = []
        while True:
            got = await self._next()
            if (
                got.name == "iq"
                and got.get("id") == question.get("id")
                and got.get("type") in ("result", "error")
            ):
                self._arrived.extendleft(reversed(kept))
                return got
            kept.append(got)

    async def is_disconnected(self) -> list[Element]:
        """Wait until the server hangs up, and return what it said before."""
        said = []
        while True:
            try:
                said.append(await self._next())
            except (EOFError, ConnectionError):
                return said

    # Negotiation

    async def opens_stream(self) -> Element:
        """Send a stream header, and return the features."""
        self._codec = StreamReader()
        lang = f" xml:lang='{self.lang}'" if self.lang else ""
        await self.sends(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            f" to='{DOMAIN}' version='1.0'{lang}>"
        )
        header = await self._next()
        assert header.name == "stream", header
        self.features = await self._next()
        return self.features

    async def logs_in(self, name: str) -> None:
        """Prove a password by SCRAM-SHA-256, and open the stream anew."""
        await self.opens_stream()
        self.jid = JID.of(name, DOMAIN)
        first = f"n={name},r={secrets.token_hex(8)}"
        await self.sends(_sasl("auth", f"n,,{first}", " mechanism='SCRAM-SHA-256'"))
        challenge = base64.b64decode((await self._next()).text).decode()
        nonce = challenge.split(",")[0]
        last = f"c=biws,{nonce}"
        await self.sends(_sasl("response", f"{last},p={prove(f'{first},{challenge},{last}')}"))
        success = await self._next()
        assert success.name == "success", success
        await self.opens_stream()

    async def binds(self, resource: str) -> None:
        """Bind a resource."""
        await self.sends(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
        bound = await self._next()
        assert bound.get("type") == "result", bound
        self.jid = JID.parse(bound.elements()[0].elements()[0].text)


def _sasl(name: str, text: str, more: str = "") -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return f"<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{more}>{encoded}</{name}>"
