"""What agents' clients are sent of what somebody wrote on WhatsApp."""

from __future__ import annotations

from typing import Any

import pytest

from imserver import Element, Message, parse
from imserver.desk.relay import Outward
from imserver_whatsapp.to_xmpp import Hosted, Said, displayed, payload, received
from tests.plugins.whatsapp.samples import shown

COMPANY = (
    "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>"
    "<markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='{id}'/>"
)
KNOWN = {
    "wamid.x": Said("agent-1", "support@desk.example.com", "How are\nyou?"),
    "wamid.1": Said("wamid.1", "ana@whatsapp.example.com", "https://files.example.com/1"),
    "wamid.x-c": Said("wamid.x-c", "", "Look!"),
}
HOSTED = Hosted("https://files.example.com/a/b.png", 17, "aGFzaA==")


def written(type: str = "text", body: Any = None, **more: Any) -> list[str]:
    """Write all pieces of a message, as they stand on the wire."""
    found = [
        payload(piece, KNOWN.get, "en", hosted=HOSTED if not piece.part_of else None)
        for piece in shown(type, body, **more)
    ]
    return ["".join(element.to_bytes().decode() for element in elements) for elements in found]


def test_a_text() -> None:
    assert written() == ["<body>Olá</body>" + COMPANY.format(id="wamid.1")]


def test_a_picture_is_a_link_that_all_clients_show_and_its_caption_a_message_that_answers_it() -> None:
    picture, caption = written("image", {"id": "1", "mime_type": "image/png", "caption": "Look!"})

    assert picture == (
        "<body>https://files.example.com/a/b.png</body>"
        "<x xmlns='jabber:x:oob'><url>https://files.example.com/a/b.png</url><desc>Look!</desc></x>"
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'>"
        "<file xmlns='urn:xmpp:file:metadata:0'><media-type>image/png</media-type>"
        "<name>image-20231114-221320.png</name><size>17</size><desc>Look!</desc>"
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>aGFzaA==</hash></file>"
        "<sources><url-data xmlns='http://jabber.org/protocol/url-data'"
        " target='https://files.example.com/a/b.png'/></sources></file-sharing>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>"
        + COMPANY.format(id="wamid.1")
    )
    assert caption == (
        "<body>Look!</body><reply xmlns='urn:xmpp:reply:0' to='ana@whatsapp.example.com' id='wamid.1'/>"
        + COMPANY.format(id="wamid.1-c")
    )


def test_a_file_that_could_not_be_fetched_is_told() -> None:
    (piece,) = shown("document", {"id": "1", "filename": "a.pdf", "mime_type": "application/pdf"})

    body, *_ = payload(piece, KNOWN.get, "pt")

    assert body.text == "[O cliente enviou um ficheiro que não foi possível obter: a.pdf]"


def test_an_answer_quotes_what_it_answers_for_clients_that_know_no_replies() -> None:
    assert written(context={"id": "wamid.x"}) == [
        "<body>&gt; How are\n&gt; you?\nOlá</body>"
        "<reply xmlns='urn:xmpp:reply:0' to='support@desk.example.com' id='agent-1'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='17'/></fallback>"
        + COMPANY.format(id="wamid.1")
    ]


def test_the_quote_ends_where_the_fallback_says() -> None:
    (piece,) = shown(context={"id": "wamid.x"})
    body, _, fallback, *_ = payload(piece, KNOWN.get, "en")
    place = fallback.elements()[0]

    assert body.text[int(place.get("end")) :] == "Olá"


def test_an_answer_to_something_unknown_says_so() -> None:
    (elements,) = written(context={"id": "wamid.gone"})

    assert elements.startswith("<body>(answers a message that is not here)\nOlá</body><active ")


@pytest.mark.parametrize(
    ("reaction", "wire"),
    [
        (
            {"message_id": "wamid.x", "emoji": "😮"},
            "<reactions xmlns='urn:xmpp:reactions:0' id='agent-1'><reaction>😮</reaction></reactions>"
            "<store xmlns='urn:xmpp:hints'/>",
        ),
        (
            {"message_id": "wamid.x"},
            "<reactions xmlns='urn:xmpp:reactions:0' id='agent-1'/><store xmlns='urn:xmpp:hints'/>",
        ),
        (
            {"message_id": "wamid.gone", "emoji": "😮"},
            "<body>Reacted 😮 to a message that is not here</body>",
        ),
        ({"message_id": "wamid.gone"}, ""),
    ],
)
def test_reactions(reaction: dict[str, str], wire: str) -> None:
    assert written("reaction", reaction) == [wire]


def test_a_reaction_can_be_written_for_clients_that_know_none() -> None:
    (piece,) = shown("reaction", {"message_id": "wamid.x", "emoji": "👍"})

    elements = payload(piece, KNOWN.get, "en", is_reaction_written=True)

    assert [element.name for element in elements] == ["reactions", "store", "body", "fallback"]
    assert elements[2].text == "Reacted 👍 to: How are you?"


def test_an_edited_message_corrects_the_one_that_is_here() -> None:
    edit = {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "Olé"}}}
    assert written("edit", edit)[0].startswith(
        "<body>Olé</body><replace xmlns='urn:xmpp:message-correct:0' id='agent-1'/>"
    )

    edit["original_message_id"] = "wamid.gone"
    assert written("edit", edit)[0].startswith("<body>Edited: Olé</body><active ")


def test_what_was_taken_back_is_taken_back_here() -> None:
    message, caption = written("revoke", {"original_message_id": "wamid.x"})

    assert message.startswith("<retract xmlns='urn:xmpp:message-retract:1' id='agent-1'/><body>/me deleted")
    assert caption.startswith("<retract xmlns='urn:xmpp:message-retract:1' id='wamid.x-c'/>")


def test_of_what_is_not_here_it_is_only_told_and_of_a_caption_not_even_that() -> None:
    assert written("revoke", {"original_message_id": "wamid.gone"}) == [
        "<body>The client has deleted a message.</body>",
        "",
    ]


def test_what_cannot_be_written_in_xml_does_no_harm() -> None:
    (wire,) = written("text", {"body": "a\x00b<iq/>]]>&\ufffe"})

    assert parse(f"<m xmlns='jabber:client'>{wire}</m>".encode()).elements()[0].text == (
        "a\ufffdb<iq/>]]>&\ufffd"
    )


def test_everything_passes_the_desk() -> None:
    edit = {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "b"}}}
    for type, body in (
        ("text", {"body": "a"}),
        ("image", {"id": "1", "caption": "c"}),
        ("edit", edit),
        ("reaction", {"message_id": "wamid.x", "emoji": "😮"}),
        ("revoke", {"original_message_id": "wamid.x"}),
    ):
        for piece in shown(type, body, context={"id": "wamid.x"}):
            elements: list[Element] = payload(piece, KNOWN.get, "en", hosted=HOSTED)
            Outward(Message(type="chat", id=piece.id, payload=elements))  # the same list both ways


def test_receipts_and_markers() -> None:
    assert str(received("1")[0]) == "<received xmlns='urn:xmpp:receipts' id='1'/>"
    assert str(displayed("1")[0]) == "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
