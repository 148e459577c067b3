import pytest

from imserver.desk.allowed import CORRECTION
from imserver.desk.commands import COMMANDS
from imserver.desk.offers import PREVIEW, RESPONSES, Offered, Wording, ask, read_answer, shortened, withdraw
from imserver.desk.relay import Outward, command_line, is_internal
from imserver.features.carbons import is_copied_when_received
from imserver.features.worth_keeping import is_worth_keeping, may_wait
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import Message

QUEUE = JID.parse("support@desk.example.com")
ANA = JID.parse("ana@example.com/psi")
OFFERED = Offered(QUEUE, 17, 1_700_000_030.5)
WORDING = Wording("María has waited 2 min in Support.", "Accept", "Decline", "en", "!")


def test_an_offer_is_text_that_every_client_shows() -> None:
    offer = ask(OFFERED, ANA, WORDING, preview="My bill\n is  wrong")

    assert (offer.sender, offer.to, offer.type) == (QUEUE, ANA, "chat")
    assert offer.body == (
        "María has waited 2 min in Support.\n> My bill is wrong\nAnswer !accept 17 or !decline 17."
    )


def test_its_buttons_say_what_one_would_type() -> None:
    offer = ask(OFFERED, ANA, WORDING)
    responses = [child for child in offer.children() if child.namespace == RESPONSES]

    assert [one.get("label") for one in responses] == ["Accept", "Decline"]
    for one in responses:
        line = command_line(one.get("value"), "!")
        assert line is not None
        name, number = line.split()
        assert COMMANDS[name].read(number).number("offer") == 17


def test_each_device_has_its_own_and_none_has_it_later() -> None:
    for message in (ask(OFFERED, ANA, WORDING), withdraw(OFFERED, ANA, "Luis attends María already.")):
        assert not is_copied_when_received(message)[0]
        assert not is_worth_keeping(message)[0]
        assert not may_wait(message)[0]


def test_a_sentence_takes_the_place_of_the_offer() -> None:
    over = withdraw(OFFERED, ANA, "Luis attends María already.")
    replaced = over.child("replace", CORRECTION)

    assert over.body == "Luis attends María already."
    assert replaced is not None
    assert replaced.get("id") == ask(OFFERED, ANA, WORDING).id
    assert not over.has("response", RESPONSES)


def test_an_offer_keeps_its_id_over_a_restart_and_has_another_the_next_time() -> None:
    assert Offered(QUEUE, 17, 1_700_000_030.5).id == OFFERED.id
    assert Offered(QUEUE, 17, 1_700_000_060.5).id != OFFERED.id


def test_what_is_said_about_an_offer_is_for_no_client() -> None:
    read = Element("displayed", "urn:xmpp:chat-markers:0", {"id": OFFERED.id})
    client = JID.parse("k7@xmpp.example.com")

    assert is_internal(OFFERED.id)
    assert Outward.of(Message(sender=ANA, to=client, type="chat", payload=[read]), "!") is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes!", "accept"),
        (" sí ", "accept"),
        ("NEIN.", "decline"),
        ("👍", "accept"),
        ("maybe", None),
        ("", None),
    ],
)
def test_a_plain_yes_or_no_will_do(text: str, answer: str | None) -> None:
    assert read_answer(text) == answer


def test_a_preview_is_one_short_line() -> None:
    assert shortened("a\n\tb") == "a b"
    assert shortened("x" * 500) == "x" * PREVIEW + "…"
