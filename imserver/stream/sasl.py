"""Logging in: SASL, the server's side (RFC 4422, RFC 6120, 6)."""

import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from imserver.stream.scram import HASHES, ScramCredentials, ScramServer, fake_credentials
from imserver.xmpp.errors import SASLError
from imserver.xmpp.jid import JID, JIDError, prepare_local

# The strongest first.
MECHANISMS: Final = (
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "PLAIN",
)
# Without a password: for domains that know by themselves who it is.
OTHER_MECHANISMS: Final = ("OAUTHBEARER", "ANONYMOUS")

# RFC 9266, 4.2 and XEP-0440: the binding to this very connection before the one to the certificate.
BINDING_TYPES: Final = ("tls-exporter", "tls-server-end-point")


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this to the client, and `respond` with what it says."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CredentialsWanted:
    """Look up what is kept for the user, and hand it to `credentials`."""

    username: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """Check the password, also that of an unknown user, and tell `password_checked`."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"PasswordWanted(username={self.username!r}, password=...)"


@dataclass(frozen=True, slots=True)
class IdentityWanted:
    """Say who shows this token, or who is new if there is none, and tell `identified`; or else `refused`."""

    mechanism: str
    token: str = ""

    def __repr__(self) -> str:
        return f"IdentityWanted(mechanism={self.mechanism!r}, token=...)"


@dataclass(frozen=True, slots=True)
class Success:
    """The client is this user; `data`, if any, goes with the good news."""

    username: str
    data: bytes | None


Step = Challenge | CredentialsWanted | PasswordWanted | IdentityWanted | Success


class Turn(Enum):
    """Who has to say something before the exchange goes on."""

    CLIENT = auto()
    STORE = auto()
    NOBODY = auto()


def mechanisms_to_offer(configured: Collection[str], tls: bool, bindings: Mapping[str, bytes]) -> list[str]:
    """Choose from the configured mechanisms those that this connection is fit for, the strongest first."""
    return [
        mechanism
        for mechanism in (*MECHANISMS, *OTHER_MECHANISMS)
        if mechanism in configured
        and (tls or mechanism != "PLAIN")
        and (bindings or not mechanism.endswith("-PLUS"))
    ]


def binding_types(bindings: Mapping[str, bytes]) -> list[str]:
    """List the channel bindings to announce (XEP-0440), the strongest first.

    Announce all of them or, if there are none, no list: XEP-0474 signs it.
    """
    return [name for name in BINDING_TYPES if name in bindings]


def decode(text: str) -> bytes:
    """Read the text of `<auth/>` or `<response/>`; "=" stands for nothing (RFC 6120, 6.4.2).

    Raises:
        SASLError: If it is not base64.
    """
    if text == "=":
        return b""
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise SASLError("incorrect-encoding") from error


def encode(data: bytes) -> str:
    """Write the text of `<challenge/>` or `<success/>`."""
    return b64encode(data).decode() or "="


class Exchange:
    """One try to log in. The first failure ends it; begin another one."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self._turn = Turn.CLIENT

    def respond(self, data: bytes | None) -> Step:
        """Take what the client says; None if it began without an initial response.

        Raises:
            SASLError: If it is refused.
        """
        self._take_turn(Turn.CLIENT)
        if data is None:
            self._turn = Turn.CLIENT
            return Challenge(b"")
        return self._receive(data)

    def credentials(self, found: Sequence[ScramCredentials] | None) -> Step:
        """Take what is kept for the user; None if there is no such user."""
        raise NotImplementedError

    def password_checked(self, right: bool) -> Step:
        """Take whether the user exists and the password is right.

        Raises:
            SASLError: If it is not.
        """
        raise NotImplementedError

    def identified(self, username: str) -> Step:
        """Take who it is.

        Raises:
            SASLError: If they want to act as somebody else.
        """
        raise NotImplementedError

    def refused(self, error: SASLError) -> Step:
        """Take that it was refused, for reasons of the server's own.

        Raises:
            SASLError: That is said to the client, at once or in the next step.
        """
        raise error

    def _receive(self, data: bytes) -> Step:
        raise NotImplementedError

    def _take_turn(self, turn: Turn) -> None:
        if self._turn is not turn:
            raise SASLError("malformed-request")
        # Whoever raises leaves it at that: nothing follows a failure.
        self._turn = Turn.NOBODY

    def _identify(self, username: str, authzid: str) -> str:
        """Normalise who logs in, and refuse to let them act as anybody else."""
        try:
            local = prepare_local(username)
        except JIDError as error:
            raise SASLError("not-authorized") from error
        if authzid and not _is_address(authzid, JID.of(local, self.domain)):
            raise SASLError("invalid-authzid")
        return local


class PlainExchange(Exchange):
    """The password itself (RFC 4616)."""

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        self._username = ""

    def _receive(self, data: bytes) -> Step:
        try:
            authzid, username, password = data.decode().split("\0")
        except ValueError as error:
            raise SASLError("malformed-request") from error
        if not username or not password:
            raise SASLError("malformed-request")
        self._username = self._identify(username, authzid)
        self._turn = Turn.STORE
        return PasswordWanted(self._username, password)

    def password_checked(self, right: bool) -> Step:
        self._take_turn(Turn.STORE)
        if not right:
            raise SASLError("not-authorized")
        return Success(self._username, None)


