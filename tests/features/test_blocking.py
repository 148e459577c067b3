"""XEP-0191, 5: whom a list means."""

import pytest

from imserver.features.blocking import is_blocked, read_addresses
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse

LUIS = "luis@example.com/phone"


@pytest.mark.parametrize(
    ("blocked", "jid", "is_meant"),
    [
        ("luis@example.com/phone", LUIS, True),
        ("luis@example.com/desk", LUIS, False),
        ("luis@example.com/phone", "luis@example.com", False),
        ("luis@example.com", LUIS, True),
        ("luis@example.com", "luis@example.com", True),
        ("ana@example.com", LUIS, False),
        ("example.com/phone", LUIS, True),
        ("example.com/phone", "example.com/phone", True),
        ("example.com/phone", "luis@example.com", False),
        ("example.com", LUIS, True),
        ("example.com", "example.com", True),
        ("example.com", "luis@chat.example.com", False),
    ],
)
def test_a_list_names_a_client_an_account_or_a_domain(blocked: str, jid: str, is_meant: bool) -> None:
    assert is_blocked(JID.parse(jid), frozenset({blocked})) == is_meant


def test_an_address_is_read_in_its_normal_form() -> None:
    command = parse(b"<block xmlns='urn:xmpp:blocking'><item jid='LUIS@Example.com'/></block>")

    assert read_addresses(command) == {"luis@example.com"}


@pytest.mark.parametrize("item", ["<item jid='@@'/>", "<item/>"])
def test_what_is_no_address_is_refused(item: str) -> None:
    command = parse(f"<block xmlns='urn:xmpp:blocking'>{item}</block>".encode())

    with pytest.raises(StanzaError, match="jid-malformed"):
        read_addresses(command)
