"""RFC 6120, 6: who may log in, and what the others are told."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.stream.sasl import (
    MECHANISMS,
    Challenge,
    CredentialsWanted,
    Exchange,
    PasswordWanted,
    Step,
    Success,
    begin,
    binding_types,
    decode,
    encode,
    mechanisms_to_offer,
)
from imserver.stream.scram import HASHES, make_credentials
from imserver.xmpp.errors import SASLError
from tests.stream.test_scram import BINDINGS, SALT, Client

ACCOUNTS = {"ana": make_credentials("secret", iterations=4096, salt=SALT)}
SCRAM_MECHANISMS = [mechanism for mechanism in MECHANISMS if mechanism != "PLAIN"]


def start(
    mechanism: str,
    *,
    offered: frozenset[str] = frozenset(MECHANISMS),
    bindings: Mapping[str, bytes] = BINDINGS,
    tls: bool = True,
) -> Exchange:
    return begin(
        mechanism,
        domain="example.com",
        offered=offered,
        bindings=bindings,
        nonce="server",
        tls=tls,
        secret=b"secret of the server",
        iterations=4096,
    )


def client_of(mechanism: str, password: str = "secret") -> Client:
    if mechanism.endswith("-PLUS"):
        return Client(mechanism, password, gs2="p=tls-exporter,,", binding=BINDINGS["tls-exporter"])
    return Client(mechanism, password)


def log_in(exchange: Exchange, client: Client) -> Step:
    """Play the whole exchange, as the stream and the store would."""
    wanted = exchange.respond(client.first())
    assert isinstance(wanted, CredentialsWanted)
    challenge = exchange.credentials(ACCOUNTS.get(wanted.username))
    assert isinstance(challenge, Challenge)
    return exchange.respond(client.final(challenge.data))


@pytest.mark.parametrize("mechanism", SCRAM_MECHANISMS)
def test_the_password_logs_in_without_being_said(mechanism: str) -> None:
    client = client_of(mechanism)

    step = log_in(start(mechanism), client)

    assert step == Success("ana", client.expected)


@pytest.mark.parametrize("mechanism", SCRAM_MECHANISMS)
def test_an_unknown_user_gets_the_answer_to_a_wrong_password(mechanism: str) -> None:
    refusals = []
    for username, password in (("ana", "guess"), ("nobody", "secret")):
        client = client_of(mechanism, password)
        client.bare = f"n={username},r=client"
        with pytest.raises(SASLError) as refusal:
            log_in(start(mechanism), client)
        refusals.append((refusal.value.condition, refusal.value.text))

    assert refusals == [("not-authorized", "")] * 2


@pytest.mark.parametrize("mechanism", HASHES)
def test_an_unknown_user_is_challenged_like_a_known_one(mechanism: str) -> None:
    challenges = []
    for username in ("ana", "nobody", "nobody"):
        exchange = start(mechanism)
        exchange.respond(f"n,,n={username},r=client".encode())
        challenge = exchange.credentials(ACCOUNTS.get(username))
        assert isinstance(challenge, Challenge)
        challenges.append(challenge.data)

    known, unknown, again = challenges
    assert unknown == again
    assert len(known) == len(unknown)
    assert known.split(b",")[2:] == unknown.split(b",")[2:]


def test_a_user_without_keys_for_the_mechanism_cannot_use_it() -> None:
    exchange = start("SCRAM-SHA-512")
    client = client_of("SCRAM-SHA-512")
    exchange.respond(client.first())
    challenge = exchange.credentials([kept for kept in ACCOUNTS["ana"] if kept.mechanism == "SCRAM-SHA-1"])

    assert isinstance(challenge, Challenge)
    with pytest.raises(SASLError, match=r"^not-authorized$"):
        exchange.respond(client.final(challenge.data))


def test_plain_asks_for_the_password_to_be_checked() -> None:
    exchange = start("PLAIN")

    assert exchange.respond(b"\0Ana\0s\xc3\xa9cret") == PasswordWanted("ana", "s\u00e9cret")
    assert exchange.password_checked(True) == Success("ana", None)


def test_plain_refuses_a_wrong_password() -> None:
    exchange = start("PLAIN")
    exchange.respond(b"\0ana\0guess")

    with pytest.raises(SASLError, match=r"^not-authorized$"):
        exchange.password_checked(False)


def test_a_password_does_not_show_in_logs() -> None:
    assert "secret" not in repr(start("PLAIN").respond(b"\0ana\0secret"))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"ana",
        b"ana\0secret",
        b"\0ana\0",
        b"\0\0secret",
        b"\0\0",
        b"\0ana\0sec\0ret",
        b"\0\0\0\0",
        b"\0an\xff\0secret",
        b"\0ana\0\xc0\x80",
        b"\0ana\0\xed\xa0\x80",
    ],
)
def test_plain_refuses_what_is_malformed(message: bytes) -> None:
    with pytest.raises(SASLError, match=r"^malformed-request$"):
        start("PLAIN").respond(message)


def test_plain_without_tls_is_refused() -> None:
    with pytest.raises(SASLError, match=r"^encryption-required$"):
        start("PLAIN", tls=False)
    with pytest.raises(SASLError, match=r"^encryption-required$"):
        start("PLAIN", tls=False, offered=frozenset({"SCRAM-SHA-1"}))


@pytest.mark.parametrize(
    ("mechanism", "offered"),
    [
        ("PLAIN", {"SCRAM-SHA-1"}),
        ("SCRAM-SHA-1", {"SCRAM-SHA-256"}),
        ("SCRAM-SHA-1-PLUS", {"SCRAM-SHA-1"}),
        ("SCRAM-MD5", {"SCRAM-MD5"}),
        ("EXTERNAL", {"EXTERNAL"}),
        ("plain", {"PLAIN"}),
        ("", set(MECHANISMS)),
    ],
)
def test_only_what_was_offered_can_be_chosen(mechanism: str, offered: set[str]) -> None:
    with pytest.raises(SASLError, match=r"^invalid-mechanism$"):
        start(mechanism, offered=frozenset(offered))


@pytest.mark.parametrize("authzid", ["ana@example.com", "Ana@EXAMPLE.com"])
def test_a_client_may_ask_to_act_as_itself(authzid: str) -> None:
    assert start("PLAIN").respond(f"{authzid}\0ana\0secret".encode()) == PasswordWanted("ana", "secret")
    assert start("SCRAM-SHA-1").respond(f"n,a={authzid},n=ana,r=x".encode()) == CredentialsWanted(
        "ana", "SCRAM-SHA-1"
    )


@pytest.mark.parametrize(
    "authzid",
    [
        "luis@example.com",
        "ana@example.net",
        "ana@example.com/phone",
        "example.com",
        "ana",
        "@",
        "an\ta@example.com",
        "admin",
    ],
)
def test_nobody_may_act_as_somebody_else(authzid: str) -> None:
    """As one server let them: authenticate as one user, open the session of another."""
    with pytest.raises(SASLError, match=r"^invalid-authzid$"):
        start("PLAIN").respond(f"{authzid}\0ana\0secret".encode())
    with pytest.raises(SASLError, match=r"^invalid-authzid$"):
        start("SCRAM-SHA-1").respond(f"n,a={authzid},n=ana,r=x".encode())


@pytest.mark.parametrize("username", ["an a", "ana@example.com", "a/b", "\u265a", "a" * 1024])
def test_a_name_that_nobody_can_have_is_an_unknown_one(username: str) -> None:
    with pytest.raises(SASLError, match=r"^not-authorized$"):
        start("PLAIN").respond(f"\0{username}\0secret".encode())
    with pytest.raises(SASLError, match=r"^not-authorized$"):
        start("SCRAM-SHA-1").respond(f"n,,n={username},r=x".encode())


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_without_an_initial_response_the_client_is_asked_for_it(mechanism: str) -> None:
    exchange = start(mechanism)

    assert exchange.respond(None) == Challenge(b"")

    message = b"\0ana\0secret" if mechanism == "PLAIN" else b"n,,n=ana,r=x"
    assert isinstance(exchange.respond(message), PasswordWanted | CredentialsWanted)


def test_a_client_out_of_turn_is_refused() -> None:
    for mechanism, first in (("PLAIN", b"\0ana\0secret"), ("SCRAM-SHA-1", b"n,,n=ana,r=x")):
        exchange = start(mechanism)
        exchange.respond(first)
        with pytest.raises(SASLError, match=r"^malformed-request$"):
            exchange.respond(first)


def test_nothing_follows_a_failure() -> None:
    exchange = start("SCRAM-SHA-256")
    client = client_of("SCRAM-SHA-256")
    exchange.respond(client.first())
    challenge = exchange.credentials(ACCOUNTS["ana"])
    assert isinstance(challenge, Challenge)
    final = client.final(challenge.data)
    with pytest.raises(SASLError, match=r"^not-authorized$"):
        exchange.respond(final.replace(b"c=biws", b"c=eSws"))

    for again in (final, None):
        with pytest.raises(SASLError, match=r"^malformed-request$"):
            exchange.respond(again)


def test_nothing_follows_success() -> None:
    exchange = start("PLAIN")
    exchange.respond(b"\0ana\0secret")
    exchange.password_checked(True)

    with pytest.raises(SASLError):
        exchange.password_checked(True)
    with pytest.raises(SASLError):
        exchange.respond(b"\0luis\0secret")


@pytest.mark.parametrize(
    ("configured", "tls", "bindings", "offered"),
    [
        (MECHANISMS, True, BINDINGS, list(MECHANISMS)),
        (MECHANISMS, True, {}, ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]),
        (MECHANISMS, False, {}, ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]),
        (["PLAIN", "SCRAM-SHA-1"], True, BINDINGS, ["SCRAM-SHA-1", "PLAIN"]),
        (["PLAIN"], False, {}, []),
        (["EXTERNAL"], True, BINDINGS, []),
    ],
)
def test_only_what_the_connection_is_fit_for_is_offered(
    configured: list[str], tls: bool, bindings: dict[str, bytes], offered: list[str]
) -> None:
    assert mechanisms_to_offer(configured, tls, bindings) == offered


def test_the_binding_to_the_connection_is_preferred() -> None:
    assert binding_types(dict(reversed(BINDINGS.items()))) == ["tls-exporter", "tls-server-end-point"]
    assert binding_types({"tls-server-end-point": b"S"}) == ["tls-server-end-point"]
    assert binding_types({}) == []


@pytest.mark.parametrize(("text", "data"), [("=", b""), ("", b""), ("AGFuYQBzZWNyZXQ=", b"\0ana\0secret")])
def test_messages_come_in_base64(text: str, data: bytes) -> None:
    assert decode(text) == data


@pytest.mark.parametrize("text", ["A", "AGF", "A GFu", "AGFu\n", "AG\u00c4=", "====", "-_-_", "*", "=A"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(SASLError, match=r"^incorrect-encoding$"):
        decode(text)


def test_an_empty_message_is_written_too() -> None:
    assert encode(b"") == "="
    assert encode(b"\0ana") == "AGFuYQ=="


@given(
    st.sampled_from(MECHANISMS),
    st.lists(
        st.one_of(st.binary(max_size=60), st.text(st.sampled_from("npya=,r\0x@: \u00e9"), max_size=40)),
        max_size=3,
    ),
)
def test_noise_never_logs_in(mechanism: str, messages: list[bytes | str]) -> None:
    exchange = start(mechanism)

    try:
        for message in messages:
            step = exchange.respond(message.encode() if isinstance(message, str) else message)
            if isinstance(step, CredentialsWanted):
                step = exchange.credentials(ACCOUNTS["ana"])
            if isinstance(step, PasswordWanted):
                step = exchange.password_checked(False)
            assert not isinstance(step, Success)
    except SASLError:
        pass


@given(st.one_of(st.text(max_size=60), st.text("AZaz09+/=", max_size=60)))
def test_reading_base64_refuses_or_reads(text: str) -> None:
    try:
        data = decode(text)
    except SASLError:
        return

    assert decode(encode(data)) == data
