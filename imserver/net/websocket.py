"""RFC 7395: XMPP over WebSocket, on the HTTP listener.

aiohttp answers the handshake. From then on the transport is ours: from byte to byte without a task between.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from aiohttp import web
from yarl import URL

from imserver.net.connection import Connection
from imserver.net.frames import CloseCode, FrameError, MessageReader, Opcode, write_frame
from imserver.stream.framing import WebSocketFraming
from imserver.stream.machine import State
from imserver.xmpp.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imserver.net.connection import Reception
    from imserver.server import Server
    from imserver.settings import Settings

PATH: Final = "/xmpp-websocket"
SUBPROTOCOL: Final = "xmpp"
#: How long a client may take to answer our Close, in seconds.
CLOSE_SECONDS: Final = 1.0
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class WebSocketDoor:
    """Lets WebSockets in."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Answer the handshake, and serve the connection until it is lost (RFC 6455, 4.2; RFC 7395, 3.1)."""
        accept = _accept_key(request)
        _check_subprotocol(request)
        origins = request.headers.getall("Origin", [])
        hosts = _hosts(self._reception.server, origins)
        is_ours = all(is_allowed(origin, self._reception.server.settings) for origin in origins)
        # Only browsers send an Origin, and they send it always: without one it is no web page.
        if not (is_ours or hosts):
            raise web.HTTPForbidden(text="Pages of this origin may not connect; see [websocket] origins")
        address = _address_of(request, self._reception.server.settings.http.proxies)
        if not self._reception.doorkeeper.admit(address):
            raise web.HTTPTooManyRequests(text="Too many connections from your address")
        response = web.StreamResponse(
            status=101,
            headers={
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Accept": accept,
                "Sec-WebSocket-Protocol": SUBPROTOCOL,
            },
        )
        response.force_close()
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            self._reception.doorkeeper.leave(address)
            return response
        connection = WebSocketConnection(self._reception, request, transport, address)
        connection.origin = ", ".join(origins)
        options = connection.stream.options
        # What pages of others may reach is where they are welcome, and nothing else.
        mechanisms = options.mechanisms if is_ours else ()
        connection.stream.options = replace(options, mechanisms=mechanisms, hosts=hosts)
        await connection.is_over.wait()
        return response


def _address_of(request: web.Request, proxies: Iterable[str]) -> str:
    """Tell where a client is: of what proxies of ours say, each vouches for the one before it."""
    address = request.remote or ""
    if not proxies:
        return address
    networks = [ip_network(one) for one in proxies]
    passed = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for claimed in reversed([one.strip() for one in passed if one.strip()]):
        if not _is_in(address, networks):
            break
        address = claimed
    return address[:64]


