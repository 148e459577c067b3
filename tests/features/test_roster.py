"""RFC 6121, 2.3.3: what may be wished of a roster."""

import pytest

from imserver.features.contacts import Roster, to_element
from imserver.features.roster import Wish, read_wish
from imserver.storage.rosters import RosterItem
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse

ANA = JID.parse("ana@localhost")
LUIS = JID.parse("luis@localhost")


def query(inside: str) -> Element:
    return parse(f"<query xmlns='jabber:iq:roster'>{inside}</query>".encode())


def test_a_wish_names_a_contact_its_name_and_its_groups() -> None:
    wish = read_wish(
        query("<item jid='Luis@localhost' name='Luis'><group>Work</group><group>Tea</group></item>"), ANA
    )

    assert wish == Wish(LUIS, "Luis", ("Work", "Tea"))


def test_the_only_subscription_a_client_can_set_is_none_at_all() -> None:
    assert read_wish(query("<item jid='luis@localhost' subscription='both'/>"), ANA) == Wish(LUIS)
    assert read_wish(query("<item jid='luis@localhost' subscription='remove'/>"), ANA).is_removal


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("", "bad-request"),
        ("<item jid='luis@localhost'/><item jid='tea@localhost'/>", "bad-request"),
        ("<item name='Luis'/>", "bad-request"),
        ("<item jid='@@'/>", "jid-malformed"),
        ("<item jid='ana@localhost'/>", "not-allowed"),
        ("<item jid='luis@localhost'><group>a</group><group>a</group></item>", "bad-request"),
        ("<item jid='luis@localhost'><group/></item>", "not-acceptable"),
        (f"<item jid='luis@localhost' name='{'ñ' * 512}'/>", "not-acceptable"),
        (f"<item jid='luis@localhost'><group>{'n' * 1024}</group></item>", "not-acceptable"),
    ],
)
def test_what_can_not_be_wished_is_refused(inside: str, condition: str) -> None:
    with pytest.raises(StanzaError) as refused:
        read_wish(query(inside), ANA)

    assert refused.value.condition == condition


def test_an_item_shows_what_clients_may_know() -> None:
    item = RosterItem(
        LUIS, "Luis", "from", ask=True, approved=True, pending_in=b"<secret/>", groups=("Work",)
    )

    assert to_element(item) == parse(
        b"<item xmlns='jabber:iq:roster' jid='luis@localhost' subscription='from' name='Luis' ask='subscribe'"
        b" approved='true'><group>Work</group></item>"
    )


def test_a_stranger_who_asked_is_not_a_contact_yet() -> None:
    roster = Roster(ANA, 1, [RosterItem(LUIS, pending_in=b"<presence/>", listed=False)])

    assert roster.listed == []
    assert roster.requests == [(LUIS, b"<presence/>")]
    assert not roster.is_shown_to(LUIS)


def test_a_full_roster_has_room_for_those_who_are_in_it() -> None:
    roster = Roster(ANA, 1, [RosterItem(LUIS)])

    assert roster.has_room(1, LUIS)
    assert not roster.has_room(1, JID.parse("tea@localhost"))
