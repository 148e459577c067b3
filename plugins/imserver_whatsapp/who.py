"""Which client somebody is: by phone, by WhatsApp's user id, by both; and when they turn out to be somebody we know.

A client is a set of aliases. Phone numbers come and go, user ids come with a new number. What is certain is kept apart
from what is likely, since two histories that were joined can't be told apart again:

- Two clients become one when a message names aliases of both and nothing speaks against it, or when WhatsApp says that
  somebody has changed the number.
- A user id that is another's speaks against it: a phone number is given to somebody new after a while. The user id
  decides, the number goes over, and the agents are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, assert_never

from imserver_whatsapp.phone_forms import phone_forms
from imserver_whatsapp.updates import Person

#: How all aliases of this channel begin.
PREFIX: Final = "whatsapp:"


@dataclass(frozen=True, slots=True)
class Known:
    """A client that is on record."""

    key: str
    aliases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """There is a new client."""

    alias: str


@dataclass(frozen=True, slots=True)
class Attach:
    """The client has this alias, too; an empty key is the one that was just created."""

    key: str
    alias: str


@dataclass(frozen=True, slots=True)
class Release:
    """The alias is this client's no more."""

    key: str
    alias: str


@dataclass(frozen=True, slots=True)
class Merge:
    """The two are one."""

    key: str
    into: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Agents should know: behind the number there may be somebody else now."""

    key: str
    alias: str


Command: TypeAlias = Create | Attach | Release | Merge | Doubt


class Directory(Protocol):
    """Where clients are on record."""

    async def owner(self, alias: str) -> Known | None:
        """Find whose alias it is."""

    async def create(self, alias: str) -> str:
        """Make a client, or find who was made meanwhile; return the key."""

    async def attach(self, key: str, alias: str) -> None:
        """Give a client one more alias."""

    async def release(self, key: str, alias: str) -> None:
        """Take an alias away from a client."""

    async def merge(self, key: str, into: str) -> None:
        """Let two be one, under the key of the other."""

    async def doubt(self, key: str, alias: str) -> None:
        """Tell agents."""


@dataclass(frozen=True, slots=True)
class Aliases:
    """What somebody can be told by, all written as aliases."""

    user: str = ""
    parent: str = ""
    phones: tuple[str, ...] = ()

    @classmethod
    def of(cls, person: Person) -> Aliases:
        """Write down what Meta says of somebody."""
        forms = phone_forms(person.wa_id)
        user = person.user_id or ("" if forms else person.wa_id)  # one day it may be no number
        parent = person.parent_user_id
        return cls(
            f"{PREFIX}{user}" if user else "",
            f"{PREFIX}{parent}" if parent else "",
            tuple(f"{PREFIX}{form}" for form in forms),
        )

    @property
    def strongest_first(self) -> list[str]:
        """List them in the order in which they decide."""
        return [alias for alias in (self.user, self.parent, *self.phones) if alias]

    @property
    def shown_first(self) -> list[str]:
        """List them in the order in which people like to read them."""
        return [alias for alias in (*self.phones, self.user, self.parent) if alias]


def recognise(aliases: Aliases, owners: Mapping[str, Known]) -> tuple[str, list[Command]]:
    """Say who it is (the key, "" if new), and what the directory has to learn; nothing, for most messages."""
    found = _owners(aliases.strongest_first, owners)
    main = next((one for one in found if not _contradicts(one, aliases)), None)
    commands: list[Command] = []
    key = main.key if main is not None else ""
    if main is None:
        free = [alias for alias in aliases.shown_first if alias not in owners]
        # The user id is known to nobody, or `main` would be its owner.
        first = free[0] if free else ""
        assert first, "somebody without any alias of their own"
        commands.append(Create(first))
    for other in found:
        if main is not None and other.key == main.key:
            continue
        if main is not None and not _contradicts(other, aliases):
            commands.append(Merge(other.key, main.key))
            continue
        # Somebody else had the number before.
        for alias in aliases.phones:
            if alias in owners and owners[alias].key == other.key:
                commands += [Release(other.key, alias), Attach(key, alias)]
        commands.append(Doubt(other.key, next(iter(aliases.phones), "")))
    made = {one.alias for one in commands if isinstance(one, Create)}
    commands += [
        Attach(key, alias) for alias in aliases.strongest_first if alias not in owners and alias not in made
    ]
    return key, commands


def follow(before: Aliases, after: Aliases, owners: Mapping[str, Known]) -> tuple[str, list[Command]]:
    """Say who has changed number or id, and what the directory has to learn; WhatsApp's word counts."""
    found = _owners([*before.strongest_first, *after.strongest_first], owners)
    if not found:
        return recognise(after if after.strongest_first else before, owners)
    main = found[0]
    commands: list[Command] = [Merge(other.key, main.key) for other in found[1:]]
    commands += [Attach(main.key, alias) for alias in after.strongest_first if alias not in owners]
    # Whoever gets the old number next is somebody else.
    if after.phones and not set(after.phones) & set(before.phones):
        commands += [Release(main.key, alias) for alias in before.phones if alias in owners]
    return main.key, commands


async def settle(directory: Directory, before: Person, after: Person | None = None) -> str:
    """Find or make the client, and let the directory learn what is new; call it once at a time for each client.

    Returns:
        The key.
    """
    old, new = Aliases.of(before), Aliases.of(after) if after is not None else None
    owners = {}
    for alias in dict.fromkeys([*old.strongest_first, *(new.strongest_first if new else ())]):
        if (owner := await directory.owner(alias)) is not None:
            owners[alias] = owner
    key, commands = follow(old, new, owners) if new is not None else recognise(old, owners)
    for command in commands:
        match command:
            case Create(alias):
                key = await directory.create(alias)
            case Attach(owner_key, alias):
                await directory.attach(owner_key or key, alias)
            case Release(owner_key, alias):
                await directory.release(owner_key, alias)
            case Merge(other, into):
                await directory.merge(other, into)
            case Doubt(owner_key, alias):
                await directory.doubt(owner_key, alias)
            case _:
                assert_never(command)
    return key


def _owners(aliases: Iterable[str], owners: Mapping[str, Known]) -> list[Known]:
    """List whose aliases they are, each client once."""
    found: dict[str, Known] = {}
    for alias in aliases:
        if alias in owners:
            found.setdefault(owners[alias].key, owners[alias])
    return list(found.values())


def _contradicts(known: Known, aliases: Aliases) -> bool:
    """Tell whether a client has a user id already, and it is none of these."""
    ids = {alias for alias in known.aliases if _is_user_id(alias)}
    ours = {alias for alias in (aliases.user, aliases.parent) if alias}
    return bool(ids and ours) and not ids & ours


def _is_user_id(alias: str) -> bool:
    """Tell `PT.13491208655302741918` from a number."""
    return alias.startswith(PREFIX) and not alias.removeprefix(PREFIX).startswith("+")
