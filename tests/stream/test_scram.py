"""RFC 5802: proving to know a password without saying it."""

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.stream.scram import (
    HASHES,
    SALT_LENGTH,
    PasswordError,
    ScramCredentials,
    ScramServer,
    downgrade_protection,
    fake_credentials,
    make_credentials,
    prepare_password,
    verify_password,
)
from imserver.xmpp.errors import SASLError

SALT = bytes(range(SALT_LENGTH))
BINDINGS = {"tls-exporter": b"E" * 32, "tls-server-end-point": b"S" * 32}


def credentials_for(password: str, mechanism: str = "SCRAM-SHA-256", salt: bytes = SALT) -> ScramCredentials:
    (credentials,) = make_credentials(password, iterations=4096, salt=salt, mechanisms=(mechanism,))
    return credentials


class Client:
    """The other side, written from the RFC and on its own."""

    def __init__(self, mechanism: str, password: str, *, gs2: str = "n,,", binding: bytes = b"") -> None:
        self.algorithm = HASHES[mechanism.removesuffix("-PLUS")]
        self.password = password
        self.gs2 = gs2
        self.binding = binding
        self.bare = "n=ana,r=client"

    def first(self) -> bytes:
        return f"{self.gs2}{self.bare}".encode()

    def final(self, challenge: bytes) -> bytes:
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        salted = hashlib.pbkdf2_hmac(
            self.algorithm, self.password.encode(), b64decode(fields["s"]), int(fields["i"])
        )
        key = hmac.digest(salted, b"Client Key", self.algorithm)
        bound = b64encode(self.gs2.encode() + self.binding).decode()
        without_proof = f"c={bound},r={fields['r']}"
        signed = f"{self.bare},{challenge.decode()},{without_proof}".encode()
        signature = hmac.digest(hashlib.new(self.algorithm, key).digest(), signed, self.algorithm)
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.algorithm)
        self.expected = b"v=" + b64encode(hmac.digest(server_key, signed, self.algorithm))
        return f"{without_proof},p={b64encode(proof).decode()}".encode()


def serve(mechanism: str = "SCRAM-SHA-256") -> ScramServer:
    offered = {"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512"}
    return ScramServer(mechanism, offered=offered, bindings=BINDINGS, nonce="server")


@pytest.mark.parametrize(
    ("mechanism", "salt", "client_nonce", "server_nonce", "proof", "verdict"),
    [
        (
            "SCRAM-SHA-1",
            "QSXCR+Q6sek8bf92",
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SCRAM-SHA-256",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
)
def test_the_examples_of_the_standards(
    mechanism: str, salt: str, client_nonce: str, server_nonce: str, proof: str, verdict: str
) -> None:
    """RFC 5802, 5 and RFC 7677, 3."""
    server = ScramServer(mechanism, offered=(), bindings={}, nonce=server_nonce)

    server.receive_first(f"n,,n=user,r={client_nonce}".encode())
    challenge = server.challenge(credentials_for("pencil", mechanism, b64decode(salt)))
    answer = server.receive_final(f"c=biws,r={client_nonce}{server_nonce},p={proof}".encode())

    assert server.username == "user"
    assert challenge == f"r={client_nonce}{server_nonce},s={salt},i=4096".encode()
    assert answer == f"v={verdict}".encode()


def test_the_example_of_downgrade_protection() -> None:
    """XEP-0474, 5.3."""
    server = ScramServer(
        "SCRAM-SHA-1-PLUS",
        offered={"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"},
        bindings={"tls-exporter": b"THIS IS FAKE CB DATA", "tls-server-end-point": b""},
        nonce="a09117a6-ac50-4f2f-93f1-93799c2bddf6",
    )
    nonce = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6"

    server.receive_first(b"p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6")
    challenge = server.challenge(credentials_for("pencil", "SCRAM-SHA-1", b64decode("QSXCR+Q6sek8bf92")))
    answer = server.receive_final(
        f"c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r={nonce},"
        "x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=".encode()
    )

    assert challenge == f"r={nonce},s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=".encode()
    assert answer == b"v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c="


def test_without_channel_bindings_only_the_mechanisms_are_protected() -> None:
    expected = b64encode(hashlib.sha256(b"PLAIN\x1eSCRAM-SHA-256").digest()).decode()

    assert downgrade_protection("sha256", ["SCRAM-SHA-256", "PLAIN"], []) == expected


@pytest.mark.parametrize("mechanism", HASHES)
def test_the_password_lets_in(mechanism: str) -> None:
    client = Client(mechanism, "secret")
    server = serve(mechanism)

    server.receive_first(client.first())
    answer = server.receive_final(client.final(server.challenge(credentials_for("secret", mechanism))))

    assert answer == client.expected


@pytest.mark.parametrize("binding_type", BINDINGS)
def test_the_password_lets_in_over_the_same_channel(binding_type: str) -> None:
    client = Client("SCRAM-SHA-256", "secret", gs2=f"p={binding_type},,", binding=BINDINGS[binding_type])
    server = serve("SCRAM-SHA-256-PLUS")

    server.receive_first(client.first())
    answer = server.receive_final(client.final(server.challenge(credentials_for("secret"))))

    assert answer == client.expected


def test_another_password_does_not() -> None:
    client = Client("SCRAM-SHA-256", "guess")
    server = serve()
    server.receive_first(client.first())
    final = client.final(server.challenge(credentials_for("secret")))

    with pytest.raises(SASLError, match=r"^not-authorized$"):
        server.receive_final(final)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ana", "ana"),
        ("a=2Cna", "a,na"),
        ("a=3Dna", "a=na"),
        ("a=3D2Cna", "a=2Cna"),
        ("\u00f1and\u00fa", "\u00f1and\u00fa"),
    ],
)
def test_names_are_unescaped(written: str, read: str) -> None:
    server = serve()

    server.receive_first(f"n,a={written},n={written},r=x".encode())

    assert server.username == server.authzid == read


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n",
        b"n,,",
        b"n,,n=ana",
        b"n,,r=x,n=ana",
        b"n,,n=,r=x",
        b"n,,n=ana,r=",
        b"n,,n=ana,r=\xc3\xa9",
        b"n,,n=ana,r=a b",
        b"n,,n=an\0a,r=x",
        b"n,,n=a=2Dna,r=x",
        b"n,,n=ana=,r=x",
        b"n,a=,n=ana,r=x",
        b"n,ana,n=ana,r=x",
        b"n,,m=later,n=ana,r=x",
        b"n,,n=ana,r=x,",
        b"n,,n=ana,r=x,y",
        b"n,,n=ana,r=x\n",
        b"\xffn,,n=ana,r=x",
        b"N,,n=ana,r=x",
        b"p=,,n=ana,r=x",
        b"p=tls exporter,,n=ana,r=x",
        b"F,n,,n=ana,r=x",
        # Channel binding, without the mechanism for it.
        b"p=tls-exporter,,n=ana,r=x",
    ],
)
def test_a_malformed_beginning_is_refused(message: bytes) -> None:
    with pytest.raises(SASLError, match="malformed-request"):
        serve().receive_first(message)


