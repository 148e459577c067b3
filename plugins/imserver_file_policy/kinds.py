"""Which media types a file of an extension may have: as clients announce them, and as libmagic finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

ANYTHING: Final = "application/octet-stream"

_TEXT: Final = ("text/plain", "text/*", "application/json", "application/x-ndjson", "message/*")
_OLE: Final = ("application/x-ole-storage", "application/CDFV2", "application/vnd.ms-office")
_OPEN: Final = "application/vnd.openxmlformats-officedocument"
_ODF: Final = "application/vnd.oasis.opendocument"
_MP4: Final = (
    "video/mp4",
    "video/x-m4v",
    "video/quicktime",
    "video/3gpp",
    "video/3gpp2",
    "audio/mp4",
    "audio/x-m4a",
)
_HEIF: Final = ("image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence")
_OGG: Final = ("audio/ogg", "video/ogg", "application/ogg", "audio/opus", "audio/vorbis", "audio/x-opus+ogg")

#: The first is the extension's own; the others are said or found of the same files.
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    # images
    "avif": ("image/avif", "image/avif-sequence", *_HEIF),
    "bmp": ("image/bmp", "image/x-ms-bmp", "image/x-bmp"),
    "gif": ("image/gif",),
    "heic": _HEIF,
    "heif": ("image/heif", *_HEIF),
    "jpeg": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "jpg": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "png": ("image/png", "image/x-png", "image/apng", "image/vnd.mozilla.apng"),
    "svg": ("image/svg+xml", "text/xml"),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "webp": ("image/webp",),
    # documents
    "doc": ("application/msword", *_OLE),
    "docx": (f"{_OPEN}.wordprocessingml.document", "application/zip"),
    "odp": (f"{_ODF}.presentation", "application/zip"),
    "ods": (f"{_ODF}.spreadsheet", "application/zip"),
    "odt": (f"{_ODF}.text", "application/zip"),
    "pdf": ("application/pdf", "application/x-pdf"),
    "ppt": ("application/vnd.ms-powerpoint", *_OLE),
    "pptx": (f"{_OPEN}.presentationml.presentation", "application/zip"),
    "rtf": ("application/rtf", "text/rtf", "text/richtext"),
    "xls": ("application/vnd.ms-excel", *_OLE),
    "xlsx": (f"{_OPEN}.spreadsheetml.sheet", "application/zip"),
    # text
    "csv": ("text/csv", *_TEXT, "application/csv", "application/vnd.ms-excel"),
    "html": ("text/html", *_TEXT),
    "ics": ("text/calendar", *_TEXT, "application/ics"),
    "json": ("application/json", *_TEXT),
    "log": _TEXT,
    "md": ("text/markdown", *_TEXT),
    "txt": _TEXT,
    "vcf": ("text/vcard", *_TEXT),
    "xml": ("application/xml", *_TEXT),
    # sound
    "aac": (
        "audio/aac",
        "audio/x-hx-aac-adts",
        "audio/x-hx-aac-adif",
        "audio/aacp",
        "audio/x-aac",
        "audio/mp4",
    ),
    "amr": ("audio/amr", "audio/amr-wb", "audio/3gpp"),
    "flac": ("audio/flac", "audio/x-flac"),
    "m4a": ("audio/mp4", *_MP4, "audio/m4a", "audio/aac"),
    "mp3": ("audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3"),
    "oga": _OGG,
    "ogg": _OGG,
    "opus": ("audio/opus", *_OGG),
    "wav": ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
    "weba": ("audio/webm", "video/webm", "video/x-matroska"),
    # moving pictures
    "3gp": ("video/3gpp", *_MP4, "audio/3gpp"),
    "avi": ("video/x-msvideo", "video/avi", "video/vnd.avi", "video/msvideo"),
    "m4v": ("video/mp4", *_MP4),
    "mkv": ("video/x-matroska", "video/matroska", "application/x-matroska", "video/webm"),
    "mov": ("video/quicktime", *_MP4),
    "mp4": _MP4,
    "ogv": ("video/ogg", *_OGG),
    "webm": ("video/webm", "audio/webm", "video/x-matroska"),
    # archives
    "7z": ("application/x-7z-compressed",),
    "gz": ("application/gzip", "application/x-gzip"),
    "rar": ("application/vnd.rar", "application/x-rar", "application/x-rar-compressed"),
    "tar": ("application/x-tar", "application/x-gtar"),
    "tgz": ("application/gzip", "application/x-gzip", "application/x-compressed-tar"),
    "zip": ("application/zip", "application/x-zip-compressed", "application/x-zip"),
}

#: Those that others are packed in.
ARCHIVES: Final = frozenset(
    ("7z", "ace", "arj", "bz2", "cab", "gz", "lzh", "rar", "tar", "tbz2", "tgz", "txz", "xz", "zip", "zst")
)
#: What a zip archive holds that is one of these; libmagic does not always look so far.
OFFICE: Final[Mapping[str, str]] = {
    "docx": "word/",
    "odp": "mimetype",
    "ods": "mimetype",
    "odt": "mimetype",
    "pptx": "ppt/",
    "xlsx": "xl/",
}
#: The office documents of before 2007.
OLE: Final = frozenset({"doc", "ppt", "xls"})
#: Files of people's words.
WORDS: Final = frozenset(ext for ext, types in TYPES.items() if "text/*" in types)

#: Found in a file whose extension is in no list above, these are refused all the same.
PROGRAMS: Final = (
    "application/java-archive",
    "application/vnd.android.package-archive",
    "application/vnd.microsoft.portable-executable",
    "application/x-dosexec",
    "application/x-elf",
    "application/x-executable",
    "application/x-java-applet",
    "application/x-mach-binary",
    "application/x-ms-shortcut",
    "application/x-msi",
    "application/x-pie-executable",
    "application/x-sharedlib",
    "image/svg+xml",
    "text/html",
    "text/x-shellscript",
)


def is_one_of(type: str, patterns: Iterable[str]) -> bool:
    """Tell whether a media type is among these; `image/*` is any image."""
    type = type.lower()
    family = type.partition("/")[0] + "/*"
    return any(pattern.lower() in (type, family, "*/*") for pattern in patterns)


def suits(type: str, extension: str) -> bool:
    """Tell whether files of that extension are of that type; what is not known here suits."""
    known = TYPES.get(extension)
    if known is None:
        return not is_one_of(type, PROGRAMS)
    if type.lower() == "text/html" and extension != "html":
        return False  # a browser that guesses would show it as a page
    return is_one_of(type, known)
