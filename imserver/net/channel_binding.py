"""What ties a login to its TLS connection (RFC 5929, RFC 9266)."""

import _ssl
import ctypes
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# RFC 9266, 2.
EXPORTER_LABEL: Final = b"EXPORTER-Channel-Binding"
EXPORTER_LENGTH: Final = 32

# RFC 5929, 4.1: SHA-256 takes their place.
WEAK_HASHES: Final = (hashes.MD5, hashes.SHA1)

SELF_TEST_SECONDS: Final = 30


def bindings(ssl_object: ssl.SSLObject, certificate_der: bytes) -> dict[str, bytes]:
    """Compute every channel binding this connection has, once its handshake is done."""
    found = {}
    # RFC 9266, 3: before TLS 1.3 the exporter is not tied to the whole handshake.
    if ssl_object.version() == "TLSv1.3" and exporter_available():
        found["tls-exporter"] = export(ssl_object)
    end_point = server_end_point(certificate_der)
    if end_point is not None:
        found["tls-server-end-point"] = end_point
    return found


@lru_cache(maxsize=64)
def server_end_point(certificate_der: bytes) -> bytes | None:
    """Hash our certificate the way it is signed; None where RFC 5929 leaves that open (Ed25519)."""
    try:
        algorithm = x509.load_der_x509_certificate(certificate_der).signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    digest = hashes.Hash(hashes.SHA256() if isinstance(algorithm, WEAK_HASHES) else algorithm)
    digest.update(certificate_der)
    return digest.finalize()


def export(ssl_object: ssl.SSLObject) -> bytes:
    """Derive the value that only the two ends of this connection know (RFC 9266).

    Python's ssl cannot, so this asks the OpenSSL beneath it. First ask `exporter_available`:
    where Python is built otherwise, this crashes.

    Raises:
        OSError: If OpenSSL refuses.
    """
    connection = getattr(ssl_object, "_sslobj", None)
    if not isinstance(connection, _ssl._SSLSocket):  # type: ignore[attr-defined]
        raise OSError("not a connection of Python's own ssl")
    openssl = _openssl()
    value = ctypes.create_string_buffer(EXPORTER_LENGTH)
    exported = openssl.SSL_export_keying_material(
        _PythonConnection.from_address(id(connection)).ssl,
        value,
        EXPORTER_LENGTH,
        EXPORTER_LABEL,
        len(EXPORTER_LABEL),
        # RFC 9266, 2: a context of length zero.
        b"",
        0,
        1,
    )
    if exported != 1:
        # Python would take what is left there for a failure of its own next call.
        openssl.ERR_clear_error()
        raise OSError("OpenSSL has no keying material to export")
    return value.raw


@cache
def exporter_available() -> bool:
    """Tell whether `export` works with this Python.

    The first call tries it in another process, so that only that one can crash. It takes a
    moment: make it at start-up, in a thread.
    """
    if sys.implementation.name != "cpython":
        return False
    # -P: the neighbours of this file have names that the standard library uses too.
    command = [sys.executable, "-P", __file__]
    try:
        trial = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SELF_TEST_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return trial.returncode == 0 and trial.stdout.strip() == b"works"


class _PythonConnection(ctypes.Structure):
    """How CPython's `_ssl._SSLSocket` begins (Modules/_ssl.c, PySSLSocket)."""

    _fields_ = (
        ("head", ctypes.c_byte * object.__basicsize__),
        ("socket", ctypes.c_void_p),
        ("ssl", ctypes.c_void_p),
    )


@cache
def _openssl() -> ctypes.PyDLL:
    # Not any OpenSSL but the one that Python's ssl is linked with: look for its names from there.
    # PyDLL keeps the interpreter's lock, so nobody else touches the connection meanwhile.
    openssl = ctypes.PyDLL(_ssl.__file__)
    openssl.SSL_export_keying_material.argtypes = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_int,
    )
    openssl.SSL_export_keying_material.restype = ctypes.c_int
    openssl.ERR_clear_error.argtypes = ()
    openssl.ERR_clear_error.restype = None
    return openssl


def _self_test() -> None:
    """Both ends of a connection agree, and no two connections do."""
    with TemporaryDirectory() as folder:
        server_context = _context_for_self_test(Path(folder, "certificate.pem"))
    first, second = _connect_in_memory(server_context), _connect_in_memory(server_context)
    values = [export(end) for end in (*first, *second)]
    if values[0] == values[1] != values[2] == values[3]:
        sys.stdout.write("works")


def _context_for_self_test(file: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self-test")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(file)
    return context


def _connect_in_memory(server_context: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    # Hello, hello and certificate, finished.
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client, server


if __name__ == "__main__":
    _self_test()
