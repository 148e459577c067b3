"""What is shown of what somebody wrote."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp import shapes
from imserver_whatsapp.cards import write_card
from imserver_whatsapp.filenames import LONGEST, name_file
from imserver_whatsapp.inbound import (
    Cards,
    Correction,
    File,
    Piece,
    Place,
    Placeholder,
    Reaction,
    Retraction,
    Text,
    shown_change,
)
from imserver_whatsapp.updates import SystemChange
from tests.plugins.whatsapp.samples import message, read, shown, value

FLAGS = {
    "reply": {"from": "351210000000", "id": "wamid.x"},
    "forwarded": {"forwarded": True},
    "often": {"frequently_forwarded": True},
}


def text_of(type: str = "text", body: Any = None, **more: Any) -> str:
    (piece,) = shown(type, body, **more)
    assert isinstance(piece.content, Text), piece
    return piece.content.text


def test_a_text_is_itself_emoji_and_directions_and_all() -> None:
    said = "👩‍🚀🏽 ‏שלום *bold* !help\n/me"

    assert shown("text", {"body": said}) == [Piece("wamid.1", Text(said))]


@pytest.mark.parametrize(
    ("type", "body", "file"),
    [
        (
            "image",
            {"mime_type": "image/jpeg", "sha256": "aGFzaA==", "id": "65"},
            File("image", "65", "image-20231114-221320.jpg", "image/jpeg", "aGFzaA=="),
        ),
        (
            "video",
            {"mime_type": "video/mp4", "id": "1", "url": "https://lookaside.example/1"},
            File("video", "1", "video-20231114-221320.mp4", "video/mp4", url="https://lookaside.example/1"),
        ),
        (
            "audio",
            {"mime_type": "audio/ogg; codecs=opus", "id": "2", "voice": True},
            File("audio", "2", "voice-20231114-221320.ogg", "audio/ogg; codecs=opus", is_voice=True),
        ),
        (
            "document",
            {"mime_type": "application/pdf", "id": "3", "filename": "a/../invoice.pdf"},
            File("document", "3", "invoice.pdf", "application/pdf"),
        ),
        (
            "sticker",
            {"mime_type": "image/webp", "id": "4", "animated": True, "caption": "no"},
            File("sticker", "4", "sticker-20231114-221320.webp", "image/webp"),
        ),
    ],
)
def test_files(type: str, body: dict[str, Any], file: File) -> None:
    assert shown(type, body) == [Piece("wamid.1", file)]


def test_a_picture_with_a_caption_is_two_pieces_of_one_message() -> None:
    picture, caption = shown("image", {"id": "1", "mime_type": "image/png", "caption": " Look! "})

    assert isinstance(picture.content, File)
    assert (picture.id, picture.part_of, picture.content.caption) == ("wamid.1", "", "Look!")
    assert caption == Piece("wamid.1-c", Text("Look!"), answers="wamid.1", part_of="wamid.1")


def test_a_place() -> None:
    body = {
        "latitude": 37.46,
        "longitude": -122.2,
        "name": "HQ",
        "address": "1 Way",
        "url": "https://e.example",
    }
    (piece,) = shown("location", body)

    assert isinstance(piece.content, Place)
    assert piece.content.text == "📍 HQ, 1 Way\ngeo:37.46,-122.2\nhttps://e.example"


@pytest.mark.parametrize("body", [{"latitude": 91, "longitude": 0}, {"latitude": "x"}, {}])
def test_a_place_that_is_nowhere_is_a_placeholder(body: dict[str, Any]) -> None:
    (piece,) = shown("location", body)

    assert isinstance(piece.content, Placeholder)


def test_contacts_are_a_text_and_a_vcard() -> None:
    body = [
        {
            "name": {"first_name": "C", "last_name": "B; Jr", "formatted_name": "C B"},
            "phones": [{"phone": "+1 555", "wa_id": "1555", "type": "CELL"}, {"wa_id": "1666"}],
            "org": {"company": "Shop"},
        },
        {"name": {"first_name": "Eva"}},
    ]
    (piece,) = shown("contacts", body)

    assert isinstance(piece.content, Cards)
    assert piece.content.text == "👤 C B\nShop\n+1 555\n+1666\n\n👤 Eva"
    assert piece.content.vcards == (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:C B\r\nN:B\\; Jr;C;;;\r\nTEL;TYPE=cell:+1 555\r\nTEL:+1666\r\n"
        "ORG:Shop;\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Eva\r\nN:;Eva;;;\r\nEND:VCARD\r\n"
    )


@pytest.mark.parametrize(
    ("type", "body", "said", "choice"),
    [
        ("button", {"payload": "P", "text": "Yes"}, "Yes", "P"),
        (
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "x", "title": "Yes"}},
            "Yes",
            "x",
        ),
        (
            "interactive",
            {"type": "list_reply", "list_reply": {"id": "x", "title": "A", "description": "d"}},
            "A\nd",
            "x",
        ),
    ],
)
def test_choices(type: str, body: dict[str, Any], said: str, choice: str) -> None:
    assert shown(type, body) == [Piece("wamid.1", Text(said, choice))]


def test_a_form_that_was_filled_in() -> None:
    form = '{"comment": "Fine", "stars": 4, "days": ["mon", "tue"], "flow_token": "secret"}'
    body = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": form}}

    assert text_of("interactive", body) == "📋 Sent\ncomment: Fine\nstars: 4\ndays: mon, tue"


def test_a_form_that_is_none_shows_its_title() -> None:
    body = {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": "{"}}

    assert text_of("interactive", body) == "📋 Sent"


def test_an_order() -> None:
    body = {
        "catalog_id": "1",
        "text": "quickly",
        "product_items": [
            {"product_retailer_id": "TEA", "quantity": 3, "item_price": 30, "currency": "EUR"},
            {"product_retailer_id": "MILK", "quantity": 1},
        ],
    }

    assert text_of("order", body) == "🛒 Order\n3 × TEA, 30 EUR\n1 × MILK\nquickly"


@pytest.mark.parametrize(
    ("reaction", "emoji"),
    [
        ({"message_id": "wamid.y", "emoji": "😮"}, "😮"),
        ({"message_id": "wamid.y", "emoji": ""}, ""),
        ({"message_id": "wamid.y"}, ""),
    ],
)
def test_reactions_come_and_go(reaction: dict[str, str], emoji: str) -> None:
    assert shown("reaction", reaction) == [Piece("wamid.1", Reaction("wamid.y", emoji))]


def test_an_answer_knows_what_it_answers() -> None:
    assert shown(context=FLAGS["reply"]) == [Piece("wamid.1", Text("Olá"), answers="wamid.x")]


def test_what_was_forwarded_says_so() -> None:
    assert text_of(context=FLAGS["forwarded"]) == "→ Forwarded\nOlá"
    assert text_of(context=FLAGS["often"]) == "↠ Forwarded many times\nOlá"
    assert [piece.content for piece in shown(context=FLAGS["forwarded"], lang="de")] == [
        Text("→ Weitergeleitet\nOlá")
    ]


def test_a_forwarded_file_has_its_note_before_it() -> None:
    note, file, caption = shown(
        "image", {"id": "1", "mime_type": "image/png", "caption": "c"}, context=FLAGS["forwarded"]
    )

    assert note == Piece("wamid.1-n", Text("→ Forwarded"), part_of="wamid.1")
    assert (file.id, caption.id) == ("wamid.1", "wamid.1-c")


def test_the_advertisement_stands_before_the_text() -> None:
    referral = {
        "source_url": "https://fb.example",
        "headline": "Tea\nfor two",
        "body": "",
        "source_type": "ad",
    }

    assert text_of(referral=referral) == "➜ Came by: Tea for two · https://fb.example\nOlá"


def test_a_product_stands_before_the_text() -> None:
    context = {"referred_product": {"catalog_id": "1", "product_retailer_id": "TEA"}}

    assert text_of(context=context) == "🛒 About the product TEA\nOlá"


def test_an_edited_text_is_a_correction() -> None:
    edit = {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "Olé"}}}

    assert shown("edit", edit) == [Piece("wamid.1", Correction("wamid.x", "Olé"))]


def test_an_edited_caption_corrects_the_caption() -> None:
    inner = {"type": "image", "image": {"id": "1", "caption": "better"}, "context": {"id": "M0"}}

    assert shown("edit", {"original_message_id": "wamid.x", "message": inner}) == [
        Piece("wamid.1", Correction("wamid.x-c", "better"))
    ]


def test_what_was_taken_back_takes_its_caption_along() -> None:
    assert shown("revoke", {"original_message_id": "wamid.x"}) == [
        Piece("wamid.1", Retraction("wamid.x")),
        Piece("wamid.1-c", Retraction("wamid.x-c"), part_of="wamid.1"),
    ]


@pytest.mark.parametrize(
    ("written", "says", "code"),
    [
        (message("hologram", {"a": 1}), "hologram", 0),
        (message("interactive"), "interactive", 0),
        (message("interactive", {"type": "call_permission_reply"}), "call_permission_reply", 0),
        (message("text", {"body": " "}), "text", 0),
        (message("image", {}), "image", 0),
        (message("edit", {"original_message_id": "x"}), "edit", 0),
        (message(""), "?", 0),
        (message("unsupported", {"type": "poll_creation"}), "poll_creation", 0),
        (
            message("unsupported", errors=[{"code": 131051, "error_data": {"details": "not supported"}}]),
            "unsupported: not supported",
            131051,
        ),
        (
            message("unsupported", errors=[{"code": 131060, "message": "unavailable"}]),
            "unsupported: unavailable",
            131060,
        ),
    ],
)
def test_what_cannot_be_shown_is_a_placeholder(written: dict[str, Any], says: str, code: int) -> None:
    more = {key: one for key, one in written.items() if key not in ("type", written["type"])}
    (piece,) = shown(
        written["type"], written.get(written["type"], 0 if not written["type"] else None), **more
    )

    assert isinstance(piece.content, Placeholder)
    assert piece.content.text == f"[The client sent something that can’t be shown here: {says}]"
    assert piece.content.code == code


def test_agents_are_told_of_a_new_number_and_a_new_phone() -> None:
    new_number = message("system", {"type": "user_changed_number", "wa_id": "351920000000"})
    new_phone = message("system", {"type": "customer_identity_changed", "body": "x"})
    strange = message("system", {"type": "user_flew_away", "body": "User A flew away"})

    changes = [
        one for one in read(value(messages=[new_number, new_phone, strange])) if isinstance(one, SystemChange)
    ]

    assert [shown_change(change, "en") for change in changes] == [
        "The client has a new phone number: +351920000000",
        "The client uses WhatsApp on another phone now; please make sure who it is.",
        "User A flew away",
    ]


@given(
    st.sampled_from(sorted(shapes.BODIES)),
    st.dictionaries(st.text(max_size=12), st.text(max_size=5) | st.integers()),
)
def test_every_message_is_shown_somehow(type: str, body: dict[str, Any]) -> None:
    if type == "system":
        return
    pieces = shown(type, body)

    assert any(piece.id == "wamid.1" for piece in pieces)
    assert len({piece.id for piece in pieces}) == len(pieces)
    assert [piece.id for piece in pieces if not piece.part_of] == ["wamid.1"]


@pytest.mark.parametrize(
    ("given_name", "type", "name"),
    [
        ("", "", "x"),
        ("", "image/jpeg", "x.jpg"),
        ("../../etc/passwd", "", "passwd"),
        ("C:\\a\\b.pdf", "application/pdf", "b.pdf"),
        ("a\u202efdp.exe", "", "afdp.exe"),
        ("report", "application/pdf; x=1", "report.pdf"),
        (" .. ", "", "x"),
        ("\x00\n", "", "x"),
    ],
)
def test_names_of_files(given_name: str, type: str, name: str) -> None:
    assert name_file(given_name, type, fallback="x") == name


@given(st.text(max_size=400), st.text(max_size=10))
def test_names_fit_and_lead_nowhere(stem: str, extension: str) -> None:
    name = name_file(f"{stem}.{extension}", "", fallback="x")

    assert 0 < len(name.encode()) <= LONGEST
    assert "/" not in name
    assert "\\" not in name


@given(st.text(max_size=300))
def test_no_line_of_a_vcard_is_too_long_nor_gets_out(name: str) -> None:
    card = write_card(shapes.Card(name=shapes.CardName(formatted_name=name)))

    assert all(len(line.encode()) <= 75 for line in card.split("\r\n"))
    assert len(card.replace("\r\n ", "").splitlines()) >= 4
    assert [line for line in card.replace("\r\n ", "").split("\r\n") if line.startswith("END:")] == [
        "END:VCARD"
    ]
