"""RFC 6120: one client signs in, as shortly as a client can."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import ssl
from dataclasses import dataclass
from enum import StrEnum

from contrib.bench.accounts import Account
from contrib.bench.scram import HASHES, ScramClient

FEATURES = re.compile(rb"<stream:features\s*/>|</stream:features>")
PROCEED = re.compile(rb"<proceed[^>]*>")
CHALLENGE = re.compile(rb"<challenge[^>]*>([^<]*)</challenge>")
SUCCESS = re.compile(rb"<success[^>]*(?:/>|>([^<]*)</success>)")
BOUND = re.compile(rb"<jid>([^<]+)</jid>.*?</iq>", re.DOTALL)
REFUSAL = re.compile(rb"<fail.*|<stream:error.*|<[^>]*type=['\"]error['\"].*", re.DOTALL)
MECHANISM = re.compile(rb"<mechanism>([^<]+)</mechanism>")

FAREWELL = b"</stream:stream>"
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
AUTH = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%b'>%b</auth>"
RESPONSE = b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%b</response>"
BIND_RESOURCE = (
    b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<resource>%b</resource></bind></iq>"
)
BIND = BIND_RESOURCE % b"bench"


class SignInError(Exception):
    """The server said no, or hung up."""


class Security(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    DIRECT_TLS = "direct-tls"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and how it wants to be spoken to."""

    host: str
    port: int
    security: Security
    mechanism: str = ""  # the best one offered


async def sign_in(
    account: Account, address: Address, context: ssl.SSLContext, resource: str = "bench"
) -> Dialogue:
    """Connect, protect, authenticate and bind.

    Raises:
        SignInError: If the server refuses or hangs up.
    """
    dialogue = await authenticated(account, address, context)
    await dialogue.ask(BIND_RESOURCE % resource.encode(), BOUND)
    return dialogue


async def authenticated(account: Account, address: Address, context: ssl.SSLContext) -> Dialogue:
    """Connect, protect and authenticate: what is left is to bind or to resume.

    Raises:
        SignInError: If the server refuses or hangs up.
    """
    dialogue = await Dialogue.begin(account, address, context)
    features = await dialogue.open_stream()
    if address.security is Security.STARTTLS:
        await dialogue.start_tls(context)
        features = await dialogue.open_stream()
    await dialogue.authenticate(address.mechanism or choose_mechanism(features, address.security))
    await dialogue.open_stream()
    return dialogue


def choose_mechanism(features: bytes, security: Security) -> str:
    offered = [name.decode() for name in MECHANISM.findall(features)]
    for name in HASHES:
        if name in offered:
            return name
    if "PLAIN" in offered and security is not Security.NONE:
        return "PLAIN"
    raise SignInError(f"none of the mechanisms offered is one of ours: {offered}")


def context_for_loopback() -> ssl.SSLContext:
    """Accept the self-signed certificate of a server that we started ourselves."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["xmpp-client"])
    return context


class Dialogue(asyncio.Protocol):
    """A client that says one thing and waits for its answer."""

    def __init__(self, account: Account) -> None:
        self.transport: asyncio.Transport
        self.account = account
        self._heard = b""
        self._pattern = FEATURES
        self._answer: asyncio.Future[re.Match[bytes]] | None = None

    @classmethod
    async def begin(cls, account: Account, address: Address, context: ssl.SSLContext) -> Dialogue:
        direct = address.security is Security.DIRECT_TLS
        transport, dialogue = await asyncio.get_running_loop().create_connection(
            lambda: cls(account),
            address.host,
            address.port,
            ssl=context if direct else None,
            server_hostname=account.domain if direct else None,
        )
        dialogue.transport = transport
        return dialogue

    async def open_stream(self) -> bytes:
        """Open the stream, for the first time or again, and return what the server offers."""
        header = (
            f"<?xml version='1.0'?><stream:stream to='{self.account.domain}' version='1.0'"
            " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        return (await self.ask(header.encode(), FEATURES)).string

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.ask(STARTTLS, PROCEED)
        transport = await asyncio.get_running_loop().start_tls(
            self.transport, self, context, server_hostname=self.account.domain
        )
        if transport is None:
            raise SignInError("the server hung up while TLS began")
        self.transport = transport

    async def authenticate(self, mechanism: str) -> None:
        if mechanism == "PLAIN":
            secret = f"\0{self.account.local}\0{self.account.password}".encode()
            await self.ask(AUTH % (b"PLAIN", base64.b64encode(secret)), SUCCESS)
            return
        scram = ScramClient(mechanism, self.account.local, self.account.password, secrets.token_hex(12))
        first = AUTH % (mechanism.encode(), base64.b64encode(scram.first()))
        challenge = base64.b64decode((await self.ask(first, CHALLENGE))[1])
        final = RESPONSE % base64.b64encode(scram.final(challenge))
        scram.verify(base64.b64decode((await self.ask(final, SUCCESS))[1]))

    async def ask(self, question: bytes, answer: re.Pattern[bytes]) -> re.Match[bytes]:
        self._heard = b""
        self._pattern = answer
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(question)
        return await self._answer

    @property
    def rest(self) -> bytes:
        """What came after the last answer."""
        return self._heard if self._answer is None else self._heard[self._answer.result().end() :]

    def leave(self) -> None:
        self.transport.write(FAREWELL)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self._answer is None or self._answer.done():
            return
        if found := self._pattern.search(self._heard):
            self._answer.set_result(found)
        elif refused := REFUSAL.search(self._heard):
            self._answer.set_exception(SignInError(refused.group().decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(SignInError(f"the server hung up ({exc})"))
