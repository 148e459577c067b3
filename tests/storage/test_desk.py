import asyncio
import re

import pytest
from sqlalchemy import select

from imserver.storage import schema
from imserver.storage.clients import AliasTaken, Client, ClientUnknown, Name
from imserver.storage.conversations import AgentRow, ConversationRow, Note
from imserver.storage.database import Database
from imserver.storage.desk import ConversationGoesOn, DeskStore
from imserver.storage.happenings import EventRow, Sum
from imserver.storage.store import Store

ANA = "ana@example.com"
LUIS = "luis@example.com"
NOON = 1_782_907_200.123456


@pytest.fixture
def desk(store: Store) -> DeskStore:
    return store.desk


def conversation(
    id: int,
    client: str = "k1@xmpp.example.com",
    state: str = "closed",
    agent: str = ANA,
    queue: str = "support",
) -> ConversationRow:
    closed = NOON + 60 if state == "closed" else None
    return ConversationRow(id, client, queue, state, agent, NOON, closed, {"lang": "es", "guests": []})


def jid(client: Client) -> str:
    return f"{client.key}@xmpp.example.com"


# Clients


async def test_a_new_client_gets_a_key_that_stays(desk: DeskStore) -> None:
    added = await desk.find_or_add("xmpp:eva@other.example", "es")

    assert re.fullmatch("[a-z0-9]{12}", added.key)
    assert added == Client(added.key, "es", ("xmpp:eva@other.example",))
    assert await desk.find_or_add("xmpp:eva@other.example", "de") == added
    assert await desk.client_of("xmpp:eva@other.example") == added
    assert await desk.client(added.key) == added


async def test_nobody_is_found_where_nobody_is(desk: DeskStore) -> None:
    await desk.find_or_add("xmpp:eva@other.example")

    assert await desk.client_of("xmpp:tom@other.example") is None
    assert await desk.client("nobody") is None
    assert await desk.keys_of("nobody") == []


async def test_many_messages_of_a_new_client_at_once_make_one_client(desk: DeskStore) -> None:
    found = await asyncio.gather(*(desk.find_or_add("tel:+34600000000", str(n)) for n in range(10)))

    assert len({client.key for client in found}) == 1


async def test_two_nodes_that_meet_a_new_client_at_once_make_one(url: str) -> None:
    databases = [await Database.open(url) for _ in range(2)]

    found = await asyncio.gather(
        *(DeskStore(database).find_or_add(f"tel:{number}") for number in range(10) for database in databases)
    )

    assert len({client.key for client in found}) == 10
    for database in databases:
        await database.close()


async def test_a_client_has_many_aliases_and_each_finds_it(desk: DeskStore) -> None:
    eva = await desk.find_or_add("xmpp:eva@other.example")

    for _ in range(2):
        await desk.add_alias(eva.key, "mailto:eva@other.example")

    found = await desk.client_of("mailto:eva@other.example")
    assert found == Client(eva.key, aliases=("mailto:eva@other.example", "xmpp:eva@other.example"))


async def test_an_alias_of_somebody_else_is_refused_and_names_whose_it_is(desk: DeskStore) -> None:
    eva, tom = await desk.find_or_add("tel:1"), await desk.find_or_add("tel:2")

    with pytest.raises(AliasTaken) as refusal:
        await desk.add_alias(eva.key, "tel:2")

    assert refusal.value.key == tom.key


async def test_a_client_has_a_name_from_each_who_gave_one(desk: DeskStore) -> None:
    eva = await desk.find_or_add("tel:1")
    assert eva.names == ()

    for name in (
        Name("E.", "nick"),
        Name("Eva 👩‍🚀", "nick"),
        Name("Eva Gomes", "profile", is_verified=True),
    ):
        await desk.keep_name(eva.key, name)

    assert set((await desk.find_or_add("tel:1")).names) == {
        Name("Eva 👩‍🚀", "nick"),
        Name("Eva Gomes", "profile", is_verified=True),
    }
    await desk.keep_name(eva.key, Name("", "nick"))
    assert (await desk.find_or_add("tel:1")).names == (Name("Eva Gomes", "profile", is_verified=True),)


