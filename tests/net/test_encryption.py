"""TLS between two buffers: whatever the pieces in which it comes."""

import datetime
import ssl

import pytest

from imserver.net.encryption import RECORD_BYTES, Encryption
from imserver.net.tls import make_self_signed, server_context
from tests.scenes.doors import client_context


class Client:
    """The other side."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context().wrap_bio(self.incoming, self.outgoing)

    def begins(self) -> bytes:
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()

    def ends(self, answer: bytes) -> bytes:
        self.incoming.write(answer)
        self.tls.do_handshake()
        return self.outgoing.read()

    def says(self, text: bytes) -> bytes:
        self.tls.write(text)
        return self.outgoing.read()

    def hears(self, data: bytes) -> bytes:
        self.incoming.write(data)
        heard = b""
        while self.incoming.pending:
            heard += self.tls.read(RECORD_BYTES)
        return heard


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    now = datetime.datetime.now(datetime.UTC)
    return server_context(*make_self_signed(tmp_path_factory.mktemp("tls"), ["localhost"], now))


@pytest.fixture
def server(context: ssl.SSLContext) -> Encryption:
    return Encryption(context)


@pytest.fixture
def client(server: Encryption) -> Client:
    """With whom the handshake is done."""
    one = Client()
    assert not server.shake_hands(one.begins())
    assert server.shake_hands(one.ends(server.to_send()))
    one.incoming.write(server.to_send())  # what a later connection may resume this one with
    return one


def test_both_understand_each_other(server: Encryption, client: Client) -> None:
    assert server.decrypt(client.says(b"Hola")) == b"Hola"
    assert client.hears(server.encrypt(b"Buenas")) == b"Buenas"


def test_a_record_may_come_byte_by_byte(server: Encryption, client: Client) -> None:
    heard = [server.decrypt(bytes([byte])) for byte in client.says(b"Hola")]

    assert b"".join(heard) == b"Hola"
    assert heard[-1] == b"Hola"


def test_many_records_may_come_together(server: Encryption, client: Client) -> None:
    text = b"x" * (3 * RECORD_BYTES)
    data = b"".join(client.says(text[place : place + 5_000]) for place in range(0, len(text), 5_000))

    assert server.decrypt(data[:-1]) + server.decrypt(data[-1:]) == text


def test_what_is_longer_than_a_record_goes_out_in_several(server: Encryption, client: Client) -> None:
    text = b"x" * (3 * RECORD_BYTES + 1)

    assert client.hears(server.encrypt(text)) == text


def test_the_first_words_may_come_with_the_end_of_the_handshake(server: Encryption) -> None:
    client = Client()
    server.shake_hands(client.begins())

    assert server.shake_hands(client.ends(server.to_send()) + client.says(b"Hola"))

    assert server.decrypt(b"") == b"Hola"


def test_whoever_says_that_nothing_follows_is_believed(server: Encryption, client: Client) -> None:
    last = client.says(b"Hasta luego")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()

    assert server.decrypt(last + client.outgoing.read()) == b"Hasta luego"
    assert server.is_over


def test_the_client_is_told_that_nothing_follows(server: Encryption, client: Client) -> None:
    client.incoming.write(server.close())

    assert client.tls.read(1) == b""


def test_what_was_changed_on_its_way_is_refused_with_an_alert(server: Encryption, client: Client) -> None:
    data = client.says(b"Hola")

    with pytest.raises(ssl.SSLError):
        server.decrypt(data[:-1] + bytes([data[-1] ^ 1]))

    assert server.has_to_send


def test_what_is_no_tls_is_refused(server: Encryption) -> None:
    with pytest.raises(ssl.SSLError):
        server.shake_hands(b"<presence/>")
