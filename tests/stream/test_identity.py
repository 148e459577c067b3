"""RFC 4505 and RFC 7628: logins without a password, at domains that know by themselves who it is."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.stream.events import LoggedIn
from imserver.stream.sasl import (
    LONGEST_TOKEN,
    MECHANISMS,
    AnonymousExchange,
    BearerExchange,
    Challenge,
    IdentityWanted,
    Success,
    mechanisms_to_offer,
)
from imserver.xmpp import namespaces
from imserver.xmpp.errors import SASLError
from tests.stream.test_machine import HEADER, Talk, ends

HOST = "web.example.com"
TO_HOST = HEADER.replace("to='example.com'", f"to='{HOST}'")
REFUSED = SASLError("not-authorized", "This token does not count")


def bearer(token: str = "a.b.c", authzid: str = "", extra: str = "") -> bytes:
    return f"n,{authzid},\x01{extra}auth=Bearer {token}\x01\x01".encode()


def test_anybody_is_somebody() -> None:
    exchange = AnonymousExchange(HOST)

    assert exchange.respond(b"sirhc") == IdentityWanted("ANONYMOUS")
    assert exchange.identified("abc") == Success("abc", None)


@pytest.mark.parametrize("trace", [None, b"", b"x" * 255, "ñ".encode()])
def test_a_trace_is_not_looked_at(trace: bytes | None) -> None:
    assert AnonymousExchange(HOST).respond(trace) == IdentityWanted("ANONYMOUS")


@pytest.mark.parametrize("trace", [b"x" * 256, b"\xff"])
def test_a_trace_has_its_form(trace: bytes) -> None:
    with pytest.raises(SASLError, match="malformed-request"):
        AnonymousExchange(HOST).respond(trace)


def test_a_token_is_handed_on() -> None:
    exchange = BearerExchange(HOST)

    assert exchange.respond(bearer(extra="host=x\x01port=1\x01")) == IdentityWanted("OAUTHBEARER", "a.b.c")
    assert exchange.identified("abc") == Success("abc", None)


def test_a_token_is_in_no_log() -> None:
    assert "a.b.c" not in repr(IdentityWanted("OAUTHBEARER", "a.b.c"))


@pytest.mark.parametrize(
    ("authzid", "good"), [("a=abc@web.example.com", True), ("a=eve@web.example.com", False)]
)
def test_who_shows_a_token_is_who_it_says(authzid: str, good: bool) -> None:
    exchange = BearerExchange(HOST)
    exchange.respond(bearer(authzid=authzid))

    if good:
        assert exchange.identified("abc") == Success("abc", None)
    else:
        with pytest.raises(SASLError, match="invalid-authzid"):
            exchange.identified("abc")


def test_a_refusal_is_told_first_and_then_it_fails() -> None:
    exchange = BearerExchange(HOST)
    exchange.respond(bearer())

    assert exchange.refused(REFUSED) == Challenge(b'{"status":"invalid_token"}')
    with pytest.raises(SASLError, match="not-authorized"):
        exchange.respond(b"\x01")
    with pytest.raises(SASLError):
        exchange.respond(bearer())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"n,,\x01\x01",
        b"n,,\x01auth=Basic abc\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Bearer a b\x01\x01",
        b"p=tls-exporter,,\x01auth=Bearer abc\x01\x01",
        b"n,,\x01auth=Bearer abc\x01",
        bearer("x" * (LONGEST_TOKEN + 1)),
        b"n,,\x01" + b"a=\x01" * 3_000,
    ],
)
def test_what_has_not_its_form_is_refused(data: bytes) -> None:
    with pytest.raises(SASLError, match="malformed-request"):
        BearerExchange(HOST).respond(data)


@given(st.binary(max_size=300))
def test_whatever_comes_nothing_breaks(data: bytes) -> None:
    with pytest.raises(SASLError):
        BearerExchange(HOST).respond(data)


def test_they_are_offered_where_they_are_configured_only() -> None:
    assert mechanisms_to_offer(MECHANISMS, True, {}) == [
        one for one in MECHANISMS if not one.endswith("-PLUS")
    ]
    assert mechanisms_to_offer(("ANONYMOUS", "OAUTHBEARER"), False, {}) == ["OAUTHBEARER", "ANONYMOUS"]


# In a stream


def at_host(**options: object) -> Talk:
    return Talk(hosts={HOST: ("OAUTHBEARER", "ANONYMOUS")}, **options)  # type: ignore[arg-type]


def auth(mechanism: str, data: bytes = b"") -> str:
    text = base64.b64encode(data).decode()
    return f"<auth xmlns='{namespaces.SASL}' mechanism='{mechanism}'>{text}</auth>"


def test_somebody_logs_in_at_another_domain() -> None:
    talk = at_host()
    talk.hears(TO_HOST)

    assert talk.hears(auth("ANONYMOUS")) == [IdentityWanted("ANONYMOUS")]
    assert talk.stream.identified("abc") == [LoggedIn("abc", "ANONYMOUS")]
    talk.hears(TO_HOST)
    assert (talk.stream.domain, talk.stream.username) == (HOST, "abc")


def test_each_domain_has_its_own_mechanisms() -> None:
    for header, mechanism in ((HEADER, "ANONYMOUS"), (HEADER, "OAUTHBEARER"), (TO_HOST, "SCRAM-SHA-256")):
        talk = at_host()
        talk.hears(header)
        talk.says()
        talk.hears(auth(mechanism, b"n,,n=ana,r=x"))
        assert b"invalid-mechanism" in b"".join(talk.stream.data_to_send())


def test_what_is_written_once_is_not_written_for_the_other_domain() -> None:
    talk = at_host()
    talk.hears(TO_HOST)
    assert b"SCRAM" not in b"".join(talk.stream.data_to_send())
    other = Talk(hosts={HOST: ("ANONYMOUS",)}, written=talk.stream.options.written)
    other.hears(HEADER)
    sent = b"".join(other.stream.data_to_send())
    assert b"SCRAM" in sent
    assert b"ANONYMOUS" not in sent


@pytest.mark.parametrize(("first", "second"), [(HEADER, TO_HOST), (TO_HOST, HEADER)])
def test_the_domain_stays_the_same(first: str, second: str) -> None:
    talk = at_host()
    talk.hears(first)
    if first == TO_HOST:
        talk.hears(auth("ANONYMOUS"))
        talk.stream.identified("abc")
    else:
        talk.hears(auth("PLAIN", b"\0ana\0secret"))
        talk.stream.password_checked(True)

    assert ends(talk.hears(second)) == "host-unknown"


def test_before_tls_nobody_logs_in_there_either() -> None:
    talk = at_host(secure=False)
    talk.hears(TO_HOST)
    talk.says()

    talk.hears(auth("ANONYMOUS"))

    assert b"encryption-required" in b"".join(talk.stream.data_to_send())


def test_whoever_runs_the_stream_may_refuse() -> None:
    talk = at_host()
    talk.hears(TO_HOST)
    talk.hears(auth("OAUTHBEARER", bearer()))
    talk.says()

    talk.stream.login_refused(REFUSED)
    assert b"<challenge" in b"".join(talk.stream.data_to_send())
    talk.hears(f"<response xmlns='{namespaces.SASL}'>AQ==</response>")
    assert b"not-authorized" in b"".join(talk.stream.data_to_send())
