"""Answers written beforehand, as files in a folder."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imserver import hookimpl
from imserver_templates.choice import offered
from imserver_templates.files import Folder, look, read_folder
from imserver_templates.filling import fill
from imserver_templates.sandbox import Sandbox
from imserver_templates.settings import TemplatesSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imserver import Server
    from imserver.desk import Filled, Situation, Template
    from imserver_templates.files import Entry

__all__ = ["Plugin", "check_folder"]

#: How often it is looked whether a file has changed, in seconds.
LOOK_SECONDS: Final = 2.0


class Plugin:
    """One server's templates."""

    def __init__(self, settings: TemplatesSettings) -> None:
        self._settings = settings
        self._sandbox = Sandbox()
        self._folder = settings.folder
        self._found = Folder()
        self._seen: object = None
        self._watcher: asyncio.Task[None] | None = None

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[TemplatesSettings]]:
        """Have a table of our own."""
        return [TemplatesSettings]

    @hookimpl
    async def server_starting(self, server: Server) -> None:
        """Read the templates before anybody asks for them."""
        self._folder = Path(server.settings.file).parent / self._settings.folder
        await self.read(server)

    @hookimpl
    def server_started(self, server: Server) -> None:
        """Begin to look for changes."""
        self._watcher = asyncio.create_task(self._watch(server))

    @hookimpl
    async def server_stopping(self) -> None:
        """Look no more."""
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher

    async def _watch(self, server: Server) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.read(server)
            except Exception as error:
                server.log.error("the templates could not be read; the old ones stay", exc_info=error)

    async def read(self, server: Server) -> None:
        """Read the folder, if anything in it has changed."""
        seen = await asyncio.to_thread(look, self._folder)
        if seen == self._seen:
            return
        found = await asyncio.to_thread(read_folder, self._folder, self._sandbox, self._settings)
        self._seen, self._found = seen, found
        for problem in found.problems:
            server.log.warning(
                "a template can't be used", file=problem.file, line=problem.line, reason=problem.reason
            )
        server.log.info("read the templates", folder=str(self._folder), templates=len(found.entries))

    @hookimpl
    def find_templates(self, situation: Situation) -> Sequence[Template]:
        """List those that apply."""
        return [entry.template for entry in self._offered(self._found.entries, situation)]

    @hookimpl
    def find_template(self, situation: Situation, shortcut: str, values: Mapping[str, str]) -> Filled | None:
        """Fill one in."""
        versions = [one for one in self._found.entries if one.template.shortcut == shortcut]
        entry = next(iter(self._offered(versions, situation)), None)
        if entry is None:
            return None
        longest = self._settings.text_characters
        return fill(entry, situation, values, folder=self._folder, longest=longest)

    def _offered(self, entries: Sequence[Entry], situation: Situation) -> list[Entry]:
        return offered(entries, situation, language=self._settings.language)


def check_folder(folder: Path) -> tuple[int, list[str]]:
    """Count the templates that can be used, and say what is wrong with the others."""
    found = read_folder(folder, Sandbox(), TemplatesSettings())
    return len(found.entries), [str(problem) for problem in found.problems]
