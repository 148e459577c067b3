"""SCRAM, the server's side, with stored keys only (RFC 5802, RFC 7677)."""

import hashlib
import hmac
import re
import stringprep
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import ucd_3_2_0

from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from imserver.xmpp.errors import SASLError

HASHES: Final[Mapping[str, str]] = {
    "SCRAM-SHA-1": "sha1",
    "SCRAM-SHA-256": "sha256",
    "SCRAM-SHA-512": "sha512",
}

DIGESTS: Final[Mapping[str, HashAlgorithm]] = {
    "sha1": SHA1(),  # noqa: S303 - RFC 5802's own; in HMAC it is still safe
    "sha256": SHA256(),
    "sha512": SHA512(),
}

# Invented salts have this length: give the real ones the same.
SALT_LENGTH: Final = 16

# RFC 5802, 7.
CLIENT_FIRST = re.compile(
    r"(?P<gs2>(?:(?P<flag>[ny])|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>[^,\0]+))?,)"
    r"(?P<bare>n=(?P<username>[^,\0]+),r=(?P<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^,\0]+)*)"
)
CLIENT_FINAL = re.compile(
    r"(?P<without_proof>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^,\0]+)*)"
    r",p=(?P<proof>[A-Za-z0-9+/=]+)"
)
ESCAPED_NAME = re.compile(r"(?:[^=]|=2C|=3D)+", re.DOTALL)

# RFC 4013, 2.3: what a password cannot hold.
PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class PasswordError(ValueError):
    """The text cannot be a password."""


@dataclass(frozen=True, slots=True)
class ScramCredentials:
    """What is kept of a password: enough to check it, not enough to use it."""

    mechanism: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


def make_credentials(
    password: str, *, iterations: int, salt: bytes, mechanisms: Sequence[str] = tuple(HASHES)
) -> tuple[ScramCredentials, ...]:
    """Derive what is kept of a password; slow on purpose, so call it in a thread.

    Raises:
        PasswordError: If it is empty or holds what no client can type.
    """
    prepared = prepare_password(password)
    return tuple(_derive(prepared, mechanism, salt, iterations) for mechanism in mechanisms)


def verify_password(password: str, credentials: ScramCredentials) -> bool:
    """Tell whether this is the password; slow on purpose, so call it in a thread.

    For an unknown user ask with `fake_credentials`, so that the answer takes as long.
    """
    try:
        prepared = prepare_password(password)
    except PasswordError:
        # Never right, but as slow as any other.
        prepared = b""
    derived = _derive(prepared, credentials.mechanism, credentials.salt, credentials.iterations)
    return hmac.compare_digest(derived.stored_key, credentials.stored_key) and prepared != b""


def fake_credentials(username: str, mechanism: str, secret: bytes, iterations: int) -> ScramCredentials:
    """Invent credentials that nobody has the password for, the same ones at each try.

    Without them a stranger could tell who has an account (RFC 6120, 13.11).
    """
    # The accounts have one salt for all mechanisms, so the inventions have too.
    salt = hmac.digest(secret, b"salt\0" + username.encode(), "sha256")[:SALT_LENGTH]
    key = hmac.digest(secret, f"key\0{mechanism}\0{username}".encode(), HASHES[mechanism])
    return ScramCredentials(mechanism, salt, iterations, key, key[::-1])


def prepare_password(password: str) -> bytes:
    """Normalise a password as SASLprep says (RFC 4013), as SCRAM's clients do.

    Raises:
        PasswordError: If it is empty or holds what no client can type.
    """
    if password.isascii() and password.isprintable() and password:
        return password.encode()
    mapped = "".join(_map_character(character) for character in password)
    # The standard is written for Unicode 3.2. What came later (emoji, say) passes unchanged.
    normal = ucd_3_2_0.normalize("NFKC", mapped)
    if not normal:
        raise PasswordError("a password cannot be empty")
    if any(prohibited(character) for character in normal for prohibited in PROHIBITED):
        raise PasswordError("a password cannot hold control characters")
    if not _is_one_direction(normal):
        raise PasswordError("a password cannot mix text from right to left with text from left to right")
    return normal.encode()


def _map_character(character: str) -> str:
    # RFC 4013, 2.1.
    if stringprep.in_table_c12(character):
        return " "
    return "" if stringprep.in_table_b1(character) else character


def _is_one_direction(text: str) -> bool:
    # RFC 3454, 6.
    if not any(map(stringprep.in_table_d1, text)):
        return True
    if any(map(stringprep.in_table_d2, text)):
        return False
    return stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])


def _derive(password: bytes, mechanism: str, salt: bytes, iterations: int) -> ScramCredentials:
    # RFC 5802, 3.
    algorithm = HASHES[mechanism]
    # OpenSSL both ways, but hashlib's asks for each of its methods anew: this one takes half the time.
    digest = DIGESTS[algorithm]
    salted_password = PBKDF2HMAC(digest, digest.digest_size, salt, iterations).derive(password)
    client_key = hmac.digest(salted_password, b"Client Key", algorithm)
    stored_key = hashlib.new(algorithm, client_key).digest()
    server_key = hmac.digest(salted_password, b"Server Key", algorithm)
    return ScramCredentials(mechanism, salt, iterations, stored_key, server_key)