class ScramExchange(Exchange):
    """A proof of knowing the password, both ways (RFC 5802)."""

    def __init__(self, domain: str, scram: ScramServer, *, secret: bytes, iterations: int) -> None:
        super().__init__(domain)
        self._scram = scram
        self._secret = secret
        self._iterations = iterations
        self._username = ""
        self._is_known = False

    def credentials(self, found: Sequence[ScramCredentials] | None) -> Step:
        self._take_turn(Turn.STORE)
        mechanism = self._scram.mechanism
        kept = next((one for one in found or () if one.mechanism == mechanism), None)
        self._is_known = kept is not None
        self._turn = Turn.CLIENT
        return Challenge(
            self._scram.challenge(
                kept or fake_credentials(self._username, mechanism, self._secret, self._iterations)
            )
        )

    def _receive(self, data: bytes) -> Step:
        return self._finish(data) if self._username else self._start(data)

    def _start(self, data: bytes) -> Step:
        self._scram.receive_first(data)
        self._username = self._identify(self._scram.username, self._scram.authzid)
        self._turn = Turn.STORE
        return CredentialsWanted(self._username, self._scram.mechanism)

    def _finish(self, data: bytes) -> Step:
        answer = self._scram.receive_final(data)
        if not self._is_known:
            raise SASLError("not-authorized")
        return Success(self._username, answer)


class AnonymousExchange(Exchange):
    """Nobody in particular (RFC 4505)."""

    def respond(self, data: bytes | None) -> Step:
        # COMPAT: XEP-0175, 2 and the clients that follow its example do not write "=" for nothing.
        return super().respond(data or b"")

    def _receive(self, data: bytes) -> Step:
        try:
            trace = data.decode()
        except UnicodeDecodeError as error:
            raise SASLError("malformed-request") from error
        if len(trace) > 255:  # RFC 4505, 2; what it says is nothing to rely on
            raise SASLError("malformed-request")
        self._turn = Turn.STORE
        return IdentityWanted("ANONYMOUS")

    def identified(self, username: str) -> Step:
        self._take_turn(Turn.STORE)
        return Success(self._identify(username, ""), None)


#: RFC 7628, 3.1; `p=` and `y` speak of channel bindings, which there are none of here.
_BEARER: Final = re.compile(
    rb"[ny],(?:a=([^,\x00-\x1f]*))?,\x01(?:[A-Za-z]+=[^\x01]*\x01)*?"
    rb"auth=Bearer +([A-Za-z0-9._~+/=-]+)\x01(?:[A-Za-z]+=[^\x01]*\x01)*\x01",
    re.IGNORECASE,
)
#: The longest token that is looked at.
LONGEST_TOKEN: Final = 4_096


class BearerExchange(Exchange):
    """A token that says who it is (RFC 7628)."""

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        self._authzid = ""
        self._refusal: SASLError | None = None

    def _receive(self, data: bytes) -> Step:
        if self._refusal is not None:
            raise self._refusal  # RFC 7628, 3.2.3: the client has said that it knows
        if len(data) > LONGEST_TOKEN + 1_024 or (found := _BEARER.fullmatch(data)) is None:
            raise SASLError("malformed-request")
        token = found[2].decode()
        if len(token) > LONGEST_TOKEN:
            raise SASLError("malformed-request")
        try:
            self._authzid = (found[1] or b"").decode().replace("=2C", ",").replace("=3D", "=")
        except UnicodeDecodeError as error:
            raise SASLError("malformed-request") from error
        self._turn = Turn.STORE
        return IdentityWanted("OAUTHBEARER", token)

    def identified(self, username: str) -> Step:
        self._take_turn(Turn.STORE)
        return Success(self._identify(username, self._authzid), None)

    def refused(self, error: SASLError) -> Step:
        self._take_turn(Turn.STORE)
        if error.condition != "not-authorized":
            raise error
        # RFC 7628, 3.2.2 and 3.2.3: why is said first, and it fails with the client's next word.
        self._refusal = error
        self._turn = Turn.CLIENT
        return Challenge(b'{"status":"invalid_token"}')


def begin(
    mechanism: str,
    *,
    domain: str,
    offered: frozenset[str],
    bindings: Mapping[str, bytes],
    nonce: str,
    tls: bool,
    secret: bytes,
    iterations: int,
    protect: bool = True,
) -> Exchange:
    """Start the exchange that the client has chosen from what was `offered`.

    `nonce` is new, random and printable; `secret` and `iterations` make up the credentials of
    unknown users, so the former must outlive the process and the latter be that of new accounts.
    `protect` signs what was offered (XEP-0474).

    Raises:
        SASLError: If the mechanism is unknown, was not offered, or is not for this connection.
    """
    if mechanism == "PLAIN" and not tls:
        raise SASLError("encryption-required")
    if mechanism not in offered:
        raise SASLError("invalid-mechanism")
    if mechanism == "PLAIN":
        return PlainExchange(domain)
    if mechanism == "ANONYMOUS":
        return AnonymousExchange(domain)
    if mechanism == "OAUTHBEARER":
        return BearerExchange(domain)
    if mechanism.removesuffix("-PLUS") not in HASHES:
        raise SASLError("invalid-mechanism")
    scram = ScramServer(mechanism, offered=offered, bindings=bindings, nonce=nonce, protect=protect)
    return ScramExchange(domain, scram, secret=secret, iterations=iterations)


def _is_address(text: str, address: JID) -> bool:
    try:
        return JID.parse(text) == address
    except JIDError:
        return False
