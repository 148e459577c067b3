"""A stage with a real server on it, and actors: clients that speak XML by hand, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import shutil
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from imserver.running import Running, running
from imserver.server import Server
from imserver.settings import Settings
from imserver.storage.accounts import StoredCredentials
from imserver.storage.rosters import RosterItem
from imserver.stream.scram import make_credentials
from imserver.xmpp.codec import StreamEnd, StreamHeader, StreamReader
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Stanza

PASSWORD = "open sesame"
DOMAIN = "localhost"
PATIENCE = 10.0
ANYTHING = "…"
SALT = b"the same for all actors"
CREDENTIALS = make_credentials(PASSWORD, iterations=4096, salt=SALT, mechanisms=("SCRAM-SHA-256",))
SALTED = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 4096)

Overrides = Mapping[str, Any]


def settings_for(folder: Path, overrides: Overrides) -> Settings:
    """Settings for a server of our own: free ports on loopback, no need of TLS."""
    given: dict[str, Any] = {
        "domain": DOMAIN,
        "data": str(folder),
        "listen": {"c2s": ["127.0.0.1:0"], "c2s_tls": ["127.0.0.1:0"], "http": ["127.0.0.1:0"]},
        "c2s": {"require_tls": False},
        "http": {"tls": False},
        "admins": ["admin@localhost"],
    }
    for table, values in overrides.items():
        given[table] = given.get(table, {}) | values if isinstance(values, dict) else values
    return Settings.model_validate(given)


class Stage:
    """A server, and whoever has come on stage."""

    def __init__(self, one: Running, log: structlog.testing.LogCapture) -> None:
        self.running = one
        self.server: Server = one.server
        self.log = log
        self.actors: list[Actor] = []

    async def account(self, name: str) -> JID:
        """Make an account, unless it is there."""
        jid = JID.of(name, DOMAIN)
        if not await self.server.store.accounts.exists(jid):
            await self.server.store.accounts.add(
                jid, [StoredCredentials(*_fields(one)) for one in CREDENTIALS]
            )
        return jid

    async def friends(self, *names: str) -> None:
        """Let all of them see each other's presence, before they come on stage."""
        for name in names:
            owner = await self.account(name)
            for other in names:
                if other != name:
                    await self.server.store.rosters.put(
                        owner, RosterItem(JID.of(other, DOMAIN), subscription="both")
                    )

    async def connects(self) -> Actor:
        """Somebody opens a TCP connection, and nothing more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.ports["c2s"][0])
        actor = Actor(self, reader, writer)
        self.actors.append(actor)
        return actor

    async def logs_in(self, name: str, *, lang: str = "") -> Actor:
        """Somebody logs in; binding a resource, or resuming, is left to the scene."""
        await self.account(name)
        actor = await self.connects()
        actor.lang = lang
        await actor.logs_in(name)
        return actor

    async def enters(self, name: str, resource: str = "stage", *, lang: str = "") -> Actor:
        """Somebody logs in and binds a resource, and sends no presence yet."""
        actor = await self.logs_in(name, lang=lang)
        await actor.binds(resource)
        return actor

    async def comes_online(self, name: str, resource: str = "stage", *, priority: int = 0) -> Actor:
        """Somebody logs in and sends initial presence; what that brings is swallowed."""
        actor = await self.enters(name, resource)
        shown = f"<priority>{priority}</priority>" if priority else ""
        await actor.sends(f"<presence>{shown}</presence>")
        await actor.swallows()
        return actor

    async def settles(self) -> None:
        """Wait until the server has nothing left to do."""
        for _ in range(3):
            await self.server.journal.settled()
            await self.server.settle()
            await asyncio.sleep(0)

    async def leaves(self) -> None:
        for actor in self.actors:
            await actor.vanishes()


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
        wanted = _parse_stanza(pattern)
        problem = difference(wanted, got)
        assert not problem, f"{self} {problem}\n  wanted: {pattern}\n  got:    {got}"
        return got

    async def receives_in_any_order(self, *patterns: str) -> list[Element]:
        """Take as many elements as there are patterns; each must look like another one."""
        got = [await self._next() for _ in patterns]
        left = list(got)
        for pattern in patterns:
            wanted = _parse_stanza(pattern)
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
        question = _parse_stanza(xml)
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
        await self.sends(_sasl("response", f"{last},p={_proof(f'{first},{challenge},{last}')}"))
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


def difference(wanted: Element, got: Element) -> str:
    """Compare what came with a pattern; "" if it fits.

    `…` as an attribute's value or as text stands for anything. `…` among child elements lets others stand there too.
    Attributes must be the same, but for `id` and `xml:lang` that the pattern does not mention.
    """
    if (wanted.name, wanted.namespace) != (got.name, got.namespace):
        return f"wanted <{wanted.name} {wanted.namespace}>, got <{got.name} {got.namespace}>"
    for key, value in wanted.attributes.items():
        if value != ANYTHING and got.get(key, "(none)") != value:
            return f"wanted {key}='{value}' of <{got.name}/>, got '{got.get(key, '(none)')}'"
    for key in got.attributes.keys() - wanted.attributes.keys() - {"id", "xml:lang"}:
        return f"<{got.name}/> has an attribute that was not wanted: {key}='{got.get(key)}'"
    return _children_difference(wanted, got)


def _children_difference(wanted: Element, got: Element) -> str:
    patterns, children = wanted.elements(), got.elements()
    is_open = ANYTHING in wanted.text
    if not patterns and not is_open and wanted.text.strip() != got.text.strip():
        return f"wanted {wanted.text!r} in <{got.name}/>, got {got.text!r}"
    for pattern in patterns:
        candidates = children if is_open else children[:1]
        found = next((child for child in candidates if not difference(pattern, child)), None)
        if found is None:
            return (
                difference(pattern, candidates[0])
                if len(candidates) == 1
                else f"<{got.name}/> misses {pattern}"
            )
        children = [child for child in children if child is not found]
    return f"<{got.name}/> holds what was not wanted: {children[0]}" if children and not is_open else ""


def _parse_stanza(xml: str) -> Element:
    around = f"<w xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>{xml}</w>"
    return parse(around.encode()).elements()[0]


def _sasl(name: str, text: str, more: str = "") -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return f"<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{more}>{encoded}</{name}>"


def _proof(message: str) -> str:
    client_key = hmac.digest(SALTED, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message.encode(), "sha256")
    return base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()


def _fields(credentials: Any) -> tuple[Any, ...]:
    return tuple(
        getattr(credentials, name) for name in ("mechanism", "salt", "iterations", "stored_key", "server_key")
    )


@cache
def _first_start() -> TemporaryDirectory[str]:
    """What a server leaves behind after its first start: making it anew for each scene takes the most of its time."""
    return TemporaryDirectory(prefix="imserver-first-start-")


async def _prepare(folder: Path, logger: Any) -> None:
    made = Path(_first_start().name)
    if not any(made.iterdir()):
        async with running(settings_for(made, {}), logger):
            pass
    if not any(folder.glob("imserver.db*")):
        shutil.copytree(made, folder, dirs_exist_ok=True)


@asynccontextmanager
async def staged(folder: Path, overrides: Overrides) -> AsyncIterator[Stage]:
    """Put a server on stage."""
    log = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[log])
    await _prepare(folder, logger)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(running(settings_for(folder, overrides), logger))
        stage = Stage(one, log)
        stack.push_async_callback(stage.leaves)
        yield stage
