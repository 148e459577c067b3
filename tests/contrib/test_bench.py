"""contrib/bench: what it counts."""

import asyncio
import base64
import os
from pathlib import Path

import pytest

from contrib.bench.accounts import Account, make_accounts, read_accounts, write_accounts
from contrib.bench.load import BODY_LENGTH, Ledger, Meter, Talker, prepare_message, prepare_states
from contrib.bench.measure import (
    Process,
    memory_of,
    parse_machine_stat,
    parse_memory,
    parse_process_stat,
    with_descendants,
)
from contrib.bench.report import Latency, percentiles
from contrib.bench.scram import ScramClient, ScramError
from contrib.bench.sign_in import Security, SignInError, choose_mechanism


class MemoryTransport(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


Pair = tuple[Talker, Talker, MemoryTransport, MemoryTransport]


@pytest.fixture
def pair() -> Pair:
    first, second = make_accounts(2)
    meter, here, there = Meter(), MemoryTransport(), MemoryTransport()
    ana = Talker(0, here, second.jid, meter, window=4)
    luis = Talker(1, there, first.jid, meter, window=4)
    ana.partner, luis.partner = luis, ana
    return ana, luis, here, there


def test_accounts_survive_their_file(tmp_path: Path) -> None:
    accounts = [Account("ana", "example.com", 'a "comma", and quotes')]

    write_accounts(tmp_path / "accounts.csv", accounts)

    assert read_accounts(tmp_path / "accounts.csv") == accounts


def test_scram_says_what_rfc_7677_says() -> None:
    client = ScramClient("SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO")

    assert client.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert client.final(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    ) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    client.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_scram_refuses_a_server_that_does_not_know_the_password() -> None:
    client = ScramClient("SCRAM-SHA-1", "user", "pencil", "abc")
    client.final(b"r=abcdef,s=" + base64.b64encode(b"salt") + b",i=1")

    with pytest.raises(ScramError):
        client.verify(b"v=" + base64.b64encode(b"guess"))


def test_plain_is_never_chosen_without_tls() -> None:
    features = b"<stream:features><mechanisms><mechanism>PLAIN</mechanism></mechanisms></stream:features>"

    assert choose_mechanism(features, Security.DIRECT_TLS) == "PLAIN"
    with pytest.raises(SignInError):
        choose_mechanism(features, Security.NONE)


def test_a_body_is_as_long_as_it_says() -> None:
    message = prepare_message(7, "ana@localhost") % (3, 3)

    body = message.partition(b"<body>")[2].partition(b"</body>")[0]
    assert len(body) == BODY_LENGTH
    assert body.startswith(b"imb:00007:0000000003 ")


def test_a_received_message_is_answered_with_the_next(pair: Pair) -> None:
    ana, luis, here, there = pair
    ana.send(2, 0.0)

    luis.data_received(here.written)

    assert luis.sent == 2
    assert there.written.count(b"</message>") == 2
    assert luis.ledger.count_lost(ana.sent) == 0


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_message_cut_anywhere_counts_once(pair: Pair, cut: int) -> None:
    ana, luis, here, *_ = pair
    ana.send(3, 0.0)
    pieces = [here.written[at : at + cut] for at in range(0, len(here.written), cut)]

    for piece in pieces:
        luis.data_received(piece)

    assert (luis.sent, luis.ledger.expected, luis.chat_states_lost, luis.misdelivered) == (3, 3, 0, 0)


def test_what_is_lost_twice_late_or_somebody_elses_is_noticed(pair: Pair) -> None:
    ana, luis, *_ = pair
    from_ana, from_luis = (prepare_message(number, "luis@localhost") for number in (0, 1))

    for number in (0, 2, 1, 1, 4):
        luis.data_received(from_ana % (number, number))
    luis.data_received(from_luis % (0, 0))
    luis.data_received(from_ana.replace(b"chatstates", b"") % (5, 5))

    ledger = luis.ledger
    assert (ledger.count_lost(7), ledger.duplicated, ledger.out_of_order) == (2, 1, 1)
    assert (luis.misdelivered, luis.chat_states_lost) == (1, 1)
    assert "imb:00001:0000000000" in luis.surprise
    assert ana.ledger.count_lost(1) == 1


def test_a_duplicate_is_not_answered(pair: Pair) -> None:
    ana, luis, here, *_ = pair
    ana.send(1, 0.0)

    luis.data_received(here.written * 2)

    assert luis.sent == 1


def test_nothing_is_lost_in_a_new_ledger() -> None:
    assert Ledger().count_lost(0) == 0


def test_percentiles_are_in_milliseconds() -> None:
    assert percentiles([0.001 * step for step in range(101)]) == Latency(50.0, 99.0, 100.0)


def test_a_process_whose_name_has_brackets_is_understood() -> None:
    fields = ["S", "1", *["0"] * 9, "150", "50", *["0"] * 8, "7", "0"]

    assert parse_process_stat(f"42 (a) (b) {' '.join(fields)}\n") == Process(42, 1, 2.0)


def test_idle_time_is_no_work() -> None:
    assert parse_machine_stat("cpu  100 0 100 900 50 0 100 25 0 0\ncpu0 …") == (3.0, 0.25)


def test_children_of_children_belong_to_the_server() -> None:
    processes = [Process(pid, parent, 0.0) for pid, parent in ((1, 0), (7, 1), (8, 7), (9, 8), (10, 1))]

    assert [process.pid for process in with_descendants({7}, processes)] == [7, 8, 9]


def test_shared_pages_count_once() -> None:
    assert (
        parse_memory("55e0-7ffd ---p 0 [rollup]\nRss:  900 kB\nPss:  300 kB\nPss_Anon:  1 kB\n") == 300 * 1024
    )


def test_the_memory_of_this_very_process_is_known() -> None:
    assert memory_of([os.getpid()]) > 1_000_000


def test_chat_states_that_are_announced_are_expected() -> None:
    ana, luis = make_accounts(2)
    meter, wire = Meter(), MemoryTransport()
    first = Talker(0, wire, luis.jid, meter, window=1, states=10)
    second = Talker(1, MemoryTransport(), ana.jid, meter, window=1, states=10)
    first.partner, second.partner = second, first
    first.send(1, 0.0)

    second.data_received(wire.written)

    assert wire.written.count(b"</message>") == 11
    assert (second.ledger.expected, second.chat_states_lost) == (1, 0)


def test_somebody_who_types_pauses_now_and_then() -> None:
    states = prepare_states("ana@localhost", 3)

    assert [states.count(state) for state in (b"<composing", b"<paused")] == [2, 1]
