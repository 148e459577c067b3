"""XEP-0198, as clients see it: what is acknowledged when, and what becomes of what is not."""

import re

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import eventually, loses, time_to_come_back_is_over

SM = "urn:xmpp:sm:3"
ENABLE = f"<enable xmlns='{SM}' resume='true'/>"


async def enable(actor: Actor) -> str:
    await actor.sends(ENABLE)
    enabled = await actor.receives(f"<enabled xmlns='{SM}' id='…' resume='true' max='…'/>")
    return enabled.get("id")


async def resume(stage: Stage, name: str, token: str, h: int) -> Actor:
    actor = await stage.logs_in(name)
    await actor.sends(f"<resume xmlns='{SM}' previd='{token}' h='{h}'/>")
    return actor


async def say(actor: Actor, to: str, *texts: str) -> None:
    for text in texts:
        await actor.sends(f"<message to='{to}' type='chat' id='{text}'><body>{text}</body></message>")


async def chat(stage: Stage) -> tuple[Actor, Actor, str]:
    """Ana writes to Luis, whose session can be resumed."""
    ana = await stage.comes_online("ana")
    luis = await stage.comes_online("luis")
    return ana, luis, await enable(luis)


def bodies(elements: list[Element]) -> list[str]:
    return [re.sub(r"<[^>]*>", "", str(one.child("body"))) for one in elements if one.name == "message"]


async def heard(actor: Actor) -> list[str]:
    return bodies(await actor.swallows())


