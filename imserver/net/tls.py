"""Certificates and TLS: what the server shows, and how it speaks (RFC 7590, XEP-0368)."""

import datetime
import ipaddress
import os
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import idna
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# What every self-signed certificate is good for besides the server's own names.
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")

# The longest that Apple's clients trust a certificate for.
SELF_SIGNED_LIFETIME: Final = datetime.timedelta(days=825)


class CertificateError(Exception):
    """The certificate cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of itself."""

    der: bytes
    names: tuple[str, ...]
    valid_until: datetime.datetime

    def covers(self, name: str) -> bool:
        """Whether a client that asks for this name would be content (RFC 9525, 6.3)."""
        wanted = _dns_name(name)
        _, _, parent = wanted.partition(".")
        return wanted in self.names or f"*.{parent}" in self.names


def read_certificate(file: Path) -> Certificate:
    """Read the first certificate of a PEM file.

    Raises:
        CertificateError: If there is none.
    """
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise CertificateError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CertificateError(f"{file} holds no certificate in PEM format") from error
    return Certificate(
        certificate.public_bytes(serialization.Encoding.DER),
        _names_of(certificate),
        certificate.not_valid_after_utc,
    )


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    domains = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return (*domains, *addresses)


class SelfSigned(NamedTuple):
    """A certificate that nobody vouches for: its file, its key's, and whether it was made just now."""

    certificate: Path
    key: Path
    is_new: bool


def self_signed(folder: Path, names: Sequence[str], now: datetime.datetime) -> SelfSigned:
    """Find the folder's self-signed certificate; make one if it is missing, over, or for other names."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if _is_good(certificate, key, names, now):
        return SelfSigned(certificate, key, is_new=False)
    return SelfSigned(*make_self_signed(folder, names, now), is_new=True)


def _is_good(certificate: Path, key: Path, names: Iterable[str], now: datetime.datetime) -> bool:
    if not (certificate.exists() and key.exists()):
        return False
    try:
        known = read_certificate(certificate)
        server_context(certificate, key)
    except CertificateError:
        return False
    return known.valid_until > now and all(known.covers(name) for name in names)


def make_self_signed(folder: Path, names: Sequence[str], now: datetime.datetime) -> tuple[Path, Path]:
    """Make a certificate for these names, and for this machine, in two files of the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    # RFC 5280, A.1: a common name has at most 64 characters; it is only for people to read.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A client's clock may be a little behind ours.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + SELF_SIGNED_LIFETIME)
        .add_extension(_alternative_names((*names, *LOOPBACK_NAMES)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key_file, pem, mode=0o600)
    _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return certificate_file, key_file


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys(names)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return x509.DNSName(_dns_name(name))


def _dns_name(name: str) -> str:
    # RFC 9525, 2: certificates hold A-labels, addresses hold U-labels.
    try:
        return name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return name.lower()


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is whole or absent, and never readable by more than it should."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)
    unfinished.replace(file)


def server_context(certificate: Path, key: Path, *, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """Make a context for the server's side, with ALPN for these protocols.

    Raises:
        CertificateError: If certificate and key cannot be read, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # RFC 7590, 3.2 and RFC 9325, 3.1: no older version, no compression; renegotiation: CVE-2021-32920.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # Clients of XMPP resume streams (XEP-0198), hardly ever TLS: tickets would be a sixth of a handshake's work.
    context.num_tickets = 0
    if protocols:
        context.set_alpn_protocols(list(protocols))
    for file in (certificate, key):
        if not os.access(file, os.R_OK):
            raise CertificateError(
                f"{file} cannot be read: {'no permission' if file.exists() else 'no such file'}"
            )
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(f"{certificate} and {key} cannot be used: {_reason(error)}") from error
    except ValueError as error:
        raise CertificateError(f"{key} is protected by a password; write it without one") from error
    return context


def _no_password() -> str:
    # Without it OpenSSL would ask at the terminal, and wait.
    raise ValueError("a password is needed")


def _reason(error: OSError) -> str:
    match getattr(error, "reason", None):
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH" | "NO_CERTIFICATE_ASSIGNED":
            return "the key is another certificate's"
        case str() as reason:
            return reason.lower().replace("_", " ")
        case _:
            return error.strerror or "not in PEM format"


class Certificates:
    """The certificate in use, which can be exchanged while the server runs.

    `starttls`, `direct` and `http` stay the same objects: listeners keep them, new connections get the new
    certificate, and old ones keep theirs.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._ders: WeakKeyDictionary[ssl.SSLContext, bytes] = WeakKeyDictionary()
        self._use(_Generation(certificate, key))
        self.starttls, self.direct, self.http = self._current.contexts
        for place, context in enumerate(self._current.contexts):
            self._follow(context, place)

    @property
    def certificate(self) -> Certificate:
        """The one that new connections are shown."""
        return self._current.certificate

    def shown_to(self, connection: ssl.SSLObject | ssl.SSLSocket) -> bytes:
        """Find the certificate that this connection was shown, as DER (RFC 5929, 4)."""
        return self._ders[connection.context]

    def reload(self, certificate: Path, key: Path) -> None:
        """Show these from now on.

        Raises:
            CertificateError: If they cannot be used; then nothing has changed.
        """
        try:
            generation = _Generation(certificate, key)
        except CertificateError as error:
            raise CertificateError(f"{error}; the previous certificate stays in use") from error
        self._use(generation)

    def _use(self, generation: "_Generation") -> None:
        self._current = generation
        for context in generation.contexts:
            self._ders[context] = generation.certificate.der

    def _follow(self, front: ssl.SSLContext, place: int) -> None:
        # OpenSSL asks here at every handshake, also without SNI. Loading the new certificate into the
        # context in use would keep the old one beside it when the kind of key changes.
        def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            if context is not self._current.contexts[place]:
                connection.context = self._current.contexts[place]

        front.sni_callback = choose


class _Generation:
    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = read_certificate(certificate)
        self.contexts = (
            server_context(certificate, key),
            server_context(certificate, key, protocols=["xmpp-client"]),
            server_context(certificate, key, protocols=["http/1.1"]),
        )
