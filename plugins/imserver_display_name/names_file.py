"""A file of names that the admin vouches for: a line `alias,name` for each client."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from imserver.desk import clean_name

if TYPE_CHECKING:
    from imserver.desk import Client

HEADING: Final = ["alias", "name"]
#: What people write into a number to read it more easily.
_GROUPING: Final = str.maketrans("", "", " .-()/")


class Broken(NamedTuple):
    """A line that can't be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in the file."""

    by_alias: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()

    def of(self, client: Client) -> str:
        """Find a client's name by one of their aliases, with its kind or without; "" if there is none."""
        if not self.by_alias:
            return ""
        for alias in client.aliases:
            found = self.by_alias.get(alias.casefold()) or self.by_alias.get(_address(alias))
            if found:
                return found
        return ""

    def differences(self, other: Names) -> frozenset[str]:
        """List the aliases that are called otherwise there, or not at all."""
        aliases = self.by_alias.keys() | other.by_alias.keys()
        return frozenset(one for one in aliases if self.by_alias.get(one) != other.by_alias.get(one))


def concerns(aliases: frozenset[str], client: Client) -> bool:
    """Tell whether one of these aliases is the client's."""
    return any(one.casefold() in aliases or _address(one) in aliases for one in client.aliases)


def read_names(file: Path) -> Names:
    """Read the file; a line that can't be used is named, and the rest counts.

    Raises:
        OSError: If it can't be read at all.
    """
    names: dict[str, str] = {}
    broken: list[Broken] = []
    for number, raw in enumerate(file.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            row = _read_line(raw)
            if row is None or (number == 1 and [one.casefold() for one in row] == HEADING):
                continue
            alias, name = row
            if alias in names and names[alias] != name:
                raise ValueError(f"{alias} has a name already")
            names[alias] = name
        except ValueError as error:
            broken.append(Broken(number, str(error)))
    return Names(names, tuple(broken))


def _read_line(raw: bytes) -> tuple[str, str] | None:
    try:
        line = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    try:
        fields = next(csv.reader([line], strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if len(fields) != 2:
        raise ValueError(f"{len(fields)} fields; expected two, alias,name")
    alias, name = _normal(fields[0].strip()), clean_name(fields[1])
    if not alias or not name:
        raise ValueError("an alias and a name are expected")
    return alias, name


def _normal(alias: str) -> str:
    """Write an alias as clients have it: numbers without what groups their digits."""
    kind, colon, address = alias.casefold().rpartition(":")
    bare = address.translate(_GROUPING)
    is_number = bare.lstrip("+").isdecimal()
    return f"{kind}{colon}{bare if is_number else address}"


def _address(alias: str) -> str:
    return alias.casefold().partition(":")[2]
