"""RFC 6455, 5: the frames of a WebSocket, as a server reads and writes them; no I/O, no extensions."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The longest payload of a control frame (RFC 6455, 5.5).
LONGEST_CONTROL: Final = 125


class Opcode(IntEnum):
    """What a frame is (RFC 6455, 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(IntEnum):
    """Why a WebSocket is closed (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    TOO_BIG = 1009


class FrameError(Exception):
    """The client broke the rules; the WebSocket has to be closed."""

    def __init__(self, code: CloseCode, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


def write_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Write one whole frame; servers do not mask (RFC 6455, 5.1)."""
    size = len(payload)
    if size <= LONGEST_CONTROL:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return b"%c\x7e%b%b" % (0x80 | opcode, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (0x80 | opcode, size.to_bytes(8, "big"), payload)


class MessageReader:
    """Puts messages together from a client's frames; what is too big is refused before it is kept."""

    def __init__(self, limit: int) -> None:
        #: How many bytes a message may have; may change between messages.
        self.limit = limit
        self._buffer = bytearray()
        self._opcode: Opcode | None = None  # of a message that came in part
        self._parts = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Read more bytes, and hand out the messages and control frames that they complete.

        Raises:
            FrameError: If the client broke the rules.
        """
        self._buffer += data
        while (frame := self._next_frame()) is not None:
            opcode, is_last, payload = frame
            if opcode >= Opcode.CLOSE:
                yield opcode, payload
            elif is_last and not self._parts and opcode is not Opcode.CONTINUATION:
                self._expect_start()
                yield opcode, payload
            else:
                yield from self._join(opcode, payload, is_last=is_last)

    def _next_frame(self) -> tuple[Opcode, bool, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        opcode = _read_opcode(buffer[0], buffer[1])
        size, begin = buffer[1] & 0x7F, 2
        if size > LONGEST_CONTROL:
            begin = 4 if size == 126 else 10
            if len(buffer) < begin:
                return None
            size = int.from_bytes(buffer[2:begin], "big")
        if opcode < Opcode.CLOSE and size + len(self._parts) > self.limit:
            raise FrameError(CloseCode.TOO_BIG, f"No message may exceed {self.limit} bytes")
        end = begin + 4 + size
        if len(buffer) < end:
            return None
        frame = opcode, bool(buffer[0] & 0x80), _unmask(buffer[begin + 4 : end], buffer[begin : begin + 4])
        del buffer[:end]
        return frame

    def _join(self, opcode: Opcode, payload: bytes, *, is_last: bool) -> Iterator[tuple[Opcode, bytes]]:
        """RFC 6455, 5.4: a message in several frames."""
        if opcode is not Opcode.CONTINUATION:
            self._expect_start()
            self._opcode = opcode
        if self._opcode is None:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "There is no message to continue")
        self._parts += payload
        if is_last:
            whole, self._parts = bytes(self._parts), bytearray()
            opcode, self._opcode = self._opcode, None
            yield opcode, whole

    def _expect_start(self) -> None:
        if self._opcode is not None:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "The message before is not finished")


def _read_opcode(first: int, second: int) -> Opcode:
    if first & 0x70:
        raise FrameError(CloseCode.PROTOCOL_ERROR, "No extension was agreed upon")
    try:
        opcode = Opcode(first & 0x0F)
    except ValueError:
        raise FrameError(CloseCode.PROTOCOL_ERROR, f"There is no opcode {first & 0x0F}") from None
    if not second & 0x80:
        raise FrameError(CloseCode.PROTOCOL_ERROR, "Clients mask their frames (RFC 6455, 5.1)")
    if opcode >= Opcode.CLOSE and (not first & 0x80 or second & 0x7F > LONGEST_CONTROL):
        raise FrameError(CloseCode.PROTOCOL_ERROR, "A control frame is short, and in one piece")
    return opcode


def _unmask(payload: bytearray, mask: bytearray) -> bytes:
    size = len(payload)
    key = bytes(mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")
