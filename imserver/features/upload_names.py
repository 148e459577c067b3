"""What a file may be called and said to be, and how it is handed to a browser (XEP-0363, Security Considerations)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

#: In bytes: the file systems of those who download it know no longer names.
LONGEST_NAME: Final = 255

#: What a browser may show in its own window: nothing that can hold a script, or that it opens with other programs.
SAFE_TYPES: Final = frozenset(
    {
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/opus",
        "audio/wav",
        "audio/webm",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/plain",
        "video/mp4",
        "video/webm",
    }
)

#: Whatever is in the file, a browser that shows it runs nothing, loads nothing, and tells nobody.
GUARDS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# RFC 9110, 5.6.2 and 8.3.1.
_PART: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}"
_TYPE: Final = re.compile(rf"({_PART}/{_PART})[ \t]*(?:;[^\x00-\x1f\x7f]{{0,200}})?")
# Nothing that a shell, a file system or a header could take for something else.
_UNSAFE: Final = re.compile(
    r'[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"<>:|?*\\/]'
)


def safe_name(wanted: str) -> str:
    """Make a name that is safe in a path, in a header and on anybody's disk; it looks as much alike as it can."""
    name = _UNSAFE.sub("_", re.split(r"[/\\]", wanted.strip())[-1])
    return name.strip(". ") or "file"


def essence(content_type: str) -> str:
    """Read a media type without its parameters: `text/plain` of `text/plain; charset=utf-8`.

    Raises:
        ValueError: If it is none.
    """
    found = _TYPE.fullmatch(content_type.strip())
    if found is None:
        raise ValueError("a media type, such as image/jpeg")
    return found[1].lower()


def headers(name: str, content_type: str) -> dict[str, str]:
    """Write the headers that a file is handed out with."""
    shown = content_type or "application/octet-stream"
    disposition = "inline" if shown in SAFE_TYPES else "attachment"
    return {
        **GUARDS,
        # RFC 6266, 4.3; the type of text is a guess that is right today.
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Type": "text/plain; charset=utf-8" if shown == "text/plain" else shown,
    }
