from imserver.storage.preferences import ArchivePreferences
from imserver.storage.store import Store

ANA = "ana@example.com"


async def test_the_last_choice_counts(store: Store) -> None:
    assert await store.preferences.load_all() == {}

    await store.preferences.put(ANA, ArchivePreferences("never"))
    chosen = ArchivePreferences("roster", frozenset({"luis@example.com"}), frozenset({"spam@example.net"}))
    await store.preferences.put(ANA, chosen)

    assert await store.preferences.load_all() == {ANA: chosen}
