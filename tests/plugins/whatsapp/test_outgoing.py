"""What Meta is asked to send of what an agent wrote."""

from __future__ import annotations

from typing import Any

import pytest

from imserver import Message, StanzaError, parse
from imserver_whatsapp.media_rules import KB, KINDS, MB, Unfit, kind_of, type_of
from imserver_whatsapp.outgoing import (
    Attachment,
    Plan,
    Recipient,
    Wish,
    attachment,
    file_requests,
    kind_of_request,
    plan,
    read_mark,
)

IDS = {"client-1": "wamid.c1", "agent-1": "wamid.a1"}


def written(xml: str) -> Message:
    payload = parse(f"<message xmlns='jabber:client'>{xml}</message>".encode()).elements()
    return Message(type="chat", id="agent-2", payload=payload)


def planned(xml: str) -> Plan:
    return plan(written(xml), lambda id: IDS.get(id, ""), "en")


def bodies(xml: str) -> list[dict[str, Any]]:
    return [dict(request.body) for request in planned(xml).requests]


def file_of(**parts: str) -> str:
    given = {"media-type": "image/png", "name": "a.png", "size": "17", **parts}
    about = "".join(f"<{name}>{text}</{name}>" for name, text in given.items())
    return (
        "<body>https://files.example.com/a.png</body>"
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'>"
        f"<file xmlns='urn:xmpp:file:metadata:0'>{about}</file><sources>"
        "<url-data xmlns='http://jabber.org/protocol/url-data' target='https://files.example.com/a.png'/>"
        "</sources></file-sharing><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>"
    )


def test_a_text() -> None:
    (request,) = planned("<body>Olá!</body><request xmlns='urn:xmpp:receipts'/>").requests

    assert request.write("ours-1", Recipient("351910000000")) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+351910000000",
        "type": "text",
        "text": {"preview_url": False, "body": "Olá!"},
        "biz_opaque_callback_data": "ours-1",
    }
    assert request.is_free


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        (Recipient("351910000000"), {"to": "+351910000000"}),
        (Recipient("+351910000000", "PT.1"), {"to": "+351910000000"}),
        (Recipient("", "PT.1"), {"recipient": "PT.1"}),
    ],
)
def test_whom_it_is_for(recipient: Recipient, address: dict[str, str]) -> None:
    assert recipient.address() == address


def test_links_are_previewed() -> None:
    assert bodies("<body>see https://example.com</body>")[0]["text"]["preview_url"] is True


def test_a_long_text_is_several_and_the_first_one_answers() -> None:
    first, second = bodies(
        f"<body>{'x' * 4000} {'y' * 4000}</body><reply xmlns='urn:xmpp:reply:0' id='client-1'/>"
    )

    assert first["context"] == {"message_id": "wamid.c1"}
    assert "context" not in second
    assert (first["text"]["body"], second["text"]["body"]) == ("x" * 4000, "y" * 4000)


def test_a_text_that_would_be_too_many_is_refused() -> None:
    with pytest.raises(StanzaError, match="25 messages at once"):
        planned(f"<body>{'x' * 4096 * 25}</body>")


def test_what_an_answer_quotes_is_not_sent() -> None:
    reply = "<reply xmlns='urn:xmpp:reply:0' id='client-1'/>"
    fallback = (
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='6'/></fallback>"
    )

    assert bodies(f"<body>&gt; Hi?\nYes</body>{reply}{fallback}")[0]["text"]["body"] == "Yes"
    assert bodies(f"<body>&gt; Hi?\nYes</body>{reply}")[0]["text"]["body"] == "Yes"


def test_an_answer_to_what_whatsapp_does_not_know_is_a_text() -> None:
    assert "context" not in bodies("<body>a</body><reply xmlns='urn:xmpp:reply:0' id='gone'/>")[0]


def test_a_correction_is_said_anew() -> None:
    (body,) = bodies("<body>Olé</body><replace xmlns='urn:xmpp:message-correct:0' id='agent-1'/>")

    assert body == {
        "type": "text",
        "text": {"preview_url": False, "body": "✏️ Olé"},
        "context": {"message_id": "wamid.a1"},
    }


def test_what_was_sent_can_not_be_taken_back() -> None:
    with pytest.raises(StanzaError, match="feature-not-implemented"):
        planned("<retract xmlns='urn:xmpp:message-retract:1' id='agent-1'/><body>/me deleted</body>")


@pytest.mark.parametrize(
    ("emoji", "sent"),
    [("<reaction>👍</reaction>", "👍"), ("", ""), ("<reaction>👍</reaction><reaction>🎉</reaction>", "🎉")],
)
def test_reactions(emoji: str, sent: str) -> None:
    assert bodies(f"<reactions xmlns='urn:xmpp:reactions:0' id='client-1'>{emoji}</reactions>") == [
        {"type": "reaction", "reaction": {"message_id": "wamid.c1", "emoji": sent}}
    ]


def test_a_reaction_to_what_whatsapp_does_not_know_is_refused() -> None:
    with pytest.raises(StanzaError, match="item-not-found"):
        planned("<reactions xmlns='urn:xmpp:reactions:0' id='gone'><reaction>👍</reaction></reactions>")


def test_a_place() -> None:
    assert bodies("<body>geo:41.15,-8.61;u=10</body>") == [
        {"type": "location", "location": {"latitude": 41.15, "longitude": -8.61}}
    ]
    assert bodies("<body>geo:91,0</body>")[0]["type"] == "text"
    assert bodies("<body>at geo:1,2</body>")[0]["type"] == "text"


