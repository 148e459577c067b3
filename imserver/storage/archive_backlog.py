"""What the archive's index does not know yet: by owner, so that what is read or written together stays together."""

from collections.abc import Iterable
from typing import Any

# Every conversation has a page of its own in a large index: the more of its messages are added at once, the fewer
# pages are written for each. A message in two archives is two entries. Measured with 5,000 owners and 300,000
# messages: index and commits cost 21 µs of CPU a message with 40,000, 14 with 100,000, 9 with 200,000; but what is
# not indexed takes 60 bytes of memory an entry, and time after a restart.
GENERATION = 100_000
# Small enough to be over in some 5 ms.
BITE = 500
# Those of one owner are close to each other, and cost less.
BITE_OF_ONE = 2_000

# A row of the journal, in the order of its columns.
Row = tuple[int, str, str, str, bytes, str | None]
# An owner, a peer, and the ids of their messages in the order of time.
Conversation = tuple[str, str, list[int]]


class Entries:
    """Who has which messages with whom."""

    __slots__ = ("_by_owner", "size")

    def __init__(self) -> None:
        # Peer, id, peer, id and so on: thousands of owners have a few each, and every object costs.
        self._by_owner: dict[str, list[Any]] = {}
        self.size = 0

    def __contains__(self, owner: str) -> bool:
        return owner in self._by_owner

    def add(self, row: Row) -> None:
        """Add a message to one archive or both."""
        id, owner, peer, _, _, mirror = row
        by_owner = self._by_owner
        if owner in by_owner:
            by_owner[owner] += peer, id
        else:
            by_owner[owner] = [peer, id]
        self.size += 1
        if mirror is None:
            return
        if peer in by_owner:
            by_owner[peer] += owner, id
        else:
            by_owner[peer] = [owner, id]
        self.size += 1

    def take(self, count: int) -> list[Conversation]:
        """Remove as many entries, one owner after the other."""
        taken: list[Conversation] = []
        while count > 0 and self._by_owner:
            owner, entries = self._by_owner.popitem()
            if len(entries) > 2 * count:
                self._by_owner[owner] = entries[2 * count :]
                del entries[2 * count :]
            taken += _sort(owner, entries)
            count -= len(entries) // 2
            self.size -= len(entries) // 2
        return taken

    def count(self, owner: str) -> int:
        return len(self._by_owner.get(owner, ())) // 2

    def take_owner(self, owner: str, count: int) -> list[Conversation]:
        """Remove as many entries of one owner, the oldest first."""
        entries = self._by_owner.pop(owner, [])
        if len(entries) > 2 * count:
            self._by_owner[owner] = entries[2 * count :]
            del entries[2 * count :]
        self.size -= len(entries) // 2
        return _sort(owner, entries)


def _sort(owner: str, entries: list[Any]) -> list[Conversation]:
    with_peers: dict[str, list[int]] = {}
    for peer, id in zip(entries[::2], entries[1::2], strict=True):
        if peer in with_peers:
            with_peers[peer].append(id)
        else:
            with_peers[peer] = [id]
    return [(owner, peer, ids) for peer, ids in with_peers.items()]


def conversations_of(rows: Iterable[Row]) -> list[Conversation]:
    """Sort messages by the archives that they are in."""
    entries = Entries()
    for row in rows:
        entries.add(row)
    return entries.take(entries.size)


class Backlog:
    """Two generations of entries: one gathers, while the one before is taken away in bites.

    What was taken is under way until its transaction is `done`. If that fails, nothing here is true any more.
    """

    def __init__(self, newest: int) -> None:
        self.up_to = newest
        """The index knows every id up to here; beyond, it may know some."""
        self._newest = newest
        self._gathering = Entries()
        self._leaving = Entries()
        self._newest_leaving = newest
        self._under_way: set[str] = set()
        self._added = 0

    def concerns(self, owner: str) -> bool:
        """Tell whether the index on disk may not know everything of an owner."""
        return owner in self._gathering or owner in self._leaving or owner in self._under_way

    def count(self, owner: str) -> int:
        """Count the entries of one owner that were not taken yet."""
        return self._leaving.count(owner) + self._gathering.count(owner)

    def add(self, rows: Iterable[Row]) -> list[Conversation]:
        """Remember rows that are written now, and return what the index has to learn with them."""
        late = Entries()
        before = self._gathering.size
        for row in rows:
            if row[0] > self._newest:
                self._newest = row[0]
                self._gathering.add(row)
            else:
                # An id from long ago, below `up_to`, would never be looked for after a crash.
                late.add(row)
        self._added += self._gathering.size - before
        return self._note(late.take(late.size) + self._take_turn())

    def _take_turn(self) -> list[Conversation]:
        taken: list[Conversation] = []
        if self._leaving.size and self._added >= BITE:
            # A little more than came in, to be done before the next generation leaves.
            taken = self._leaving.take(self._added + self._added // 8)
            self._added = 0
        if self._gathering.size >= GENERATION and not self._leaving.size:
            self._leaving, self._gathering = self._gathering, Entries()
            self._newest_leaving, self._added = self._newest, 0
        return taken

    def take_owner(self, owner: str, count: int) -> list[Conversation]:
        """Take as many entries of one owner, who wants to read, and some of others, who may want to soon."""
        of_others = max(0, BITE - count)
        taken = self._leaving.take_owner(owner, count)
        taken += self._gathering.take_owner(owner, count - sum(len(ids) for _, _, ids in taken))
        taken += (self._leaving if self._leaving.size else self._gathering).take(of_others)
        return self._note(taken)

    def _note(self, taken: list[Conversation]) -> list[Conversation]:
        self._under_way = {owner for owner, _, _ in taken}
        if not self._leaving.size:
            self.up_to = self._newest_leaving if self._gathering.size else self._newest
        return taken

    def done(self) -> None:
        self._under_way = set()
