import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.desk.allowed import PASSES, Pattern
from imserver.desk.relay import (
    INTERNAL,
    Outward,
    chat_state,
    check_readable,
    client_jid,
    command_line,
    error_to_agent,
    refusal,
    sayable,
    state_to_agent,
    to_agent,
    to_client,
)
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Message, child_key

AGENT = JID.parse("ana@example.com/gajim.X1")
CLIENT = JID.parse("k7@xmpp.example.com")
QUEUE = JID.parse("support@desk.example.com")
ADDRESS = JID.parse("maria@home.example/phone")


def message(payload: str = "", *, id: str = "1", type: str = "chat", lang: str = "") -> Message:
    """What an agent's client sends to a client."""
    children = parse(f"<m xmlns='jabber:client'>{payload}</m>".encode()).elements()
    return Message(sender=AGENT, to=CLIENT, id=id, type=type, lang=lang, payload=children)


def reaches_client(payload: str, *, id: str = "1", type: str = "chat", lang: str = "") -> str:
    outward = Outward.of(message(payload, id=id, type=type, lang=lang), "!")
    return to_client(outward, QUEUE, ADDRESS).wire.decode() if outward is not None else ""


def from_client(payload: str, *, id: str = "1", nick: str = "", sent: datetime | None = None) -> str:
    children = parse(f"<m xmlns='jabber:client'>{payload}</m>".encode()).elements()
    written = Message(sender=ADDRESS, to=QUEUE, id=id, type="chat", lang="es", payload=children)
    relayed = to_agent(written, client_jid(CLIENT, "xmpp"), AGENT.bare, queue=QUEUE, nick=nick, sent=sent)
    return relayed.wire.decode() if relayed is not None else ""


# To the client


def test_a_client_is_answered_by_the_queue() -> None:
    assert reaches_client("<body>Hello &amp; welcome</body>", id="a1", lang="de") == (
        "<message from='support@desk.example.com' to='maria@home.example/phone' id='a1' type='chat'>"
        "<body>Hello &amp; welcome</body></message>"
    )


@pytest.mark.parametrize(
    "payload",
    [
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<received xmlns='urn:xmpp:receipts' id='c1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='c1'/>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='c1'><reaction>👍🏽</reaction></reactions>",
        "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='a0'/>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='a0'/>",
        "<body>https://up.example/x.png</body><x xmlns='jabber:x:oob'><url>https://up.example/x.png</url></x>",
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'>"
        "<media-type>image/png</media-type><name>x.png</name><size>12</size>"
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>aGk=</hash></file>"
        "<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://up.example/x.png'/>"
        "</sources></file-sharing>",
        "<body>hi</body><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>"
        "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/><thread>t</thread>",
    ],
)
def test_what_is_on_the_list_passes_untouched_both_ways(payload: str) -> None:
    assert payload in reaches_client(payload)
    assert payload in from_client(payload)


@pytest.mark.parametrize(
    "payload",
    [
        "<nick xmlns='http://jabber.org/protocol/nick'>Ana</nick>",
        "<x xmlns='vcard-temp:x:update'><photo>abc</photo></x>",
        "<c xmlns='http://jabber.org/protocol/caps' node='https://gajim.org' ver='x' hash='sha-1'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='ana@example.com' id='1'/>",
        "<delay xmlns='urn:xmpp:delay' from='ana@example.com' stamp='2026-01-01T00:00:00Z'/>",
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body/></html>",
        "<x xmlns='jabber:x:conference' jid='room@rooms.example.com'/>",
    ],
)
def test_what_is_not_on_the_list_stays(payload: str) -> None:
    assert reaches_client(payload) == ""
    assert reaches_client(f"<body>hi</body>{payload}") == reaches_client("<body>hi</body>")


def test_a_source_that_is_not_on_the_web_is_left_out_of_a_file() -> None:
    shown = reaches_client(
        "<file-sharing xmlns='urn:xmpp:sfs:0'><sources>"
        "<jinglepub xmlns='urn:xmpp:jinglepub:1' from='ana@example.com/gajim.X1' id='9'/>"
        "<url-data xmlns='http://jabber.org/protocol/url-data' target='xmpp:ana@example.com?jingle'/>"
        "</sources></file-sharing>"
    )

    assert "<file-sharing xmlns='urn:xmpp:sfs:0'><sources/></file-sharing>" in shown


