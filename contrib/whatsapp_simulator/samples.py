"""Small files to try things out with, made here: a picture, a voice note, a sticker, a document."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

#: A webp of one transparent pixel.
STICKER: Final = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
#: 20 ms of silence in Opus.
_SILENCE: Final = b"\xf8\xff\xfe"


def picture(width: int = 240, height: int = 160) -> bytes:
    """Paint a sky at dusk, as PNG."""
    rows = b"".join(
        b"\x00" + bytes((60 + 150 * y // height, 90 + 60 * y // height, 190 - 90 * y // height)) * width
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def voice_note(seconds: float = 2.0) -> bytes:
    """Record silence, as Ogg with one channel of Opus (RFC 7845)."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"simulator" + struct.pack("<I", 0)
    pages = [_ogg_page(0, 0, 2, [head]), _ogg_page(1, 0, 0, [tags])]
    packets = max(1, round(seconds * 50))
    for first in range(0, packets, 50):
        count = min(50, packets - first)
        is_last = first + count == packets
        pages.append(
            _ogg_page(len(pages), 960 * (first + count), 4 if is_last else 0, [_SILENCE] * count),
        )
    return b"".join(pages)


def document(text: str = "Ola") -> bytes:
    """Print one line, as PDF."""
    stream = b"BT /F1 24 Tf 60 700 Td (" + text.encode("latin-1", "replace") + b") Tj ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (
            size,
            table,
            size,
            len(body),
        )
    )


def _ogg_page(number: int, position: int, flags: int, packets: list[bytes]) -> bytes:
    lacing = bytes(len(packet) for packet in packets)
    start = b"OggS" + struct.pack("<BBQII", 0, flags, position, 1, number)
    rest = bytes([len(lacing)]) + lacing + b"".join(packets)
    return start + struct.pack("<I", _ogg_checksum(start + b"\x00" * 4 + rest)) + rest


def _ogg_checksum(page: bytes) -> int:
    # RFC 3533, 6: CRC-32 with the polynomial 0x04c11db7, unreflected, beginning with 0.
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1) ^ (0x104C11DB7 if checksum & 0x80000000 else 0)
    return checksum & 0xFFFFFFFF
