"""Files: how large, of which types, and for how long (Cloud API: Media)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contrib.whatsapp_simulator.clock import DAY, MINUTE, Clock
from contrib.whatsapp_simulator.errors import GraphError, invalid
from contrib.whatsapp_simulator.identifiers import Identifiers

KB: Final = 1024
MB: Final = 1024 * KB
URL_SECONDS: Final = 5 * MINUTE
INBOUND_SECONDS: Final = 7 * DAY
UPLOADED_SECONDS: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class Rule:
    """What is taken as one kind of message."""

    largest: int
    types: frozenset[str]


_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
RULES: Final[Mapping[str, Rule]] = {
    "audio": Rule(
        16 * MB, frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/x-m4a"})
    ),
    "document": Rule(
        100 * MB,
        frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                f"{_OFFICE}wordprocessingml.document",
                f"{_OFFICE}spreadsheetml.sheet",
                f"{_OFFICE}presentationml.presentation",
            }
        ),
    ),
    "image": Rule(5 * MB, frozenset({"image/jpeg", "image/png"})),
    "sticker": Rule(500 * KB, frozenset({"image/webp"})),
    "video": Rule(16 * MB, frozenset({"video/mp4", "video/3gpp", "video/3gp"})),
}

#: How files of a type begin: at which byte, with which of these; what is not here is not looked into.
_BEGINNINGS: Final[Mapping[str, tuple[int, tuple[bytes, ...]]]] = {
    "image/jpeg": (0, (b"\xff\xd8\xff",)),
    "image/png": (0, (b"\x89PNG\r\n\x1a\n",)),
    "image/webp": (8, (b"WEBP",)),
    "audio/ogg": (0, (b"OggS",)),
    "audio/amr": (0, (b"#!AMR",)),
    "audio/aac": (0, (b"\xff\xf1", b"\xff\xf9")),
    "audio/mpeg": (0, (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")),
    "audio/mp4": (4, (b"ftyp",)),
    "video/mp4": (4, (b"ftyp",)),
    "video/3gpp": (4, (b"ftyp",)),
    "application/pdf": (0, (b"%PDF-",)),
    f"{_OFFICE}wordprocessingml.document": (0, (b"PK\x03\x04",)),
    f"{_OFFICE}spreadsheetml.sheet": (0, (b"PK\x03\x04",)),
    f"{_OFFICE}presentationml.presentation": (0, (b"PK\x03\x04",)),
}


@dataclass(slots=True, eq=False)
class Media:
    """A file, kept for a while."""

    id: str
    number: str
    mime_type: str
    content: bytes
    filename: str
    expires: float

    @property
    def sha256(self) -> str:
        """The checksum as webhooks write it: base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()

    @property
    def sha256_hex(self) -> str:
        """The checksum as `GET /{media}` writes it (unverified)."""
        return hashlib.sha256(self.content).hexdigest()


class MediaStore:
    """Keeps files as long as Meta does."""

    def __init__(self, clock: Clock, identifiers: Identifiers) -> None:
        self._clock = clock
        self._identifiers = identifiers
        self._media: dict[str, Media] = {}
        #: Keys of download URLs, with what they open and until when.
        self._urls: dict[str, tuple[str, float]] = {}

    def receive(self, number: str, content: bytes, mime_type: str, filename: str = "") -> Media:
        """Keep what a customer sent."""
        return self._keep(number, content, mime_type, filename, INBOUND_SECONDS)

    def upload(self, number: str, content: bytes, mime_type: str, filename: str) -> Media:
        """Keep what the business uploaded.

        Raises:
            GraphError: If it is too large, or of a type that no kind of message takes.
        """
        plain = plain_type(mime_type)
        rules = [rule for rule in RULES.values() if plain in rule.types]
        if not rules:
            raise invalid(f"Param file must be a file with one of the supported types, got {plain!r}")
        largest = max(rule.largest for rule in rules)
        if len(content) > largest:
            raise invalid(f"Param file is too large: {len(content)} bytes, and {largest} are allowed")
        return self._keep(number, content, mime_type, filename, UPLOADED_SECONDS)

    def find(self, media_id: str) -> Media | None:
        """Find a file that is still kept."""
        media = self._media.get(media_id)
        return media if media is not None and self._clock.now() < media.expires else None

    def shown(self, media_id: str) -> Media | None:
        """Find a file for the phone, where it stays."""
        return self._media.get(media_id)

    def delete(self, media_id: str) -> None:
        """Forget a file."""
        del self._media[media_id]

    def promise(self, media: Media) -> str:
        """Make a key that opens it for five minutes."""
        key = self._identifiers.secret()
        self._urls[key] = (media.id, self._clock.now() + URL_SECONDS)
        return key

    def opened_by(self, media_id: str, key: str) -> Media | None:
        """Find the file that a key opens."""
        promised, until = self._urls.get(key, ("", 0.0))
        return self.find(media_id) if promised == media_id and self._clock.now() < until else None

    def damage(self, media_id: str) -> None:
        """Change the bytes, so that the checksum told before is wrong now."""
        self._media[media_id].content += b"\x00"

    def _keep(self, number: str, content: bytes, mime_type: str, filename: str, seconds: float) -> Media:
        media = Media(
            self._identifiers.media(), number, mime_type, content, filename, self._clock.now() + seconds
        )
        self._media[media.id] = media
        return media


def plain_type(mime_type: str) -> str:
    """Leave the parameters away."""
    return mime_type.partition(";")[0].strip().lower()


def unfit(media: Media, kind: str) -> GraphError | None:
    """Say why a file cannot be sent as this kind of message, if it cannot."""
    rule, plain = RULES[kind], plain_type(media.mime_type)
    if plain not in rule.types and kind != "document":
        return GraphError(
            131053, f"Unsupported {kind} mime type {plain}. Use one of: {', '.join(sorted(rule.types))}."
        )
    if len(media.content) > rule.largest:
        return GraphError(131053, f"The {kind} is too large: at most {rule.largest} bytes.")
    where, beginnings = _BEGINNINGS.get(plain, (0, (b"",)))
    if not media.content[where:].startswith(beginnings):
        return GraphError(
            131053, f"Media file has a different type than the mime type {plain} it was uploaded with."
        )
    return None
