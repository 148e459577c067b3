from imserver.storage.store import Store

ANA = "ana@example.com"


async def test_the_last_card_put_is_kept(store: Store) -> None:
    assert await store.vcards.get(ANA) is None

    await store.vcards.put(ANA, b"<vCard>old</vCard>")
    await store.vcards.put(ANA, b"<vCard>new</vCard>")

    assert await store.vcards.get(ANA) == b"<vCard>new</vCard>"
