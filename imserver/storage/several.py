"""Many owners in one query, whose SQL is the same for two of them and for fifty."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from sqlalchemy import Column, ColumnElement, bindparam

AT_ONCE = 50
NAMES = tuple(f"owner_{number}" for number in range(AT_ONCE))


def is_one_of(column: Column[str]) -> ColumnElement[bool]:
    """Compare the column with each of the values that `in_groups` makes."""
    return column.in_([bindparam(name) for name in NAMES])


def in_groups(owners: Sequence[str]) -> Iterator[dict[str, str]]:
    """Make the values of one query after the other; where owners are missing, the first is asked for again."""
    for start in range(0, len(owners), AT_ONCE):
        some = owners[start : start + AT_ONCE]
        yield dict(zip_longest(NAMES, some, fillvalue=some[0]))
