"""XEP-0431: what is found by its words."""

import time

import pytest

from imserver.storage.archive import ArchiveRow
from imserver.storage.archive_words import LAG, read_query, text_of, words_of
from imserver.storage.store import Store

ANA, EVA, LUIS = "ana@example.com", "eva@example.com", "luis@example.com"
NOW = time.time_ns() // 1000


def row(id: int, text: str, owner: str = ANA, peer: str = LUIS, mirror: str | None = "") -> ArchiveRow:
    stanza = f"<message from='{peer}' to='{owner}'><body>{text}</body></message>"
    return ArchiveRow(id, owner, peer, "", stanza.encode(), mirror)


async def find(store: Store, owner: str, query: str, **more: object) -> list[int]:
    page = await store.archive.page(owner, words=read_query(query), **{"limit": 99, **more})  # type: ignore[arg-type]
    return [one.id for one in page.rows]


async def index(store: Store, now: int = NOW) -> None:
    while await store.archive.words.index_some(now):
        pass


@pytest.fixture(params=["indexed", "not indexed", "half indexed"])
async def indexed(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def write(store: Store, indexed: str, rows: list[ArchiveRow]) -> None:
    middle = len(rows) // 2
    await store.archive.write(rows[:middle])
    if indexed == "half indexed":
        await index(store)
    await store.archive.write(rows[middle:])
    if indexed == "indexed":
        await index(store)


async def test_all_words_are_wanted_in_any_order_case_or_accent(store: Store, indexed: str) -> None:
    texts = ["Mañana llega el paquete", "el paquete", "MANANA", "Посылка придёт завтра", "我的包裹在哪里"]
    await write(store, indexed, [row(number, text) for number, text in enumerate(texts, 1)])

    assert await find(store, ANA, "paquete manana") == [1]
    assert await find(store, ANA, "paquete") == [1, 2]
    assert await find(store, LUIS, "mañana") == [1, 3]
    assert await find(store, ANA, "придёт") == [4]
    assert await find(store, ANA, "包裹") == [5]
    assert await find(store, ANA, "paq*") == [1, 2]
    assert await find(store, ANA, "paq") == []
    assert await find(store, ANA, "наp* прид*") == []
    assert await find(store, ANA, "ПРИД*") == [4]
    assert await find(store, EVA, "paquete") == []


async def test_pages_go_both_ways(store: Store, indexed: str) -> None:
    await write(store, indexed, [row(number, f"word {number % 2}") for number in range(1, 21)])

    first = await store.archive.page(ANA, words=read_query("1"), limit=3)
    second = await store.archive.page(ANA, words=read_query("1"), limit=3, after=first.rows[-1].id)
    last = await store.archive.page(ANA, words=read_query("1"), limit=3, backwards=True)
    before = await store.archive.page(
        ANA, words=read_query("1"), limit=3, backwards=True, before=last.rows[0].id
    )

    assert [[one.id for one in page.rows] for page in (first, second, before, last)] == [
        [1, 3, 5], [7, 9, 11], [9, 11, 13], [15, 17, 19]
    ]  # fmt: skip
    assert not last.complete
    rest = await store.archive.page(ANA, words=read_query("1"), limit=30, after=11)
    assert ([one.id for one in rest.rows], rest.complete) == ([13, 15, 17, 19], True)


async def test_it_is_found_with_a_peer_and_in_a_time(store: Store, indexed: str) -> None:
    rows = [row(1, "hello"), row(2, "hello", EVA), row(3, "hello", ANA, EVA), row(4, "hello")]
    await write(store, indexed, rows)

    assert await find(store, ANA, "hello", peer=LUIS) == [1, 4]
    assert await find(store, ANA, "hello", peer=LUIS, after_id=1) == [4]
    assert await find(store, LUIS, "hello") == [1, 2, 4]
    assert await find(store, LUIS, "hello", together_with=[ANA]) == [1, 2, 3, 4]


async def test_what_is_not_words_is_not_found(store: Store, indexed: str) -> None:
    await write(store, indexed, [row(1, "!!! ?"), row(2, "a &lt;b&gt; c&amp;d")])

    assert read_query('"" ** AND (') == [("and", False)]
    assert await find(store, ANA, "b d") == [2]
    assert await find(store, ANA, "amp") == []


async def test_the_index_waits_for_those_that_come_late(store: Store) -> None:
    await store.archive.write([row(NOW, "young")])
    await index(store)
    assert await find(store, ANA, "young") == [NOW]

    await index(store, NOW + LAG)
    assert not await store.archive.words.left(NOW + LAG)
    await store.archive.write([row(NOW - 2 * LAG, "old")])
    assert await store.archive.words.left(NOW + LAG)
    assert await find(store, ANA, "old") == [NOW - 2 * LAG]
    await index(store, NOW + LAG)
    assert await find(store, ANA, "old") == [NOW - 2 * LAG]


async def words_left(store: Store) -> list[int]:
    column = "id" if store.database.is_shared else "rowid"
    async with store.database.reading() as connection:
        found = await connection.exec_driver_sql(f"SELECT {column} FROM archive_words ORDER BY 1")
        return [id for (id,) in found]


async def test_words_go_when_messages_expire(store: Store) -> None:
    await store.archive.write([row(1, "one"), row(2, "two"), row(3, "three")])
    await index(store)

    await store.archive.expire(3)

    assert await words_left(store) == [3]


async def test_words_go_with_the_account_unless_somebody_else_has_the_message(store: Store) -> None:
    await store.archive.write([row(1, "one"), row(2, "two", mirror=None), row(3, "three", EVA)])
    await index(store)

    await store.accounts.remove(ANA)

    assert await words_left(store) == [1, 3]
    assert await find(store, LUIS, "one") == [1]


async def test_what_was_deleted_meanwhile_is_not_indexed(store: Store) -> None:
    await store.archive.write([row(1, "one"), row(2, "two")])
    await store.archive.expire(2)
    await index(store)

    assert await words_left(store) == [2]


def test_words_are_what_stands_between_blanks_and_signs() -> None:
    assert words_of("Hello, WORLD_one: it's 3.5 €") == ["hello", "world", "one", "it", "s", "3", "5"]
    assert words_of("Straße Ünïcödé") == ["strasse", "unicode"]


def test_text_is_what_people_read() -> None:
    stanza = b"<message><body>one</body><body xml:lang='de'>zwei &amp; drei</body><x xmlns='a'><body/></x></message>"
    assert text_of(stanza) == "one zwei & drei"
