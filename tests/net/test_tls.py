import asyncio
import datetime
import socket
import ssl
import stat
import threading
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from imserver.net.tls import (
    CertificateError,
    Certificates,
    make_self_signed,
    read_certificate,
    self_signed,
    server_context,
)

NOW = datetime.datetime.now(datetime.UTC)
NAMES = ("example.com", "upload.example.com")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return make_self_signed(tmp_path / "first", NAMES, NOW)


@pytest.fixture
def other_files(tmp_path: Path) -> tuple[Path, Path]:
    return make_self_signed(tmp_path / "second", NAMES, NOW)


def write_key(file: Path, key: rsa.RSAPrivateKey, password: bytes = b"") -> Path:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    )
    return file


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def bought_files(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> tuple[Path, Path]:
    """A certificate of another kind than ours: RSA, and a wildcard."""
    nobody = x509.Name([])
    certificate = (
        x509.CertificateBuilder(nobody, nobody, rsa_key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.example.com")]), critical=True)
        .sign(rsa_key, hashes.SHA256())
    )
    file = tmp_path / "bought.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file, write_key(tmp_path / "bought.key", rsa_key)


class Connected:
    """Both ends of a TLS connection over a real socket."""

    def __init__(
        self, server: ssl.SSLContext, client: ssl.SSLContext, name: str | None = "example.com"
    ) -> None:
        here, there = socket.socketpair()
        self.server = server.wrap_socket(there, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=self._answer)
        thread.start()
        try:
            self.client = client.wrap_socket(here, server_hostname=name)
        except ssl.SSLError:
            here.close()
            raise
        finally:
            thread.join()

    def _answer(self) -> None:
        try:
            self.server.do_handshake()
        except ssl.SSLError:
            self.server.close()

    @property
    def shown(self) -> bytes | None:
        return self.client.getpeercert(binary_form=True)

    def __enter__(self) -> "Connected":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.close()


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_a_self_signed_certificate_is_good_for_the_domain_and_this_machine(files: tuple[Path, Path]) -> None:
    certificate = read_certificate(files[0])

    assert certificate.names == ("example.com", "upload.example.com", "localhost", "127.0.0.1", "::1")
    assert abs(certificate.valid_until - NOW - datetime.timedelta(days=825)) < datetime.timedelta(seconds=1)


def test_a_client_that_trusts_the_self_signed_certificate_can_connect(files: tuple[Path, Path]) -> None:
    client = ssl.create_default_context(cafile=str(files[0]))

    for name in ("example.com", "upload.example.com", "localhost", "127.0.0.1"):
        with Connected(server_context(*files), client, name) as connected:
            assert connected.client.version() == "TLSv1.3"


def test_only_the_owner_can_read_the_key(files: tuple[Path, Path]) -> None:
    assert stat.S_IMODE(files[1].stat().st_mode) == 0o600


def test_a_domain_in_another_script_is_certified_as_clients_ask_for_it(tmp_path: Path) -> None:
    certificate, _ = make_self_signed(tmp_path, ["münchen.example"], NOW)

    assert "xn--mnchen-3ya.example" in read_certificate(certificate).names
    assert read_certificate(certificate).covers("münchen.example")


def test_a_long_domain_is_certified(tmp_path: Path) -> None:
    name = ".".join(["a" * 50] * 4)

    certificate, _ = make_self_signed(tmp_path, [name], NOW)

    assert read_certificate(certificate).covers(name)


def test_the_self_signed_certificate_is_made_once(tmp_path: Path) -> None:
    first = self_signed(tmp_path, NAMES, NOW)
    content = first.certificate.read_bytes()

    second = self_signed(tmp_path, NAMES, NOW)

    assert first.is_new
    assert not second.is_new
    assert second.certificate.read_bytes() == content


@pytest.mark.parametrize(
    ("names", "now"),
    [
        (("other.example",), NOW),
        (NAMES, NOW + datetime.timedelta(days=826)),
    ],
    ids=["other names", "it is over"],
)
def test_the_self_signed_certificate_is_made_anew_when_it_does_not_fit(
    tmp_path: Path, names: tuple[str, ...], now: datetime.datetime
) -> None:
    self_signed(tmp_path, NAMES, NOW)

    assert self_signed(tmp_path, names, now).is_new


def test_half_a_self_signed_certificate_is_made_anew(tmp_path: Path) -> None:
    certificate, key, _ = self_signed(tmp_path, NAMES, NOW)
    certificate.write_text("half")

    assert self_signed(tmp_path, NAMES, NOW).is_new
    server_context(certificate, key)


def test_a_wildcard_covers_one_label(bought_files: tuple[Path, Path]) -> None:
    certificate = read_certificate(bought_files[0])

    assert certificate.covers("chat.example.com")
    assert not certificate.covers("example.com")
    assert not certificate.covers("a.chat.example.com")


def test_old_versions_of_tls_are_refused(files: tuple[Path, Path], trusting: ssl.SSLContext) -> None:
    trusting.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        trusting.minimum_version = ssl.TLSVersion.TLSv1
        trusting.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        Connected(server_context(*files), trusting)


def test_tls_1_2_is_accepted_without_compression(files: tuple[Path, Path], trusting: ssl.SSLContext) -> None:
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2

    with Connected(server_context(*files), trusting) as connected:
        assert connected.client.version() == "TLSv1.2"
        assert connected.client.compression() is None


def test_renegotiation_is_off(files: tuple[Path, Path]) -> None:
    assert server_context(*files).options & ssl.OP_NO_RENEGOTIATION


@pytest.mark.parametrize(
    ("listener", "protocol", "agreed"),
    [
        ("direct", "xmpp-client", "xmpp-client"),
        ("direct", "h2", None),
        ("http", "http/1.1", "http/1.1"),
        ("starttls", "xmpp-client", None),
    ],
)
def test_each_listener_agrees_on_its_own_protocol(
    files: tuple[Path, Path], trusting: ssl.SSLContext, listener: str, protocol: str, agreed: str | None
) -> None:
    trusting.set_alpn_protocols([protocol])

    with Connected(getattr(Certificates(*files), listener), trusting) as connected:
        assert connected.client.selected_alpn_protocol() == agreed


@pytest.fixture(params=["starttls", "direct", "http"])
def listener(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", ["example.com", None])
def test_new_connections_get_the_new_certificate_and_old_ones_keep_theirs(
    files: tuple[Path, Path],
    other_files: tuple[Path, Path],
    trusting: ssl.SSLContext,
    listener: str,
    name: str | None,
) -> None:
    certificates = Certificates(*files)
    context: ssl.SSLContext = getattr(certificates, listener)

    with Connected(context, trusting, name) as before:
        certificates.reload(*other_files)
        with Connected(context, trusting, name) as after:
            assert before.shown == certificates.shown_to(before.server) == read_certificate(files[0]).der
            assert after.shown == certificates.shown_to(after.server) == read_certificate(other_files[0]).der
            assert certificates.certificate.der == after.shown


async def test_a_running_listener_shows_the_new_certificate(
    files: tuple[Path, Path], other_files: tuple[Path, Path], trusting: ssl.SSLContext
) -> None:
    certificates = Certificates(*files)

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0, ssl=certificates.direct)
    async with server:
        certificates.reload(*other_files)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()

    assert shown == read_certificate(other_files[0]).der


def test_a_certificate_of_another_kind_leaves_nothing_of_the_previous_one(
    files: tuple[Path, Path], bought_files: tuple[Path, Path], trusting: ssl.SSLContext
) -> None:
    # Prefers the kind that is not in use any more.
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
    certificates = Certificates(*files)

    certificates.reload(*bought_files)

    with Connected(certificates.direct, trusting) as connected:
        assert connected.shown == read_certificate(bought_files[0]).der


def test_a_broken_certificate_keeps_the_previous_one_and_says_so(
    files: tuple[Path, Path], tmp_path: Path, trusting: ssl.SSLContext
) -> None:
    certificates = Certificates(*files)
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\n")

    with pytest.raises(
        CertificateError, match=r"holds no certificate .*; the previous certificate stays in use"
    ):
        certificates.reload(broken, files[1])

    with Connected(certificates.direct, trusting) as connected:
        assert connected.shown == read_certificate(files[0]).der


def test_a_key_of_another_certificate_is_refused(
    files: tuple[Path, Path], other_files: tuple[Path, Path]
) -> None:
    with pytest.raises(CertificateError, match="the key is another certificate's"):
        server_context(files[0], other_files[1])


def test_a_key_of_another_kind_is_refused(files: tuple[Path, Path], bought_files: tuple[Path, Path]) -> None:
    with pytest.raises(CertificateError, match="the key is another certificate's"):
        server_context(files[0], bought_files[1])


def test_a_key_with_a_password_is_refused_without_asking_for_it(
    bought_files: tuple[Path, Path], rsa_key: rsa.RSAPrivateKey
) -> None:
    write_key(bought_files[1], rsa_key, password=b"secret")

    with pytest.raises(CertificateError, match="is protected by a password; write it without one"):
        server_context(*bought_files)


def test_a_missing_file_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"

    with pytest.raises(CertificateError, match=r"missing\.pem cannot be read: no such file"):
        server_context(files[0], missing)
    with pytest.raises(CertificateError, match=r"missing\.pem cannot be read: No such file"):
        read_certificate(missing)
