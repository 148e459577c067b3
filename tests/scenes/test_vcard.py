"""XEP-0054, as clients see it."""

import pytest

from tests.scenes.actors import Actor, Stage

CARD = "<vCard xmlns='vcard-temp'><FN>Ana</FN><NICKNAME>an &amp; a 🦜</NICKNAME></vCard>"


async def test_a_card_that_was_kept_is_handed_out_to_its_owner(ana: Actor) -> None:
    await ana.sends(f"<iq type='set' id='1'>{CARD}</iq>")
    await ana.receives("<iq type='result' id='1' to='ana@localhost/stage'/>")

    await ana.sends("<iq type='get' id='2'><vCard xmlns='vcard-temp'/></iq>")

    await ana.receives(f"<iq type='result' id='2' to='ana@localhost/stage'>{CARD}</iq>")


async def test_the_newer_card_replaces_the_older(ana: Actor) -> None:
    await ana.asks(f"<iq type='set' id='1'>{CARD}</iq>")
    await ana.asks(
        "<iq type='set' id='2' to='ana@localhost'><vCard xmlns='vcard-temp'><FN>A</FN></vCard></iq>"
    )

    await ana.sends("<iq type='get' id='3' to='ana@localhost'><vCard xmlns='vcard-temp'/></iq>")

    await ana.receives(
        "<iq type='result' id='3' from='ana@localhost' to='ana@localhost/stage'>"
        "<vCard xmlns='vcard-temp'><FN>A</FN></vCard></iq>"
    )


async def test_who_has_no_card_gets_an_empty_one(ana: Actor) -> None:
    await ana.sends("<iq type='get' id='1'><vCard xmlns='vcard-temp'/></iq>")

    await ana.receives("<iq type='result' id='1' to='ana@localhost/stage'><vCard xmlns='vcard-temp'/></iq>")


async def test_anybody_may_read_a_card(ana: Actor, luis: Actor) -> None:
    await ana.asks(f"<iq type='set' id='1'>{CARD}</iq>")

    await luis.sends("<iq type='get' id='2' to='ana@localhost'><vCard xmlns='vcard-temp'/></iq>")

    await luis.receives(
        f"<iq type='result' id='2' from='ana@localhost' to='luis@localhost/stage'>{CARD}</iq>"
    )


@pytest.mark.parametrize("somebody", ["luis@localhost", "nobody@localhost"])
async def test_no_card_and_no_account_look_the_same(stage: Stage, ana: Actor, somebody: str) -> None:
    await stage.account("luis")

    await ana.sends(f"<iq type='get' id='1' to='{somebody}'><vCard xmlns='vcard-temp'/></iq>")

    await ana.receives(
        f"<iq type='error' id='1' from='{somebody}' to='ana@localhost/stage'><vCard xmlns='vcard-temp'/>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


async def test_nobody_writes_the_card_of_somebody_else(ana: Actor, luis: Actor) -> None:
    await ana.asks(f"<iq type='set' id='1'>{CARD}</iq>")

    refused = await luis.asks(
        "<iq type='set' id='2' to='ana@localhost'><vCard xmlns='vcard-temp'><FN>Eve</FN></vCard></iq>"
    )

    assert "<forbidden " in str(refused)
    assert "<FN>Ana</FN>" in str(await ana.asks("<iq type='get' id='3'><vCard xmlns='vcard-temp'/></iq>"))


async def test_a_card_with_a_picture_survives(ana: Actor) -> None:
    picture = "QUJD" * 20_000
    card = f"<vCard xmlns='vcard-temp'><PHOTO><BINVAL>{picture}</BINVAL></PHOTO></vCard>"

    await ana.asks(f"<iq type='set' id='1'>{card}</iq>")

    assert picture in str(await ana.asks("<iq type='get' id='2'><vCard xmlns='vcard-temp'/></iq>"))


async def test_whom_the_owner_has_blocked_sees_no_card(ana: Actor, luis: Actor) -> None:
    await ana.asks(f"<iq type='set' id='1'>{CARD}</iq>")
    await ana.asks(
        "<iq type='set' id='2'><block xmlns='urn:xmpp:blocking'><item jid='luis@localhost'/></block></iq>"
    )

    refused = await luis.asks("<iq type='get' id='3' to='ana@localhost'><vCard xmlns='vcard-temp'/></iq>")

    assert "<service-unavailable " in str(refused)
