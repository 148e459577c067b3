import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from imserver.storage.store import Store
from imserver.storage.uploads import QuotaExceeded, Upload

ANA = "ana@example.com"
NOW = datetime(2026, 7, 1, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(days=30)


def photo(token: str, size: int = 1000) -> Upload:
    return Upload(token, ANA, "photo.jpg", size, "image/jpeg", expires=SOON)


async def test_a_promise_is_found_by_its_token(store: Store) -> None:
    await store.uploads.reserve(photo("t1"))

    assert await store.uploads.find("t1") == photo("t1")
    assert await store.uploads.find("t2") is None
    assert await store.uploads.owned_by(ANA) == [photo("t1")]


async def test_a_file_comes_once(store: Store) -> None:
    await store.uploads.reserve(photo("t1"))

    assert await store.uploads.mark_stored("t1", LATER)

    assert not await store.uploads.mark_stored("t1", LATER)
    kept = await store.uploads.find("t1")
    assert kept is not None
    assert (kept.stored, kept.expires) == (True, LATER)


async def used(store: Store) -> int:
    return sum(upload.size for upload in await store.uploads.owned_by(ANA))


async def test_promises_count_for_the_quota(store: Store) -> None:
    await store.uploads.reserve(photo("t1", 600), quota=1000)

    with pytest.raises(QuotaExceeded):
        await store.uploads.reserve(photo("t2", 401), quota=1000)

    await store.uploads.reserve(photo("t3", 400), quota=1000)
    assert await used(store) == 1000


async def test_promises_made_at_once_keep_the_quota(store: Store) -> None:
    await store.accounts.add(ANA, [])

    results = await asyncio.gather(
        *(store.uploads.reserve(photo(f"t{number}", 300), quota=1000) for number in range(10)),
        return_exceptions=True,
    )

    assert results.count(None) == 3
    assert await used(store) == 900


async def test_what_expired_is_listed_until_it_is_deleted(store: Store) -> None:
    for token in ("t1", "t2", "t3"):
        await store.uploads.reserve(photo(token))
    await store.uploads.mark_stored("t2", LATER)

    assert [upload.token for upload in await store.uploads.expired(SOON)] == ["t1", "t3"]

    await store.uploads.delete(["t1", "t3"])
    assert await store.uploads.expired(SOON) == []
    assert await used(store) == 1000
