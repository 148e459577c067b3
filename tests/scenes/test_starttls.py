"""RFC 6120, 5: TLS on a stream that began without it; and what a login under TLS is bound to."""

import asyncio

import pytest

from imserver.xmpp.codec import StreamReader
from tests.scenes.actors import PATIENCE, Actor, Stage
from tests.scenes.doors import (
    STARTTLS,
    TLS,
    binding_of,
    condition_of,
    eventually,
    plain,
    starts_tls,
    time_to_log_in_is_over,
    tls_of,
    tries,
)

#: A ClientHello of TLS 1.1 without extensions: modern clients can't be made to send one.
HELLO_1_1 = (
    b"\x16\x03\x01\x00\x2d"  # a handshake record of 45 bytes
    b"\x01\x00\x00\x29\x03\x02" + bytes(32) + b"\x00"  # ClientHello, version 1.1, random, no session
    b"\x00\x02\xc0\x13\x01\x00"  # one cipher suite, no compression
)


@pytest.fixture
async def stranger(stage: Stage) -> Actor:
    """Ana, before she has logged in."""
    await stage.account("ana")
    return await stage.connects()


async def test_after_tls_everything_goes_on_as_before(stage: Stage, stranger: Actor) -> None:
    await starts_tls(stranger)
    await stranger.logs_in("ana")
    await stranger.binds("desk")

    await stranger.sends("<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")

    await stranger.receives("<iq type='result' id='1' from='localhost' to='ana@localhost/desk'/>")
    assert tls_of(stranger).version() == "TLSv1.3"


async def test_under_tls_it_is_not_offered_again(stranger: Actor) -> None:
    await starts_tls(stranger)

    features = await stranger.opens_stream()

    assert [one.name for one in features.elements()] == ["mechanisms", "sasl-channel-binding", "limits"]
    assert [one.get("type") for one in features.elements()[1].elements()] == [
        "tls-exporter",
        "tls-server-end-point",
    ]
    await stranger.sends(STARTTLS)
    assert condition_of(await stranger.is_disconnected()) == "policy-violation"


@pytest.mark.parametrize("kind", ["tls-exporter", "tls-server-end-point"])
async def test_a_login_is_bound_to_its_connection(stranger: Actor, kind: str) -> None:
    await starts_tls(stranger)
    await stranger.opens_stream()

    answer = await tries(
        stranger, "SCRAM-SHA-256-PLUS", gs2=f"p={kind},,", binding=binding_of(stranger, kind)
    )

    assert answer.name == "success"


@pytest.mark.parametrize("kind", ["tls-exporter", "tls-server-end-point"])
async def test_a_login_bound_to_another_connection_is_refused(stranger: Actor, kind: str) -> None:
    # The one in the middle has two connections, and so two bindings (jabber.ru, 2023).
    await starts_tls(stranger)
    await stranger.opens_stream()

    answer = await tries(stranger, "SCRAM-SHA-256-PLUS", gs2=f"p={kind},,", binding=b"another")

    assert answer.child("not-authorized")


async def test_a_client_that_was_shown_no_binding_is_told_of_it(stranger: Actor) -> None:
    # RFC 5802, 6: "y" says that it could, and believes that we can't: somebody took it out.
    await starts_tls(stranger)
    await stranger.opens_stream()

    assert (await tries(stranger, gs2="y,,")).child("not-authorized")


async def test_a_password_may_be_sent_under_tls(stranger: Actor) -> None:
    await starts_tls(stranger)
    await stranger.opens_stream()

    await stranger.sends(plain())

    await stranger.receives("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")


async def test_a_password_is_refused_in_the_open(stranger: Actor) -> None:
    features = await stranger.opens_stream()
    assert "PLAIN" not in str(features)

    await stranger.sends(plain())

    assert (await stranger.hears()).child("encryption-required")


@pytest.mark.settings(c2s={"require_tls": True})
async def test_where_tls_is_required_nothing_else_is_offered(stranger: Actor) -> None:
    features = await stranger.opens_stream()

    assert [one.name for one in features.elements()] == ["starttls", "limits"]
    assert features.elements()[0].child("required")
    assert (await tries(stranger)).child("encryption-required")


async def test_tls_1_1_is_refused(stage: Stage, stranger: Actor) -> None:
    await stranger.opens_stream()
    await stranger.sends(STARTTLS)
    await stranger.receives(f"<proceed xmlns='{TLS}'/>")

    await stranger.sends(HELLO_1_1)

    await stranger._reader.read()
    [reason] = [
        entry["reason"] for entry in stage.log.entries if entry["event"] == "TLS could not be started"
    ]
    assert "UNSUPPORTED_PROTOCOL" in reason


async def test_what_was_slipped_in_before_tls_is_not_heard(stranger: Actor) -> None:
    # CVE-2011-0411 and its kin.
    await stranger.opens_stream()

    await stranger.sends(STARTTLS + plain())

    assert condition_of(await stranger.is_disconnected()) == "policy-violation"


async def test_whoever_speaks_no_tls_after_all_is_cut(stage: Stage, stranger: Actor) -> None:
    await stranger.opens_stream()
    await stranger.sends(STARTTLS)
    await stranger.receives(f"<proceed xmlns='{TLS}'/>")

    await stranger.sends("<presence/>")

    stranger._codec = StreamReader()
    await stranger._reader.read()
    await eventually(lambda: not stage.running.connections)
    assert not len(stage.running.reception.doorkeeper)


async def test_whoever_never_ends_the_handshake_is_cut(stage: Stage, stranger: Actor) -> None:
    await stranger.opens_stream()
    await stranger.sends(STARTTLS)
    await stranger.receives(f"<proceed xmlns='{TLS}'/>")

    time_to_log_in_is_over(stage)

    async with asyncio.timeout(PATIENCE):
        await stranger._reader.read()

    await eventually(lambda: not stage.running.connections)
