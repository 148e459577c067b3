"""RFC 6121, 3: asking to see somebody's presence, as clients see it."""

import asyncio

import pytest

from imserver.routing.components import Component
from imserver.server import Server
from imserver.storage.rosters import RosterItem
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import Presence, Stanza
from tests.scenes.actors import Actor, Stage

PUSH = "<iq type='set' to='{to}'><query xmlns='jabber:iq:roster' ver='…'>{item}</query></iq>"


async def on_stage(stage: Stage, name: str) -> Actor:
    """Somebody is online and has asked for the roster."""
    actor = await stage.comes_online(name)
    await actor.asks("<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>")
    return actor


def pushed(actor: Actor, item: str) -> str:
    return PUSH.format(to=actor.jid, item=item)


async def item_of(stage: Stage, owner: str, contact: str) -> RosterItem:
    items = await stage.server.store.rosters.load(f"{owner}@localhost")
    return next(item for item in items if item.contact == f"{contact}@localhost")


async def test_somebody_asks_and_is_allowed_to_see_the_other(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")

    await ana.sends(
        "<presence type='subscribe' to='luis@localhost/stage' id='1'>"
        "<nick xmlns='http://jabber.org/protocol/nick'>Ana</nick></presence>"
    )

    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='none' ask='subscribe'/>"))
    # A request goes from account to account, with everything it says.
    await luis.receives(
        "<presence type='subscribe' from='ana@localhost' to='luis@localhost' id='1'>"
        "<nick xmlns='http://jabber.org/protocol/nick'>Ana</nick></presence>"
    )
    await luis.receives_nothing()

    await luis.sends("<presence type='subscribed' to='ana@localhost'/>")

    await luis.receives(pushed(luis, "<item jid='ana@localhost' subscription='from'/>"))
    # RFC 6121, 3.1.6: the answer comes before the push.
    await ana.receives("<presence type='subscribed' from='luis@localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='to'/>"))
    await ana.receives("<presence from='luis@localhost/stage' to='ana@localhost'/>")
    await ana.receives_nothing()


