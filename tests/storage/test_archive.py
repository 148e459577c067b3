import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from imserver.storage import archive
from imserver.storage.archive import Archive, ArchiveClock, ArchiveRow, ItemNotFound, Page, time_to_id
from imserver.storage.database import Database
from imserver.storage.offline import OfflineRow
from imserver.storage.schema import EPOCH
from imserver.storage.store import Store

ANA, LUIS, TEA = "ana@example.com", "luis@example.com", "tea@example.com"


def with_luis(*ids: int, resource: str = "phone") -> list[ArchiveRow]:
    return [ArchiveRow(id, ANA, LUIS, resource, b"<message id='%d'/>" % id) for id in ids]


def with_tea(*ids: int) -> list[ArchiveRow]:
    return [ArchiveRow(id, ANA, TEA, "", b"<message id='%d'/>" % id) for id in ids]


def ids(page: Page) -> list[int]:
    return [row.id for row in page.rows]


# The clock


def test_ids_are_the_time() -> None:
    clock = ArchiveClock()

    assert [clock.next(1000), clock.next(2000)] == [1000, 2000]


def test_ids_grow_even_when_the_time_does_not() -> None:
    clock = ArchiveClock(last=5000)

    assert [clock.next(1000), clock.next(1000), clock.next(6000)] == [5001, 5002, 6000]


async def test_the_clock_goes_on_after_a_restart(store: Store) -> None:
    await store.archive.write(with_luis(7000), [OfflineRow(LUIS, 8000, b"<message/>")])

    clock = await store.archive.clock()

    assert clock.next(1000) == 8001


# Pages


@pytest.fixture
async def filled(store: Store) -> Archive:
    """1 to 9: the odd ones with Luis, the even ones with Tea; somebody else has more."""
    await store.archive.write(sorted([*with_luis(1, 3, 5, 7, 9), *with_tea(2, 4, 6, 8)]))
    await store.archive.write([ArchiveRow(id, LUIS, ANA, "", b"") for id in range(11, 20)])
    return store.archive


async def test_a_row_comes_back_as_it_was(store: Store) -> None:
    await store.archive.write(with_luis(1))

    assert (await store.archive.page(ANA, limit=1)).rows == with_luis(1)


class Address(str):
    """Text of a class of its own, such as a JID."""

    __slots__ = ()


async def test_an_address_is_as_good_as_its_text(store: Store) -> None:
    await store.archive.write([ArchiveRow(1, Address(ANA), Address(LUIS), "phone", b"")])

    assert ids(await store.archive.page(Address(ANA), peer=Address(LUIS), limit=9)) == [1]


async def test_the_first_page_is_the_oldest(filled: Archive) -> None:
    page = await filled.page(ANA, limit=3)

    assert (ids(page), page.complete) == ([1, 2, 3], False)


async def test_the_last_page_is_in_order_too(filled: Archive) -> None:
    page = await filled.page(ANA, limit=3, backwards=True)

    assert (ids(page), page.complete) == ([7, 8, 9], False)


async def test_pages_follow_each_other_until_the_end(filled: Archive) -> None:
    page = await filled.page(ANA, after=3, limit=3)
    assert (ids(page), page.complete) == ([4, 5, 6], False)

    page = await filled.page(ANA, after=6, limit=3)
    assert (ids(page), page.complete) == ([7, 8, 9], True)

    page = await filled.page(ANA, after=9, limit=3)
    assert (ids(page), page.complete) == ([], True)


async def test_pages_follow_each_other_backwards_until_the_start(filled: Archive) -> None:
    page = await filled.page(ANA, before=7, limit=3, backwards=True)
    assert (ids(page), page.complete) == ([4, 5, 6], False)

    page = await filled.page(ANA, before=4, limit=3, backwards=True)
    assert (ids(page), page.complete) == ([1, 2, 3], True)


async def test_a_page_of_none_says_whether_there_are_any(filled: Archive) -> None:
    assert await filled.page(ANA, limit=0) == Page([], complete=False)
    assert await filled.page(TEA, limit=0) == Page([], complete=True)


async def test_one_conversation_is_paged_alone(filled: Archive) -> None:
    page = await filled.page(ANA, peer=TEA, after=2, limit=2)

    assert (ids(page), page.complete) == ([4, 6], False)


async def test_one_resource_is_paged_alone(store: Store) -> None:
    await store.archive.write([*with_luis(1, 3), *with_luis(2, 4, resource="laptop")])

    page = await store.archive.page(ANA, peer=LUIS, resource="laptop", limit=9)

    assert ids(page) == [2, 4]


async def test_a_time_range_includes_both_ends(filled: Archive) -> None:
    def at(microseconds: int) -> datetime:
        return EPOCH + timedelta(microseconds=microseconds)

    assert ids(await filled.page(ANA, start=at(3), end=at(6), limit=9)) == [3, 4, 5, 6]


async def test_what_the_query_and_its_paging_ask_for_both_count(filled: Archive) -> None:
    page = await filled.page(ANA, after_id=1, before_id=9, after=3, before=8, limit=9)

    assert ids(page) == [4, 5, 6, 7]


async def test_messages_are_found_by_their_ids(filled: Archive) -> None:
    assert ids(await filled.page(ANA, ids=[8, 1, 5], limit=9)) == [1, 5, 8]
    assert ids(await filled.page(ANA, ids=[8, 1, 5], peer=LUIS, limit=9)) == [1, 5]
    assert ids(await filled.page(ANA, ids=[], limit=9)) == []


