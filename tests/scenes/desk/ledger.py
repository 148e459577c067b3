"""Every word that was said, what became of it, and who may see it."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise
from pathlib import Path

from imserver.desk.conversation import Conversation

#: What stands in everything that no client may ever see.
SECRET = "secret"
_WORD = re.compile(r"\b([a-z]+)-([a-z]+)-(\d+)\b")
_BODY = re.compile(rb"<body>([^<]*)</body>")


class Fate(Enum):
    """What its author knows of a word."""

    SENT = "nothing yet"
    TAKEN = "it was answered what was sent after it"
    REFUSED = "it came back"
    UNKNOWN = "the connection broke before"


@dataclass(eq=False)
class Word:
    """What somebody said: `luis-support-3` is the third word of luis to the queue, `ana-luis-1` an answer."""

    author: str
    to: str
    number: int
    burst: int
    fate: Fate = Fate.SENT

    @property
    def id(self) -> str:
        return f"{self.author}-{self.to}-{self.number}"


def words_in(text: str) -> list[tuple[str, str, int]]:
    """Find the words that are mentioned: author, addressee, number."""
    return [(author, to, int(number)) for author, to, number in _WORD.findall(text)]


@dataclass(frozen=True)
class Noted:
    """Who was in a conversation at a moment, and who was being asked."""

    burst: int
    agents: frozenset[str]
    offered: frozenset[str]
    is_open: bool


class Attendance:
    """Who was with whom, from burst to burst."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], list[Noted]] = defaultdict(list)

    def note(self, burst: int, conversations: Iterable[Conversation]) -> None:
        """Look at the floor: after every event."""
        known = {(one.client, one.entrance): one for one in conversations}
        for key in self._noted.keys() | known.keys():
            noted, one = self._noted[key], known.get(key)
            now = Noted(burst, frozenset(), frozenset(), is_open=False)
            if one is not None:
                now = Noted(burst, frozenset(one.agents), frozenset(one.offered), one.is_open)
            if not noted or replace(noted[-1], burst=burst) != now:
                noted.append(now)

    def during(self, client: str, queue: str, first: int, last: int) -> Iterator[Noted]:
        """List how it was then; what was so when it began is the first."""
        noted = self._noted.get((client, queue), [])
        before = [one for one in noted if one.burst < first]
        yield from before[-1:]
        yield from (one for one in noted if first <= one.burst <= last)

    def was_closed_at_once(self, client: str, queue: str, first: int) -> bool:
        """Tell whether an agent ended it in the very moment that they got it: they did not want to read anything."""
        noted = [one for one in self._noted[client, queue] if one.burst >= first]
        return any(
            one.agents and one.is_open and not after.is_open and one.burst == after.burst
            for one, after in pairwise(noted)
        )

    def queues_of(self, client: str) -> list[str]:
        return [queue for known, queue in self._noted if known == client]

    def knew(self, agent: str, client: str, first: int, last: int) -> bool:
        """Tell whether an agent had to do with a client then, in any queue."""
        return any(
            agent in noted.agents | noted.offered
            for queue in self.queues_of(client)
            for noted in self.during(client, queue, first, last)
        )


@dataclass
class Archives:
    """Who will find what, in which order, read as it grows."""

    of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    #: The bodies of what was added to it last.
    new: list[tuple[str, str, bytes]] = field(default_factory=list)
    _read: set[int] = field(default_factory=set)

    def read(self, file: Path) -> None:
        """Read what has come since."""
        with sqlite3.connect(file) as database:
            rows = database.execute("SELECT id, owner, peer, mirror, stanza FROM archive ORDER BY id")
            found = [row for row in rows if row[0] not in self._read]
        self.new = []
        for id, owner, peer, mirror, stanza in found:
            self._read.add(id)
            self._add(owner, stanza)
            if mirror is not None:
                self._add(peer, stanza)

    def _add(self, owner: str, stanza: bytes) -> None:
        body = _BODY.search(stanza)
        text = body[1].decode() if body is not None else ""
        self.new.append((owner, text, stanza))
        if said := words_in(text):
            self.of[owner].append("-".join(map(str, said[0])))

    def numbers(self, owner: str, author: str, to: str) -> list[int]:
        """List the numbers of somebody's words in an archive."""
        found = [words_in(word)[0] for word in self.of.get(owner, ())]
        return [number for said_by, said_to, number in found if (said_by, said_to) == (author, to)]


def is_increasing(numbers: list[int]) -> bool:
    return all(first < second for first, second in pairwise(numbers))
