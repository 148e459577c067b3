"""XEP-0030, as clients see it."""

from pathlib import Path

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"

COMPONENT = """
from imserver import Component, hookimpl

class Desk(Component):
    domain = "desk.localhost"
    name = "The desk"
    def receive(self, server, stanza):
        return None

class Plugin:
    @hookimpl
    def register_components(self, server):
        return [Desk()]
"""


def asking(what: str, to: str = "", node: str = "") -> str:
    address = f" to='{to}'" if to else ""
    more = f" node='{node}'" if node else ""
    return f"<iq type='get' id='1'{address}><query xmlns='{what}'{more}/></iq>"


def features(answer: Element) -> list[str]:
    query = answer.child("query", INFO)
    assert query is not None, answer
    return [feature.get("var") for feature in query.all("feature")]


async def test_the_server_says_what_it_is(ana: Actor) -> None:
    await ana.sends(asking(INFO, "localhost"))

    await ana.receives(
        f"<iq type='result' id='1' from='localhost' to='ana@localhost/stage'><query xmlns='{INFO}'>…"
        "<identity category='server' type='im' name='imserver'/>"
        f"<feature var='{INFO}'/><feature var='{ITEMS}'/><feature var='urn:xmpp:ping'/>"
        "<feature var='jabber:iq:version'/><feature var='urn:xmpp:time'/><feature var='vcard-temp'/>"
        "<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/commands'/>"
        "</query></iq>"
    )


async def test_no_feature_is_named_twice(ana: Actor) -> None:
    named = features(await ana.asks(asking(INFO, "localhost")))

    assert named == sorted(set(named))


async def test_the_server_says_who_its_admins_are(ana: Actor) -> None:
    await ana.sends(asking(INFO, "localhost"))

    await ana.receives(
        f"<iq type='result' id='1' from='localhost' to='ana@localhost/stage'><query xmlns='{INFO}'>…"
        "<x xmlns='jabber:x:data' type='result'>"
        "<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>"
        "<field var='admin-addresses' type='list-multi'><value>xmpp:admin@localhost</value></field>"
        "</x></query></iq>"
    )


@pytest.mark.settings(admins=[])
async def test_without_admins_there_are_no_contact_addresses(ana: Actor) -> None:
    assert "serverinfo" not in str(await ana.asks(asking(INFO, "localhost")))


async def test_the_servers_components_are_found(tmp_path: Path) -> None:
    from tests.scenes.actors import staged

    file = tmp_path / "desk.py"
    file.write_text(COMPONENT)

    async with staged(tmp_path / "data", {"plugins": {"paths": [str(file)]}}) as stage:
        ana = await stage.comes_online("ana")
        await ana.sends(asking(ITEMS, "localhost"))

        await ana.receives(
            f"<iq type='result' id='1' from='localhost' to='ana@localhost/stage'><query xmlns='{ITEMS}'>…"
            "<item jid='desk.localhost' name='The desk'/></query></iq>"
        )


@pytest.mark.parametrize("to", ["localhost", "ana@localhost", ""])
@pytest.mark.parametrize("what", [INFO, ITEMS])
async def test_an_unknown_node_is_not_found(ana: Actor, what: str, to: str) -> None:
    refused = await ana.asks(asking(what, to, node="urn:nothing"))

    assert "<item-not-found " in str(refused)


@pytest.mark.parametrize("to", ["ana@localhost", ""])
async def test_an_account_says_to_its_owner_what_it_can_do(ana: Actor, to: str) -> None:
    answer = await ana.asks(asking(INFO, to))

    assert "<identity category='account' type='registered'/>" in str(answer)
    assert {"vcard-temp", "jabber:iq:private", INFO} <= set(features(answer))


@pytest.mark.parametrize("to", ["ana@localhost", ""])
async def test_an_account_has_no_items(ana: Actor, to: str) -> None:
    answer = await ana.asks(asking(ITEMS, to))

    assert answer.elements() == [Element("query", ITEMS)]


async def test_a_contact_learns_what_an_account_can_do(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")

    answer = await luis.asks(asking(INFO, "ana@localhost"))

    assert "<identity category='account' type='registered'/>" in str(answer)
    assert "jabber:iq:private" not in features(answer)


async def test_a_contact_finds_no_node_either(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")

    assert "<item-not-found " in str(await luis.asks(asking(INFO, "ana@localhost", node="urn:nothing")))


@pytest.mark.parametrize("node", ["", "urn:nothing"])
@pytest.mark.parametrize("somebody", ["ana@localhost", "nobody@localhost"])
async def test_a_stranger_cannot_tell_whether_there_is_an_account(
    stage: Stage, luis: Actor, somebody: str, node: str
) -> None:
    await stage.account("ana")
    more = f" node='{node}'" if node else ""

    await luis.sends(asking(INFO, somebody, node))
    await luis.receives(
        f"<iq type='error' id='1' from='{somebody}' to='luis@localhost/stage'><query xmlns='{INFO}'{more}/>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    await luis.sends(asking(ITEMS, somebody, node))
    await luis.receives(
        f"<iq type='result' id='1' from='{somebody}' to='luis@localhost/stage'><query xmlns='{ITEMS}'{more}/></iq>"
    )
