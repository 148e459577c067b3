from datetime import UTC, datetime

from imserver.storage.lasts import Last
from imserver.storage.store import Store

ANA = "ana@example.com"
MORNING = datetime(2026, 7, 1, 8, 30, 0, 123456, tzinfo=UTC)


async def test_the_last_time_counts(store: Store) -> None:
    assert await store.lasts.get(ANA) is None

    await store.lasts.put(ANA, Last(MORNING.replace(year=2025), "to the beach"))
    await store.lasts.put(ANA, Last(MORNING, "to lunch"))

    assert await store.lasts.get(ANA) == Last(MORNING, "to lunch")
