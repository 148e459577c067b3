"""How a message of the past is shown."""

from imserver import JID, ArchivedMessage
from imserver_history_by_from import wording

CLIENT, AGENT = JID.parse("abc@xmpp.localhost/xmpp"), JID.parse("eva@localhost")
FILE = "https://localhost/upload/x/cat.png"


def said(stanza: str) -> wording.Said:
    return wording.read(ArchivedMessage(1_000_000, stanza.encode()))


def test_a_clients_words_are_to_the_agent_and_ask_for_nothing() -> None:
    one = said(
        "<message from='abc@other.localhost/x' to='ana@localhost' id='1' type='chat'><body>hello</body>"
        "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>"
        f"<x xmlns='jabber:x:oob'><url>{FILE}</url></x></message>"
    )

    assert str(wording.from_client(one, CLIENT, AGENT).wire.decode()) == (
        "<message from='abc@xmpp.localhost/xmpp' to='eva@localhost' id='1' type='chat'><body>hello</body>"
        f"<x xmlns='jabber:x:oob'><url>{FILE}</url></x></message>"
    )


def test_a_colleagues_words_are_ours_with_the_name() -> None:
    one = said(
        "<message from='ana@localhost/x' to='abc@xmpp.localhost' type='chat'><body>a &amp; b</body>"
        f"<x xmlns='jabber:x:oob'><url>{FILE}</url></x></message>"
    )

    assert wording.from_us(one, CLIENT, AGENT).wire.decode() == (
        "<message from='eva@localhost' to='abc@xmpp.localhost' id='1000000' type='chat'>"
        "<body>ana: a &amp; b</body></message>"
    )


def test_the_agents_own_words_are_as_they_were() -> None:
    one = said("<message from='eva@localhost/x' to='abc@xmpp.localhost' id='1'><body>mine</body></message>")

    assert wording.from_us(one, CLIENT, AGENT).body == "mine"
    assert wording.from_client_with_name(one, CLIENT, AGENT).body == "eva: mine"


def test_it_says_when_and_which_one_it_is() -> None:
    one = said("<message from='ana@localhost/x' to='abc@xmpp.localhost' id='1'><body>x</body></message>")

    written = wording.dated(wording.from_us(one, CLIENT, AGENT), one, AGENT).wire.decode()

    assert "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='1970-01-01T00:00:01.000000Z'/>" in written
    assert "<stanza-id xmlns='urn:xmpp:sid:0' by='eva@localhost' id='1000000'/>" in written
