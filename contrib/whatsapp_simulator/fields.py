"""Reading a request field by field, and refusing it in Meta's words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from contrib.whatsapp_simulator.errors import invalid, missing, not_valid
from contrib.whatsapp_simulator.shapes import JSON


class Fields:
    """An object of a request; what nobody asks for is refused by `done`."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise invalid(f"Param {path or 'body'} must be a JSON object.")
        self._value: JSON = value
        self._path = path
        self._known: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def path(self, name: str) -> str:
        return f"{self._path}['{name}']" if self._path else name

    def text(self, name: str, *, longest: int | None = None, default: str | None = None) -> str:
        """Read a text; without a default it has to be there.

        Raises:
            GraphError: 131008 if it is missing, 100 if it is something else or too long.
        """
        value = self._get(name, default)
        if not isinstance(value, str):
            raise invalid(f"Param {self.path(name)} must be a string.")
        if not value and default is None:
            raise missing(self.path(name))
        if longest is not None and len(value) > longest:
            raise invalid(f"Param {self.path(name)} must be at most {longest} characters long.")
        return value

    def choice(self, name: str, choices: Collection[str], *, default: str | None = None) -> str:
        value = self.text(name, default=default)
        if value not in choices:
            raise invalid(
                f'Param {self.path(name)} must be one of {{{", ".join(sorted(choices))}}} - got "{value}".'
            )
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise invalid(f"Param {self.path(name)} must be a boolean.")
        return value

    def number(self, name: str, *, least: float, most: float) -> float:
        """Read a number; Meta takes it as a string too."""
        value = self._get(name, None)
        try:
            number = float(value) if isinstance(value, (int, float, str)) else float("nan")
        except ValueError:
            number = float("nan")
        if isinstance(value, bool) or number != number:
            raise invalid(f"Param {self.path(name)} must be a number.")
        if not least <= number <= most:
            raise not_valid(f"Param {self.path(name)} must be between {least:g} and {most:g}.")
        return number

    def part(self, name: str) -> Fields:
        return Fields(self._get(name, None), self.path(name))

    def parts(self, name: str, *, most: int, least: int = 1) -> list[Fields]:
        """Read a list of objects.

        Raises:
            GraphError: If it is missing, something else, too short or too long.
        """
        value = self._get(name, [] if least == 0 else None)
        if not isinstance(value, list):
            raise invalid(f"Param {self.path(name)} must be an array.")
        if not least <= len(value) <= most:
            raise not_valid(f"Param {self.path(name)} must have between {least} and {most} items.")
        return [Fields(item, f"{self.path(name)}[{place}]") for place, item in enumerate(value)]

    def anything(self, name: str) -> Any:
        """Let something pass unread."""
        self._known.add(name)
        return self._value.get(name)

    def done(self) -> None:
        """Refuse what was not read.

        Raises:
            GraphError: 100, naming the first.
        """
        for name in self._value:
            if name not in self._known:
                where = f' on param "{self._path}"' if self._path else ""
                raise invalid(f'Unexpected key "{name}"{where}.')

    def _get(self, name: str, default: object) -> object:
        self._known.add(name)
        value = self._value.get(name)
        if value is not None:
            return value
        if default is None:
            raise missing(self.path(name))
        return default
