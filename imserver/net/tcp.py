"""XMPP over TCP: STARTTLS (RFC 6120, 5) and TLS from the first byte (XEP-0368)."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from imserver.net import channel_binding
from imserver.net.connection import GOODBYE_SECONDS, Connection
from imserver.net.encryption import Encryption
from imserver.stream.framing import TCPFraming

if TYPE_CHECKING:
    from collections.abc import Callable

    from imserver.net.connection import Reception
    from imserver.net.tls import Certificates

#: How long a TLS handshake may take, in seconds.
HANDSHAKE_SECONDS = 15.0

_FRAMING: Final = TCPFraming()


class TCPDoor(asyncio.Protocol):
    """Lets in who connects to a listener; from then on the connection is its transport's protocol."""

    def __init__(self, reception: Reception, certificates: Certificates, *, direct_tls: bool) -> None:
        self._reception = reception
        self._certificates = certificates
        self._direct_tls = direct_tls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plain = cast("asyncio.Transport", transport)
        peer = plain.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._reception.doorkeeper.admit(address):
            plain.abort()
        elif self._direct_tls:
            self._secure(plain, address)
        else:
            self._enter(plain, address, None)

    def _secure(self, transport: asyncio.Transport, address: str) -> None:
        def failed(reason: str) -> None:
            self._reception.doorkeeper.leave(address)

        def done(tls: Encryption) -> None:
            self._enter(transport, address, tls)

        _Handshake(transport, self._certificates.direct, done, failed)

    def _enter(self, transport: asyncio.Transport, address: str, tls: Encryption | None) -> None:
        self._reception.server.counters.connections["tls" if tls is not None else "tcp"] += 1
        TCPConnection(self._reception, transport, self._certificates, address, tls)


class _Handshake(asyncio.Protocol):
    """TLS begins: nothing else is read or written until it is there, or the connection is gone."""

    def __init__(
        self,
        transport: asyncio.Transport,
        context: ssl.SSLContext,
        done: Callable[[Encryption], None],
        failed: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._tls = Encryption(context)
        self._done = done
        self._failed = failed
        self._reason = "the peer hung up"
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, self._too_late)
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        try:
            is_done = self._tls.shake_hands(data)
        except ssl.SSLError as error:
            self._reason = str(error)
            self._answer()
            self._transport.close()
            return
        self._answer()
        if is_done:
            self._deadline.cancel()
            self._done(self._tls)

    def _answer(self) -> None:
        if self._tls.has_to_send:
            self._transport.write(self._tls.to_send())

    def _too_late(self) -> None:
        self._reason = "the handshake took too long"
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._deadline.cancel()
        self._failed(self._reason)


class TCPConnection(Connection, asyncio.Protocol):
    """A client that connects by TCP; the stream begins when the transport is there, under TLS or not yet."""

    __slots__ = ("_certificates", "_is_mute", "_tls")

    def __init__(
        self,
        reception: Reception,
        transport: asyncio.Transport,
        certificates: Certificates,
        address: str,
        tls: Encryption | None,
    ) -> None:
        super().__init__(
            reception,
            _FRAMING,
            transport,
            address,
            secure=tls is not None,
            can_start_tls=tls is None,
            bindings=_bindings(tls, certificates) if tls is not None else None,
        )
        self._certificates = certificates
        self._tls = tls
        # While TLS begins, and after the last words: nothing is read or written here.
        self._is_mute = False
        transport.set_protocol(self)
        if tls is not None:
            self.data_received(b"")  # the end of the handshake and the stream's header may come together

    # In

    def data_received(self, data: bytes) -> None:
        """Take the transport's bytes."""
        if self._tls is not None:
            self._take_encrypted(self._tls, data)
        elif not self._is_mute:
            self.take(data)

    def _take_encrypted(self, tls: Encryption, data: bytes) -> None:
        try:
            plain = tls.decrypt(data)
        except ssl.SSLError:
            self._part(tls)
            return
        if tls.has_to_send:
            self._put(tls.to_send())
        if plain:
            self.take(plain)
        if tls.is_over and self._tls is not None:
            self._part(tls)

    def _part(self, tls: Encryption) -> None:
        """Hang up without a word to the stream, which may be resumed: there is no TLS any more (RFC 8446, 6)."""
        self._say_last(tls)
        self._transport.close()
        self._limit_time(GOODBYE_SECONDS, self.abort)

    def eof_received(self) -> None:
        """Have the transport closed: a stream that was not ended is lost, and may be resumed (XEP-0198, 5)."""

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the transport is gone."""
        self.lost()

    # Out

    def _write(self, chunks: list[bytes]) -> None:
        if self._tls is not None:
            self._put(self._tls.encrypt(b"".join(chunks)))
        elif not self._is_mute:
            self._put(b"".join(chunks))

    def _say_last(self, tls: Encryption) -> None:
        self._tls = None
        self._is_mute = True
        self._put(tls.close())

    def _hang_up(self) -> None:
        if self._tls is None:
            self._transport.close()
            return
        # The client's end is waited for: closed before, what it still sends could take our last words away.
        self._say_last(self._tls)
        if not self._transport.is_closing():
            self._transport.write_eof()
            self._read_on()

    # TLS

    def _start_tls(self) -> None:
        # RFC 6120, 5.4.3.3: whatever comes after <proceed/> belongs to the handshake.
        self._is_mute = True
        _Handshake(self._transport, self._certificates.starttls, self._secured, self._not_secured)

    def _secured(self, tls: Encryption) -> None:
        self._is_mute = False
        self._tls = tls
        self._transport.set_protocol(self)
        self._act(self.stream.secured(_bindings(tls, self._certificates)))
        self.data_received(b"")  # the end of the handshake and the stream's header may come together

    def _not_secured(self, reason: str) -> None:
        if not self._is_ending:
            self._server.log.info("TLS could not be started", address=self._address, reason=reason)
        self.lost()


def _bindings(tls: Encryption, certificates: Certificates) -> dict[str, bytes]:
    return channel_binding.bindings(tls.connection, certificates.shown_to(tls.connection))