@pytest.mark.parametrize(
    "named", [{"after": 10}, {"before": 10}, {"after_id": 10}, {"before_id": 10}, {"ids": [1, 10]}]
)
async def test_what_is_not_in_the_archive_cannot_be_named(filled: Archive, named: dict[str, Any]) -> None:
    with pytest.raises(ItemNotFound):
        await filled.page(ANA, limit=9, **named)


async def test_what_is_in_somebody_elses_archive_cannot_be_named(filled: Archive) -> None:
    with pytest.raises(ItemNotFound):
        await filled.page(ANA, after=11, limit=9)


async def test_a_bad_group_is_not_written_at_all(store: Store) -> None:
    await store.archive.write(with_luis(1))

    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.archive.write(with_luis(2, 1), [OfflineRow(LUIS, 2, b"<message/>")])

    assert ids(await store.archive.page(ANA, limit=9)) == [1]
    assert await store.offline.count(LUIS) == 0


async def test_the_bounds_are_the_first_and_the_last(filled: Archive) -> None:
    bounds = await filled.bounds(ANA)

    assert bounds is not None
    assert (bounds.first_id, bounds.last_id) == (1, 9)
    assert bounds.last_time == EPOCH + timedelta(microseconds=9)
    assert await filled.bounds(TEA) is None


# The index, which lags behind


async def test_what_was_written_is_found_at_once(store: Store) -> None:
    for id in range(1, 5):
        await store.archive.write(with_luis(id))

        assert ids(await store.archive.page(ANA, limit=9)) == list(range(1, id + 1))


async def test_what_was_written_before_a_restart_is_found(store: Store) -> None:
    await store.archive.write(with_luis(1, 2))

    restarted = Archive(store.database)

    assert ids(await restarted.page(ANA, limit=9)) == [1, 2]
    await restarted.write(with_luis(3))
    assert ids(await restarted.page(ANA, limit=9)) == [1, 2, 3]


async def test_what_is_imported_with_an_old_id_is_found(filled: Archive) -> None:
    assert ids(await filled.page(ANA, limit=1)) == [1]

    await filled.write([*with_luis(0), *with_tea(30)])

    assert ids(await filled.page(ANA, limit=20)) == [*range(10), 30]


async def test_many_groups_are_indexed_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ROWS_INDEXED_TOGETHER", 10)

    for start in range(1, 100, 3):
        await store.archive.write(with_luis(start, start + 1, start + 2))

    assert ids(await store.archive.page(ANA, limit=200)) == list(range(1, 100))


# Retention


async def test_what_is_too_old_goes_in_batches(filled: Archive) -> None:
    cut = time_to_id(EPOCH + timedelta(microseconds=6))

    assert [await filled.expire(cut, batch=3) for _ in range(3)] == [3, 2, 0]

    assert ids(await filled.page(ANA, limit=9)) == [6, 7, 8, 9]
    assert ids(await filled.page(ANA, peer=TEA, limit=9)) == [6, 8]


async def test_what_is_too_old_goes_before_it_is_indexed(store: Store) -> None:
    await store.archive.write(with_luis(1, 2, 3))

    await store.archive.expire(3)

    assert ids(await store.archive.page(ANA, limit=9)) == [3]


# Speed: every question is answered by an index, so a million messages are no more work than a thousand


@dataclass(frozen=True)
class Question:
    sql: str
    parameters: Sequence[Any]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "ix_archive_index_owner_id (owner=?)"),
        ({"backwards": True}, "ix_archive_index_owner_id (owner=?)"),
        ({"after": 5}, "ix_archive_index_owner_id (owner=? AND id>?)"),
        ({"before": 5, "backwards": True}, "ix_archive_index_owner_id (owner=? AND id<?)"),
        ({"start": EPOCH, "end": EPOCH}, "ix_archive_index_owner_id (owner=? AND id>? AND id<?)"),
        ({"peer": LUIS}, "PRIMARY KEY (owner=? AND peer=?)"),
        ({"peer": LUIS, "before": 5, "backwards": True}, "PRIMARY KEY (owner=? AND peer=? AND id<?)"),
        ({"peer": LUIS, "start": EPOCH, "after": 5}, "PRIMARY KEY (owner=? AND peer=? AND id>?)"),
        ({"peer": LUIS, "resource": "phone"}, "PRIMARY KEY (owner=? AND peer=?)"),
        ({"ids": [1, 2]}, "ix_archive_index_owner_id (owner=? AND id=?)"),
    ],
    ids=str,
)
async def test_a_page_is_found_by_index_without_scan_or_sort(
    tmp_path: Path, asked: dict[str, Any], index: str
) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/imserver.sqlite")
    store = Store(database)
    await store.archive.write(with_luis(*range(1, 10)))
    await store.archive.bounds(ANA)
    questions: list[Question] = []

    async with database.reading() as connection:
        event.listen(
            connection.engine.sync_engine,
            "before_cursor_execute",
            lambda _c, _cursor, sql, parameters, *_: questions.append(Question(sql, parameters)),
        )
    await store.archive.page(ANA, limit=50, **asked)

    plan = await explain(database, questions[-1])
    assert any(index in step for step in plan), plan
    assert any("SEARCH archive USING INTEGER PRIMARY KEY (rowid=?)" in step for step in plan), plan
    assert not any(re.search("SCAN|TEMP B-TREE", step) for step in plan), plan
    await database.close()


async def explain(database: Database, question: Question) -> list[str]:
    async with database.reading() as connection:
        plan = await connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {question.sql}", tuple(question.parameters)
        )
        return [row.detail for row in plan]


async def test_the_time_of_a_row_is_its_id(store: Store) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)

    await store.archive.write(with_luis(time_to_id(noon)))

    assert (await store.archive.page(ANA, limit=1)).rows[0].time == noon
