"""RFC 6121, 8.5: where presence that is addressed to somebody goes, and who may ask a client something."""

import pytest

from imserver.storage.rosters import RosterItem
from tests.scenes.actors import Stage

PING = "<iq type='get' id='ping' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>"
REFUSED = (
    "<iq type='error' id='ping' from='{to}' to='luis@localhost/stage'>…<error type='cancel'>"
    "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
)


@pytest.mark.parametrize("type", ["", "unavailable"])
async def test_presence_to_an_account_reaches_all_who_are_available(stage: Stage, type: str) -> None:
    phone = await stage.comes_online("ana", "phone", priority=5)
    hidden = await stage.comes_online("ana", "hidden", priority=-1)
    silent = await stage.enters("ana", "silent")
    luis = await stage.comes_online("luis")
    await phone.swallows()

    await luis.sends(
        f"<presence to='ana@localhost' type='{type}'/>" if type else "<presence to='ana@localhost'/>"
    )

    seen = "<presence from='luis@localhost/stage' to='ana@localhost'" + (
        f" type='{type}'/>" if type else "/>"
    )
    await phone.receives(seen)
    await hidden.receives(seen)
    await silent.receives_nothing()


async def test_presence_to_a_client_reaches_that_client_only(stage: Stage) -> None:
    phone, desk = await stage.comes_online("ana", "phone"), await stage.comes_online("ana", "desk")
    silent = await stage.enters("ana", "silent")
    luis = await stage.comes_online("luis")
    await phone.swallows()

    for resource in ("phone", "silent"):
        await luis.sends(f"<presence to='ana@localhost/{resource}'/>")

    await phone.receives("<presence from='luis@localhost/stage' to='ana@localhost/phone'/>")
    await silent.receives("<presence from='luis@localhost/stage' to='ana@localhost/silent'/>")
    await desk.receives_nothing()


@pytest.mark.parametrize(
    "to", ["ana@localhost/gone", "nobody@localhost", "nobody@localhost/phone", "localhost"]
)
async def test_presence_to_who_is_not_there_is_ignored(stage: Stage, to: str) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")

    await luis.sends(f"<presence to='{to}'/>")

    await luis.receives_nothing()
    await ana.receives_nothing()


@pytest.mark.parametrize("to", ["ana@localhost/stage", "ana@localhost/gone", "nobody@localhost/stage"])
async def test_a_stranger_can_not_find_out_which_clients_are_there(stage: Stage, to: str) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")

    await luis.sends(PING.format(to=to))

    await luis.receives(REFUSED.format(to=to))
    await ana.receives_nothing()


async def test_who_sees_somebodys_presence_may_ask_their_client(stage: Stage) -> None:
    await stage.account("luis")
    await stage.server.store.rosters.put(
        await stage.account("ana"), RosterItem("luis@localhost", subscription="from")
    )
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")

    await luis.sends(PING.format(to=ana.jid))

    await ana.receives(
        "<iq type='get' id='ping' from='luis@localhost/stage' to='ana@localhost/stage'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>"
    )
    await ana.sends(f"<iq type='result' id='ping' to='{luis.jid}'/>")
    await luis.swallows()


async def test_who_only_shows_their_own_presence_may_not(stage: Stage) -> None:
    await stage.account("luis")
    await stage.server.store.rosters.put(
        await stage.account("ana"), RosterItem("luis@localhost", subscription="to")
    )
    await stage.server.store.rosters.put("luis@localhost", RosterItem("ana@localhost", subscription="from"))
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")

    await luis.sends(PING.format(to=ana.jid))

    await luis.receives(REFUSED.format(to=ana.jid))


@pytest.mark.parametrize("shown_to", ["luis@localhost", "luis@localhost/stage"])
async def test_who_was_sent_presence_may_ask_until_it_is_taken_back(stage: Stage, shown_to: str) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
    await ana.sends(f"<presence to='{shown_to}'/>")
    await ana.swallows()
    await luis.swallows()

    await luis.sends(PING.format(to=ana.jid))
    assert (await ana.hears()).name == "iq"

    await ana.sends(f"<presence to='{shown_to}' type='unavailable'/>")
    await ana.swallows()
    await luis.swallows()
    await luis.sends(PING.format(to=ana.jid))
    await luis.receives(REFUSED.format(to=ana.jid))


async def test_everybody_may_ask_their_own_clients(stage: Stage) -> None:
    phone, desk = await stage.enters("ana", "phone"), await stage.enters("ana", "desk")

    await phone.sends(PING.format(to=desk.jid))

    await desk.receives(
        "<iq type='get' id='ping' from='ana@localhost/phone' to='ana@localhost/desk'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>"
    )


async def test_answers_reach_who_asked_and_nobody_else(stage: Stage) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")

    await luis.sends("<iq type='result' id='1' to='ana@localhost'/>")
    await luis.sends("<iq type='result' id='2' to='ana@localhost/gone'/>")
    await luis.sends("<iq type='error' id='3' to='nobody@localhost'><error type='cancel'/></iq>")

    await luis.receives_nothing()
    await ana.receives_nothing()
