"""RFC 6121, 2: the roster, as clients see it."""

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage

GET = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'{ver}/></iq>"
SET = "<iq type='set' id='set'><query xmlns='jabber:iq:roster'>{item}</query></iq>"
PUSH = "<iq type='set' to='{to}'><query xmlns='jabber:iq:roster' ver='…'>{item}</query></iq>"
LUIS = "<item jid='luis@localhost' name='Luis'><group>Work</group></item>"


async def roster(actor: Actor, version: str | None = None) -> Element:
    answer = await actor.asks(GET.format(ver="" if version is None else f" ver='{version}'"))
    assert answer.get("type") == "result", answer
    return answer


async def test_a_new_account_has_an_empty_roster(ana: Actor) -> None:
    await ana.sends(GET.format(ver=""))

    await ana.receives(
        "<iq type='result' to='ana@localhost/stage'><query xmlns='jabber:iq:roster' ver='0'/></iq>"
    )


async def test_the_server_offers_versions_and_pre_approval(ana: Actor) -> None:
    assert ana.features is not None
    assert ana.features.child("ver", "urn:xmpp:features:rosterver") is not None
    assert ana.features.child("sub", "urn:xmpp:features:pre-approval") is not None


async def test_a_contact_is_added_and_every_client_that_asked_for_the_roster_is_told(stage: Stage) -> None:
    phone = await stage.enters("ana", "phone")
    desk = await stage.enters("ana", "desk")
    other = await stage.enters("ana", "other")
    await roster(phone)
    await roster(desk)

    await phone.sends(SET.format(item=LUIS))

    item = "<item jid='luis@localhost' name='Luis' subscription='none'><group>Work</group></item>"
    await phone.receives(PUSH.format(to="ana@localhost/phone", item=item))
    await phone.receives("<iq type='result' id='set' to='ana@localhost/phone'/>")
    await desk.receives(PUSH.format(to="ana@localhost/desk", item=item))
    await other.receives_nothing()
    listed = await roster(other)
    assert [one.get("name") for one in listed.elements()[0].elements()] == ["Luis"]