async def test_stanzas_are_counted_once_they_are_on_record(stage: Stage) -> None:
    ana, _, _ = await chat(stage)
    await enable(ana)

    await say(ana, "luis@localhost", "one", "two")
    await ana.sends("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
    await ana.sends(f"<r xmlns='{SM}'/>")

    await ana.receives("<iq type='result' id='p' to='ana@localhost/stage'/>")
    await ana.receives(f"<a xmlns='{SM}' h='3'/>")
    page = await stage.server.store.archive.page("luis@localhost", limit=10)
    assert len(page.rows) == 2


async def test_an_acknowledgement_never_overtakes_the_record(stage: Stage) -> None:
    ana, _, _ = await chat(stage)
    await enable(ana)

    for number in range(1, 21):
        await say(ana, "luis@localhost", str(number))
        await ana.sends(f"<r xmlns='{SM}'/>")
        await ana.receives(f"<a xmlns='{SM}' h='{number}'/>")
        page = await stage.server.store.archive.page("luis@localhost", limit=50)
        assert len(page.rows) == number


async def test_what_was_lost_with_the_connection_comes_again_in_order(stage: Stage) -> None:
    ana, luis, token = await chat(stage)
    await say(ana, "luis@localhost", "one", "two", "three")
    for text in ("one", "two", "three"):
        await luis.receives(
            f"<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>{text}</body>…</message>"
        )

    await luis.vanishes()
    await say(ana, "luis@localhost", "four")
    await stage.settles()
    luis = await resume(stage, "luis", token, 1)

    await luis.receives(f"<resumed xmlns='{SM}' previd='{token}' h='0'/>")
    assert bodies([await luis.hears() for _ in range(3)]) == ["two", "three", "four"]
    assert await heard(luis) == []


async def test_a_resumed_session_goes_on_counting(stage: Stage) -> None:
    ana, luis, token = await chat(stage)
    await say(luis, "ana@localhost", "one")
    await stage.settles()

    await luis.vanishes()
    luis = await resume(stage, "luis", token, 0)
    await luis.receives(f"<resumed xmlns='{SM}' previd='{token}' h='1'/>")
    await say(luis, "ana@localhost", "two")
    await luis.sends(f"<r xmlns='{SM}'/>")

    await luis.receives(f"<a xmlns='{SM}' h='2'/>")
    assert await heard(ana) == ["one", "two"]


async def test_resuming_takes_over_from_a_connection_that_is_still_open(stage: Stage) -> None:
    _, luis, token = await chat(stage)

    again = await resume(stage, "luis", token, 0)

    await again.receives(f"<resumed xmlns='{SM}' previd='{token}' h='0'/>")
    said = await luis.is_disconnected()
    assert "conflict" in str(said)
    assert len(stage.server.sessions.of(luis.jid.bare)) == 1


async def test_nobody_resumes_the_session_of_another_account(stage: Stage) -> None:
    _, luis, token = await chat(stage)
    await luis.vanishes()

    eva = await resume(stage, "eva", token, 0)

    await eva.receives(
        f"<failed xmlns='{SM}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    )
    await eva.binds("desk")


async def test_a_session_that_is_over_can_not_be_resumed_and_a_new_one_may_be_bound(stage: Stage) -> None:
    _, luis, token = await chat(stage)
    await luis.sends("</stream:stream>")
    await luis.is_disconnected()

    luis = await resume(stage, "luis", token, 0)

    await luis.receives(
        f"<failed xmlns='{SM}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    )
    await luis.binds("again")


async def test_who_acknowledges_more_than_was_sent_is_disconnected(stage: Stage) -> None:
    _, luis, _ = await chat(stage)

    await luis.sends(f"<a xmlns='{SM}' h='5'/>")

    said = await luis.is_disconnected()
    assert "handled-count-too-high" in str(said)


@pytest.mark.parametrize("h", ["", "-1", "4294967296", "one", "٣"])
async def test_a_count_that_is_no_counter_ends_the_stream(stage: Stage, h: str) -> None:
    _, luis, _ = await chat(stage)

    await luis.sends(f"<a xmlns='{SM}' h='{h}'/>")

    said = await luis.is_disconnected()
    assert "undefined-condition" in str(said)


@pytest.mark.settings(limits={"resume_seconds": 1})
async def test_what_a_dead_session_never_had_is_kept_for_the_next(stage: Stage) -> None:
    ana, luis, _ = await chat(stage)
    await say(ana, "luis@localhost", "one", "two")
    await stage.settles()
    await luis.vanishes()
    await say(ana, "luis@localhost", "three")

    await eventually(lambda: stage.server.sessions.find(luis.jid) is None)
    await stage.settles()
    luis = await stage.enters("luis", "new")
    await luis.sends("<presence/>")

    assert await heard(luis) == ["one", "two", "three"]


async def test_what_a_dead_session_never_had_goes_to_another_resource_once(stage: Stage) -> None:
    ana, luis, _ = await chat(stage)
    phone = await stage.comes_online("luis", "phone")
    await luis.swallows()
    await say(ana, "luis@localhost/stage", "one", "two")
    await stage.settles()
    assert await heard(phone) == []

    await luis.vanishes()
    await time_to_come_back_is_over(stage, luis)

    assert await heard(phone) == ["one", "two"]
    assert await stage.server.store.offline.count("luis@localhost") == 0


async def test_what_another_resource_had_already_by_carbons_is_not_sent_twice(stage: Stage) -> None:
    ana, luis, _ = await chat(stage)
    phone = await stage.comes_online("luis", "phone")
    await phone.asks("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    await say(ana, "luis@localhost/stage", "one")
    await stage.settles()
    copies = await phone.swallows()
    assert len([one for one in copies if one.name == "message"]) == 1

    await luis.vanishes()
    await time_to_come_back_is_over(stage, luis)

    assert await heard(phone) == []
    assert await stage.server.store.offline.count("luis@localhost") == 0


@pytest.mark.settings(limits={"unacknowledged_stanzas": 10})
async def test_who_acknowledges_nothing_is_not_sent_without_end(stage: Stage) -> None:
    ana, luis, _ = await chat(stage)

    await say(ana, "luis@localhost", *map(str, range(15)))
    await stage.settles()

    said = await luis.is_disconnected()
    assert "resource-constraint" in str(said[-2])
    again = await stage.enters("luis", "again")
    await again.sends("<presence/>")
    assert await heard(again) == [str(number) for number in range(15)]


async def test_a_question_to_a_lost_session_is_answered_with_an_error(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana, luis, _ = await chat(stage)
    await ana.swallows()
    await ana.sends("<iq type='get' id='q' to='luis@localhost/stage'><ping xmlns='urn:xmpp:ping'/></iq>")
    await stage.settles()

    await luis.sends("</stream:stream>")
    await luis.is_disconnected()
    await stage.settles()

    answers = [one for one in await ana.swallows() if one.get("id") == "q"]
    assert [one.get("type") for one in answers] == ["error"]


async def test_enabling_twice_is_refused(stage: Stage) -> None:
    _, luis, _ = await chat(stage)

    await luis.sends(ENABLE)

    await luis.receives(
        f"<failed xmlns='{SM}'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    )


async def test_a_stream_that_ends_in_peace_is_acknowledged_a_last_time(stage: Stage) -> None:
    _, luis, _ = await chat(stage)

    await say(luis, "ana@localhost", "bye")
    await luis.sends("</stream:stream>")

    said = await luis.is_disconnected()
    assert [str(one) for one in said if one.name == "a"] == [f"<a xmlns='{SM}' h='1'/>"]


async def test_a_copy_that_its_session_lost_is_kept_if_nobody_else_has_the_message(stage: Stage) -> None:
    ana, luis, _ = await chat(stage)
    phone = await stage.comes_online("luis", "phone")
    await enable(phone)
    await phone.asks("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    await luis.swallows()
    await say(ana, "luis@localhost/stage", "one")
    await stage.settles()

    for device in (luis, phone):
        await loses(stage, device)
    await time_to_come_back_is_over(stage, luis, phone)
    again = await stage.enters("luis", "again")
    await again.sends("<presence/>")

    assert await heard(again) == ["one"]


async def test_what_is_refused_is_taken_care_of_too(stage: Stage) -> None:
    ana, luis, _ = await chat(stage)
    await enable(ana)
    await luis.asks(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='ana@localhost'/></block></iq>"
    )

    await say(ana, "luis@localhost", "refused")
    await ana.sends("<message to='a@b@c' type='chat'><body>to nobody</body></message>")
    await ana.sends(f"<r xmlns='{SM}'/>")

    for _ in range(2):
        assert (await ana.hears()).get("type") == "error"
    await ana.receives(f"<a xmlns='{SM}' h='2'/>")
