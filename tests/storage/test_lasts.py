from datetime import UTC, datetime

import pytest

from imserver.storage.lasts import Last
from imserver.storage.several import AT_ONCE
from imserver.storage.store import Store

ANA = "ana@example.com"
MORNING = datetime(2026, 7, 1, 8, 30, 0, 123456, tzinfo=UTC)


async def test_the_last_time_counts(store: Store) -> None:
    assert await store.lasts.get(ANA) is None

    await store.lasts.put(ANA, Last(MORNING.replace(year=2025), "to the beach"))
    await store.lasts.put(ANA, Last(MORNING, "to lunch"))

    assert await store.lasts.get(ANA) == Last(MORNING, "to lunch")


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1])
async def test_many_are_written_and_found_at_once(store: Store, count: int) -> None:
    everybody = {f"{number}@b.c": Last(MORNING, str(number)) for number in range(count)}

    await store.lasts.put_many(everybody.items())

    assert await store.lasts.of([*everybody, "nobody@b.c"]) == everybody