async def test_what_is_done_to_nobody_is_refused(desk: DeskStore) -> None:
    eva = await desk.find_or_add("tel:1")

    for refused in (
        desk.keep_name("nobody", Name("x", "nick")),
        desk.add_alias("nobody", "x"),
        desk.merge("nobody", eva.key),
        desk.merge(eva.key, "nobody"),
        desk.erase("nobody"),
    ):
        with pytest.raises(ClientUnknown):
            await refused
    assert await desk.client_of("x") is None


# Merging


async def test_two_clients_become_one_with_all_that_they_had(desk: DeskStore) -> None:
    eva, web = await desk.find_or_add("tel:1"), await desk.find_or_add("web:7")
    await desk.keep_name(eva.key, Name("Eva", "nick"))
    await desk.keep_name(web.key, Name("Visitor 7", "nick"))
    await desk.keep_name(web.key, Name("Eva Gomes", "form"))
    await desk.save([conversation(1, jid(eva)), conversation(2, jid(web))])
    await desk.add_note(2, ANA, NOON, "has two accounts")

    await desk.merge(web.key, into=eva.key)

    one = await desk.client_of("web:7")
    assert one is not None
    assert (one.key, one.aliases) == (eva.key, ("tel:1", "web:7"))
    assert set(one.names) == {Name("Eva", "nick"), Name("Eva Gomes", "form")}
    assert [row.id for row in await desk.conversations_of(eva.key)] == [2, 1]
    assert [note.text for note in await desk.notes_of(eva.key)] == ["has two accounts"]


async def test_an_earlier_key_leads_to_the_client_for_ever(desk: DeskStore) -> None:
    a, b, c = [await desk.find_or_add(f"tel:{number}") for number in range(3)]
    await desk.merge(a.key, into=b.key)
    await desk.merge(b.key, into=c.key)
    await desk.save([conversation(1, jid(c))])

    await desk.keep_name(a.key, Name("Eva", "nick"))
    await desk.add_alias(a.key, "tel:9")

    assert await desk.client(a.key) == Client(
        c.key, aliases=("tel:0", "tel:1", "tel:2", "tel:9"), names=(Name("Eva", "nick"),)
    )
    assert [row.id for row in await desk.conversations_of(a.key)] == [1]
    assert await desk.last_agent(b.key, "support") == ANA
    assert await desk.keys_of(c.key) == sorted([a.key, b.key, c.key])


async def test_a_client_that_is_merged_with_itself_stays_as_it_is(desk: DeskStore) -> None:
    a, b = await desk.find_or_add("tel:1"), await desk.find_or_add("tel:2")
    await desk.merge(a.key, into=b.key)

    await desk.merge(b.key, into=a.key)

    assert await desk.client(a.key) == Client(b.key, aliases=("tel:1", "tel:2"))


async def test_a_merge_outlives_what_was_in_memory(desk: DeskStore) -> None:
    a, b = await desk.find_or_add("tel:1"), await desk.find_or_add("tel:2")
    before = conversation(1, jid(a), state="active")
    await desk.save([before])
    await desk.merge(a.key, into=b.key)

    await desk.save([before])

    assert [row.client for row in (await desk.load(0))[0]] == [jid(b)]


# Conversations


async def test_what_is_saved_is_loaded_again_in_the_order_of_time(desk: DeskStore) -> None:
    details = {"skills": {"español": 2}, "declined": [ANA], "waiting_since": 1.5, "lost_since": None}
    waiting = ConversationRow(7, "k1@xmpp.example.com", "support", "waiting", "", NOON, None, details)
    active = conversation(3, "k2@web.example.com", state="active")
    agents = [AgentRow(ANA, "lunch", 2, NOON, None), AgentRow(LUIS, offline_since=NOON)]

    await desk.save([waiting, active], agents=agents)

    assert await desk.load(NOON) == ([active, waiting], agents)


