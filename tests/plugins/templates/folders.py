"""Folders of templates, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from imserver.desk import Filled, Person, Place, Situation
from imserver_templates.choice import offered
from imserver_templates.files import Entry, Folder, read_folder
from imserver_templates.filling import fill
from imserver_templates.sandbox import Sandbox
from imserver_templates.settings import TemplatesSettings

SANDBOX = Sandbox()
NOON = datetime(2026, 7, 1, 12, 5, tzinfo=UTC)


def situation(
    lang: str = "en", *, queue: str = "support", is_open: bool = True, now: datetime = NOON
) -> Situation:
    """Ana attends María."""
    return Situation(
        Person("María", "+34600000000", lang, "whatsapp"),
        Person("Ana", "ana@example.com", "en"),
        Place(queue, queue.title(), is_open),
        now,
    )


class Shelf:
    """A folder, read with these settings."""

    def __init__(self, folder: Path, settings: TemplatesSettings | None = None) -> None:
        self.folder = folder
        self.settings = settings or TemplatesSettings()

    def write(self, **texts: str) -> Shelf:
        """Write templates; `__` in a name stands for the dot of `name.es.md`."""
        for name, text in texts.items():
            (self.folder / f"{name.replace('__', '.')}.md").write_text(text)
        return self

    def read(self) -> Folder:
        """Read all of it."""
        return read_folder(self.folder, SANDBOX, self.settings)

    @property
    def problems(self) -> list[str]:
        """What can't be used, as the log says it."""
        return [str(problem) for problem in self.read().problems]

    def offered(self, where: Situation) -> list[Entry]:
        """List what is offered there."""
        return offered(self.read().entries, where, language=self.settings.language)

    def fill(self, shortcut: str, where: Situation | None = None, /, **values: str) -> Filled:
        """Fill one in."""
        where = where or situation()
        entry = next(one for one in self.offered(where) if one.template.shortcut == shortcut)
        return fill(entry, where, values, folder=self.folder, longest=self.settings.text_characters)
