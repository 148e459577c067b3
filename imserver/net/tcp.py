"""XMPP over TCP: STARTTLS (RFC 6120, 5) and TLS from the first byte (XEP-0368)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from imserver.net import channel_binding
from imserver.net.connection import Connection
from imserver.stream.framing import TCPFraming

if TYPE_CHECKING:
    import ssl

    from imserver.net.connection import Reception
    from imserver.net.tls import Certificates

#: How long a TLS handshake may take, in seconds.
HANDSHAKE_SECONDS = 15.0
#: Above this many waiting bytes, whoever sends much at a time waits; below the other one they go on.
DRAIN_HIGH = 65_536
DRAIN_LOW = 16_384


class TCPConnection(asyncio.Protocol):
    """A client that connects by TCP; the stream begins when the transport is there."""

    def __init__(self, reception: Reception, certificates: Certificates, *, direct_tls: bool) -> None:
        self._reception = reception
        self._certificates = certificates
        self._direct_tls = direct_tls
        self._connection: _TCP | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plain = cast("asyncio.Transport", transport)
        peer = plain.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._reception.doorkeeper.admit(address):
            plain.abort()
            return
        self._reception.server.counters.connections["tls" if self._direct_tls else "tcp"] += 1
        plain.set_write_buffer_limits(high=DRAIN_HIGH, low=DRAIN_LOW)
        self._connection = _TCP(
            self._reception, self, plain, self._certificates, address, direct_tls=self._direct_tls
        )

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.take(data)

    def eof_received(self) -> None:
        """Have the transport closed: a stream that was not ended is lost, and may be resumed (XEP-0198, 5)."""

    def connection_lost(self, error: Exception | None) -> None:
        if self._connection is not None:
            self._connection.lost()

    def pause_writing(self) -> None:
        if self._connection is not None:
            self._connection.is_drained.clear()

    def resume_writing(self) -> None:
        if self._connection is not None:
            self._connection.is_drained.set()


class _TCP(Connection):
    def __init__(
        self,
        reception: Reception,
        protocol: TCPConnection,
        transport: asyncio.Transport,
        certificates: Certificates,
        address: str,
        *,
        direct_tls: bool,
    ) -> None:
        super().__init__(
            reception,
            TCPFraming(),
            address,
            secure=direct_tls,
            can_start_tls=not direct_tls,
            bindings=_bindings(transport, certificates) if direct_tls else None,
        )
        self._protocol = protocol
        self._transport = transport
        self._certificates = certificates
        self._may_read = True
        self.is_drained = asyncio.Event()
        self.is_drained.set()

    def _write(self, chunks: list[bytes]) -> None:
        transport = self._transport
        transport.write(b"".join(chunks))
        if transport.get_write_buffer_size() > self._server.settings.limits.send_buffer_bytes:
            self._server.log.info("reads too slowly", account=self._login, address=self._address)
            self.abort()

    def _hang_up(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        """Close the transport now."""
        self._transport.abort()

    def _pause(self) -> None:
        if self._may_read:
            self._may_read = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if not self._may_read and not self._transport.is_closing() and not self._is_held_up:
            self._may_read = True
            self._transport.resume_reading()

    async def drained(self) -> None:
        """Wait until the reader has caught up."""
        self._flush()
        if not self._is_gone:
            await self.is_drained.wait()

    def lost(self) -> None:
        """Take note that the transport is gone."""
        self.is_drained.set()
        super().lost()

    def _start_tls(self) -> None:
        # RFC 6120, 5.4.3.3: nothing may be read between <proceed/> and the handshake.
        self._pause()
        self._server.spawn(self._secure())

    async def _secure(self) -> None:
        early = _Early()
        try:
            transport = await self._loop.start_tls(
                self._transport,
                early,
                self._certificates.starttls,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except (OSError, ConnectionError) as error:
            self._server.log.info(
                "TLS could not be started", address=self._address, reason=str(error) or type(error).__name__
            )
            self.abort()
            self.lost()
            return
        # Lost during the handshake: asyncio returns nothing, uvloop a transport without TLS.
        if (
            transport is None
            or transport.get_extra_info("ssl_object") is None
            or early.is_lost
            or self._is_gone
        ):
            self.lost()
            return
        transport.set_protocol(self._protocol)
        self._transport = transport
        self._may_read = True
        transport.set_write_buffer_limits(high=DRAIN_HIGH, low=DRAIN_LOW)
        self._act(self.stream.secured(_bindings(transport, self._certificates)))
        for data in early.said:
            self.take(data)


class _Early(asyncio.Protocol):
    """Keeps what a client says under TLS until its stream knows of TLS: the two may arrive together."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self.said.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True


def _bindings(transport: asyncio.Transport, certificates: Certificates) -> dict[str, bytes]:
    tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
    return channel_binding.bindings(tls, certificates.shown_to(tls))