def _is_in(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _accept_key(request: web.Request) -> str:
    if not (_lists(request, "Upgrade", "websocket") and _lists(request, "Connection", "upgrade")):
        raise web.HTTPUpgradeRequired(
            text="XMPP over WebSocket is served here", headers={"Upgrade": "websocket"}
        )
    if request.headers.get("Sec-WebSocket-Version") != "13":
        raise web.HTTPUpgradeRequired(
            text="This is WebSocket version 13", headers={"Sec-WebSocket-Version": "13"}
        )
    key = request.headers.get("Sec-WebSocket-Key", "").strip()
    try:
        is_good = len(base64.b64decode(key, validate=True)) == 16
    except ValueError:
        is_good = False
    if not is_good:
        raise web.HTTPBadRequest(text="Sec-WebSocket-Key has to be 16 bytes in Base64")
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def _check_subprotocol(request: web.Request) -> None:
    if not _lists(request, "Sec-WebSocket-Protocol", SUBPROTOCOL):
        raise web.HTTPBadRequest(text="The subprotocol is 'xmpp' (RFC 7395, 3.1)")


def _lists(request: web.Request, header: str, wanted: str) -> bool:
    listed = ",".join(request.headers.getall(header, []))
    return wanted in [item.strip().lower() for item in listed.split(",")]


def _hosts(server: Server, origins: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Find the domains of components where a page of this origin may log in, and how."""
    return {
        domain: component.host.mechanisms
        for domain, component in server.router.components.items()
        if component.host is not None
        and all(is_allowed(one, server.settings) or component.host.welcomes(one) for one in origins)
    }


def is_allowed(origin: str, settings: Settings) -> bool:
    """Whether a page of this origin may connect: one of ours, or one in the settings."""
    allowed = settings.websocket.origins
    return "*" in allowed or origin.lower() in allowed or origin.lower() == own_origin(settings)


def own_origin(settings: Settings) -> str:
    """Write the server's own origin as browsers do (RFC 6454, 6.2)."""
    return str(URL(settings.public_url).origin()).lower() if settings.public_url else ""


class WebSocketConnection(Connection, asyncio.Protocol):
    """A client that connects by WebSocket; the stream begins when the handshake is done."""

    def __init__(
        self, reception: Reception, request: web.Request, transport: asyncio.Transport, address: str
    ) -> None:
        super().__init__(reception, WebSocketFraming(), transport, address, secure=request.secure)
        if not request.secure:
            # HTTP without TLS is on loopback only: TLS ends at a proxy in front. PLAIN is not offered all the same.
            self.stream.options = replace(self.stream.options, require_tls=False)
        self._http = request.protocol
        self._reader = MessageReader(self._server.settings.limits.pre_auth_bytes)
        self._close_code = CloseCode.NORMAL
        self._has_said_close = False
        self._is_deaf = False
        self.is_over = asyncio.Event()
        self._server.counters.connections["websocket"] += 1
        transport.set_protocol(self)

    # In

    def data_received(self, data: bytes) -> None:
        """Take the transport's bytes."""
        if self._is_deaf:
            return
        if self.stream.username:
            self._reader.limit = self.stream.options.limits.stanza_bytes
        try:
            for opcode, payload in self._reader.feed(data):
                self._take_message(opcode, payload)
        except FrameError as error:
            self._close_code = error.code
            self._is_deaf = True  # what follows can't be made sense of
            condition = "policy-violation" if error.code is CloseCode.TOO_BIG else "bad-format"
            self.end(StreamError(condition, error.text))

    def _take_message(self, opcode: Opcode, payload: bytes) -> None:
        match opcode:
            case Opcode.TEXT:
                if self.stream.state is not State.CLOSED:
                    self.take(payload)
            case Opcode.CLOSE:
                self._close(payload[:2])
            case Opcode.PING:
                self._heard()
                self._put(write_frame(Opcode.PONG, payload))
            case Opcode.PONG:
                self._heard()
            case _:
                raise FrameError(CloseCode.UNSUPPORTED, "XMPP is text (RFC 7395, 3.2)")

    def _heard(self) -> None:
        self.last_heard = self._loop.time()
        self._was_asked = 0.0

    def _close(self, code: bytes) -> None:
        """RFC 7395, 3.6.1: closed without `<close/>`, the session may be resumed."""
        if not self._has_said_close:
            self._put(write_frame(Opcode.CLOSE, code))
            self._has_said_close = True
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the transport is gone."""
        self._http.connection_lost(error)
        self.lost()
        self.is_over.set()

    # Out

    def _write(self, chunks: list[bytes]) -> None:
        self._put(b"".join([write_frame(Opcode.TEXT, chunk) for chunk in chunks]))

    def _put(self, frames: bytes) -> None:
        if self._has_said_close or self._transport.is_closing():
            return
        super()._put(frames)

    def _hang_up(self) -> None:
        # RFC 6455, 7.1.1: the client's own Close is waited for, but not for long.
        self._put(write_frame(Opcode.CLOSE, self._close_code.to_bytes(2, "big")))
        self._has_said_close = True
        self._read_on()
        self._loop.call_later(CLOSE_SECONDS, self._transport.close)
