"""RFC 5802: the client's half of SCRAM, with its dear step remembered."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac

# Best first.
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}


class ScramError(Exception):
    """The server broke the protocol, or does not know the password."""


@functools.lru_cache(maxsize=100_000)
def salt_password(algorithm: str, password: str, salt: bytes, iterations: int) -> bytes:
    """Derive the salted password once for each salt."""
    return hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, iterations)


def stored_keys(algorithm: str, password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """Derive what a server keeps: StoredKey and ServerKey (RFC 5802, 3)."""
    salted = salt_password(algorithm, password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", algorithm)
    return hashlib.new(algorithm, client_key).digest(), hmac.digest(salted, b"Server Key", algorithm)


class ScramClient:
    """One authentication, without channel binding; the nonce comes from outside."""

    def __init__(self, mechanism: str, user: str, password: str, nonce: str) -> None:
        self._algorithm = HASHES[mechanism]
        self._password = password
        self._bare = f"n={user},r={nonce}"
        self._nonce = nonce
        self._verifier = b""

    def first(self) -> bytes:
        return f"n,,{self._bare}".encode()

    def final(self, challenge: bytes) -> bytes:
        """Answer the server's first message.

        Raises:
            ScramError: If its nonce does not begin with ours.
        """
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        if not fields["r"].startswith(self._nonce):
            raise ScramError("the server answered somebody else's nonce")
        salted = salt_password(
            self._algorithm, self._password, base64.b64decode(fields["s"]), int(fields["i"])
        )
        bare = f"c=biws,r={fields['r']}"
        signed = f"{self._bare},{challenge.decode()},{bare}".encode()

        client_key = hmac.digest(salted, b"Client Key", self._algorithm)
        stored_key = hashlib.new(self._algorithm, client_key).digest()
        signature = hmac.digest(stored_key, signed, self._algorithm)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self._algorithm)
        self._verifier = hmac.digest(server_key, signed, self._algorithm)
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, outcome: bytes) -> None:
        """Check that the server knew the password too.

        Raises:
            ScramError: If it did not.
        """
        if outcome != b"v=" + base64.b64encode(self._verifier):
            raise ScramError("the server's signature is wrong")
