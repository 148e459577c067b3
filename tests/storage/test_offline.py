from imserver.storage.offline import OfflineRow
from imserver.storage.store import Store

ANA, LUIS = "ana@example.com", "luis@example.com"


async def test_what_waits_is_read_in_order(store: Store) -> None:
    for id in (3, 1, 2):
        await store.offline.put(OfflineRow(ANA, id, b"<message/>"))

    assert [row.id for row in await store.offline.load(ANA)] == [1, 2, 3]
    assert [row.id for row in await store.offline.load(ANA, limit=2)] == [1, 2]
    assert await store.offline.load(LUIS) == []


async def test_what_came_during_the_delivery_still_waits(store: Store) -> None:
    await store.archive.write([], [OfflineRow(ANA, id, b"<message/>") for id in (1, 2, 3)])

    await store.offline.delete(ANA, up_to_id=2)

    assert await store.offline.load(ANA) == [OfflineRow(ANA, 3, b"<message/>")]
    assert await store.offline.count(ANA) == 1


async def test_one_message_is_deleted_alone(store: Store) -> None:
    await store.archive.write([], [OfflineRow(ANA, id, b"<message/>") for id in (1, 2, 3)])

    assert await store.offline.delete_one(ANA, 2)

    assert not await store.offline.delete_one(ANA, 2)
    assert [row.id for row in await store.offline.load(ANA)] == [1, 3]


async def test_a_message_put_twice_waits_once_as_it_was_first(store: Store) -> None:
    await store.offline.put(OfflineRow(ANA, 1, b"<message id='first'/>"))
    await store.offline.put(OfflineRow(ANA, 1, b"<message id='second'/>"))

    assert await store.offline.load(ANA) == [OfflineRow(ANA, 1, b"<message id='first'/>")]


async def test_exactly_those_that_arrived_are_deleted(store: Store) -> None:
    await store.archive.write(
        [], [OfflineRow(owner, id, b"<message/>") for owner in (ANA, LUIS) for id in (1, 2, 3)]
    )

    await store.offline.delete_these(ANA, {1, 3})

    assert [row.id for row in await store.offline.load(ANA)] == [2]
    assert await store.offline.count(LUIS) == 3
