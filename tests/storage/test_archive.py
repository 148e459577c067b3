import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from imserver.storage import archive, archive_backlog
from imserver.storage.archive import Archive, ArchiveClock, ArchiveRow, ItemNotFound, Page, time_to_id
from imserver.storage.database import Database
from imserver.storage.offline import OfflineRow
from imserver.storage.schema import EPOCH, archive_conversations
from imserver.storage.store import Store

ANA, LUIS, TEA = "ana@example.com", "luis@example.com", "tea@example.com"


def with_luis(*ids: int, resource: str = "phone") -> list[ArchiveRow]:
    return [ArchiveRow(id, ANA, LUIS, resource, b"<message id='%d'/>" % id) for id in ids]


def with_tea(*ids: int) -> list[ArchiveRow]:
    return [ArchiveRow(id, ANA, TEA, "", b"<message id='%d'/>" % id) for id in ids]


def of_both(*ids: int) -> list[ArchiveRow]:
    """Write of Luis's phone to Ana's tablet, or back: a message in both archives."""
    return [ArchiveRow(id, ANA, LUIS, "phone", b"<message id='%d'/>" % id, "tablet") for id in ids]


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

    assert (await store.archive.page(ANA, limit=1)).rows == [(1, b"<message id='1'/>")]


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


# One row for two archives


async def test_a_message_is_in_both_archives_under_one_id(store: Store) -> None:
    await store.archive.write([*of_both(1), *with_luis(2), *of_both(3)])

    assert ids(await store.archive.page(ANA, limit=9)) == [1, 2, 3]
    assert ids(await store.archive.page(LUIS, limit=9)) == [1, 3]
    assert ids(await store.archive.page(LUIS, peer=ANA, limit=9)) == [1, 3]
    assert ids(await store.archive.page(LUIS, peer=LUIS, limit=9)) == []


async def test_a_message_to_oneself_is_in_the_archive_once(store: Store) -> None:
    await store.archive.write([ArchiveRow(1, ANA, ANA, "phone", b"")])

    assert ids(await store.archive.page(ANA, limit=9)) == [1]
    assert ids(await store.archive.page(ANA, peer=ANA, limit=9)) == [1]
    assert ids(await store.archive.page(ANA, peer=ANA, resource="phone", limit=9)) == [1]