async def test_a_contact_keeps_its_subscription_when_its_name_changes(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana = await stage.comes_online("ana")
    await roster(ana)

    await ana.sends(SET.format(item="<item jid='luis@localhost' name='Boss' subscription='none'/>"))

    await ana.receives(
        PUSH.format(to=ana.jid, item="<item jid='luis@localhost' name='Boss' subscription='both'/>")
    )


async def test_a_removed_contact_is_gone_for_every_client(stage: Stage) -> None:
    ana = await stage.enters("ana")
    await roster(ana)
    await ana.asks(SET.format(item=LUIS))
    await ana.swallows()

    await ana.sends(SET.format(item="<item jid='luis@localhost' subscription='remove'/>"))

    await ana.receives(PUSH.format(to=ana.jid, item="<item jid='luis@localhost' subscription='remove'/>"))
    await ana.receives("<iq type='result' id='set' to='ana@localhost/stage'/>")
    assert (await roster(ana)).elements()[0].elements() == []


async def test_nobody_can_remove_who_is_not_there(ana: Actor) -> None:
    answer = await ana.asks(SET.format(item="<item jid='luis@localhost' subscription='remove'/>"))

    assert answer.child("error").child("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas")  # type: ignore[union-attr]


async def test_removing_a_contact_ends_both_subscriptions(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
    await roster(luis)
    await ana.swallows()

    await ana.sends(SET.format(item="<item jid='luis@localhost' subscription='remove'/>"))

    # RFC 6121, 2.5.2 and 3.2.2: unavailable comes before 'unsubscribed'.
    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost'/>")
    await luis.receives("<presence type='unsubscribe' from='ana@localhost' to='luis@localhost'/>")
    await luis.receives(PUSH.format(to=luis.jid, item="<item jid='ana@localhost' subscription='to'/>"))
    await luis.receives("<presence type='unsubscribed' from='ana@localhost' to='luis@localhost'/>")
    await luis.receives(PUSH.format(to=luis.jid, item="<item jid='ana@localhost' subscription='none'/>"))
    await luis.receives_nothing()
    await ana.receives("<presence type='unavailable' from='luis@localhost/stage' to='ana@localhost'/>")
    await ana.receives("<iq type='result' id='set' to='ana@localhost/stage'/>")
    await ana.receives_nothing()


async def test_removing_who_waits_for_an_answer_refuses_them(stage: Stage) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
    await roster(luis)
    await luis.sends("<presence type='subscribe' to='ana@localhost'/>")
    await luis.swallows()
    await ana.asks(SET.format(item=LUIS))
    await ana.asks(SET.format(item="<item jid='luis@localhost' subscription='remove'/>"))

    await luis.receives("<presence type='unsubscribed' from='ana@localhost' to='luis@localhost'/>")
    await luis.receives(PUSH.format(to=luis.jid, item="<item jid='ana@localhost' subscription='none'/>"))


async def test_a_roster_is_its_owners_only(ana: Actor, luis: Actor) -> None:
    for type in ("get", "set"):
        await ana.sends(
            f"<iq type='{type}' id='1' to='luis@localhost'><query xmlns='jabber:iq:roster'>{LUIS}</query></iq>"
        )
        await ana.receives(
            "<iq type='error' id='1' from='luis@localhost' to='ana@localhost/stage'>…<error type='auth'>…"
            "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )


async def test_a_roster_push_from_another_client_never_arrives(stage: Stage, ana: Actor, luis: Actor) -> None:
    await ana.sends(
        "<iq type='set' id='1' to='luis@localhost/stage'>"
        "<query xmlns='jabber:iq:roster'><item jid='mallory@localhost' subscription='both'/></query></iq>"
    )

    await ana.receives(
        "<iq type='error' id='1' from='luis@localhost/stage' to='ana@localhost/stage'>…<error type='cancel'>"
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    await luis.receives_nothing()


@pytest.mark.settings(limits={"roster_items": 1})
async def test_a_roster_holds_so_many_contacts_and_no_more(ana: Actor) -> None:
    await ana.asks(SET.format(item=LUIS))

    await ana.sends(SET.format(item="<item jid='tea@localhost'/>"))

    await ana.receives(
        "<iq type='error' id='set' to='ana@localhost/stage'>…<error type='modify'>…"
        "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    await ana.sends("<presence type='subscribe' to='tea@localhost' id='2'/>")
    await ana.receives(
        "<presence type='error' id='2' from='tea@localhost' to='ana@localhost/stage'><error type='modify'>…"
        "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


async def test_a_client_with_the_newest_version_is_told_nothing(stage: Stage) -> None:
    ana = await stage.enters("ana")
    await ana.asks(SET.format(item=LUIS))
    version = (await roster(ana)).elements()[0].get("ver")

    await ana.sends(GET.format(ver=f" ver='{version}'"))

    await ana.receives("<iq type='result' id='get' to='ana@localhost/stage'/>")
    await ana.receives_nothing()


async def test_a_client_with_an_older_version_is_told_what_it_misses(stage: Stage) -> None:
    phone = await stage.enters("ana", "phone")
    version = (await roster(phone)).elements()[0].get("ver")
    for name in ("luis", "tea", "leo"):
        await phone.asks(SET.format(item=f"<item jid='{name}@localhost'/>"))
    await phone.asks(SET.format(item="<item jid='tea@localhost' subscription='remove'/>"))
    desk = await stage.enters("ana", "desk")

    await desk.sends(GET.format(ver=f" ver='{version}'"))

    await desk.receives("<iq type='result' id='get' to='ana@localhost/desk'/>")
    items = [
        "<item jid='luis@localhost' subscription='none'/>",
        "<item jid='leo@localhost' subscription='none'/>",
        "<item jid='tea@localhost' subscription='remove'/>",
    ]
    pushes = [await desk.receives(PUSH.format(to="ana@localhost/desk", item=item)) for item in items]
    # Who is interrupted on the way has to ask again: only the last push carries the new version.
    assert [push.elements()[0].get("ver") for push in pushes] == [version, version, "4"]


@pytest.mark.parametrize("version", ["", "something else", "-1", "999", "１"])
async def test_a_client_with_a_strange_version_is_told_everything(stage: Stage, version: str) -> None:
    ana = await stage.enters("ana")
    await ana.asks(SET.format(item=LUIS))

    listed = await roster(ana, version)

    assert [item.get("jid") for item in listed.elements()[0].elements()] == ["luis@localhost"]


async def test_a_roster_outlives_its_sessions(stage: Stage) -> None:
    ana = await stage.enters("ana")
    await ana.asks(SET.format(item=LUIS))
    await ana.vanishes()
    await stage.settles()

    again = await stage.enters("ana", "again")

    assert [item.get("jid") for item in (await roster(again)).elements()[0].elements()] == ["luis@localhost"]
