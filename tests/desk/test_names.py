"""Names as they may be shown, and clients in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from imserver.desk import clients as clients_module
from imserver.desk.clients import Client, Clients, Found, Lookups
from imserver.desk.names import LONGEST, LOOKUP, Name, clean, read_name
from imserver.storage.clients import Client as StoredClient
from imserver.xmpp.jid import JID

DOMAIN = JID.of("", "xmpp.localhost")
LUIS = "xmpp:luis@localhost"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ana\u2028García", "Ana García"),
        ("\u202eanA", "anA"),
        ("e\u0301", "é"),
        ("\ue000\x00", ""),
        ("\u200d", ""),
        ("A" * 90, "A" * (LONGEST - 1) + "…"),
    ],
)
def test_a_name_is_one_line_of_what_people_see(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_what_a_plugin_answers_is_read() -> None:
    assert read_name(" Ana\n") == Name("Ana", LOOKUP, is_verified=True)
    assert read_name(Name("Ana\x00", "file", is_verified=True)) == Name("Ana", "file", is_verified=True)
    assert read_name("") is None
    assert read_name(None) is None
    with pytest.raises(TypeError):
        read_name(7)


class Shelf:
    """What a database would keep of clients."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredClient] = {}
        self.asked = 0

    async def find_or_add(self, alias: str, lang: str = "", key: str = "") -> StoredClient:
        self.asked += 1
        return self.rows.setdefault(alias, StoredClient(f"k{len(self.rows)}", lang, (alias,)))

    async def client_of(self, alias: str) -> StoredClient | None:
        self.asked += 1
        return self.rows.get(alias)

    async def client(self, key: str) -> StoredClient | None:
        self.asked += 1
        return next((row for row in self.rows.values() if row.key == key), None)

    async def merge(self, key: str, into: str) -> None:
        one, other = [next(row for row in self.rows.values() if row.key == wanted) for wanted in (key, into)]
        both = StoredClient(into, "", (*one.aliases, *other.aliases), (*one.names, *other.names))
        self.rows = {alias: both if row in (one, other) else row for alias, row in self.rows.items()}

    async def keep_name(self, key: str, name: Name) -> None:
        (alias,) = [alias for alias, row in self.rows.items() if row.key == key]
        row = self.rows[alias]
        names = [one for one in row.names if one.origin != name.origin] + ([name] if name.text else [])
        self.rows[alias] = StoredClient(row.key, row.lang, row.aliases, tuple(names))


class Directory(Lookups):
    """Plugins that know names."""

    def __init__(self) -> None:
        self.answer: Callable[[Client], Found | Awaitable[Found]] = lambda client: Found(None)
        self.renamings: list[str] = []
        self.needed: set[JID] = set()
        self.asked = 0
        self._work: list[asyncio.Future[None]] = []

    def find(self, client: Client) -> Found | Awaitable[Found]:
        self.asked += 1
        return self.answer(client)

    def spawn(self, work: Awaitable[None]) -> None:
        self._work.append(asyncio.ensure_future(work))

    def renamed(self, client: Client) -> None:
        self.renamings.append(client.name)

    def is_needed(self, jid: JID) -> bool:
        return jid in self.needed

    async def settles(self) -> None:
        while self._work:
            work, self._work = self._work, []
            await asyncio.gather(*work)


class Story:
    def __init__(self) -> None:
        self.shelf, self.directory, self.time = Shelf(), Directory(), 0.0
        self.clients = self.restarted()

    def restarted(self) -> Clients:
        return Clients(self.shelf, self.directory, clock=lambda: self.time)  # type: ignore[arg-type]


@pytest.fixture
def story() -> Story:
    return Story()


def verified(text: str) -> Found:
    return Found(Name(text, LOOKUP, is_verified=True))


async def test_without_a_name_a_client_is_their_number(story: Story) -> None:
    assert (await story.clients.find_or_add(DOMAIN, LUIS)).name == "luis@localhost"
    assert (await story.clients.find_or_add(DOMAIN, "tel:+34600")).name == "+34600"


def test_who_is_spoken_to_is_called_as_they_call_themselves() -> None:
    said, shown = Name("Luis", "nick"), Name("“Luis” (+34600)", "nick")
    jid = JID.parse("k7@xmpp.localhost")

    assert Client(jid, "+34600", "", (), "+34600", (said,)).called == "+34600"
    assert Client(jid, shown.text, "", (), "+34600", (said,), shown).called == "Luis"


async def test_who_was_found_by_alias_is_remembered(story: Story) -> None:
    story.shelf.rows[LUIS] = StoredClient("k7", "", (LUIS,))
    for _ in range(3):
        assert await story.clients.find_by_alias(DOMAIN, LUIS) is not None

    assert story.shelf.asked == 1


async def test_a_slow_lookup_is_not_waited_for_and_its_answer_is_a_change(story: Story) -> None:
    answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    story.directory.answer = lambda client: answer

    first = await story.clients.find_or_add(DOMAIN, LUIS)
    assert first.name == "luis@localhost"
    answer.set_result(verified("Luis Pérez"))
    await story.directory.settles()

    assert (await story.clients.find_or_add(DOMAIN, LUIS)).name == "Luis Pérez"
    assert story.directory.renamings == ["Luis Pérez"]
    assert story.directory.asked == 1