def test_only_the_first_of_several_bodies_is_sent() -> None:
    shown = reaches_client("<body>hi</body><body xml:lang='es'>!note dudoso</body>")

    assert "<body>hi</body></message>" in shown


def test_a_reply_names_its_author_as_the_client_knows_them() -> None:
    quoting = "<body>yes</body><reply xmlns='urn:xmpp:reply:0' to='{}' id='c1'/>"

    assert "to='maria@home.example' id='c1'" in reaches_client(quoting.format(f"{CLIENT}/xmpp"))
    assert "to='support@desk.example.com' id='c1'" in reaches_client(quoting.format(AGENT))
    assert "to='ana@example.com' id='a1'" in from_client(
        f"<body>ok</body><reply xmlns='urn:xmpp:reply:0' to='{QUEUE}' id='a1'/>"
    )
    assert "to='k7@xmpp.example.com' id='c0'" in from_client(
        f"<body>ok</body><reply xmlns='urn:xmpp:reply:0' to='{ADDRESS.bare}' id='c0'/>"
    )


def test_an_agents_own_address_is_the_queues_wherever_it_stands() -> None:
    shown = reaches_client(
        "<body>I am ana@example.com, and mariana@example.com is not; ANA@Example.com/gajim.</body>", id=AGENT
    )

    assert "I am support@desk.example.com, and mariana@example.com is not; support@desk.example.com" in shown
    assert "id='support@desk.example.com'" in shown


@pytest.mark.parametrize("type", ["error", "groupchat", "headline"])
def test_only_what_is_said_in_a_chat_goes_to_a_client(type: str) -> None:
    assert reaches_client("<body>hi</body>", type=type) == ""


def test_what_is_marked_internal_has_no_way_to_a_client() -> None:
    assert reaches_client(f"<body>she is lying</body><internal xmlns='{INTERNAL}'/>") == ""


def test_nothing_else_can_be_made_outward() -> None:
    with pytest.raises(ValueError, match="must not go"):
        Outward(Message(payload=[Element("nick", "http://jabber.org/protocol/nick", text="Ana")]))
    with pytest.raises(ValueError, match="must not go"):
        Outward(Message(sender=AGENT))


def test_the_desk_speaks_in_the_clients_language() -> None:
    said = to_client(Outward.text("Bienvenida", id="desk:1", lang="es"), QUEUE, ADDRESS)
    still = to_client(Outward.state("active"), QUEUE, ADDRESS)

    assert b"xml:lang='es'><body>Bienvenida</body>" in said.wire
    assert chat_state(still) == "active"


# Commands and notes


@pytest.mark.parametrize(
    "text",
    ["!note rude", "  !note", "\u200f!note", "\ufeff !x", "!", "hello\n!note x", "> !note x\nfine", ">>!x"],
)
def test_a_line_with_the_prefix_never_reaches_a_client(text: str) -> None:
    assert reaches_client(f"<body>{text.replace('>', '&gt;')}</body>") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("!!x", "!x"),
        ("  !!x", "  !x"),
        ("a!b", "a!b"),
        ("hi\n!!x", "hi\n!x"),
        ("!!!", "!!"),
        ("> !!x", "> !!x"),
    ],
)
def test_the_prefix_twice_stands_for_itself(text: str, shown: str) -> None:
    assert sayable(text, "!") == shown


@pytest.mark.parametrize(
    ("text", "command"),
    [("!note a\nb", "note a\nb"), (" \u2060!help", "help"), ("!!x", None), ("hi !x", None), ("> !x", None)],
)
def test_a_text_is_a_command_when_it_begins_with_one(text: str, command: str | None) -> None:
    assert command_line(text, "!") == command


def test_what_is_quoted_of_a_note_or_of_the_desk_stays() -> None:
    quoting = (
        "<body>&gt; {quote}\nsure</body><reply xmlns='urn:xmpp:reply:0' to='a@b' id='{id}'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='{end}'/></fallback>"
    )
    to_note = reaches_client(quoting.format(quote="!note rude", id="n1", end=13))
    to_desk = reaches_client(quoting.format(quote="Name: María", id="desk:9", end=14))
    to_client_ = reaches_client(quoting.format(quote="hello?", id="c1", end=9))

    assert "<body>sure</body>" in to_note
    assert "id='n1'" in to_note
    assert "<body>sure</body></message>" in to_desk
    assert "<body>&gt; hello?\nsure</body>" in to_client_
    assert "end='9'" in to_client_


