"""What files are called, here and there."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

#: The longest name, in bytes: file systems allow no more than 255.
LONGEST: Final = 200

#: What files of these types are called; others are told by their names.
EXTENSIONS: Final[Mapping[str, str]] = {
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/zip": "zip",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/csv": "csv",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
}


def bare_type(type: str) -> str:
    """Write a media type without its parameters: `audio/ogg` for `audio/ogg; codecs=opus`."""
    return type.partition(";")[0].strip().lower()


def name_file(given: str, type: str, *, fallback: str) -> str:
    """Clean a name that somebody gave to a file, or make one of its type."""
    name = unicodedata.normalize("NFC", PurePosixPath(given.replace("\\", "/")).name)
    # Nothing that is not seen: it could turn the extension around (UAX #9).
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C").strip(" .")
    extension = EXTENSIONS.get(bare_type(type), "")
    if not name:
        return f"{fallback}.{extension}" if extension else fallback
    if "." not in name and extension:
        name = f"{name}.{extension}"
    return _short(name)


def _short(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 16:
        return name.encode()[:LONGEST].decode(errors="ignore")
    return stem.encode()[: LONGEST - len(extension.encode()) - 1].decode(errors="ignore") + dot + extension
