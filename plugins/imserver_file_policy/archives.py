"""What is in a zip archive, by its list of contents: nothing is unpacked."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from imserver_file_policy import kinds, names, rules, texts
from imserver_file_policy.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imserver_file_policy.settings import Rule, Settings

# APPNOTE, 4.3.16: the end of the list of contents, and what stands before it in archives of more than 4 GiB.
_END: Final = struct.Struct("<4s4H2LH")
_END_MARK: Final = b"PK\x05\x06"
_LARGE_MARK: Final = b"PK\x06\x07"
_LARGE_SIZE: Final = 20
_LONGEST_COMMENT: Final = 65_535
#: How many bytes the list may have for each file: its name, and what programs add.
_ENTRY_BYTES: Final = 1024
#: From where on it counts how much is made of how little.
_RATIO_FROM: Final = 10 * 1024 * 1024
#: What other systems leave behind in archives.
_LITTER: Final = frozenset({".ds_store", "thumbs.db"})

MACROS: Final = "vbaproject.bin"
#: The same in office documents of before 2007, whose names are in UTF-16.
OLD_MACROS: Final = "_VBA_PROJECT".encode("utf-16-le")


def check_archive(file: Path, rule: Rule, settings: Settings) -> None:
    """Look into a zip archive.

    Raises:
        Refusal: If it holds what it may not.
    """
    entries = list_entries(file, rule, settings)
    if settings.encrypted_archives == "refuse" and any(one.flag_bits & 1 for one in entries):
        raise Refusal("encrypted", rule)
    for entry in entries:
        if not entry.filename.endswith("/"):
            _check_entry(PurePosixPath(entry.filename.replace("\\", "/")), rule, settings)


def _check_entry(path: PurePosixPath, rule: Rule, settings: Settings) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise Refusal("broken", rule)
    name = path.name.removeprefix("._") if "__MACOSX" in path.parts else path.name
    if name.casefold() in _LITTER:
        return
    if names.extension(name) in kinds.ARCHIVES and settings.nested_archives == "refuse":
        raise Refusal("nested", rule, inside=shown(name))
    try:
        rules.check_name(rule, name)
    except Refusal:
        raise Refusal("inside", rule, inside=shown(name)) from None


def check_office(file: Path, extension: str, rule: Rule, settings: Settings) -> None:
    """Look into an office document.

    Raises:
        Refusal: If it is none, or holds what it may not.
    """
    inside = [entry.filename.replace("\\", "/") for entry in list_entries(file, rule, settings)]
    if not any(name.startswith(kinds.OFFICE[extension]) for name in inside):
        raise Refusal("content", rule, extension=extension, found="application/zip")
    if settings.macros == "refuse" and any(map(_is_macro, inside)):
        raise Refusal("macros", rule)


def _is_macro(name: str) -> bool:
    if name.startswith("Basic/"):  # OpenDocument: each has a list, empty or not
        return name.endswith(".xml") and not name.endswith(("script-lb.xml", "script-lc.xml"))
    return name.casefold().endswith(MACROS) or (name.startswith("Scripts/") and not name.endswith("/"))


def has_old_macros(file: Path) -> bool:
    """Tell whether an office document of before 2007 holds macros."""
    with file.open("rb") as stream:
        rest = b""
        while chunk := stream.read(1024 * 1024):
            if OLD_MACROS in rest + chunk:
                return True
            rest = chunk[-len(OLD_MACROS) :]
    return False


def list_entries(file: Path, rule: Rule, settings: Settings) -> list[zipfile.ZipInfo]:
    """Read the list of contents, unless it is longer than anybody needs.

    Raises:
        Refusal: If it can't be read, or is a trap.
    """
    _check_list(file, rule, settings)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error) as error:
        raise Refusal("broken", rule) from error
    _check_sizes(file, entries, rule, settings)
    return entries


def _check_list(file: Path, rule: Rule, settings: Settings) -> None:
    """Look how long the list is before it is read: each line of it takes memory."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(max(0, size - _LONGEST_COMMENT - _END.size - _LARGE_SIZE))
        tail = stream.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise Refusal("broken", rule)
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
    if tail[max(0, at - _LARGE_SIZE) : at].startswith(_LARGE_MARK):
        raise Refusal("broken", rule)  # the true numbers are elsewhere, and no upload is so large
    if count > settings.archive_entries or length > settings.archive_entries * _ENTRY_BYTES:
        raise _bomb(rule, settings)


def _check_sizes(file: Path, entries: Iterable[zipfile.ZipInfo], rule: Rule, settings: Settings) -> None:
    entries = list(entries)
    unpacked = sum(entry.file_size for entry in entries)
    is_swollen = unpacked > _RATIO_FROM and unpacked > settings.archive_ratio * file.stat().st_size
    if len(entries) > settings.archive_entries or unpacked > settings.archive_bytes or is_swollen:
        raise _bomb(rule, settings)


def _bomb(rule: Rule, settings: Settings) -> Refusal:
    return Refusal("bomb", rule, entries=settings.archive_entries, bytes=texts.size(settings.archive_bytes))


def shown(name: str) -> str:
    """Shorten a name that a stranger gave, and leave out what can't be seen."""
    plain = "".join(letter if letter.isprintable() else "_" for letter in name)
    return plain if len(plain) <= 80 else plain[:60] + "…" + plain[-19:]
