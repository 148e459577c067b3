"""What a file really is: by libmagic, and by looking into archives and documents."""

from __future__ import annotations

import asyncio
import codecs
import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from imserver_file_policy import archives, kinds, names, rules
from imserver_file_policy.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imserver_file_policy.settings import Rule, Settings

#: How much of a file is looked at where libmagic has no idea.
HEAD: Final = 4096
#: How many files are looked at at once: whoever comes then waits.
THREADS: Final = 2
#: What an archive is found to be that has no extension.
ZIP: Final = "application/zip"


class Inspector:
    """Looks into files, in threads of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._magic = load_magic()
        self._threads = ThreadPoolExecutor(THREADS, "file-policy")

    async def inspect(self, file: Path, name: str, given: Sequence[Rule]) -> None:
        """Check that a file is what its name says, and holds nothing that it may not.

        Raises:
            Refusal: If not, or if that can't be found out in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.inspect_seconds):
                await loop.run_in_executor(self._threads, self._inspect, file, name, given)
        except Refusal:
            raise
        except Exception as error:
            raise Refusal("not_inspected") from error

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _inspect(self, file: Path, name: str, given: Sequence[Rule]) -> None:
        extension = names.extension(name)
        found = ""
        for rule in given:
            if not rule.check_content:
                continue
            found = found or self.type_of(file, extension)
            rules.check_content(rule, extension, found)
            self._look_inside(file, extension, found, rule)

    def _look_inside(self, file: Path, extension: str, found: str, rule: Rule) -> None:
        if extension in kinds.OFFICE:
            archives.check_office(file, extension, rule, self._settings)
        elif extension == "zip" or (found == ZIP and not extension):
            archives.check_archive(file, rule, self._settings)
        elif extension in kinds.OLE and self._settings.macros == "refuse" and archives.has_old_macros(file):
            raise Refusal("macros", rule)

    def type_of(self, file: Path, extension: str = "") -> str:
        """Find the media type of what is in a file."""
        # Of two that fit, libmagic may write both without anything between them.
        found: str = self._magic.from_file(str(file)).removesuffix(kinds.ANYTHING) or kinds.ANYTHING
        if found != kinds.ANYTHING:
            return found
        with file.open("rb") as stream:
            head = stream.read(HEAD)
        if extension in kinds.WORDS and is_text(head):
            return "text/plain"
        if extension == "mp3" and (head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")):
            return "audio/mpeg"
        return found


def is_text(head: bytes) -> bool:
    """Tell whether these bytes, of which the last may be cut off, are text in UTF-8; one letter is enough."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\t\r\n\f\ufeff" for letter in text)


def load_magic() -> Any:
    """Load libmagic with its own data; nothing of the system's is needed."""
    return _magic().Magic(mime=True, magic_file=str(import_module("pylibmagic").data / "magic.mgc"))


@cache
def _magic() -> Any:
    """Import python-magic for ourselves: whoever imported it before may have that of the system."""
    environment, constructor = dict(os.environ), ctypes.CDLL.__init__
    others = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "magic"}
    try:
        import_module("pylibmagic")  # first: it says where the library is
        return import_module("magic")
    finally:
        # It says so to everything that this process loads or starts from now on.
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        ctypes.CDLL.__init__ = constructor  # type: ignore[method-assign]
        for name in [name for name in sys.modules if name.partition(".")[0] == "magic"]:
            del sys.modules[name]
        sys.modules.update(others)