async def test_a_conversation_that_changes_stays_one(desk: DeskStore) -> None:
    for state, agent in (("waiting", ""), ("offered", ""), ("active", ANA), ("wrapping", ANA)):
        await desk.save(
            [conversation(1, state=state, agent=agent)], agents=[AgentRow(ANA, misses=len(state))]
        )

    conversations, agents = await desk.load(NOON)
    assert [(row.state, row.agent) for row in conversations] == [("wrapping", ANA)]
    assert agents == [AgentRow(ANA, misses=8)]


async def test_only_what_may_be_reopened_is_loaded_of_what_is_closed(desk: DeskStore) -> None:
    await desk.save([conversation(1), conversation(2, state="wrapping")])

    assert [row.id for row in (await desk.load(NOON + 60))[0]] == [1, 2]
    assert [row.id for row in (await desk.load(NOON + 61))[0]] == [2]


async def test_many_are_saved_at_once_and_nothing_is_nothing(desk: DeskStore) -> None:
    rows = [conversation(number, state="waiting") for number in range(1, 1001)]

    await desk.save([])
    await desk.save(rows, [EventRow(row.id, "support", "", "opened", NOON) for row in rows])

    assert (await desk.load(0))[0] == rows
    assert await desk.report(NOON, NOON + 1, "queue") == [Sum("support", "opened", 1000, 0, 0)]


async def test_a_save_that_fails_leaves_nothing_behind(desk: DeskStore) -> None:
    nameless = EventRow(1, None, "", "opened", NOON)  # type: ignore[arg-type]

    with pytest.raises(Exception, match=r"(?i)null"):
        await desk.save([conversation(1, state="waiting")], [nameless])

    assert await desk.load(0) == ([], [])


async def test_a_clients_conversations_are_paged_through_backwards(desk: DeskStore) -> None:
    await desk.save([conversation(number) for number in range(1, 6)])
    await desk.save([conversation(9, "k2@xmpp.example.com")])

    newest = await desk.conversations_of("k1", limit=2)
    older = await desk.conversations_of("k1", limit=10, before=newest[-1].id)

    assert [row.id for row in newest + older] == [5, 4, 3, 2, 1]


async def test_the_last_agent_is_the_one_of_this_client_in_this_queue(desk: DeskStore) -> None:
    await desk.save(
        [
            conversation(1, agent=LUIS),
            conversation(2, agent=ANA),
            conversation(3, state="waiting", agent=""),
            conversation(4, agent=LUIS, queue="sales"),
            conversation(5, "k2@xmpp.example.com", agent=LUIS),
        ]
    )

    assert await desk.last_agent("k1", "support") == ANA
    assert await desk.last_agent("k1", "billing") == ""


async def test_notes_are_read_in_the_order_they_were_written(desk: DeskStore) -> None:
    await desk.save(
        [conversation(1), conversation(2, "k1@web.example.com"), conversation(3, "k2@xmpp.example.com")]
    )

    for id, text in ((2, "calls back"), (1, "no, writes"), (3, "somebody else")):
        await desk.add_note(id, ANA, NOON, text)

    assert await desk.notes_of("k1") == [Note(2, ANA, NOON, "calls back"), Note(1, ANA, NOON, "no, writes")]


# Figures


EVENTS = [
    EventRow(1, "support", "", "opened", NOON),
    EventRow(1, "support", ANA, "accepted", NOON + 10, 10),
    EventRow(2, "support", LUIS, "accepted", NOON + 20, 0.1),
    EventRow(3, "support", LUIS, "accepted", NOON + 30, 0.2),
    EventRow(4, "sales", LUIS, "accepted", NOON + 40, 4),
]