def test_what_refers_to_something_internal_stays() -> None:
    for payload in (
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='desk:9'/>",
        "<received xmlns='urn:xmpp:receipts' id='desk:9'/>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='desk:9'><reaction>😡</reaction></reactions>",
    ):
        assert reaches_client(payload) == ""
    corrected = message("<body>rude!</body><replace xmlns='urn:xmpp:message-correct:0' id='note-1'/>")
    assert Outward.of(corrected, "!", is_hidden=lambda id: id == "note-1") is None


def test_what_became_of_the_desks_own_words_is_nothing_for_the_agent() -> None:
    assert from_client("<received xmlns='urn:xmpp:receipts' id='desk:1'/>") == ""
    assert (
        from_client("<reactions xmlns='urn:xmpp:reactions:0' id='desk:1'><reaction>👍</reaction></reactions>")
        == ""
    )


def test_a_quotation_of_the_desk_stays_even_if_the_client_does_not_say_where_it_is() -> None:
    shown = reaches_client(
        "<body>&gt; Name: María\n&gt; Phone: 1\nsure</body><reply xmlns='urn:xmpp:reply:0' id='desk:9'/>"
    )

    assert "<body>sure</body></message>" in shown


def test_a_file_may_be_named_as_one_likes() -> None:
    named = "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>!!.txt</name>"

    assert "<name>!!.txt</name>" in reaches_client(f"{named}</file></file-sharing>")


def test_a_command_in_a_caption_or_a_subject_stays() -> None:
    oob = "<x xmlns='jabber:x:oob'><url>https://x.example/</url><desc>!note x</desc></x>"

    assert reaches_client(f"<body>https://x.example/</body>{oob}") == ""
    assert reaches_client("<subject>!note x</subject><body>hi</body>") == ""


_blanks = st.text(st.sampled_from(" \t\n\r\u00a0\u2003\u200b\u200e\u202a\u2066\ufeff\u00ad"))


@given(_blanks, st.text(), st.booleans(), st.booleans(), st.sampled_from(["!", "//", "§"]))
def test_no_command_is_ever_outward(
    before: str, rest: str, has_subject: bool, has_state: bool, prefix: str
) -> None:
    if rest.startswith(prefix):
        rest = f"note {rest}"
    written = Element("body", "jabber:client", text=f"{before}{prefix}{rest}")
    payload = [
        *([Element("subject", "jabber:client", text="s")] if has_subject else []),
        *([Element("active", "http://jabber.org/protocol/chatstates")] if has_state else []),
        written,
    ]

    assert Outward.of(Message(sender=AGENT, to=CLIENT, type="chat", payload=payload), prefix) is None


# Whatever an agent's client sends

_texts = st.lists(
    st.sampled_from([str(AGENT), str(AGENT.bare), "ANA@EXAMPLE.COM", "ana%40example.com"])
    | st.text(st.sampled_from("ab@./ %:>é&'"), max_size=8)
    | st.sampled_from(["https://x.example/", "urn:xmpp:reply:0", "0", "desk:1", "!"]),
    max_size=4,
).map("".join)
_foreign = st.builds(
    Element,
    st.sampled_from(["y", "nick", "body", "id"]),
    st.sampled_from(["urn:x", "http://jabber.org/protocol/nick", "jabber:client"]),
    st.dictionaries(st.sampled_from(["from", "by", "jid", "xml:lang"]), _texts, max_size=2),
    text=_texts,
)


@st.composite
def _elements(draw: st.DrawFn, key: str, pattern: Pattern) -> Element:
    """Something like what is on the list, and more."""
    namespace, _, name = key.rpartition("\n")
    element = Element(name, namespace)
    for attribute in sorted(pattern.attributes | {"from", "by", "xml:lang"}):
        if draw(st.booleans()):
            element.attributes[attribute] = draw(_texts)
    for child, inner in pattern.children.items():
        if draw(st.booleans()):
            element.add(draw(_elements(child, inner)))
    if pattern.has_text or draw(st.booleans()):
        element.add(draw(_texts))
    if draw(st.booleans()):
        element.add(draw(_foreign))
    return element


_payloads = st.lists(
    st.sampled_from(list(PASSES.items())).flatmap(lambda item: _elements(*item)) | _foreign, max_size=5
)


def _is_allowed(element: Element, pattern: Pattern) -> bool:
    return (
        set(element.attributes) <= pattern.attributes
        and (pattern.has_text or not element.text)
        and all(
            (inner := pattern.children.get(child_key(child.name, child.namespace))) is not None
            and _is_allowed(child, inner)
            for child in element.elements()
        )
    )