def test_a_file_and_its_caption_are_one() -> None:
    (request,) = planned(file_of(desc="Look!") + "<reply xmlns='urn:xmpp:reply:0' id='client-1'/>").requests

    assert request.upload == Attachment("https://files.example.com/a.png", "a.png", "image/png", 17, "Look!")
    body = request.write("ours", Recipient("1555"), media="m1")
    assert (body["type"], body["image"]) == ("image", {"id": "m1", "caption": "Look!"})
    assert body["context"] == {"message_id": "wamid.c1"}


def test_a_link_as_body_is_a_file() -> None:
    oob = "<x xmlns='jabber:x:oob'><url>https://f.example/a/b.pdf?x=1</url><desc>d</desc></x>"
    message = written(f"<body>https://f.example/a/b.pdf?x=1</body>{oob}")

    assert attachment(message) == Attachment("https://f.example/a/b.pdf?x=1", "b.pdf", "", -1, "d")
    assert bodies(f"<body>https://f.example/a/b.pdf?x=1</body>{oob}") == [
        {"type": "document", "document": {"caption": "d", "filename": "b.pdf"}}
    ]
    assert attachment(written(f"<body>see this</body>{oob}")) is None


def test_a_caption_that_can_not_go_along_comes_after() -> None:
    audio = Attachment("u", "a.mp3", "audio/mpeg", 1, "Listen")
    picture = Attachment("u", "a.png", "image/png", 1, "x" * 1025)

    assert [kind_of_request(one) for one in file_requests(audio, "en")] == ["audio", "text"]
    first, second = file_requests(picture, "en")
    assert (dict(first.body), second.body["text"]["body"]) == ({"type": "image", "image": {}}, "x" * 1025)


@pytest.mark.parametrize(
    ("type", "name", "kind"),
    [
        ("image/jpeg", "", "image"),
        ("IMAGE/PNG; x=1", "", "image"),
        ("", "a.JPEG", "image"),
        ("application/octet-stream", "a.jpg", "image"),
        ("video/mp4", "", "video"),
        ("video/3gpp", "", "video"),
        ("audio/ogg; codecs=opus", "", "audio"),
        ("", "a.opus", "audio"),
        ("audio/x-m4a", "", "audio"),
        ("audio/amr", "", "audio"),
        ("application/pdf", "", "document"),
        ("text/plain", "", "document"),
        ("", "a.docx", "document"),
        ("application/msword", "", "document"),
        ("", "a.xls", "document"),
        ("", "a.pptx", "document"),
    ],
)
def test_kinds_of_files(type: str, name: str, kind: str) -> None:
    assert kind_of(type, name, 1, "en").name == kind


@pytest.mark.parametrize(
    ("type", "convert_to"),
    [
        ("image/webp", "image/png"),
        ("image/gif", "image/png"),
        ("image/heic", "image/jpeg"),
        ("video/webm", "video/mp4"),
        ("audio/wav", "audio/mpeg"),
        ("application/zip", ""),
        ("text/html", ""),
        ("application/x-dosexec", ""),
    ],
)
def test_types_that_are_not_taken_are_refused_with_what_would_do(type: str, convert_to: str) -> None:
    with pytest.raises(Unfit) as refused:
        kind_of(type, "", 1, "en")

    assert (refused.value.condition, refused.value.rule) == ("not-acceptable", "type")
    assert refused.value.convert_to == convert_to
    assert type in refused.value.text
    assert "jpg" in refused.value.text


@pytest.mark.parametrize(
    ("type", "largest"),
    [
        ("image/png", 5 * MB),
        ("video/mp4", 16 * MB),
        ("audio/ogg", 16 * MB),
        ("application/pdf", 100 * MB),
    ],
)
def test_sizes(type: str, largest: int) -> None:
    kind_of(type, "", largest, "en")

    with pytest.raises(Unfit, match=f"allows up to {largest // MB} MB"):
        kind_of(type, "", largest + 1, "en")


def test_stickers_are_meant() -> None:
    assert kind_of("image/webp", "", 500 * KB, "en", is_sticker=True).name == "sticker"
    with pytest.raises(Unfit):
        kind_of("image/webp", "", 500 * KB + 1, "en", is_sticker=True)


def test_the_table_of_kinds_is_metas() -> None:
    assert {kind.name: len(kind.types) for kind in KINDS} == {
        "image": 2,
        "video": 2,
        "audio": 5,
        "document": 8,
        "sticker": 1,
    }
    assert type_of("", "no extension") == "application/octet-stream"


@pytest.mark.parametrize(
    ("xml", "wish"),
    [
        ("<composing xmlns='http://jabber.org/protocol/chatstates'/>", Wish(is_composing=True)),
        ("<paused xmlns='http://jabber.org/protocol/chatstates'/>", Wish(is_paused=True)),
        ("<displayed xmlns='urn:xmpp:chat-markers:0' id='client-1'/>", Wish(seen="client-1")),
        ("<received xmlns='urn:xmpp:receipts' id='client-1'/>", Wish()),
    ],
)
def test_what_devices_say_is_a_wish_and_no_message(xml: str, wish: Wish) -> None:
    assert planned(xml) == Plan((), wish)


def test_read_marks() -> None:
    assert read_mark("wamid.c1") == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.c1",
    }
    assert read_mark("wamid.c1", is_composing=True)["typing_indicator"] == {"type": "text"}