@pytest.mark.parametrize("message", [b"n,,n=ana,r=x", b"y,,n=ana,r=x"])
def test_a_mechanism_with_channel_binding_needs_one(message: bytes) -> None:
    with pytest.raises(SASLError, match="malformed-request"):
        serve("SCRAM-SHA-256-PLUS").receive_first(message)


def test_a_channel_binding_that_was_not_offered_is_refused() -> None:
    with pytest.raises(SASLError, match="not-authorized"):
        serve("SCRAM-SHA-256-PLUS").receive_first(b"p=tls-unique,,n=ana,r=x")


def test_a_client_that_was_not_shown_channel_binding_is_warned() -> None:
    """RFC 5802, 6: flag "y" when the server did offer it means that somebody removed the offer."""
    with pytest.raises(SASLError, match="not-authorized"):
        serve().receive_first(b"y,,n=ana,r=x")


def test_a_client_with_channel_binding_may_meet_a_server_without() -> None:
    client = Client("SCRAM-SHA-256", "secret", gs2="y,,")
    server = ScramServer("SCRAM-SHA-256", offered={"SCRAM-SHA-256"}, bindings={}, nonce="server")

    server.receive_first(client.first())

    assert server.receive_final(client.final(server.challenge(credentials_for("secret")))) == client.expected


@pytest.mark.parametrize(
    ("gs2", "binding"),
    [
        ("p=tls-exporter,,", b"M" * 32),
        ("p=tls-exporter,,", b""),
        ("p=tls-exporter,,", BINDINGS["tls-server-end-point"]),
    ],
)
def test_a_proof_from_another_channel_is_refused(gs2: str, binding: bytes) -> None:
    client = Client("SCRAM-SHA-256", "secret", gs2=gs2, binding=binding)
    server = serve("SCRAM-SHA-256-PLUS")
    server.receive_first(client.first())
    final = client.final(server.challenge(credentials_for("secret")))

    with pytest.raises(SASLError, match=r"^not-authorized$"):
        server.receive_final(final)


@pytest.mark.parametrize("claimed", ["y,,", "p=tls-exporter,,", "n,a=luis,"])
def test_the_beginning_cannot_be_told_otherwise_at_the_end(claimed: str) -> None:
    """The header in c= is the one that began the exchange, also if the proof covers another."""
    client = Client("SCRAM-SHA-256", "secret")
    server = serve()
    server.receive_first(client.first())
    challenge = server.challenge(credentials_for("secret"))
    client.gs2 = claimed

    with pytest.raises(SASLError, match=r"^not-authorized$"):
        server.receive_final(client.final(challenge))


