"""RFC 6121, 4: who sees that somebody is here."""

from datetime import UTC, datetime

import pytest

from imserver.storage.lasts import Last
from imserver.storage.rosters import RosterItem
from tests.scenes.actors import Stage
from tests.scenes.doors import loses, time_to_come_back_is_over

MORNING = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


async def allows(stage: Stage, owner: str, *viewers: str) -> None:
    """Let some see somebody's presence, and nothing the other way round."""
    for viewer in viewers:
        jid, other = await stage.account(owner), await stage.account(viewer)
        await stage.server.store.rosters.put(jid, RosterItem(other, subscription="from"))
        await stage.server.store.rosters.put(other, RosterItem(jid, subscription="to"))


async def test_contacts_see_somebody_come_change_and_go(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")
    ana = await stage.enters("ana")

    await ana.sends("<presence id='1'><priority>5</priority></presence>")
    await ana.sends("<presence><show>away</show><status>Tea</status></presence>")
    await ana.sends("<presence type='unavailable'><status>Bye</status></presence>")

    head = "from='ana@localhost/stage' to='luis@localhost'"
    await luis.receives(f"<presence {head} id='1'><priority>5</priority></presence>")
    await luis.receives(f"<presence {head}><show>away</show><status>Tea</status></presence>")
    await luis.receives(f"<presence {head} type='unavailable'><status>Bye</status></presence>")


async def test_everybody_sees_themselves_and_their_other_clients(stage: Stage) -> None:
    phone = await stage.enters("ana", "phone")
    await phone.sends("<presence/>")
    await phone.receives("<presence from='ana@localhost/phone' to='ana@localhost/phone'/>")

    desk = await stage.enters("ana", "desk")
    await desk.sends("<presence><show>dnd</show></presence>")

    seen = "<presence from='ana@localhost/desk' to='{}'><show>dnd</show></presence>"
    await phone.receives(seen.format(phone.jid))
    await desk.receives(seen.format(desk.jid))
    await desk.receives("<presence from='ana@localhost/phone' to='ana@localhost/desk'/>")

    await desk.sends("<presence type='unavailable'/>")
    await phone.receives("<presence type='unavailable' from='ana@localhost/desk' to='ana@localhost/phone'/>")
    await desk.receives("<presence type='unavailable' from='ana@localhost/desk' to='ana@localhost/desk'/>")


async def test_who_comes_online_learns_who_is_here(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")
    await luis.sends("<presence><show>away</show></presence>")
    await luis.swallows()

    ana = await stage.enters("ana")
    await ana.sends("<presence/>")

    await ana.receives("<presence from='ana@localhost/stage' to='ana@localhost/stage'/>")
    await ana.receives(
        "<presence from='luis@localhost/stage' to='ana@localhost/stage'><show>away</show></presence>"
    )
    await ana.receives_nothing()


async def test_who_comes_online_learns_since_when_the_others_are_gone(stage: Stage) -> None:
    await stage.friends("ana", "luis", "tea")
    await stage.server.store.lasts.put("luis@localhost", Last(MORNING, "to lunch"))

    ana = await stage.enters("ana")
    await ana.sends("<presence/>")

    await ana.receives("<presence from='ana@localhost/stage' to='ana@localhost/stage'/>")
    await ana.receives_in_any_order(
        "<presence type='unavailable' from='luis@localhost' to='ana@localhost/stage'>"
        "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-03-01T09:30:00.000000Z'/></presence>",
        "<presence type='unavailable' from='tea@localhost' to='ana@localhost/stage'/>",
    )


async def test_a_client_that_sends_no_presence_sees_none_and_is_not_seen(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")
    ana = await stage.enters("ana")

    await luis.sends("<presence><show>away</show></presence>")
    await luis.swallows()

    await ana.receives_nothing()
    await luis.receives_nothing()


async def test_presence_goes_one_way_where_one_way_was_agreed(stage: Stage) -> None:
    await allows(stage, "ana", "luis")
    luis = await stage.comes_online("luis")

    ana = await stage.comes_online("ana")
    await luis.receives("<presence from='ana@localhost/stage' to='luis@localhost'/>")

    await luis.sends("<presence><show>away</show></presence>")
    await luis.swallows()
    await ana.receives_nothing()


async def test_strangers_see_nothing(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")

    await ana.sends("<presence><show>away</show></presence>")
    await ana.sends("<presence type='unavailable'/>")
    await ana.swallows()

    await luis.receives_nothing()


async def test_a_probe_tells_strangers_nothing(stage: Stage) -> None:
    luis = await stage.comes_online("luis")
    await stage.comes_online("ana")
    await stage.account("offline")

    for name in ("ana", "ana/stage", "offline", "nobody"):
        local, _, resource = name.partition("/")
        await luis.sends(f"<presence type='probe' to='{local}@localhost{resource and '/'}{resource}'/>")

    await luis.receives_nothing()


async def test_a_contact_who_is_not_one_any_more_is_found_out(stage: Stage) -> None:
    luis_jid = await stage.account("luis")
    await stage.account("ana")
    for name in ("ana", "offline", "nobody"):
        await stage.server.store.rosters.put(luis_jid, RosterItem(f"{name}@localhost", subscription="to"))
    await stage.comes_online("ana")
    await stage.account("offline")

    await stage.comes_online("luis")

    items = await stage.server.store.rosters.load(luis_jid)
    assert {item.contact: item.subscription for item in items} == {
        "ana@localhost": "none",
        "offline@localhost": "none",
        "nobody@localhost": "none",
    }


@pytest.mark.parametrize("to", ["ana@localhost", "ana@localhost/phone"])
async def test_a_contact_may_ask_again(stage: Stage, to: str) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")
    phone = await stage.comes_online("ana", "phone")
    await phone.sends("<presence><show>chat</show></presence>")
    await phone.swallows()
    await luis.swallows()

    await luis.sends(f"<presence type='probe' to='{to}'/>")

    await luis.receives(
        "<presence from='ana@localhost/phone' to='luis@localhost/stage'><show>chat</show></presence>"
    )
    await luis.receives_nothing()


async def test_who_loses_the_connection_is_gone_for_contacts(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")
    await luis.swallows()

    await ana.vanishes()

    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost'/>")


async def test_who_may_come_back_is_gone_when_the_time_is_over(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")
    await ana.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    await ana.receives("<enabled xmlns='urn:xmpp:sm:3' id='…' max='…' resume='true'/>")
    await luis.swallows()

    await loses(stage, ana)
    await luis.receives_nothing()

    await time_to_come_back_is_over(stage, ana)

    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost'/>")


async def test_directed_presence_is_seen_by_one_and_taken_back(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")

    await ana.sends("<presence to='luis@localhost'><status>Only you</status></presence>")
    await luis.receives(
        "<presence from='ana@localhost/stage' to='luis@localhost'><status>Only you</status></presence>"
    )
    await ana.sends("<presence><show>away</show></presence>")
    await ana.swallows()
    await luis.receives_nothing()

    await ana.sends("<presence type='unavailable'/>")
    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost'/>")
    await luis.receives_nothing()


async def test_directed_presence_is_taken_back_when_the_connection_is_lost(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.enters("ana")
    await ana.sends("<presence to='luis@localhost/stage'/>")
    await luis.receives("<presence from='ana@localhost/stage' to='luis@localhost/stage'/>")

    await ana.vanishes()

    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost/stage'/>")


async def test_directed_presence_that_was_taken_back_is_not_taken_back_again(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")
    await ana.sends("<presence to='luis@localhost'/>")
    await ana.sends("<presence to='luis@localhost' type='unavailable'/>")
    await ana.swallows()
    await luis.swallows()

    await ana.sends("<presence type='unavailable'/>")
    await ana.swallows()

    await luis.receives_nothing()


async def test_a_contact_who_had_directed_presence_too_sees_one_goodbye(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis, ana = await stage.comes_online("luis"), await stage.enters("ana")
    await ana.sends("<presence to='luis@localhost'/>")
    await ana.sends("<presence/>")
    await ana.swallows()
    assert len(await luis.swallows()) == 2

    await ana.sends("<presence type='unavailable'/>")

    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost'/>")
    await ana.swallows()
    await luis.receives_nothing()


@pytest.mark.settings(limits={"roster_items": 2})
async def test_presence_is_directed_to_so_many_and_no_more(stage: Stage) -> None:
    ana = await stage.comes_online("ana")

    for name in ("luis", "leo", "leo", "tea"):
        await ana.sends(f"<presence to='{name}@localhost' id='{name}'/>")

    await ana.receives(
        "<presence type='error' id='tea' from='tea@localhost' to='ana@localhost/stage'><error type='modify'>…"
        "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


async def test_presence_to_a_server_that_can_not_be_reached_comes_back(stage: Stage) -> None:
    ana = await stage.comes_online("ana")

    await ana.sends("<presence to='room@elsewhere.example/ana' id='1'/>")

    await ana.receives(
        "<presence type='error' id='1' from='room@elsewhere.example/ana' to='ana@localhost/stage'>"
        "<error type='cancel'>…<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        "</presence>"
    )


async def test_who_answers_presence_with_an_error_does_not_see_more_of_it(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")
    await ana.sends("<presence to='luis@localhost/stage'/>")
    await luis.swallows()
    await ana.swallows()
    await luis.swallows()

    error = "<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    await luis.sends(f"<presence type='error' to='ana@localhost/stage'>{error}</presence>")

    await ana.receives(
        f"<presence type='error' from='luis@localhost/stage' to='ana@localhost/stage'>{error}</presence>"
    )
    await ana.sends("<presence type='unavailable'/>")
    await ana.swallows()
    await luis.receives_nothing()


async def test_presence_of_an_unknown_type_comes_back(stage: Stage) -> None:
    ana = await stage.comes_online("ana")

    await ana.sends("<presence type='invisible' id='1'/>")

    error = await ana.hears()
    assert (error.get("type"), error.get("id")) == ("error", "1")