async def test_two_people_end_up_seeing_each_other(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")

    for one, other in ((ana, luis), (luis, ana)):
        await one.sends(f"<presence type='subscribe' to='{other.jid.bare}'/>")
        await one.swallows()
        await other.sends(f"<presence type='subscribed' to='{one.jid.bare}'/>")
        await other.swallows()

    assert (await item_of(stage, "ana", "luis")).subscription == "both"
    assert (await item_of(stage, "luis", "ana")).subscription == "both"


async def test_somebody_asks_and_is_refused(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")
    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")
    await ana.swallows()
    await luis.swallows()

    await luis.sends("<presence type='unsubscribed' to='ana@localhost'/>")

    await ana.receives("<presence type='unsubscribed' from='luis@localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='none'/>"))
    await luis.receives_nothing()
    assert await stage.server.store.rosters.load("luis@localhost") == []


async def test_a_request_waits_until_somebody_is_there_and_is_asked_again_until_it_is_answered(
    stage: Stage,
) -> None:
    await stage.account("luis")
    ana = await on_stage(stage, "ana")
    await ana.sends("<presence type='subscribe' to='luis@localhost'><status>It is me</status></presence>")
    await ana.swallows()

    request = "<presence type='subscribe' from='ana@localhost' to='luis@localhost'><status>It is me</status></presence>"
    for resource in ("morning", "evening"):
        luis = await stage.enters("luis", resource)
        await luis.sends("<presence/>")
        await luis.receives(f"<presence from='{luis.jid}' to='{luis.jid}'/>")
        if resource == "evening":
            await luis.receives("<presence from='luis@localhost/morning' to='luis@localhost/evening'/>")
        await luis.receives(request)

    await luis.sends("<presence type='subscribed' to='ana@localhost'/>")
    await luis.swallows()

    later = await stage.comes_online("luis", "night")
    await later.sends("<presence type='unavailable'/>")
    await later.swallows()
    await later.sends("<presence/>")
    assert not [one for one in await later.swallows() if one.get("type") == "subscribe"]


async def test_a_request_is_no_contact_yet(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")
    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")
    await ana.swallows()

    answer = await luis.asks("<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>")

    assert answer.elements()[0].elements() == []


async def test_asking_twice_asks_once(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")

    for _ in range(2):
        await ana.sends("<presence type='subscribe' to='luis@localhost'/>")
    await ana.swallows()

    assert [one.get("type") for one in await luis.swallows()] == ["subscribe"]


async def test_who_withdraws_a_request_is_not_asked_for_any_more(stage: Stage) -> None:
    await stage.account("luis")
    ana = await on_stage(stage, "ana")
    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")
    await ana.sends("<presence type='unsubscribe' to='luis@localhost'/>")
    await ana.swallows()

    luis = await stage.enters("luis")
    await luis.sends("<presence/>")

    assert [one.get("type") for one in await luis.swallows()] == [""]
    assert await stage.server.store.rosters.load("luis@localhost") == []


async def test_who_does_not_want_to_see_somebody_any_more_says_so(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")
    await ana.swallows()

    await ana.sends("<presence type='unsubscribe' to='luis@localhost'/>")

    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='from'/>"))
    await luis.receives("<presence type='unsubscribe' from='ana@localhost' to='luis@localhost'/>")
    await luis.receives(pushed(luis, "<item jid='ana@localhost' subscription='to'/>"))
    # RFC 6121, 3.3.3: whom one does not see is gone.
    await ana.receives("<presence type='unavailable' from='luis@localhost/stage' to='ana@localhost'/>")


async def test_who_does_not_want_to_be_seen_any_more_says_so(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")
    await ana.swallows()

    await luis.sends("<presence type='unsubscribed' to='ana@localhost'/>")

    await luis.receives(pushed(luis, "<item jid='ana@localhost' subscription='to'/>"))
    await ana.receives("<presence type='unavailable' from='luis@localhost/stage' to='ana@localhost'/>")
    await ana.receives("<presence type='unsubscribed' from='luis@localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='from'/>"))

    await luis.sends("<presence><show>away</show></presence>")
    await luis.swallows()
    await ana.receives_nothing()


async def test_a_yes_can_be_said_before_the_question(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")

    await luis.sends("<presence type='subscribed' to='ana@localhost'/>")

    await luis.receives(pushed(luis, "<item jid='ana@localhost' subscription='none' approved='true'/>"))
    await ana.receives_nothing()

    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")

    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='none' ask='subscribe'/>"))
    await ana.receives("<presence type='subscribed' from='luis@localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='to'/>"))
    await ana.receives("<presence from='luis@localhost/stage' to='ana@localhost'/>")
    await luis.receives(pushed(luis, "<item jid='ana@localhost' subscription='from'/>"))
    await luis.receives_nothing()


async def test_a_yes_said_before_can_be_taken_back(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")
    await luis.sends("<presence type='subscribed' to='ana@localhost'/>")
    await luis.swallows()

    await luis.sends("<presence type='unsubscribed' to='ana@localhost'/>")

    await luis.receives(pushed(luis, "<item jid='ana@localhost' subscription='none'/>"))
    await ana.receives_nothing()
    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")
    await luis.receives("<presence type='subscribe' from='ana@localhost' to='luis@localhost'/>")


async def test_who_sees_somebody_already_and_asks_again_is_answered_by_the_server(stage: Stage) -> None:
    await stage.account("luis")
    await stage.server.store.rosters.put("luis@localhost", RosterItem("ana@localhost", subscription="from"))
    luis, ana = await on_stage(stage, "luis"), await on_stage(stage, "ana")

    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")

    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='none' ask='subscribe'/>"))
    await ana.receives("<presence type='subscribed' from='luis@localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='luis@localhost' subscription='to'/>"))
    await luis.receives_nothing()


async def test_who_asks_nobody_is_refused(stage: Stage) -> None:
    ana = await on_stage(stage, "ana")

    await ana.sends("<presence type='subscribe' to='nobody@localhost'/>")

    await ana.receives(pushed(ana, "<item jid='nobody@localhost' subscription='none' ask='subscribe'/>"))
    await ana.receives("<presence type='unsubscribed' from='nobody@localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='nobody@localhost' subscription='none'/>"))


@pytest.mark.parametrize("to", ["", " to='ana@localhost'", " to='ana@localhost/phone'"])
async def test_nobody_needs_to_ask_themselves(ana: Actor, to: str) -> None:
    await ana.sends(f"<presence type='subscribe' id='1'{to}/>")

    error = await ana.hears()
    assert error.get("type") == "error"
    assert "bad-request" in str(error)


async def test_who_asks_on_a_server_that_can_not_be_reached_is_told(stage: Stage) -> None:
    ana = await stage.comes_online("ana")

    await ana.sends("<presence type='subscribe' to='luis@elsewhere.example' id='1'/>")

    await ana.receives(
        "<presence type='error' id='1' from='luis@elsewhere.example' to='ana@localhost/stage'><error type='cancel'>…"
        "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


async def test_an_answer_nobody_asked_for_changes_nothing(stage: Stage) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")

    for type in ("unsubscribe", "unsubscribed", "subscribed"):
        await ana.sends(f"<presence type='{type}' to='luis@localhost'/>")
    await ana.swallows()

    await luis.receives_nothing()
    assert await stage.server.store.rosters.load("luis@localhost") == []


async def test_a_request_from_an_account_that_is_offline_by_then_is_answered_all_the_same(
    stage: Stage,
) -> None:
    ana, luis = await on_stage(stage, "ana"), await on_stage(stage, "luis")
    await ana.sends("<presence type='subscribe' to='luis@localhost'/>")
    await ana.swallows()
    await ana.vanishes()
    await stage.settles()

    await luis.sends("<presence type='subscribed' to='ana@localhost'/>")
    await luis.swallows()

    assert (await item_of(stage, "ana", "luis")).subscription == "to"


async def test_many_requests_at_once_spoil_nothing(stage: Stage) -> None:
    luis = await on_stage(stage, "luis")
    people = [await stage.comes_online(f"friend{number}") for number in range(5)]

    await asyncio.gather(
        *(person.sends("<presence type='subscribe' to='luis@localhost'/>") for person in people)
    )
    for person in people:
        await person.swallows()
    for person in people:
        await luis.sends(f"<presence type='subscribed' to='{person.jid.bare}'/>")
        await person.sends("<presence type='unsubscribe' to='luis@localhost'/>")
        await person.sends("<presence type='subscribe' to='luis@localhost'/>")
    for person in (*people, luis):
        await person.swallows()

    await stage.settles()
    for person in people:
        theirs = await item_of(stage, person.jid.local, "luis")
        ours = await item_of(stage, "luis", person.jid.local)
        assert (theirs.ask, theirs.subscription) in [(True, "none"), (False, "to")]
        assert (theirs.subscription == "to") == (ours.subscription == "from")
        assert theirs.ask == (ours.pending_in is not None)


@pytest.mark.settings(limits={"roster_items": 2})
async def test_strangers_can_not_fill_somebodys_roster(stage: Stage) -> None:
    luis = await on_stage(stage, "luis")
    for number in range(4):
        stranger = await stage.comes_online(f"stranger{number}")
        await stranger.sends("<presence type='subscribe' to='luis@localhost'/>")
        await stranger.swallows()

    assert len(await luis.swallows()) == 2
    assert len(await stage.server.store.rosters.load("luis@localhost")) == 2


class Bridge(Component):
    """Somebody at a domain of its own, who says yes to everybody."""

    domain = "bridge.localhost"
    name = "Bridge"

    def __init__(self) -> None:
        self.received: list[Stanza] = []

    def receive(self, server: Server, stanza: Stanza) -> None:
        self.received.append(stanza)
        if stanza.type == "subscribe":
            server.router.send(Presence(type="subscribed", sender=stanza.to, to=stanza.sender))
        if stanza.type == "probe":
            server.router.send(Presence(sender=stanza.to, to=stanza.sender))


async def test_a_component_is_a_contact_like_any_other(stage: Stage) -> None:
    bridge = Bridge()
    stage.server.router.components[bridge.domain] = bridge
    ana = await on_stage(stage, "ana")

    await ana.sends("<presence type='subscribe' to='carla@bridge.localhost'/>")
    await ana.receives(
        pushed(ana, "<item jid='carla@bridge.localhost' subscription='none' ask='subscribe'/>")
    )
    await ana.receives("<presence type='subscribed' from='carla@bridge.localhost' to='ana@localhost'/>")
    await ana.receives(pushed(ana, "<item jid='carla@bridge.localhost' subscription='to'/>"))

    carla, account = JID.parse("carla@bridge.localhost"), JID.parse("ana@localhost")
    stage.server.router.send(Presence(type="subscribe", sender=carla, to=account))
    await ana.receives("<presence type='subscribe' from='carla@bridge.localhost' to='ana@localhost'/>")
    await ana.sends("<presence type='subscribed' to='carla@bridge.localhost'/>")
    await ana.swallows()
    seen = [(type(one), one.type, one.sender) for one in bridge.received[1:]]
    assert seen == [(Presence, "subscribed", "ana@localhost"), (Presence, "", "ana@localhost/stage")]

    again = await stage.enters("ana", "again")
    await again.sends("<presence/>")
    assert "<presence xmlns='jabber:client' from='carla@bridge.localhost' to='ana@localhost/again'/>" in map(
        str, await again.swallows()
    )