@given(_payloads, _texts, st.sampled_from(["chat", "normal", "error"]), _texts)
def test_nothing_names_the_agent_and_nothing_else_passes(
    payload: list[Element], id: str, type: str, lang: str
) -> None:
    written = Message(sender=AGENT, to=CLIENT, id=id, type=type, lang=lang, payload=payload)
    outward = Outward.of(written, "!")
    if outward is None:
        return

    sent = to_client(outward, QUEUE, ADDRESS)

    assert set(sent.element.attributes) <= {"from", "to", "id", "type"}
    for child in sent.children():
        assert _is_allowed(child, PASSES[child_key(child.name, child.namespace)])
    found = re.findall(r"[\w.+-]+(?:@|%40)[\w.-]*\w", sent.wire.decode())
    assert "ana@example.com" not in [address.casefold().replace("%40", "@") for address in found]


# To the agent


def test_a_client_is_known_to_the_agent_by_their_key() -> None:
    assert from_client("<body>Help!</body>", id="c1", nick="María") == (
        "<message from='k7@xmpp.example.com/xmpp' to='ana@example.com' id='c1' type='chat' xml:lang='es'>"
        "<body>Help!</body><nick xmlns='http://jabber.org/protocol/nick'>María</nick></message>"
    )


def test_a_client_gives_no_commands() -> None:
    assert "<body>!close</body>" in from_client("<body>!close</body>")


def test_what_was_written_before_says_when() -> None:
    shown = from_client("<body>hi</body>", sent=datetime(2026, 1, 31, 12, tzinfo=UTC))

    assert (
        "<delay xmlns='urn:xmpp:delay' from='support@desk.example.com' stamp='2026-01-31T12:00:00.000000Z'/>"
        in shown
    )


def test_a_client_can_forge_nothing() -> None:
    forged = "<body>hi</body><delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"

    assert "delay" not in from_client(f"{forged}<stanza-id xmlns='urn:xmpp:sid:0' by='example.com' id='7'/>")
    assert from_client("<y xmlns='urn:x'/>") == ""


def test_a_failure_comes_back_on_the_very_message() -> None:
    failed = Message(
        sender=ADDRESS,
        to=QUEUE,
        id="a1",
        type="error",
        payload=[
            Element("body", "jabber:client", text="hello"),
            StanzaError("recipient-unavailable", "not now").to_element(),
        ],
    )
    returned = error_to_agent(failed, client_jid(CLIENT, "xmpp"), AGENT.bare)

    assert (returned.id, returned.type, returned.sender) == ("a1", "error", "k7@xmpp.example.com/xmpp")
    assert b"<recipient-unavailable" in returned.wire
    assert b"maria" not in returned.wire
    refused = refusal("a2", CLIENT, AGENT, StanzaError("policy-violation", "24 hours are over"))
    assert b"id='a2' type='error'><error type='modify'><policy-violation" in refused.wire


def test_a_state_ends_when_its_sender_can_not_end_it() -> None:
    assert chat_state(state_to_agent("paused", CLIENT, AGENT)) == "paused"
    with pytest.raises(ValueError, match="XEP-0085"):
        state_to_agent("dancing", CLIENT, AGENT)


def test_what_is_encrypted_is_refused() -> None:
    with pytest.raises(StanzaError, match="switch encryption off"):
        check_readable(message("<encrypted xmlns='eu.siacs.conversations.axolotl'/>"))


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("_ana@example.com_", "_support@desk.example.com_"),
        ("-ana@example.com-", "-support@desk.example.com-"),
        ("联系ana@example.com请", "联系support@desk.example.com请"),
        ("ana@example.com/gajim.X1-", "support@desk.example.com-"),
        ("eva@example.com has it", "support@desk.example.com has it"),
        ("mariana@example.com", "mariana@example.com"),
        ("j.ana@example.com", "j.ana@example.com"),
        ("ana@example.com.mx", "ana@example.com.mx"),
    ],
)
def test_no_agent_is_named_whatever_marks_stand_around(said: str, read: str) -> None:
    outward = Outward.of(message(f"<body>{said}</body>"), "!")
    assert outward is not None

    sent = to_client(outward, QUEUE, ADDRESS, agents=["ana@example.com", "eva@example.com"])
    assert sent.body == read
