"""RFC 6455, 5: what a client may send, and what it may not."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.net.frames import CloseCode, FrameError, MessageReader, Opcode, write_frame

MASK = b"\x12\x34\x56\x78"


def masked(opcode: int, payload: bytes, *, last: bool = True, reserved: int = 0) -> bytes:
    """Write a frame as a client does."""
    size = len(payload)
    first = (0x80 if last else 0) | reserved | opcode
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))


def read(data: bytes, *, limit: int = 100_000) -> list[tuple[Opcode, bytes]]:
    return list(MessageReader(limit).feed(data))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 125, 126, 127, 65535, 65536, 70001])
def test_a_message_of_any_length_is_read(size: int) -> None:
    payload = os.urandom(size)

    assert read(masked(Opcode.TEXT, payload)) == [(Opcode.TEXT, payload)]


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_what_we_write_says_its_length(size: int) -> None:
    written = write_frame(Opcode.TEXT, b"x" * size)

    head = {0: 2, 125: 2, 126: 4, 65535: 4, 65536: 10}[size]
    assert len(written) == head + size
    length = written[1] if head == 2 else int.from_bytes(written[2:head], "big")
    assert (written[0], length) == (0x81, size)


def test_a_message_in_pieces_is_put_together_around_a_ping() -> None:
    data = (
        masked(Opcode.TEXT, b"one ", last=False)
        + masked(Opcode.PING, b"?")
        + masked(Opcode.CONTINUATION, b"two ", last=False)
        + masked(Opcode.CONTINUATION, b"three")
    )

    assert read(data) == [(Opcode.PING, b"?"), (Opcode.TEXT, b"one two three")]


def test_an_empty_first_piece_is_a_piece() -> None:
    data = masked(Opcode.TEXT, b"", last=False) + masked(Opcode.CONTINUATION, b"whole")

    assert read(data) == [(Opcode.TEXT, b"whole")]


@given(st.lists(st.binary(max_size=300), max_size=6), st.data())
def test_any_split_of_the_bytes_gives_the_same_messages(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(masked(Opcode.TEXT, message) for message in messages)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)))
    reader = MessageReader(1000)

    got = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += list(reader.feed(stream[begin:end]))

    assert got == [(Opcode.TEXT, message) for message in messages]


BROKEN = {
    "not masked": (b"\x81\x02hi", CloseCode.PROTOCOL_ERROR),
    "a reserved bit": (masked(Opcode.TEXT, b"hi", reserved=0x40), CloseCode.PROTOCOL_ERROR),
    "an unknown opcode": (masked(3, b"hi"), CloseCode.PROTOCOL_ERROR),
    "a ping in pieces": (masked(Opcode.PING, b"hi", last=False), CloseCode.PROTOCOL_ERROR),
    "a long ping": (masked(Opcode.PING, b"x" * 126), CloseCode.PROTOCOL_ERROR),
    "nothing to continue": (masked(Opcode.CONTINUATION, b"hi"), CloseCode.PROTOCOL_ERROR),
    "a message within a message": (
        masked(Opcode.TEXT, b"one", last=False) + masked(Opcode.TEXT, b"two"),
        CloseCode.PROTOCOL_ERROR,
    ),
    "a message within an empty one": (
        masked(Opcode.TEXT, b"", last=False) + masked(Opcode.TEXT, b"two"),
        CloseCode.PROTOCOL_ERROR,
    ),
    "too big": (b"\x81\xff" + (2**63).to_bytes(8, "big"), CloseCode.TOO_BIG),
    "too big in pieces": (
        masked(Opcode.TEXT, b"x" * 600, last=False) + masked(Opcode.CONTINUATION, b"x" * 600)[:8],
        CloseCode.TOO_BIG,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whoever_breaks_the_rules_is_told_why(name: str) -> None:
    data, code = BROKEN[name]

    with pytest.raises(FrameError) as caught:
        read(data, limit=1000)

    assert caught.value.code is code


def test_what_came_before_a_broken_frame_is_read() -> None:
    messages = MessageReader(1000).feed(masked(Opcode.TEXT, b"good") + b"\x81\x02hi")

    assert next(messages) == (Opcode.TEXT, b"good")
    with pytest.raises(FrameError):
        next(messages)