async def test_after_a_restart_the_name_found_before_is_shown_until_it_is_found_again(story: Story) -> None:
    story.directory.answer = lambda client: verified("Luis Pérez")
    await story.clients.find_or_add(DOMAIN, LUIS)
    await story.directory.settles()
    pending: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    story.directory.answer = lambda client: pending
    clients = story.restarted()

    assert (await clients.find_or_add(DOMAIN, LUIS)).name == "Luis Pérez"
    pending.set_result(Found(None))
    await story.directory.settles()

    assert (await clients.find_or_add(DOMAIN, LUIS)).name == "luis@localhost"
    assert story.shelf.rows[LUIS].names == ()


async def test_a_name_counts_for_a_while(story: Story) -> None:
    story.directory.answer = lambda client: verified("Luis")
    await story.clients.find_or_add(DOMAIN, LUIS)
    story.directory.answer = lambda client: verified("Luis Pérez")

    story.time = 3_599
    assert (await story.clients.find_or_add(DOMAIN, LUIS)).name == "Luis"
    story.time = 3_600
    assert (await story.clients.find_or_add(DOMAIN, LUIS)).name == "Luis Pérez"
    await story.directory.settles()


async def test_while_a_lookup_fails_the_name_found_before_stays_and_it_is_tried_again_soon(
    story: Story,
) -> None:
    story.directory.answer = lambda client: verified("Luis")
    await story.clients.find_or_add(DOMAIN, LUIS)
    await story.directory.settles()
    story.directory.answer = lambda client: Found(Name("“L” (1)", "nick"), has_failed=True)

    story.time = 3_600
    assert (await story.clients.find_or_add(DOMAIN, LUIS)).name == "Luis"
    story.directory.answer = lambda client: verified("Luis Pérez")
    story.time = 3_660
    assert (await story.clients.find_or_add(DOMAIN, LUIS)).name == "Luis Pérez"
    await story.directory.settles()


async def test_a_change_while_plugins_are_looking_is_looked_at_again(story: Story) -> None:
    first: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    story.directory.answer = lambda client: first
    client = await story.clients.find_or_add(DOMAIN, LUIS)
    story.directory.answer = lambda client: Found(client.names[-1])

    story.clients.call(client.jid, Name("Luis", "profile", is_verified=True))
    first.set_result(Found(None))
    await story.directory.settles()

    assert story.clients.name_of(client.jid) == "Luis"
    assert story.shelf.rows[LUIS].names == (Name("Luis", "profile", is_verified=True),)


async def test_a_client_has_the_same_name_on_every_channel(story: Story) -> None:
    other = JID.of("", "whatsapp.localhost")
    story.directory.answer = lambda client: Found(client.names[-1] if client.names else None)
    story.shelf.rows[LUIS] = story.shelf.rows["whatsapp:34600"] = StoredClient(
        "k7", "", (LUIS, "whatsapp:34600")
    )
    one = await story.clients.find_or_add(DOMAIN, LUIS)
    two = await story.clients.find_or_add(other, "whatsapp:34600")
    assert (one.name, two.name) == ("luis@localhost", "34600")

    story.clients._lookups.spawn = lambda work: work.close()  # type: ignore[attr-defined, method-assign]
    story.clients.call(one.jid, Name("Luis", "nick"))

    assert {story.clients.name_of(one.jid), story.clients.name_of(two.jid)} == {"Luis"}


async def test_who_is_in_a_conversation_is_never_forgotten(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "MOST_REMEMBERED", 3)
    luis = await story.clients.find_or_add(DOMAIN, LUIS)
    story.directory.needed.add(luis.jid)

    others = [await story.clients.find_or_add(DOMAIN, f"tel:{number}") for number in range(10)]

    assert story.clients.get(luis.jid) is not None
    assert story.clients.get(others[0].jid) is None


async def test_two_who_are_merged_have_one_name_and_an_open_conversation_its_address(story: Story) -> None:
    story.directory.answer = lambda client: Found(client.names[-1] if client.names else None)
    luis = await story.clients.find_or_add(DOMAIN, LUIS)
    phone = await story.clients.find_or_add(DOMAIN, "tel:+34600")
    tablet = await story.clients.find_or_add(DOMAIN, "tel:+34700")
    story.clients.call(luis.jid, Name("Luis", "profile", is_verified=True))
    await story.directory.settles()
    story.directory.needed.add(phone.jid)

    await story.clients.merge(phone.jid, luis.jid)
    await story.clients.merge(tablet.jid, luis.jid)

    assert story.clients.name_of(phone.jid) == "Luis"
    assert (await story.clients.find_or_add(DOMAIN, "tel:+34600")).jid == phone.jid
    assert (await story.clients.find_or_add(DOMAIN, "tel:+34700")).jid == luis.jid