def downgrade_protection(algorithm: str, mechanisms: Collection[str], binding_types: Collection[str]) -> str:
    """Hash what was offered, so that the client sees if somebody changed it on the way (XEP-0474, 5.1)."""
    offered = "\x1e".join(sorted(mechanisms))
    if binding_types:
        offered += "\x1f" + "\x1e".join(sorted(binding_types))
    return b64encode(hashlib.new(algorithm, offered.encode()).digest()).decode()


class ScramServer:
    """One SCRAM exchange: `receive_first`, `challenge`, `receive_final`, in this order.

    After `receive_first`, `username` and `authzid` are what the client claims, as written.
    `protect` signs what was offered (XEP-0474).
    """

    def __init__(
        self,
        mechanism: str,
        *,
        offered: Collection[str],
        bindings: Mapping[str, bytes],
        nonce: str,
        protect: bool = True,
    ) -> None:
        self.mechanism = mechanism.removesuffix("-PLUS")
        self.username = ""
        self.authzid = ""
        self._is_bound = mechanism.endswith("-PLUS")
        self._offered = offered
        self._protects = protect
        self._bindings = bindings
        self._nonce = nonce
        self._first_bare = ""
        self._challenge = ""
        self._binding = b""
        self._credentials: ScramCredentials | None = None

    def receive_first(self, data: bytes) -> None:
        """Read who the client claims to be.

        Raises:
            SASLError: If the message is malformed, or bound to the channel otherwise than offered.
        """
        message = CLIENT_FIRST.fullmatch(_decode(data))
        if message is None:
            raise SASLError("malformed-request")
        self.username = _unescape(message["username"])
        self.authzid = _unescape(message["authzid"] or "")
        self._binding = message["gs2"].encode() + self._bound_data(message["flag"], message["binding"])
        self._first_bare = message["bare"]
        self._nonce = message["nonce"] + self._nonce

    def challenge(self, credentials: ScramCredentials) -> bytes:
        """Ask the client to prove that it knows the password to these credentials."""
        salt = b64encode(credentials.salt).decode()
        self._challenge = f"r={self._nonce},s={salt},i={credentials.iterations}"
        if self._protects and self._offered:
            protection = downgrade_protection(HASHES[self.mechanism], self._offered, self._bindings)
            self._challenge += f",h={protection}"
        self._credentials = credentials
        return self._challenge.encode()

    def receive_final(self, data: bytes) -> bytes:
        """Check the client's proof, and answer with ours.

        Raises:
            SASLError: If the message is malformed, or anything in it is wrong: never says which.
        """
        assert self._credentials is not None
        message = CLIENT_FINAL.fullmatch(_decode(data))
        if message is None:
            raise SASLError("malformed-request")
        signed = f"{self._first_bare},{self._challenge},{message['without_proof']}".encode()
        is_bound = hmac.compare_digest(message["binding"].encode(), b64encode(self._binding))
        is_fresh = hmac.compare_digest(message["nonce"].encode(), self._nonce.encode())
        if not (self._is_proof(message["proof"], signed, self._credentials) and is_bound and is_fresh):
            raise SASLError("not-authorized")
        signature = hmac.digest(self._credentials.server_key, signed, HASHES[self.mechanism])
        return b"v=" + b64encode(signature)

    def _bound_data(self, flag: str | None, binding_type: str | None) -> bytes:
        if binding_type is not None:
            if not self._is_bound:
                raise SASLError("malformed-request", "Channel binding needs a mechanism that ends in -PLUS")
            if binding_type not in self._bindings:
                raise SASLError("not-authorized", f"There is no channel binding {binding_type} here")
            return self._bindings[binding_type]
        if self._is_bound:
            raise SASLError("malformed-request", "This mechanism needs channel binding")
        # RFC 5802, 6: somebody between us took the -PLUS mechanisms away.
        if flag == "y" and any(mechanism.endswith("-PLUS") for mechanism in self._offered):
            raise SASLError("not-authorized", "Channel binding was offered, and not seen by the client")
        return b""

    def _is_proof(self, proof: str, signed: bytes, credentials: ScramCredentials) -> bool:
        algorithm = HASHES[self.mechanism]
        signature = hmac.digest(credentials.stored_key, signed, algorithm)
        try:
            masked_key = b64decode(proof, validate=True)
        except ValueError as error:
            raise SASLError("malformed-request") from error
        if len(masked_key) != len(signature):
            raise SASLError("malformed-request")
        client_key = (int.from_bytes(masked_key) ^ int.from_bytes(signature)).to_bytes(len(signature))
        return hmac.compare_digest(hashlib.new(algorithm, client_key).digest(), credentials.stored_key)


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise SASLError("malformed-request") from error


def _unescape(name: str) -> str:
    if name and not ESCAPED_NAME.fullmatch(name):
        raise SASLError("malformed-request")
    return name.replace("=2C", ",").replace("=3D", "=")
