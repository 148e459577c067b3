"""XEP-0368: TLS from the first byte."""

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest

from imserver.net.tls import make_self_signed
from imserver.settings import Settings
from tests.scenes.actors import PATIENCE, Actor, Stage, staged
from tests.scenes.doors import (
    binding_of,
    client_context,
    connects_by_tls,
    eventually,
    plain,
    tls_of,
    tries,
)


@pytest.fixture
async def stranger(stage: Stage) -> Actor:
    """Ana, before she has logged in."""
    await stage.account("ana")
    return await connects_by_tls(stage)


async def test_a_client_logs_in(stranger: Actor) -> None:
    await stranger.logs_in("ana")
    await stranger.binds("desk")

    await stranger.sends("<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")

    await stranger.receives("<iq type='result' id='1' from='localhost' to='ana@localhost/desk'/>")


async def test_the_protocol_is_agreed_upon(stranger: Actor) -> None:
    assert tls_of(stranger).selected_alpn_protocol() == "xmpp-client"


async def test_a_client_need_not_name_the_protocol(stage: Stage) -> None:
    actor = await connects_by_tls(stage, client_context())

    assert (await actor.opens_stream()).child("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl")


async def test_tls_is_not_offered_within_tls(stranger: Actor) -> None:
    features = await stranger.opens_stream()

    assert [one.name for one in features.elements()] == ["mechanisms", "sasl-channel-binding", "limits"]


async def test_a_password_may_be_sent(stranger: Actor) -> None:
    await stranger.opens_stream()

    await stranger.sends(plain())

    await stranger.receives("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")


@pytest.mark.parametrize("kind", ["tls-exporter", "tls-server-end-point"])
async def test_a_login_is_bound_to_its_connection(stranger: Actor, kind: str) -> None:
    await stranger.opens_stream()

    answer = await tries(
        stranger, "SCRAM-SHA-256-PLUS", gs2=f"p={kind},,", binding=binding_of(stranger, kind)
    )

    assert answer.name == "success"


async def test_tls_1_2_has_no_exporter_to_bind_to(stage: Stage) -> None:
    # RFC 9266, 3: before TLS 1.3 it is not tied to the whole handshake.
    context = client_context("xmpp-client")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    actor = await connects_by_tls(stage, context)

    features = await actor.opens_stream()

    assert tls_of(actor).version() == "TLSv1.2"
    told = features.child("sasl-channel-binding", "urn:xmpp:sasl-cb:0")
    assert told is not None
    assert [one.get("type") for one in told.elements()] == ["tls-server-end-point"]


async def test_a_stream_in_the_open_is_not_understood(stage: Stage) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.ports["c2s_tls"][0])
    writer.write(b"<?xml version='1.0'?><stream:stream to='localhost'>")

    said = await reader.read()

    assert b"stream" not in said
    await eventually(lambda: not stage.running.connections)
    writer.close()


async def test_whoever_never_begins_the_handshake_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imserver.net.tcp.HANDSHAKE_SECONDS", 0.3)
    async with staged(tmp_path, {}) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.ports["c2s_tls"][0])

        async with asyncio.timeout(PATIENCE):
            assert await reader.read() == b""

        assert not stage.running.connections
        writer.close()


async def test_a_new_certificate_is_shown_to_those_who_come_later(stage: Stage, stranger: Actor) -> None:
    files = make_self_signed(
        stage.server.settings.data / "new", ["localhost"], datetime.datetime.now(datetime.UTC)
    )
    old = stage.server.settings
    changed = old.model_dump() | {"tls": {"certificate": str(files[0]), "key": str(files[1])}}

    stage.running.adopt(Settings.model_validate(changed))

    later = await connects_by_tls(stage)
    first, second = tls_of(stranger).getpeercert(True), tls_of(later).getpeercert(True)
    assert first != second
    for actor in (stranger, later):
        await actor.opens_stream()
        answer = await tries(
            actor,
            "SCRAM-SHA-256-PLUS",
            gs2="p=tls-server-end-point,,",
            binding=binding_of(actor, "tls-server-end-point"),
        )
        assert answer.name == "success", "each is bound to the certificate that it was shown"
