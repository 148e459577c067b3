"""TLS from bytes to bytes: OpenSSL between two buffers in memory, without a transport of its own.

The event loop's own TLS keeps a quarter of a megabyte of buffers for every connection, and much of it stays in
memory; this keeps what OpenSSL keeps, about 16 kB.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

#: RFC 8446, 5.1: what one record may hold, and so the most that OpenSSL returns at once.
RECORD_BYTES: Final = 16_384


class Encryption:
    """The server's side of one TLS connection."""

    __slots__ = ("_incoming", "_outgoing", "connection", "is_over")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.connection = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        #: Whether the peer has said that nothing follows (RFC 8446, 6.1).
        self.is_over = False

    def shake_hands(self, data: bytes) -> bool:
        """Take the peer's part of the handshake, and tell whether it is done; then send `to_send`.

        Raises:
            ssl.SSLError: If it comes to nothing; `to_send` has the alert that says so.
        """
        self._incoming.write(data)
        try:
            self.connection.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    @property
    def has_to_send(self) -> bool:
        """Whether OpenSSL has something to say by itself: its part of the handshake, or an alert."""
        return self._outgoing.pending > 0

    def to_send(self) -> bytes:
        """Take what OpenSSL has to say by itself."""
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> bytes:
        """Read what the peer has sent.

        Raises:
            ssl.SSLError: If it is not what the peer has sent, or no TLS.
        """
        incoming, read = self._incoming, self.connection.read
        incoming.write(data)
        records = []
        try:
            while incoming.pending:
                record = read(RECORD_BYTES)
                if not record:
                    self.is_over = True
                    break
                records.append(record)
        except ssl.SSLWantReadError:
            pass  # the rest of the last record is still to come
        return records[0] if len(records) == 1 else b"".join(records)

    def encrypt(self, data: bytes) -> bytes:
        """Write what the peer is to read.

        Raises:
            ssl.SSLError: If the connection has failed before.
        """
        written = self.connection.write(data)
        while written < len(data):  # a record each time
            written += self.connection.write(memoryview(data)[written:])
        return self._outgoing.read()

    def close(self) -> bytes:
        """Say that nothing follows (RFC 8446, 6.1); the last thing to be done."""
        with suppress(ssl.SSLError):  # it would like to wait for the peer's
            self.connection.unwrap()
        return self._outgoing.read()
