from imserver.storage.store import Store

ANA, LUIS = "ana@example.com", "luis@example.com"
SPAM, TROLL = "spam@example.net", "troll.example.net"


async def test_who_is_blocked_twice_is_blocked(store: Store) -> None:
    await store.blocklists.add(ANA, [SPAM, TROLL])
    await store.blocklists.add(ANA, [SPAM])
    await store.blocklists.add(LUIS, [SPAM])

    assert await store.blocklists.load_all() == {ANA: frozenset({SPAM, TROLL}), LUIS: frozenset({SPAM})}


async def test_who_is_unblocked_is_off_this_list_only(store: Store) -> None:
    await store.blocklists.add(ANA, [SPAM, TROLL])
    await store.blocklists.add(LUIS, [SPAM])

    await store.blocklists.remove(ANA, [SPAM])

    assert await store.blocklists.load_all() == {ANA: frozenset({TROLL}), LUIS: frozenset({SPAM})}


async def test_a_list_is_cleared_at_once(store: Store) -> None:
    await store.blocklists.add(ANA, [SPAM, TROLL])

    await store.blocklists.clear(ANA)

    assert await store.blocklists.load_all() == {}
