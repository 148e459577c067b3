"""What is left of an address when it is erased: nothing."""

from imserver.storage.archive import ArchiveRow, Erased
from imserver.storage.offline import OfflineRow
from imserver.storage.store import Store

ANA, EVA, LUIS = "ana@example.com", "eva@example.com", "luis@example.com"
CLIENT, SAME = "abc@xmpp.example.com", "abc@whatsapp.example.com"
OTHER = "abcd@xmpp.example.com"


async def ids(store: Store, owner: str) -> list[int]:
    return [row.id for row in (await store.archive.page(owner, limit=99)).rows]


async def fill(store: Store) -> None:
    await store.archive.write(
        [
            ArchiveRow(1, CLIENT, ANA, "", b"<message><body>one</body></message>", ""),
            ArchiveRow(2, ANA, CLIENT, "", b"<message><body>zebra</body></message>"),
            ArchiveRow(3, SAME, EVA, "", b"<message><body>three</body></message>", ""),
            ArchiveRow(4, OTHER, ANA, "", b"<message><body>four</body></message>", ""),
            ArchiveRow(5, ANA, LUIS, "", b"<message><body>five</body></message>", ""),
        ],
        [
            OfflineRow(ANA, 1, b"<message from='abc@xmpp.example.com/xmpp' to='ana@example.com'/>"),
            OfflineRow(ANA, 5, b"<message from='luis@example.com/x' to='ana@example.com'/>"),
        ],
    )


async def test_addresses_are_found_by_their_key(store: Store) -> None:
    await fill(store)

    assert await store.archive.addresses_of(["abc"]) == [SAME, CLIENT]
    assert await store.archive.addresses_of(["abc", "abcd"]) == [SAME, CLIENT, OTHER]


async def test_it_goes_from_everybodys_archive_and_from_what_waits(store: Store) -> None:
    await fill(store)
    await store.archive.words.index_some(99_000_000)

    assert await store.archive.erase([CLIENT, SAME], batch=1) == Erased(3, 1)

    assert [await ids(store, owner) for owner in (CLIENT, SAME, OTHER, ANA, EVA, LUIS)] == [
        [], [], [4], [4, 5], [], [5]
    ]  # fmt: skip
    assert [row.id for row in await store.offline.load(ANA)] == [5]
    assert await store.archive.addresses_of(["abc"]) == []


async def test_nothing_of_the_words_is_left_in_the_database(store: Store) -> None:
    await fill(store)
    await store.archive.words.index_some(99_000_000)

    await store.archive.erase([CLIENT, SAME])

    if store.database.is_shared:
        return
    async with store.database.reading() as connection:
        blocks = await connection.exec_driver_sql("SELECT block FROM archive_words_data")
        index = b"".join(block for (block,) in blocks)
    assert b"five" in index
    assert b"zebra" not in index


async def test_who_is_unknown_leaves_everything(store: Store) -> None:
    await fill(store)

    assert await store.archive.erase(["nobody@xmpp.example.com"]) == Erased(0, 0)
    assert await ids(store, ANA) == [1, 2, 4, 5]