@pytest.mark.parametrize("nonce", ["client", "server", "clientserver2", "xclientserver", "clientServer"])
def test_a_proof_for_another_nonce_is_refused(nonce: str) -> None:
    client = Client("SCRAM-SHA-256", "secret")
    server = serve()
    server.receive_first(client.first())
    challenge = server.challenge(credentials_for("secret"))
    final = client.final(challenge).replace(b"r=clientserver,", f"r={nonce},".encode())

    with pytest.raises(SASLError, match=r"^not-authorized$"):
        server.receive_final(final)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"c=biws",
        b"c=biws,r=clientserver",
        b"c=biws,p=AAAA,r=clientserver",
        b"c=biws,r=clientserver,p=",
        b"c=biws,r=clientserver,p=A",
        b"c=biws,r=clientserver,p=AAAA",
        b"c=biws,r=clientserver,p=====",
        b"c=,r=clientserver,p=AAAA",
        b"c=biws,r=clientserver,p=AAAA,x=1",
        b"c=biws,r=clientserver,p=" + b"A" * 1000,
        b"\xff",
        b"v=AAAA",
        b"*",
    ],
)
def test_a_malformed_end_is_refused(message: bytes) -> None:
    server = serve()
    server.receive_first(b"n,,n=ana,r=client")
    server.challenge(credentials_for("secret"))

    with pytest.raises(SASLError, match="malformed-request"):
        server.receive_final(message)


@given(st.binary(max_size=200))
def test_noise_is_only_ever_refused(noise: bytes) -> None:
    server = serve()
    with pytest.raises(SASLError):
        server.receive_first(b"n,,n=\xff" + noise)

    server = serve()
    server.receive_first(b"n,,n=ana,r=client")
    server.challenge(fake_credentials("ana", "SCRAM-SHA-256", b"secret", 4096))
    with pytest.raises(SASLError):
        server.receive_final(noise)


def test_invented_credentials_look_like_real_ones() -> None:
    real = make_credentials("secret", iterations=4096, salt=SALT)
    invented = [fake_credentials("ana", mechanism, b"secret", 4096) for mechanism in HASHES]

    for one, other in zip(real, invented, strict=True):
        assert one.mechanism == other.mechanism
        assert one.iterations == other.iterations
        assert len(one.salt) == len(other.salt)
        assert len(one.stored_key) == len(other.stored_key)
        assert len(one.server_key) == len(other.server_key)
    assert len({one.salt for one in real}) == len({one.salt for one in invented}) == 1


def test_invented_credentials_are_the_same_at_each_try() -> None:
    first = fake_credentials("ana", "SCRAM-SHA-1", b"secret", 4096)

    assert first == fake_credentials("ana", "SCRAM-SHA-1", b"secret", 4096)
    assert first.salt != fake_credentials("luis", "SCRAM-SHA-1", b"secret", 4096).salt
    assert first.salt != fake_credentials("ana", "SCRAM-SHA-1", b"another", 4096).salt


@pytest.mark.parametrize("mechanism", HASHES)
def test_a_password_is_checked_with_what_is_kept_of_it(mechanism: str) -> None:
    kept = credentials_for("secret", mechanism)

    assert verify_password("secret", kept)
    assert not verify_password("Secret", kept)
    assert not verify_password("", kept)
    assert not verify_password("\x00", kept)
    assert not verify_password("secret", fake_credentials("ana", mechanism, b"secret", 4096))


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [
        ("secret with spaces", "secret with spaces"),
        # RFC 4013, 3.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        # The same letter from two keyboards.
        ("contrase\u00f1a", "contrase\u00f1a"),
        ("contrasen\u0303a", "contrase\u00f1a"),
        ("\u00a0", " "),
        ("\u30d1\u30b9\u30ef\u30fc\u30c9", "\u30d1\u30b9\u30ef\u30fc\u30c9"),
        ("\u05e1\u05d9\u05e1\u05de\u05d4", "\u05e1\u05d9\u05e1\u05de\u05d4"),
        # Younger than the standard.
        ("\U0001f511\U0001f98a", "\U0001f511\U0001f98a"),
    ],
)
def test_passwords_are_normalised(typed: str, prepared: str) -> None:
    assert prepare_password(typed) == prepared.encode()
    assert verify_password(typed, credentials_for(prepared))


@pytest.mark.parametrize(
    "password", ["", "\u00ad", "\x07", "a\nb", "\u0627\u0031", "\u0627a\u0627", "\ud800"]
)
def test_what_nobody_can_type_is_no_password(password: str) -> None:
    with pytest.raises(PasswordError):
        make_credentials(password, iterations=4096, salt=SALT)
