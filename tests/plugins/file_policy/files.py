"""Small files of many kinds."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG: Final = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    + _chunk(b"IEND", b"")
)
#: A program for Windows, as much of it as makes one.
PROGRAM: Final = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x4c\x01" + bytes(200)
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
PDF: Final = b"%PDF-1.4\n1 0 obj\nendobj\n"
#: What virus scanners are tried with (eicar.org): harmless; written so that no scanner finds this file.
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def _ftyp(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0isommp42" + bytes(40)


def zipped(files: Mapping[str, bytes | str], *, compress: bool = True) -> bytes:
    """Pack files."""
    packed = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(packed, "w", kind) as archive:
        for name, content in files.items():
            # Always of the same time: tests are named after what is in them.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, kind)
    return packed.getvalue()


def encrypted(packed: bytes) -> bytes:
    """Say of the first file in an archive that it needs a password."""
    at = packed.index(b"PK\x01\x02") + 8
    return packed[:at] + bytes([packed[at] | 1]) + packed[at + 1 :]


def office(folder: str, *more: str) -> bytes:
    """Write a document of Word, Excel or PowerPoint."""
    names = ("[Content_Types].xml", "_rels/.rels", f"{folder}/document.xml", *more)
    return zipped(dict.fromkeys(names, "<x/>"))


ODT: Final = zipped(
    {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}, compress=False
)

#: By a name that fits.
GOOD: Final[Mapping[str, bytes]] = {
    "holiday.png": PNG,
    "holiday.JPG": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + bytes(100),
    "cat.gif": b"GIF89a" + bytes(40),
    "cat.webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    "IMG_1.HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "IMG_2.heic": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(40),
    "scan.tiff": b"II*\0\x08\0\0\0" + bytes(50),
    "invoice v1.2.pdf": PDF,
    "factura.amazon.com.pdf": PDF,
    "letter.docx": office("word"),
    "sums.xlsx": office("xl"),
    "talk.pptx": office("ppt"),
    "letter.odt": ODT,
    "old.doc": OLE,
    "letter.rtf": b"{\\rtf1 hi}",
    "notes.txt": "Grüße aus Köln, 5 €\n".encode(),
    "a.txt": b"a",
    "windows.txt": "olá\r\n".encode("utf-16"),
    "code.txt": b"#!/bin/sh\nls\n",
    "sums.csv": b"a,b\n1,2\n",
    "ana.vcf": b"BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n",
    "party.ics": b"BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
    "voice.ogg": b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead\1\2" + bytes(40),
    "voice.opus": b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead\1\2" + bytes(40),
    "song.mp3": b"ID3\4" + bytes(6) + b"\xff\xfb\x90\x64" + bytes(400),
    "memo.m4a": _ftyp(b"M4A "),
    "memo.aac": b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(40),
    "memo.amr": b"#!AMR\n" + b"\x3c" * 40,
    "memo.wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(40),
    "film.mp4": _ftyp(b"mp42"),
    "film.mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(40),
    "film.3gp": _ftyp(b"3gp4"),
    "film.webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x84webmB\x87\x81\4"
    + bytes(40),
    "photos.zip": zipped({"1.png": PNG, "more/2.png": PNG, "__MACOSX/._1.png": b"x", "Thumbs.db": b"x"}),
}
