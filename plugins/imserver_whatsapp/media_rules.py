"""Which files WhatsApp takes, as which kind, and how large.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imserver import StanzaError
from imserver_whatsapp.filenames import EXTENSIONS, bare_type
from imserver_whatsapp.texts import say, size

KB: Final = 1024
MB: Final = 1024 * KB

LONGEST_CAPTION: Final = 1_024


@dataclass(frozen=True, slots=True)
class Kind:
    """What WhatsApp shows a file as."""

    name: str
    largest: int
    types: frozenset[str]
    has_caption: bool = True


IMAGE: Final = Kind("image", 5 * MB, frozenset({"image/jpeg", "image/png"}))
VIDEO: Final = Kind("video", 16 * MB, frozenset({"video/mp4", "video/3gpp"}))
AUDIO: Final = Kind(
    "audio",
    16 * MB,
    frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
    has_caption=False,
)
DOCUMENT: Final = Kind(
    "document",
    100 * MB,
    frozenset(
        type
        for type in EXTENSIONS
        if type in ("text/plain", "application/pdf") or "ms" in type or "openxml" in type
    ),
)
#: Those that move may have 500 KB: which do is not seen from outside.
STICKER: Final = Kind("sticker", 500 * KB, frozenset({"image/webp"}), has_caption=False)

KINDS: Final = (IMAGE, VIDEO, AUDIO, DOCUMENT, STICKER)

#: What else these types are called.
ALIASES: Final[Mapping[str, str]] = {
    "application/x-pdf": "application/pdf",
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/x-m4a": "audio/mp4",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "video/x-m4v": "video/mp4",
}

#: What a converter would have to make of a type that is not taken.
CONVERSIONS: Final[Mapping[str, str]] = {
    "audio/flac": "audio/mpeg",
    "audio/wav": "audio/mpeg",
    "audio/x-wav": "audio/mpeg",
    "image/avif": "image/jpeg",
    "image/bmp": "image/png",
    "image/gif": "image/png",
    "image/heic": "image/jpeg",
    "image/heif": "image/jpeg",
    "image/tiff": "image/png",
    "image/webp": "image/png",
    "video/quicktime": "video/mp4",
    "video/webm": "video/mp4",
}


class Unfit(StanzaError):
    """A file that WhatsApp does not take; `convert_to` is the type that would do, if there is one."""

    def __init__(self, text: str, *, rule: str, convert_to: str = "") -> None:
        super().__init__("not-acceptable", text)
        self.rule = rule
        self.convert_to = convert_to


def type_of(type: str, name: str) -> str:
    """Find the type of a file: what it is said to be, or what its extension says."""
    said = bare_type(type)
    said = ALIASES.get(said, said)
    if said and said != "application/octet-stream":
        return said
    extension = name.rpartition(".")[2].lower()
    by_extension = {"jpeg": "image/jpeg", "oga": "audio/ogg", "opus": "audio/ogg"}
    found = next((one for one, known in EXTENSIONS.items() if known == extension), "")
    return found or by_extension.get(extension, "application/octet-stream")


def kind_of(type: str, name: str, bytes: int, lang: str, *, is_sticker: bool = False) -> Kind:
    """Choose what a file is sent as.

    Raises:
        Unfit: If WhatsApp does not take it; the text names the rule.
    """
    found = type_of(type, name)
    # A picture in WebP is a sticker only if somebody means it: it is cut to 512 × 512.
    kinds = (STICKER,) if is_sticker else (IMAGE, VIDEO, AUDIO, DOCUMENT)
    kind = next((kind for kind in kinds if found in kind.types), None)
    if kind is None:
        allowed = ", ".join(sorted({EXTENSIONS[one] for kind in kinds for one in kind.types}))
        text = say("file_type", lang, type=found, allowed=allowed)
        raise Unfit(text, rule="type", convert_to=CONVERSIONS.get(found, ""))
    if bytes > kind.largest:
        text = say("file_size", lang, kind=kind.name, max=size(kind.largest), size=size(bytes))
        raise Unfit(text, rule=kind.name)
    return kind