async def test_what_happened_is_summed_up_for_each_queue(desk: DeskStore) -> None:
    await desk.save([], EVENTS)

    assert await desk.report(NOON, NOON + 41, "queue") == [
        Sum("sales", "accepted", 1, 4, 4),
        Sum("support", "accepted", 3, 10.3, 10),
        Sum("support", "opened", 1, 0, 0),
    ]


async def test_what_happened_is_summed_up_for_each_agent(desk: DeskStore) -> None:
    await desk.save([], EVENTS)

    assert await desk.report(NOON, NOON + 41, "agent") == [
        Sum(ANA, "accepted", 1, 10, 10),
        Sum(LUIS, "accepted", 3, 4.3, 4),
    ]


async def test_a_period_begins_with_its_first_moment_and_ends_before_the_next(desk: DeskStore) -> None:
    await desk.save([], EVENTS)

    assert await desk.report(NOON + 10, NOON + 20, "queue") == [Sum("support", "accepted", 1, 10, 10)]
    assert await desk.report(NOON + 41, NOON + 99, "queue") == []


async def test_the_first_event_is_known(desk: DeskStore) -> None:
    assert await desk.first_event() is None

    await desk.save([], EVENTS)

    assert await desk.first_event() == NOON


# Erasure


async def test_an_erased_client_leaves_figures_and_nothing_else(desk: DeskStore) -> None:
    eva, web = await desk.find_or_add("tel:1"), await desk.find_or_add("web:7")
    await desk.keep_name(web.key, Name("Eva on the web", "nick"))
    await desk.merge(web.key, into=eva.key)
    row = conversation(1, jid(eva))
    await desk.save([row], EVENTS)
    await desk.add_note(1, ANA, NOON, "Eva is moving house")

    await desk.erase(web.key)

    assert [await desk.client(key) for key in (eva.key, web.key)] == [None, None]
    assert [await desk.client_of(alias) for alias in ("tel:1", "web:7")] == [None, None]
    assert await desk.conversations_of(eva.key) == []
    assert await desk.notes_of(eva.key) == []
    assert (await desk.load(0))[0] == [ConversationRow(1, "", "support", "closed", ANA, NOON, NOON + 60)]
    assert len(await desk.report(NOON, NOON + 41, "queue")) == 3
    for word in ("Eva", eva.key, web.key, "tel:1", "web:7"):
        assert word not in await everything(desk)


async def test_an_erased_client_stays_so_when_an_old_conversation_is_saved_again(desk: DeskStore) -> None:
    eva = await desk.find_or_add("tel:1")
    await desk.save([conversation(1, jid(eva))])
    await desk.erase(eva.key)

    await desk.save([conversation(1, jid(eva))])

    assert [(row.client, row.details) for row in (await desk.load(0))[0]] == [("", {})]


async def test_an_erased_client_who_comes_again_is_a_new_one(desk: DeskStore) -> None:
    eva = await desk.find_or_add("tel:1")
    await desk.erase(eva.key)

    again = await desk.find_or_add("tel:1")

    assert again.key != eva.key
    assert again.names == ()


@pytest.mark.parametrize("state", ["waiting", "offered", "active", "wrapping"])
async def test_a_client_is_not_erased_under_an_agents_hands(desk: DeskStore, state: str) -> None:
    eva = await desk.find_or_add("tel:1")
    await desk.save([conversation(1, jid(eva), state=state)])

    with pytest.raises(ConversationGoesOn):
        await desk.erase(eva.key)

    assert (await desk.client_of("tel:1")) == eva


async def test_an_account_that_is_removed_is_no_agent_any_more(store: Store) -> None:
    await store.desk.save([], agents=[AgentRow(ANA), AgentRow(LUIS)])

    await store.accounts.remove(ANA)

    assert await store.desk.load(0) == ([], [AgentRow(LUIS)])


async def everything(desk: DeskStore) -> str:
    tables = [table for name, table in schema.metadata.tables.items() if name.startswith("desk_")]
    async with desk._database.reading() as connection:
        return str([(await connection.execute(select(table))).all() for table in tables])
