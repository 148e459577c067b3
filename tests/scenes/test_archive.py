"""XEP-0313 and XEP-0441, as clients see them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imserver.storage.archive import ArchiveRow, time_to_id
from imserver.storage.rosters import RosterItem
from imserver.xmpp.element import Element
from imserver.xmpp.timestamps import format_timestamp, parse_timestamp
from tests.scenes.actors import Actor, Stage, staged

MAM = "urn:xmpp:mam:2"


def query(fields: str = "", rest: str = "", *, to: str = "") -> str:
    form = (
        "<x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>{fields}</x>"
    )
    address = f" to='{to}'" if to else ""
    return f"<iq type='set' id='q'{address}><query xmlns='{MAM}' queryid='f27'>{form}{rest}</query></iq>"


def field(name: str, *values: str) -> str:
    return f"<field var='{name}'>{''.join(f'<value>{value}</value>' for value in values)}</field>"


async def history(actor: Actor, fields: str = "", rest: str = "") -> list[Element]:
    """Ask for a page, and return its results."""
    fin = await actor.asks(query(fields, rest))
    assert fin.get("type") == "result", fin
    results = [message.child("result", MAM) for message in await actor.swallows()]
    return [result for result in results if result is not None]


def original(result: Element) -> Element:
    """Unwrap a result (XEP-0297)."""
    return result.elements()[0].all("message", "jabber:client")[0]


def texts(results: list[Element]) -> list[str]:
    return [original(result).all("body")[0].text for result in results]


async def say(speaker: Actor, to: Actor | str, text: str) -> None:
    await speaker.sends(f"<message to='{to}' type='chat'><body>{text}</body></message>")
    await speaker.stage.settles()  # type: ignore[union-attr]


# What is kept


async def test_both_find_their_conversation_again(ana: Actor, luis: Actor) -> None:
    await say(ana, "luis@localhost", "Good morning")
    await say(luis, ana, "Good evening")
    await ana.swallows()

    assert texts(await history(luis)) == ["Good morning", "Good evening"]
    assert texts(await history(ana)) == ["Good morning", "Good evening"]


async def test_a_result_is_the_message_as_it_was_sent(ana: Actor, luis: Actor) -> None:
    await ana.sends(
        "<message to='luis@localhost' type='chat' id='1' xml:lang='es'>"
        "<body>Hola &lt;Luis&gt;</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>"
    )
    await ana.stage.settles()  # type: ignore[union-attr]

    await ana.sends(query())

    await ana.receives(
        "<message from='ana@localhost' to='ana@localhost/stage'>"
        f"<result xmlns='{MAM}' queryid='f27' id='…'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<delay xmlns='urn:xmpp:delay' stamp='…'/>"
        "<message xmlns='jabber:client' from='ana@localhost/stage' to='luis@localhost' type='chat' id='1' xml:lang='es'>"
        "<body>Hola &lt;Luis&gt;</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>"
        "</forwarded></result></message>"
    )
    await ana.receives(
        "<iq type='result' id='q' to='ana@localhost/stage'>"
        f"<fin xmlns='{MAM}' complete='true'><set xmlns='http://jabber.org/protocol/rsm'>"
        "<first>…</first><last>…</last></set></fin></iq>"
    )


async def test_the_history_survives_a_restart(tmp_path: Path) -> None:
    async with staged(tmp_path, {}) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        await say(ana, luis, "Good morning")

    async with staged(tmp_path, {}) as stage:
        for name in ("ana", "luis"):
            again = await stage.comes_online(name)
            assert texts(await history(again)) == ["Good morning"]


async def test_a_message_is_archived_under_the_id_that_its_reader_saw(ana: Actor, luis: Actor) -> None:
    await say(ana, luis, "Good morning")

    received = await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost/stage' type='chat'><body>Good morning</body>"
        "<stanza-id xmlns='urn:xmpp:sid:0' by='luis@localhost' id='…'/></message>"
    )

    seen = received.all("stanza-id", "urn:xmpp:sid:0")[0].get("id")
    assert [result.get("id") for result in await history(luis)] == [seen]
    assert [result.get("id") for result in await history(ana)] == [seen]


async def test_what_somebody_writes_to_oneself_is_kept_once(ana: Actor) -> None:
    await say(ana, "ana@localhost", "Buy bread")
    await say(ana, "luis@localhost", "Good morning")
    await ana.swallows()

    assert texts(await history(ana, field("with", "ana@localhost"))) == ["Buy bread"]
    assert texts(await history(ana)) == ["Buy bread", "Good morning"]


async def test_who_is_offline_finds_it_later(stage: Stage, ana: Actor) -> None:
    await stage.account("luis")
    await say(ana, "luis@localhost", "Good morning")

    luis = await stage.comes_online("luis")

    assert texts(await history(luis)) == ["Good morning"]


async def test_who_does_not_exist_has_no_archive(stage: Stage, ana: Actor) -> None:
    await say(ana, "nobody@localhost", "Good morning")
    await ana.swallows()
    nobody = await stage.comes_online("nobody")

    assert await history(nobody) == []
    assert texts(await history(ana)) == ["Good morning"]


async def test_what_says_nothing_is_not_kept(ana: Actor, luis: Actor) -> None:
    await ana.sends(
        f"<message to='{luis}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        f"<message to='{luis}' type='headline'><body>News</body></message>"
    )
    await luis.swallows()

    assert await history(luis) == []
    assert await history(ana) == []


@pytest.mark.settings(archive={"enabled": False})
async def test_without_an_archive_nothing_is_kept_or_offered(ana: Actor, luis: Actor) -> None:
    await say(ana, luis, "Good morning")

    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost/stage' type='chat'><body>Good morning</body></message>"
    )
    refusal = await ana.asks(query())
    assert refusal.get("type") == "error"
    info = await ana.asks(
        "<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    assert MAM not in str(info)


# Who asks


@pytest.mark.parametrize("inside", [f"<query xmlns='{MAM}'/>", f"<prefs xmlns='{MAM}' default='always'/>"])
async def test_an_archive_is_nobody_elses_business(ana: Actor, luis: Actor, inside: str) -> None:
    answer = await ana.asks(f"<iq type='set' id='q' to='luis@localhost'>{inside}</iq>")

    assert answer.all("error")[0].child("forbidden", "urn:ietf:params:xml:ns:xmpp-stanzas") is not None


async def test_the_owner_may_name_the_account(ana: Actor) -> None:
    await ana.sends(query(to="ana@localhost"))

    await ana.receives(
        "<iq type='result' id='q' from='ana@localhost' to='ana@localhost/stage'>"
        f"<fin xmlns='{MAM}' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin></iq>"
    )


@pytest.mark.parametrize("to", ["localhost", "ana@localhost"])
async def test_clients_can_see_that_there_is_an_archive(ana: Actor, to: str) -> None:
    info = await ana.asks(
        f"<iq type='get' id='d' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )

    shown = {feature.get("var") for feature in info.elements()[0].all("feature")}
    assert shown >= {MAM, f"{MAM}#extended", "urn:xmpp:sid:0"}


# What is asked for


async def test_one_conversation_can_be_read_alone(stage: Stage, ana: Actor) -> None:
    for name in ("luis", "tea"):
        await stage.account(name)
        await say(ana, f"{name}@localhost/home", f"Good morning, {name}")
    await say(ana, "luis@localhost", "Are you there?")

    assert texts(await history(ana, field("with", "tea@localhost"))) == ["Good morning, tea"]
    assert texts(await history(ana, field("with", "Luis@localhost"))) == [
        "Good morning, luis",
        "Are you there?",
    ]
    assert texts(await history(ana, field("with", "luis@localhost/home"))) == ["Good morning, luis"]


async def test_a_span_of_time_can_be_read_alone(ana: Actor, luis: Actor) -> None:
    for text in ("one", "two", "three"):
        await say(ana, luis, text)
    results = await history(ana)
    second = results[1].elements()[0].all("delay", "urn:xmpp:delay")[0].get("stamp")
    later = format_timestamp(parse_timestamp(second) + timedelta(microseconds=1))

    assert texts(await history(ana, field("start", second) + field("end", second))) == ["two"]
    assert texts(await history(ana, field("start", later))) == ["three"]
    assert texts(await history(ana, field("end", second))) == ["one", "two"]


async def test_messages_can_be_named_by_their_ids(ana: Actor, luis: Actor) -> None:
    for text in ("one", "two", "three"):
        await say(ana, luis, text)
    one, two, three = [result.get("id") for result in await history(ana)]

    assert texts(await history(ana, field("after-id", one) + field("before-id", three))) == ["two"]
    assert texts(await history(ana, field("ids", three, one))) == ["one", "three"]
    assert texts(await history(ana, field("after-id", two))) == ["three"]


@pytest.mark.parametrize(
    ("fields", "rest", "condition"),
    [
        (field("start", "yesterday"), "", "bad-request"),
        (field("with", "@"), "", "bad-request"),
        (field("colour", "red"), "", "feature-not-implemented"),
        (field("ids", "17"), "", "item-not-found"),
        (field("after-id", "28482-98726-73623"), "", "item-not-found"),
        ("", "<set xmlns='http://jabber.org/protocol/rsm'><after>17</after></set>", "item-not-found"),
        ("", "<set xmlns='http://jabber.org/protocol/rsm'><before>x</before></set>", "item-not-found"),
        ("", "<set xmlns='http://jabber.org/protocol/rsm'><index>2</index></set>", "feature-not-implemented"),
        ("", "<set xmlns='http://jabber.org/protocol/rsm'><max>many</max></set>", "bad-request"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    ana: Actor, fields: str, rest: str, condition: str
) -> None:
    answer = await ana.asks(query(fields, rest))

    error = answer.all("error")[0]
    assert error.child(condition, "urn:ietf:params:xml:ns:xmpp-stanzas") is not None
    assert error.child("text", "urn:ietf:params:xml:ns:xmpp-stanzas") is not None


async def test_somebody_elses_message_is_not_found_by_its_id(ana: Actor, luis: Actor) -> None:
    await say(luis, "luis@localhost", "Buy milk")
    seen = [result.get("id") for result in await history(luis)]

    answer = await ana.asks(query(field("ids", *seen)))

    assert answer.all("error")[0].child("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas") is not None


async def test_the_server_says_what_can_be_asked(ana: Actor) -> None:
    answer = await ana.asks(f"<iq type='get' id='f'><query xmlns='{MAM}'/></iq>")

    form = answer.elements()[0].all("x", "jabber:x:data")[0]
    fields = {field.get("var"): field.get("type") for field in form.all("field")}
    assert fields == {
        "FORM_TYPE": "hidden",
        "with": "jid-single",
        "{urn:xmpp:fulltext:0}fulltext": "text-single",
        "start": "text-single",
        "end": "text-single",
        "before-id": "text-single",
        "after-id": "text-single",
        "ids": "list-multi",
        "include-groupchat": "boolean",
    }


async def test_an_empty_archive_has_no_ends(ana: Actor) -> None:
    await ana.sends(f"<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>")

    await ana.receives(f"<iq type='result' id='m' to='ana@localhost/stage'><metadata xmlns='{MAM}'/></iq>")


async def test_an_archive_names_its_first_and_last_message(ana: Actor, luis: Actor) -> None:
    for text in ("one", "two", "three"):
        await say(ana, luis, text)
    first, _, last = [result.get("id") for result in await history(ana)]

    await ana.sends(f"<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>")

    await ana.receives(
        f"<iq type='result' id='m' to='ana@localhost/stage'><metadata xmlns='{MAM}'>"
        f"<start id='{first}' timestamp='…'/><end id='{last}' timestamp='…'/></metadata></iq>"
    )


# Preferences


def prefs(default: str, always: str = "", never: str = "") -> str:
    listed = [
        f"<{name}>{f'<jid>{jid}</jid>' if jid else ''}</{name}>"
        for name, jid in (("always", always), ("never", never))
    ]
    return f"<prefs xmlns='{MAM}' default='{default}'>{''.join(listed)}</prefs>"


async def test_by_default_everything_is_kept(ana: Actor) -> None:
    await ana.sends(f"<iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>")

    await ana.receives(f"<iq type='result' id='p' to='ana@localhost/stage'>{prefs('always')}</iq>")


async def test_preferences_survive_a_restart(tmp_path: Path) -> None:
    async with staged(tmp_path, {}) as stage:
        ana = await stage.comes_online("ana")
        await ana.asks(f"<iq type='set' id='p'>{prefs('roster', never='luis@localhost')}</iq>")

    async with staged(tmp_path, {}) as stage:
        ana = await stage.comes_online("ana")
        answer = await ana.asks(f"<iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>")
        assert "default='roster'" in str(answer)
        assert "<never><jid>luis@localhost</jid></never>" in str(answer)


async def test_a_conversation_that_must_not_be_kept_is_kept_by_the_other_only(
    ana: Actor, luis: Actor
) -> None:
    await ana.asks(f"<iq type='set' id='p'>{prefs('always', never='luis@localhost')}</iq>")

    await say(ana, luis, "Good morning")
    await luis.swallows()

    assert await history(ana) == []
    assert texts(await history(luis)) == ["Good morning"]


@pytest.mark.parametrize(
    ("wish", "kept"),
    [
        (prefs("never"), []),
        (prefs("never", always="luis@localhost"), ["from a contact"]),
        (prefs("roster"), ["from a contact"]),
        (prefs("roster", never="luis@localhost"), []),
        (prefs("roster", always="tea@localhost/stage"), ["from a contact", "from a stranger"]),
    ],
)
async def test_people_choose_what_is_kept(stage: Stage, wish: str, kept: list[str]) -> None:
    await stage.server.store.rosters.put(await stage.account("ana"), RosterItem("luis@localhost"))
    ana, luis, tea = [await stage.comes_online(name) for name in ("ana", "luis", "tea")]
    await ana.asks(f"<iq type='set' id='p'>{wish}</iq>")

    await say(luis, "ana@localhost", "from a contact")
    await say(tea, "ana@localhost", "from a stranger")
    await ana.swallows()

    assert texts(await history(ana)) == kept


async def test_a_message_that_had_to_wait_keeps_its_place(stage: Stage, ana: Actor, luis: Actor) -> None:
    await ana.asks(f"<iq type='set' id='p'>{prefs('roster', always='luis@localhost')}</iq>")

    for number in range(20):
        await (ana if number % 3 else luis).sends(
            f"<message to='{luis if number % 3 else ana}' type='chat'><body>{number}</body></message>"
        )
    await ana.swallows()
    received = [int(one.all("body")[0].text) for one in await luis.swallows()]

    assert received == [number for number in range(20) if number % 3]
    assert [int(text) for text in texts(await history(luis)) if int(text) % 3] == received


# Retention


async def test_what_is_too_old_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with staged(tmp_path, {}) as stage:
        owner = await stage.account("ana")
        ages = {"old": timedelta(days=31), "young": timedelta(days=29)}
        stanza = b"<message from='luis@localhost' to='ana@localhost'><body>%b</body></message>"
        await stage.server.store.archive.write(
            [
                ArchiveRow(time_to_id(now - age), owner, "luis@localhost", "", stanza % name.encode())
                for name, age in ages.items()
            ]
        )

    async with staged(tmp_path, {"archive": {"keep_days": 30}}) as stage:
        await stage.settles()
        ana = await stage.comes_online("ana")
        assert texts(await history(ana)) == ["young"]
