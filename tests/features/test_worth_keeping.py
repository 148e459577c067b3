import pytest

from imserver.features.worth_keeping import Verdict, has_something_to_say, is_worth_keeping, may_wait
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Message

BODY = "<body>Good morning</body>"
COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
RECEIVED = "<received xmlns='urn:xmpp:receipts' id='1'/>"
DISPLAYED = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
REACTIONS = "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>👍</reaction></reactions>"
RETRACT = "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"
OMEMO = "<encrypted xmlns='eu.siacs.conversations.axolotl'/>"
OMEMO_2 = "<encrypted xmlns='urn:xmpp:omemo:2'/>"
INVITATION = "<x xmlns='jabber:x:conference' jid='room@conference.localhost'/>"
STORE = "<store xmlns='urn:xmpp:hints'/>"
NO_STORE = "<no-store xmlns='urn:xmpp:hints'/>"
NO_PERMANENT_STORE = "<no-permanent-store xmlns='urn:xmpp:hints'/>"


def message(inside: str, type: str = "chat") -> Message:
    return Message(type=type, payload=parse(f"<m xmlns='jabber:client'>{inside}</m>".encode()).elements())


@pytest.mark.parametrize("type", ["chat", "normal"])
@pytest.mark.parametrize(
    "inside", [BODY, BODY + COMPOSING, RECEIVED, DISPLAYED, REACTIONS, RETRACT, OMEMO, OMEMO_2, INVITATION]
)
def test_what_people_say_is_kept_and_waits(type: str, inside: str) -> None:
    assert is_worth_keeping(message(inside, type))[0]
    assert may_wait(message(inside, type))[0]


@pytest.mark.parametrize("inside", ["", COMPOSING, "<thread>7</thread>"])
def test_what_says_nothing_is_neither_kept_nor_waits(inside: str) -> None:
    assert is_worth_keeping(message(inside)) == (False, "has nothing to keep")
    assert may_wait(message(inside)) == (False, "has nothing to keep")
    assert not has_something_to_say(message(inside))


@pytest.mark.parametrize(
    ("type", "verdict"),
    [
        ("error", (False, "is of type error")),
        ("groupchat", (False, "is of type groupchat")),
        ("headline", (False, "has nothing to keep")),
    ],
)
def test_other_types_are_not_kept(type: str, verdict: Verdict) -> None:
    assert is_worth_keeping(message(BODY, type)) == verdict
    assert may_wait(message(BODY, type)) == (False, f"is of type {type}")


@pytest.mark.parametrize("type", ["error", "groupchat"])
def test_in_errors_and_rooms_the_hint_to_store_counts_for_nothing(type: str) -> None:
    assert not is_worth_keeping(message(BODY + STORE, type))[0]


@pytest.mark.parametrize("type", ["chat", "normal", "headline"])
def test_who_asks_for_it_is_kept(type: str) -> None:
    assert is_worth_keeping(message(STORE, type)) == (True, "asks to be kept")


def test_who_asks_not_to_be_stored_neither_is_kept_nor_waits() -> None:
    assert is_worth_keeping(message(BODY + NO_STORE + STORE)) == (False, "asks not to be kept")
    assert may_wait(message(BODY + NO_STORE + STORE)) == (False, "asks not to be stored")


def test_who_asks_not_to_be_stored_for_good_still_waits() -> None:
    assert not is_worth_keeping(message(BODY + NO_PERMANENT_STORE))[0]
    assert may_wait(message(BODY + NO_PERMANENT_STORE))[0]
