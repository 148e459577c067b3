"""contrib/whatsapp_simulator: what customers do, and what the webhook hears of it."""

import base64
import hashlib
from collections.abc import Awaitable, Callable

import pytest

from contrib.whatsapp_simulator import DAY, Account, BusinessNumber, Mischief, Pace, Person, Status
from contrib.whatsapp_simulator.samples import picture, voice_note
from tests.contrib.whatsapp_office import ANA, JSON, Business, Office, office

KINDS: dict[str, tuple[Callable[[Person], Awaitable[object]], JSON]] = {
    "reaction": (
        lambda one: one.reacts("wamid.x", "😮"),
        {"reaction": {"message_id": "wamid.x", "emoji": "😮"}},
    ),
    "reaction taken back": (
        lambda one: one.reacts("wamid.x", ""),
        {"reaction": {"message_id": "wamid.x", "emoji": ""}},
    ),
    "reaction taken back, other shape": (
        lambda one: one.reacts("wamid.x", "", removal_has_emoji=False),
        {"reaction": {"message_id": "wamid.x"}},
    ),
    "forwarded": (
        lambda one: one.forwards("News"),
        {"context": {"forwarded": True}, "text": {"body": "News"}},
    ),
    "forwarded often": (
        lambda one: one.forwards("News", often=True),
        {"context": {"frequently_forwarded": True}},
    ),
    "location": (lambda one: one.sends_location(1.5, -2), {"location": {"latitude": 1.5, "longitude": -2}}),
    "contacts": (
        lambda one: one.shares_contact("Rui Silva", "+351 92", wa_id="35192"),
        {
            "contacts": [
                {
                    "name": {"first_name": "Rui", "formatted_name": "Rui Silva", "last_name": "Silva"},
                    "phones": [{"phone": "+351 92", "type": "CELL", "wa_id": "35192"}],
                }
            ]
        },
    ),
    "order": (
        lambda one: one.orders(("TEA", 3, 30)),
        {
            "order": {
                "catalog_id": "354160437058781",
                "text": "",
                "product_items": [
                    {"product_retailer_id": "TEA", "quantity": 3, "item_price": 30, "currency": "EUR"}
                ],
            }
        },
    ),
    "form": (
        lambda one: one.fills_form({"size": 3}),
        {
            "type": "interactive",
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"size": 3}'},
            },
        },
    ),
    "unsupported": (
        lambda one: one.sends_unsupported("poll_creation"),
        {"type": "unsupported", "unsupported": {"type": "poll_creation"}},
    ),
    "unknown": (lambda one: one.sends_unknown("hologram"), {"type": "hologram", "hologram": {"depth": 3}}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_has_its_body(kind: str) -> None:
    doing, expected = KINDS[kind]
    async with office() as at:
        await doing(at.simulator.customer(ANA))

        message = at.webhook.last
        assert {key: message.get(key) for key in expected} == expected


async def test_an_unsupported_message_says_so() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_unsupported()

        assert at.webhook.last["errors"][0]["code"] == 131051


async def test_an_interactive_message_may_lack_its_body() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_bodiless_interactive()

        assert at.webhook.last["type"] == "interactive"
        assert "interactive" not in at.webhook.last
        assert at.webhook.values[-1]["errors"][0]["code"] == 131000


async def test_somebody_comes_from_an_advertisement() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).comes_from_ad("Is there tea?")

        assert at.webhook.last["referral"]["source_type"] == "ad"
        assert at.webhook.last["text"] == {"body": "Is there tea?"}


