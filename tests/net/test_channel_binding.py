"""RFC 5929 and RFC 9266: both ends of a connection know the same, and nobody else does."""

import asyncio
import hashlib
import hmac
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imserver.net import channel_binding
from imserver.net.channel_binding import bindings, export, exporter_available, server_end_point

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def make_certificate(
    key: Key, algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None, *, pss: bool = False
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    if pss:
        assert algorithm is not None
        scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
        return builder.sign(key, algorithm, rsa_padding=scheme)
    return builder.sign(key, algorithm)


@pytest.fixture(scope="module")
def elliptic_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def certificate(elliptic_key: ec.EllipticCurvePrivateKey) -> bytes:
    return make_certificate(elliptic_key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture
def server_context(
    tmp_path: Path, elliptic_key: ec.EllipticCurvePrivateKey, certificate: bytes
) -> ssl.SSLContext:
    file = tmp_path / "server.pem"
    file.write_bytes(
        elliptic_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + ssl.DER_cert_to_PEM_cert(certificate).encode()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
def untested() -> Iterator[None]:
    """Forget the outcome of the self-test, before and after."""
    exporter_available.cache_clear()
    yield
    exporter_available.cache_clear()


def connect(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server, client):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client, server


def expand_label(secret: bytes, label: bytes, context: bytes, length: int, algorithm: str) -> bytes:
    """RFC 8446, 7.1 (one block of HKDF-Expand is enough here)."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", algorithm)[:length]


def exported_by_the_book(key_log: Path) -> bytes:
    """RFC 8446, 7.5, from the secret that TLS writes down for debugging."""
    line = next(line for line in key_log.read_text().splitlines() if line.startswith("EXPORTER_SECRET"))
    secret = bytes.fromhex(line.split()[-1])
    algorithm = {32: "sha256", 48: "sha384"}[len(secret)]
    empty = hashlib.new(algorithm, b"").digest()
    derived = expand_label(secret, b"EXPORTER-Channel-Binding", empty, len(empty), algorithm)
    return expand_label(derived, b"exporter", empty, 32, algorithm)


def test_the_exporter_works_here() -> None:
    assert exporter_available()


def test_both_ends_agree_and_no_two_connections_do(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext, certificate: bytes
) -> None:
    client, server = connect(client_context, server_context)
    other_client, other_server = connect(client_context, server_context)

    assert bindings(client, certificate) == bindings(server, certificate)
    assert export(client) != export(other_client)
    assert export(server) != export(other_server)
    assert bindings(server, certificate)["tls-server-end-point"] == hashlib.sha256(certificate).digest()


def test_the_value_is_the_one_of_the_standard(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext, tmp_path: Path
) -> None:
    client_context.keylog_filename = str(tmp_path / "keys")

    _, server = connect(client_context, server_context)

    assert export(server) == exported_by_the_book(tmp_path / "keys")


@pytest.mark.parametrize("new_event_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_server_on_either_event_loop_exports_it(
    new_event_loop: Callable[[], asyncio.AbstractEventLoop],
    client_context: ssl.SSLContext,
    server_context: ssl.SSLContext,
    certificate: bytes,
    tmp_path: Path,
) -> None:
    client_context.keylog_filename = str(tmp_path / "keys")

    async def log_in() -> dict[str, bytes]:
        accepted: asyncio.Future[dict[str, bytes]] = asyncio.get_running_loop().create_future()

        class Connection(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted.set_result(bindings(transport.get_extra_info("ssl_object"), certificate))

        listener = await asyncio.get_running_loop().create_server(
            Connection, "127.0.0.1", 0, ssl=server_context
        )
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context)
            found = await accepted
            writer.close()
            await writer.wait_closed()
        return found

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        found = runner.run(log_in())

    assert found["tls-exporter"] == exported_by_the_book(tmp_path / "keys")


def test_before_tls_1_3_there_is_no_exporter(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext, certificate: bytes
) -> None:
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2

    _, server = connect(client_context, server_context)

    assert server.version() == "TLSv1.2"
    assert set(bindings(server, certificate)) == {"tls-server-end-point"}


def test_before_the_handshake_there_is_nothing_to_export(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext
) -> None:
    unfinished = server_context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)

    with pytest.raises(OSError, match="no keying material"):
        export(unfinished)

    client, server = connect(client_context, server_context)
    assert export(client) == export(server)


def test_only_connections_of_python_are_looked_into() -> None:
    with pytest.raises(OSError, match="own ssl"):
        export(object())  # type: ignore[arg-type]


def test_a_failure_to_export_leaves_no_trace(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext
) -> None:
    client, server = connect(client_context, server_context)
    unfinished = server_context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)

    with pytest.raises(OSError, match="no keying material"):
        export(unfinished)

    with pytest.raises(ssl.SSLWantReadError):
        server.read()
    assert client.write(b"hello") == 5


@pytest.mark.usefixtures("untested")
@pytest.mark.parametrize(
    "code",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "raise AttributeError('SSL_export_keying_material')",
        "print('differs')",
        "print('works', end='', flush=True); import os; os.abort()",
        "import time; time.sleep(60)",
        "",
    ],
)
def test_a_python_that_fails_the_trial_has_no_exporter(
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    client_context: ssl.SSLContext,
    server_context: ssl.SSLContext,
    certificate: bytes,
) -> None:
    trial = tmp_path / "trial.py"
    trial.write_text(code)
    monkeypatch.setattr(channel_binding, "__file__", str(trial))
    monkeypatch.setattr(channel_binding, "SELF_TEST_SECONDS", 0.2 if "sleep" in code else 60)

    _, server = connect(client_context, server_context)

    assert set(bindings(server, certificate)) == {"tls-server-end-point"}


@pytest.mark.usefixtures("untested")
def test_a_python_that_cannot_be_started_again_has_no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert not exporter_available()


@pytest.mark.usefixtures("untested")
def test_the_trial_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = 0
    run = subprocess.run

    def count(*arguments: object, **options: object) -> object:
        nonlocal trials
        trials += 1
        return run(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", count)

    assert exporter_available()
    assert exporter_available()
    assert trials == 1


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [(hashes.SHA256(), "sha256"), (hashes.SHA384(), "sha384"), (hashes.SHA512(), "sha512")],
)
def test_a_certificate_is_hashed_the_way_it_is_signed(
    elliptic_key: ec.EllipticCurvePrivateKey,
    algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512,
    expected: str,
) -> None:
    der = make_certificate(elliptic_key, algorithm).public_bytes(Encoding.DER)

    assert server_end_point(der) == hashlib.new(expected, der).digest()


@pytest.mark.parametrize("pss", [False, True])
def test_a_certificate_of_rsa_is_no_different(pss: bool) -> None:
    key = rsa.generate_private_key(65537, 2048)
    der = make_certificate(key, hashes.SHA384(), pss=pss).public_bytes(Encoding.DER)

    assert server_end_point(der) == hashlib.sha384(der).digest()


@pytest.mark.parametrize("weak", ["md5", "sha1"])
def test_weak_hashes_are_replaced(weak: str, monkeypatch: pytest.MonkeyPatch, certificate: bytes) -> None:
    """RFC 5929, 4.1. Nobody signs such certificates any more, so one is made up."""
    algorithm = {"md5": hashes.MD5(), "sha1": hashes.SHA1()}[weak]

    class OldCertificate:
        signature_hash_algorithm = algorithm

    server_end_point.cache_clear()
    monkeypatch.setattr(x509, "load_der_x509_certificate", lambda _: OldCertificate())

    assert server_end_point(certificate) == hashlib.sha256(certificate).digest()
    server_end_point.cache_clear()


def test_a_certificate_signed_without_a_hash_has_no_end_point() -> None:
    der = make_certificate(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER)

    assert server_end_point(der) is None
