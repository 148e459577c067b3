import pytest

from imserver.storage import rosters
from imserver.storage.rosters import RosterItem, RosterRemoval
from imserver.storage.several import AT_ONCE
from imserver.storage.store import Store

ANA = "ana@example.com"
LUIS = RosterItem("luis@example.com", "Luis", "both", groups=("Friends", "Work"))
TEA = RosterItem("tea@example.com", ask=True, approved=True)
STRANGER = RosterItem("stranger@example.com", pending_in=b"<presence type='subscribe'/>", listed=False)


async def test_an_item_comes_back_as_it_was(store: Store) -> None:
    for item in (LUIS, STRANGER, TEA):
        await store.rosters.put(ANA, item)

    assert await store.rosters.load(ANA) == [LUIS, STRANGER, TEA]
    assert await store.rosters.load(LUIS.contact) == []


async def test_every_change_makes_a_new_version(store: Store) -> None:
    assert await store.rosters.version(ANA) == 0

    assert await store.rosters.put(ANA, LUIS) == 1
    assert await store.rosters.put(ANA, TEA) == 2
    assert await store.rosters.delete(ANA, LUIS.contact) == 3

    snapshot = await store.rosters.snapshot(ANA)
    assert (snapshot.version, snapshot.items) == (3, (TEA,))


async def test_a_client_learns_what_it_missed(store: Store) -> None:
    version = await store.rosters.put(ANA, LUIS)
    await store.rosters.put(ANA, TEA)
    await store.rosters.delete(ANA, LUIS.contact)

    assert await store.rosters.changes_since(ANA, version) == [TEA, RosterRemoval(LUIS.contact)]
    assert await store.rosters.changes_since(ANA, 3) == []


async def test_a_stranger_who_asked_is_not_in_the_roster_that_clients_see(store: Store) -> None:
    version = await store.rosters.put(ANA, LUIS)

    assert await store.rosters.put(ANA, STRANGER) == version

    assert await store.rosters.changes_since(ANA, 0) == [LUIS]
    assert await store.rosters.delete(ANA, STRANGER.contact) == version
    assert await store.rosters.load(ANA) == [LUIS]


async def test_a_contact_who_asks_again_after_the_removal_is_still_removed(store: Store) -> None:
    version = await store.rosters.put(ANA, LUIS)

    await store.rosters.put(ANA, RosterItem(LUIS.contact, pending_in=b"<presence/>", listed=False))

    assert await store.rosters.changes_since(ANA, version) == [RosterRemoval(LUIS.contact)]


async def test_deleting_nobody_changes_nothing(store: Store) -> None:
    version = await store.rosters.put(ANA, LUIS)

    assert await store.rosters.delete(ANA, TEA.contact) == version


async def test_a_version_from_the_future_is_not_believed(store: Store) -> None:
    version = await store.rosters.put(ANA, LUIS)

    assert await store.rosters.changes_since(ANA, version + 1) is None


async def test_a_client_away_for_too_many_removals_gets_the_whole_roster(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "REMOVALS_REMEMBERED", 2)
    for number in range(5):
        await store.rosters.put(ANA, RosterItem(f"{number}@example.com"))
    for number in range(5):
        await store.rosters.delete(ANA, f"{number}@example.com")

    assert await store.rosters.changes_since(ANA, 7) is None
    assert await store.rosters.changes_since(ANA, 8) == [
        RosterRemoval("3@example.com"),
        RosterRemoval("4@example.com"),
    ]


async def test_many_are_asked_at_once_whether_they_show_themselves(store: Store) -> None:
    for owner, subscription in (("a@b.c", "from"), ("b@b.c", "both"), ("c@b.c", "to"), ("d@b.c", "both")):
        await store.rosters.put(owner, RosterItem(ANA, subscription=subscription))  # type: ignore[arg-type]

    strangers = [f"{number}@b.c" for number in range(AT_ONCE)]
    shown = await store.rosters.showing_to(ANA, ["a@b.c", "c@b.c", *strangers, "b@b.c", "nobody@b.c"])

    assert shown == {"a@b.c", "b@b.c"}
    assert await store.rosters.showing_to(ANA, []) == set()