async def test_a_file_is_described_and_can_be_fetched() -> None:
    content = picture(10, 10)
    async with office() as at:
        await at.simulator.customer(ANA).sends_image(content, caption="Look")

        image = at.webhook.last["image"]
        assert image["sha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert (image["caption"], image["mime_type"]) == ("Look", "image/png")
        async with at.business.http.get(image["url"]) as answer:
            assert await answer.read() == content


async def test_a_damaged_file_does_not_match_its_checksum() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_image(picture(10, 10))
        image = at.webhook.last["image"]
        at.simulator.damages(image["id"])

        async with at.business.http.get(image["url"]) as answer:
            content = await answer.read()
        assert base64.b64encode(hashlib.sha256(content).digest()).decode() != image["sha256"]


async def test_a_voice_note_is_one() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_voice(voice_note(1))

        assert at.webhook.last["audio"]["voice"] is True
        assert at.webhook.last["audio"]["mime_type"] == "audio/ogg; codecs=opus"


async def test_an_album_is_something_unsupported_and_then_its_pictures() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_album([picture(9, 9), picture(8, 8)])

        assert [message["type"] for message in at.webhook.messages] == ["unsupported", "image", "image"]


async def test_a_reply_says_what_it_replies_to() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        wamid = await at.business.writes("Bom dia")
        await ana.writes("Igualmente", reply_to=wamid)

        assert at.webhook.last["context"] == {"from": "351210000000", "id": wamid}


async def test_what_was_sent_is_edited_and_revoked() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        wamid = await ana.writes("Ola")
        await ana.edits(wamid, "Olá")
        edit = at.webhook.last["edit"]
        await ana.revokes(wamid)

        assert edit == {"original_message_id": wamid, "message": {"type": "text", "text": {"body": "Olá"}}}
        assert at.webhook.last["revoke"] == {"original_message_id": wamid}


async def test_who_has_a_username_shows_no_phone_number_until_written_to_by_it() -> None:
    async with office() as at:
        carmen = at.simulator.customer(ANA, name="Carmen", username="carmen")
        await carmen.writes("Hola")
        hidden = at.webhook.values[-1]
        await at.business.writes("Buenos días", to=ANA)
        await carmen.writes("Gracias")
        shown = at.webhook.last
        await at.simulator.clock.passes(31 * DAY)
        await carmen.writes("Hola otra vez")

        assert "from" not in hidden["messages"][0]
        assert hidden["contacts"][0] == {
            "profile": {"name": "Carmen", "username": "carmen"},
            "user_id": carmen.customer.user_id,
        }
        assert shown["from"] == "351910000000"
        assert "from" not in at.webhook.last


async def test_a_changed_number_comes_without_contacts_and_brings_a_new_user_id() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        before = ana.customer.user_id
        await ana.changes_number("+351920000000")

        number, user = at.webhook.values[-2:]
        assert "contacts" not in number
        assert number["messages"][0]["from"] == "351910000000"
        assert number["messages"][0]["system"]["wa_id"] == "351920000000"
        assert "from" not in user["messages"][0]
        assert user["messages"][0]["system"]["previous_user_id"] == before
        await ana.writes("Sou eu")
        assert at.webhook.last["from"] == "351920000000"


async def test_a_new_identity_is_told() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).changes_identity()

        assert at.webhook.last["system"]["type"] == "customer_identity_changed"
        assert at.webhook.last["identity"]["acknowledged"] is True


async def test_the_phone_app_is_echoed_and_does_not_open_the_window() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        wamid = await at.simulator.app_writes(ana, "Já vai")
        await at.simulator.app_revokes(ana, wamid)

        (change,) = at.webhook.envelopes[0]["entry"][0]["changes"]
        (echo,) = change["value"]["message_echoes"]
        assert change["field"] == "smb_message_echoes"
        assert (echo["from"], echo["to"], echo["text"]) == (
            "351210000000",
            "351910000000",
            {"body": "Já vai"},
        )
        assert at.webhook.values[-1]["message_echoes"][0]["revoke"] == {"original_message_id": wamid}
        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 131047


# What becomes of what the business sends


async def _answered(at: Office) -> tuple[Person, Business]:
    ana = at.simulator.customer(ANA)
    await ana.writes("Olá")
    return ana, at.business


async def test_a_message_is_sent_delivered_and_read() -> None:
    async with office() as at:
        ana, business = await _answered(at)
        wamid = await business.writes("Bom dia", biz_opaque_callback_data="mine")
        assert (await ana.receives("Bom dia")).id == wamid
        await at.simulator.settled()
        await ana.reads()

        last = at.webhook.values[-1]
        assert at.webhook.statuses == ["sent", "delivered", "read"]
        assert last["contacts"][0]["wa_id"] == "351910000000"
        assert last["statuses"][0]["id"] == wamid
        assert last["statuses"][0]["biz_opaque_callback_data"] == "mine"
        assert last["statuses"][0]["recipient_user_id"] == ana.customer.user_id
        assert "conversation" not in last["statuses"][0]


async def test_read_at_once_may_skip_delivered() -> None:
    async with office(mischief=Mischief(skips_delivered=True)) as at:
        ana, business = await _answered(at)
        await business.writes("Bom dia")
        await at.simulator.settled()
        await ana.reads()

        assert at.webhook.statuses == ["sent", "read"]


async def test_statuses_have_their_pace() -> None:
    async with office(pace=Pace(sent=1, delivered=2, read=3)) as at:
        _, business = await _answered(at)
        await business.writes("Bom dia")

        for seconds, statuses in (
            (1, ["sent"]),
            (2, ["sent", "delivered"]),
            (3, ["sent", "delivered", "read"]),
        ):
            await at.simulator.clock.passes(seconds)
            assert at.webhook.statuses == statuses


