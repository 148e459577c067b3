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
            transport,
            address,
            secure=direct_tls,
            can_start_tls=not direct_tls,
            bindings=_bindings(transport, certificates) if direct_tls else None,
        )
        self._protocol = protocol
        self._certificates = certificates

    def _write(self, chunks: list[bytes]) -> None:
        self._put(b"".join(chunks))

    def _hang_up(self) -> None:
        self._transport.close()

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
        self._use(transport)
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
