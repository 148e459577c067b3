"""The ways in: TLS from the first byte or later, logging in with all that belongs to it, and waiting at the door."""

import asyncio
import base64
import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from imserver.net.channel_binding import export
from imserver.routing import lifecycle
from imserver.xmpp.element import Element
from tests.scenes.actors import PASSWORD, PATIENCE, Actor, Stage
from tests.stream.test_scram import Client

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
STARTTLS = f"<starttls xmlns='{TLS}'/>"


def client_context(*protocols: str) -> ssl.SSLContext:
    """Trust any certificate: the scenes look at it themselves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


async def connects_by_tls(stage: Stage, context: ssl.SSLContext | None = None) -> Actor:
    """Somebody connects by TLS from the first byte (XEP-0368)."""
    port = stage.running.ports["c2s_tls"][0]
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context or client_context("xmpp-client")
    )
    actor = Actor(stage, reader, writer)
    stage.actors.append(actor)
    return actor


async def starts_tls(actor: Actor) -> None:
    """Go on under TLS (RFC 6120, 5)."""
    await actor.opens_stream()
    await actor.sends(STARTTLS)
    await actor.receives(f"<proceed xmlns='{TLS}'/>")
    await actor._writer.start_tls(client_context())


def tls_of(actor: Actor) -> ssl.SSLObject:
    """Look at a client's side of its TLS connection."""
    found: ssl.SSLObject = actor._writer.get_extra_info("ssl_object")
    return found


def binding_of(actor: Actor, kind: str) -> bytes:
    """Compute a channel binding from the client's side (RFC 9266; RFC 5929, 4)."""
    if kind == "tls-exporter":
        return export(tls_of(actor))
    certificate = tls_of(actor).getpeercert(binary_form=True)
    assert certificate is not None
    return hashlib.sha256(certificate).digest()


async def tries(
    actor: Actor,
    mechanism: str = "SCRAM-SHA-256",
    *,
    password: str = PASSWORD,
    gs2: str = "n,,",
    binding: bytes = b"",
) -> Element:
    """Go through a whole SCRAM exchange as ana, and return how it ends."""
    client = Client(mechanism, password, gs2=gs2, binding=binding)
    await actor.sends(sasl("auth", client.first(), f" mechanism='{mechanism}'"))
    answer = await actor.hears()
    if answer.name != "challenge":
        return answer
    await actor.sends(sasl("response", client.final(base64.b64decode(answer.text))))
    return await actor.hears()


def sasl(name: str, data: bytes, more: str = "") -> str:
    """Write one step of an exchange."""
    return f"<{name} xmlns='{SASL}'{more}>{base64.b64encode(data).decode()}</{name}>"


def plain(name: str = "ana", password: str = PASSWORD) -> str:
    """Write a login by PLAIN."""
    return sasl("auth", f"\0{name}\0{password}".encode(), " mechanism='PLAIN'")


def condition_of(said: list[Element]) -> str:
    """Tell the stream error that ended it; "" if it ended in peace."""
    errors = [one for one in said if one.name == "error"]
    return errors[0].elements()[0].name if errors else ""


def time_to_log_in_is_over(stage: Stage) -> None:
    """Do to everybody what the clock does when `login_seconds` are over."""
    for connection in list(stage.running.connections):
        connection._too_late()


async def time_to_come_back_is_over(stage: Stage, *actors: Actor) -> None:
    """Do to those who lost their connection what the clock does when `resume_seconds` are over."""
    for actor in actors:
        session = stage.server.sessions.find(actor.jid)
        assert session is not None, f"{actor} is gone already"
        await eventually(lambda session=session: not session.is_connected)  # type: ignore[misc]
        lifecycle._give_up(stage.server, session, session.detachments)
    await stage.settles()


async def loses(stage: Stage, actor: Actor) -> None:
    """Somebody's connection breaks, and the server has noticed."""
    await actor.vanishes()
    await eventually(
        lambda: not any(one.jid == actor.jid and one.is_connected for one in stage.server.sessions)
    )
    await stage.settles()


async def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until the server has noticed."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.01)


async def connects_narrowly(stage: Stage, *, tls: bool) -> Actor:
    """Somebody connects who takes little at a time."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(
        narrow, ("127.0.0.1", stage.running.ports["c2s_tls" if tls else "c2s"][0])
    )
    secured: dict[str, Any] = {"ssl": client_context(), "server_hostname": "localhost"} if tls else {}
    reader, writer = await asyncio.open_connection(sock=narrow, limit=4_096, **secured)
    actor = Actor(stage, reader, writer)
    stage.actors.append(actor)
    return actor