async def test_a_phone_that_is_off_gets_it_later() -> None:
    async with office() as at:
        ana, business = await _answered(at)
        ana.goes_offline()
        await business.writes("Bom dia")
        await at.simulator.settled()
        assert at.webhook.statuses == ["sent"]

        await ana.goes_online()

        assert at.webhook.statuses == ["sent", "delivered"]


async def test_a_reaction_is_only_sent() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        wamid = await ana.writes("Olá")
        await at.business.sends("reaction", {"message_id": wamid, "emoji": "👍"})
        await at.simulator.settled()
        await ana.reads()

        assert at.webhook.statuses == ["sent"]
        assert list(at.simulator.message(wamid).reactions.values()) == ["👍"]


async def test_a_voice_note_is_played() -> None:
    async with office() as at:
        ana, business = await _answered(at)
        _, uploaded = await business.uploads(voice_note(1), "audio/ogg")
        wamid = await business.sends("audio", {"id": uploaded["id"], "voice": True})
        await at.simulator.settled()
        await ana.plays()

        assert at.simulator.message(wamid).status is Status.PLAYED
        assert at.webhook.statuses[-1] == "played"


async def test_a_status_never_goes_backwards() -> None:
    async with office(pace=Pace(delivered=5, read=0)) as at:
        ana, business = await _answered(at)
        wamid = await business.writes("Bom dia")
        await at.simulator.clock.passes(60)
        ana.goes_offline()
        await ana.goes_online()

        assert at.simulator.message(wamid).status is Status.READ
        assert at.webhook.statuses == ["sent", "delivered", "read"]


async def test_buttons_and_rows_are_pressed() -> None:
    buttons = [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]
    rows = [{"rows": [{"id": "r", "title": "Row", "description": "One"}]}]
    async with office() as at:
        ana, business = await _answered(at)
        asked = await business.sends(
            "interactive", {"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}
        )
        await ana.presses(asked, "Yes")
        assert at.webhook.last["interactive"] == {
            "type": "button_reply",
            "button_reply": {"id": "y", "title": "Yes"},
        }
        assert at.webhook.last["context"]["id"] == asked

        listed = await business.sends(
            "interactive",
            {"type": "list", "body": {"text": "?"}, "action": {"button": "Show", "sections": rows}},
        )
        await ana.presses(listed, "r")
        assert at.webhook.last["interactive"]["list_reply"] == {
            "id": "r",
            "title": "Row",
            "description": "One",
        }
        with pytest.raises(LookupError, match="no button"):
            await ana.presses(listed, "nothing")


async def test_reading_and_typing_are_seen_by_the_customer() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        wamid = await ana.writes("Olá")
        mark = {"status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}}

        assert await at.business.posts(mark) == (200, {"success": True})
        assert (ana.sees_typing, at.simulator.message(wamid).is_read) == (True, True)
        await at.simulator.clock.passes(25)
        assert not ana.sees_typing
        await at.business.posts(mark)
        await at.business.writes("Bom dia")
        assert not ana.sees_typing


async def test_only_what_came_before_is_read_with_a_message() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        wamids = [await ana.writes(text) for text in ("1", "2", "3")]
        await at.business.posts({"status": "read", "message_id": wamids[1]})

        assert [at.simulator.message(wamid).is_read for wamid in wamids] == [True, True, False]


async def test_several_numbers_are_several_chats() -> None:
    numbers = (BusinessNumber("1122334455667"), BusinessNumber("222", "351220000000", "Porto"))
    async with office(account=Account(numbers=numbers)) as at:
        await at.simulator.customer(ANA, number="222").writes("Olá, Porto")

        assert at.webhook.values[0]["metadata"] == {
            "display_phone_number": "351220000000",
            "phone_number_id": "222",
        }
        assert (await at.business.is_refused("text", {"body": "Lisboa?"}))[0] == 131047


async def test_before_version_24_statuses_name_a_conversation() -> None:
    async with office(account=Account(version="23.0")) as at:
        _, business = await _answered(at)
        await business.writes("Bom dia")
        await at.simulator.settled()

        sent, delivered = (value["statuses"][0]["conversation"] for value in at.webhook.values[-2:])
        assert "expiration_timestamp" in sent
        assert delivered == {key: sent[key] for key in ("id", "origin")}


async def test_somebody_who_receives_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contrib.whatsapp_simulator.person.PATIENCE", 0.01)
    async with office() as at:
        with pytest.raises(AssertionError, match="received nothing"):
            await at.simulator.customer(ANA).receives()