async def test_each_side_knows_the_resource_of_the_other(store: Store) -> None:
    await store.archive.write(of_both(1))

    async def found(owner: str, peer: str, resource: str) -> bool:
        return ids(await store.archive.page(owner, peer=peer, resource=resource, limit=9)) == [1]

    assert await found(ANA, LUIS, "phone")
    assert not await found(ANA, LUIS, "tablet")
    assert await found(LUIS, ANA, "tablet")
    assert not await found(LUIS, ANA, "phone")


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_rare_resource_is_found_among_many(store: Store, backwards: bool) -> None:
    rare = with_luis(100, 2000, 4900, resource="watch")
    await store.archive.write(sorted([*with_luis(*set(range(1, 5000)) - {row.id for row in rare}), *rare]))

    page = await store.archive.page(ANA, peer=LUIS, resource="watch", limit=2, backwards=backwards)

    assert ids(page) == ([2000, 4900] if backwards else [100, 2000])
    assert not page.complete


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


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generations and bites of the backlog are small."""
    monkeypatch.setattr(archive_backlog, "GENERATION", 10)
    monkeypatch.setattr(archive_backlog, "BITE", 4)
    monkeypatch.setattr(archive, "BITE_OF_ONE", 3)


@pytest.mark.usefixtures("hurried")
async def test_generation_after_generation_is_indexed(store: Store) -> None:
    for start in range(1, 200, 4):
        await store.archive.write([*of_both(start, start + 1), *with_tea(start + 2), *with_luis(start + 3)])
        if start % 30 == 1:
            assert ids(await store.archive.page(LUIS, limit=200)) == sorted(
                id for id in range(1, start + 4) if id % 4 in (1, 2)
            )

    assert ids(await store.archive.page(ANA, limit=300)) == list(range(1, 201))
    assert ids(await store.archive.page(TEA, limit=300)) == []
    assert ids(await store.archive.page(ANA, peer=TEA, limit=300)) == list(range(3, 200, 4))


@pytest.mark.usefixtures("hurried")
async def test_who_reads_while_others_write_and_fail_misses_nothing(store: Store) -> None:
    async def write_and_fail() -> None:
        for id in range(101, 140):
            await store.archive.write(of_both(id))
            with pytest.raises(Exception, match=r"(?i)unique"):
                await store.archive.write(of_both(1))

    async def read() -> None:
        for _ in range(20):
            assert ids(await store.archive.page(LUIS, limit=50))[:50] == list(range(1, 51))

    await store.archive.write(of_both(*range(1, 51)))
    await asyncio.gather(write_and_fail(), read(), read())

    assert ids(await store.archive.page(ANA, limit=99)) == [*range(1, 51), *range(101, 140)]


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("groups", range(1, 30))
async def test_wherever_it_stops_nothing_is_missing_after_a_restart(store: Store, groups: int) -> None:
    for start in range(1, groups * 4, 4):
        await store.archive.write([*of_both(start, start + 1), *with_tea(start + 2), *with_luis(start + 3)])

    restarted = Archive(store.database)

    assert ids(await restarted.page(ANA, limit=300)) == list(range(1, groups * 4 + 1))
    assert len((await restarted.page(LUIS, limit=300)).rows) == 2 * groups


@pytest.mark.usefixtures("hurried")
async def test_after_a_group_that_failed_nothing_is_missing(store: Store) -> None:
    await store.archive.write(of_both(*range(1, 12)))

    for again in range(3):
        with pytest.raises(Exception, match=r"(?i)unique"):
            await store.archive.write(of_both(20 + again, 1))
        await store.archive.write(of_both(12 + again))

    assert ids(await store.archive.page(ANA, limit=99)) == list(range(1, 15))
    assert ids(await store.archive.page(LUIS, limit=99)) == list(range(1, 15))


async def test_a_conversation_of_nothing_is_forgotten(filled: Archive, store: Store) -> None:
    await filled.bounds(ANA)

    while await filled.expire(9):
        pass

    async with store.database.reading() as connection:
        left = await connection.execute(select(archive_conversations.c.owner, archive_conversations.c.peer))
        assert {(owner, peer) for owner, peer in left} <= {(ANA, LUIS), (ANA, ""), (LUIS, ANA), (LUIS, "")}
    assert ids(await filled.page(ANA, limit=9)) == [9]


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


async def test_what_is_too_old_goes_from_both_archives(store: Store) -> None:
    await store.archive.write(of_both(1, 2, 3))
    await store.archive.bounds(ANA)

    await store.archive.expire(3)

    assert ids(await store.archive.page(ANA, limit=9)) == [3]
    assert ids(await store.archive.page(LUIS, limit=9)) == [3]


# Speed: every question is answered by an index, so a million messages are no more work than a thousand


@dataclass(frozen=True)
class Question:
    sql: str
    parameters: Sequence[Any]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "PRIMARY KEY (conversation=?)"),
        ({"backwards": True}, "PRIMARY KEY (conversation=?)"),
        ({"after": 5}, "PRIMARY KEY (conversation=? AND id>?)"),
        ({"before": 5, "backwards": True}, "PRIMARY KEY (conversation=? AND id<?)"),
        ({"start": EPOCH, "end": EPOCH}, "PRIMARY KEY (conversation=? AND id>? AND id<?)"),
        ({"peer": LUIS}, "PRIMARY KEY (conversation=?)"),
        ({"peer": LUIS, "before": 5, "backwards": True}, "PRIMARY KEY (conversation=? AND id<?)"),
        ({"peer": LUIS, "start": EPOCH, "after": 5}, "PRIMARY KEY (conversation=? AND id>?)"),
        ({"peer": LUIS, "resource": "phone"}, "PRIMARY KEY (conversation=?)"),
        ({"ids": [1, 2]}, "PRIMARY KEY (conversation=? AND id=?)"),
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
