from imserver.storage.store import Store

ANA, LUIS = "ana@example.com", "luis@example.com"


async def test_the_last_one_put_is_kept(store: Store) -> None:
    await store.private.put(ANA, "storage:bookmarks", "storage", b"<old/>")
    await store.private.put(ANA, "storage:bookmarks", "storage", b"<new/>")

    assert await store.private.get(ANA, "storage:bookmarks", "storage") == b"<new/>"


async def test_names_and_owners_do_not_mix(store: Store) -> None:
    await store.private.put(ANA, "storage:bookmarks", "storage", b"<storage/>")

    assert await store.private.get(ANA, "storage:bookmarks", "other") is None
    assert await store.private.get(ANA, "storage:other", "storage") is None
    assert await store.private.get(LUIS, "storage:bookmarks", "storage") is None


async def test_it_can_be_listed(store: Store) -> None:
    await store.private.put(ANA, "storage:bookmarks", "storage", b"<storage/>")

    assert await store.private.names(ANA) == {("storage:bookmarks", "storage")}
    assert await store.private.names("luis@example.com") == set()
