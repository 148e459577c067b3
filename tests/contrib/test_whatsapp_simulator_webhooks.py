"""contrib/whatsapp_simulator: how the webhook is told, and how that goes wrong."""

import json
from itertools import pairwise

import pytest
from aiohttp import ClientSession

from contrib.whatsapp_simulator import DAY, HEADER, Closed, Mischief, NotVerified, Pace, Signing, signature
from tests.contrib.whatsapp_office import ANA, office


async def test_a_message_is_told_in_the_shape_of_the_cloud_api() -> None:
    async with office() as at:
        wamid = await at.simulator.customer(ANA, name="Ana").writes("Olá")

        (envelope,) = at.webhook.envelopes
        (entry,) = envelope["entry"]
        (change,) = entry["changes"]
        user_id = change["value"]["contacts"][0]["user_id"]
        assert envelope["object"] == "whatsapp_business_account"
        assert change == {
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "351210000000", "phone_number_id": "1122334455667"},
                "contacts": [{"profile": {"name": "Ana"}, "wa_id": "351910000000", "user_id": user_id}],
                "messages": [
                    {
                        "from": "351910000000",
                        "from_user_id": user_id,
                        "id": wamid,
                        "timestamp": "1790000000",
                        "type": "text",
                        "text": {"body": "Olá"},
                    }
                ],
            },
        }


async def test_what_is_not_ascii_goes_escaped() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).writes("Olá 🌊")

        assert rb'"body":"Ol\u00e1 \ud83c\udf0a"' in at.webhook.bodies[0]


async def test_a_webhook_that_does_not_know_the_token_is_not_verified() -> None:
    async with office() as at:
        with pytest.raises(NotVerified, match="answered 403"):
            await at.simulator.subscribe(at.webhook.url, "another")

        await at.simulator.customer(ANA).writes("Is there anybody?")
        assert at.webhook.messages == []


async def test_a_webhook_that_is_not_there_is_not_verified() -> None:
    async with office() as at:
        with pytest.raises(NotVerified, match="cannot be reached"):
            await at.simulator.subscribe("http://127.0.0.1:9/webhook")


@pytest.mark.parametrize("signing", [Signing.WRONG, Signing.MISSING, Signing.REWRITTEN])
async def test_wrong_signatures_are_told_again_until_they_are_right(signing: Signing) -> None:
    async with office(mischief=Mischief(signing=signing)) as at:
        await at.simulator.customer(ANA).writes("Olá")
        assert (at.webhook.refused, at.webhook.messages) == (1, [])

        at.simulator.mischief.signing = Signing.GOOD
        await at.simulator.clock.passes(5)

        assert [message["text"]["body"] for message in at.webhook.messages] == ["Olá"]


async def test_a_refusal_is_followed_by_retries_that_become_rarer_for_seven_days() -> None:
    async with office() as at:
        at.webhook.answers = [500] * 100
        await at.simulator.customer(ANA).writes("Hello?")

        await at.simulator.clock.passes(9 * DAY)

        (delivery,) = at.simulator.deliveries
        times = [attempt.at - delivery.began for attempt in delivery.attempts]
        waits = [after - before for before, after in pairwise(times)]
        assert waits == sorted(waits)
        assert 6 * DAY < times[-1] <= 7 * DAY
        assert len(set(at.webhook.bodies)) == 1


async def test_a_retry_ends_with_200() -> None:
    async with office() as at:
        at.webhook.answers = [500, 200]
        await at.simulator.customer(ANA).writes("Hello?")

        await at.simulator.clock.passes(DAY)

        assert len(at.webhook.bodies) == 2
        assert at.simulator.deliveries[0].is_done


async def test_updates_held_together_come_in_one_body() -> None:
    async with office() as at:
        ana, rui = at.simulator.customer(ANA), at.simulator.customer("+351910000002")
        async with at.simulator.holding(together=True, entries=2):
            for text in ("1", "2", "3"):
                await ana.writes(text)
            await at.business.writes("4")
            await at.simulator.settled()
            await rui.writes("5")

        (envelope,) = at.webhook.envelopes
        assert len(envelope["entry"]) == 2
        assert [message["text"]["body"] for message in at.webhook.messages] == ["1", "2", "3", "5"]
        assert at.webhook.statuses == ["sent", "delivered"]


async def test_updates_within_some_seconds_share_a_body() -> None:
    async with office(mischief=Mischief(batch_seconds=1)) as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("1")
        await ana.writes("2")
        assert at.webhook.bodies == []

        await at.simulator.clock.passes(1)

        assert len(at.webhook.bodies) == 1
        assert len(at.webhook.messages) == 2


async def test_more_than_a_thousand_updates_need_two_bodies() -> None:
    async with office(mischief=Mischief(rates=False)) as at:
        ana = at.simulator.customer(ANA)
        async with at.simulator.holding(together=True):
            for number in range(1001):
                await ana.writes(str(number))

        assert len(at.webhook.bodies) == 2
        assert len(at.webhook.messages) == 1001


async def test_a_body_has_at_most_three_megabytes() -> None:
    async with office(mischief=Mischief(rates=False)) as at:
        ana = at.simulator.customer(ANA)
        async with at.simulator.holding(together=True):
            for _ in range(900):
                await ana.writes("x" * 4096)

        assert [len(body) <= 3_000_000 for body in at.webhook.bodies] == [True, True]
        assert len(at.webhook.messages) == 900


async def test_duplicates_come_in_an_envelope_of_their_own() -> None:
    async with office(mischief=Mischief(duplicates=2)) as at:
        ana = at.simulator.customer(ANA)
        async with at.simulator.holding(together=True):
            await ana.writes("1")
            await ana.writes("2")

        assert len(at.webhook.bodies) == 5
        assert sorted(message["text"]["body"] for message in at.webhook.messages) == ["1"] * 3 + ["2"] * 3


async def test_disorder_lets_updates_overtake_each_other() -> None:
    async with office(mischief=Mischief(disorder_seconds=10)) as at:
        ana = at.simulator.customer(ANA)
        for number in range(20):
            await ana.writes(str(number))
        await at.simulator.clock.passes(10)

        said = [int(message["text"]["body"]) for message in at.webhook.messages]
        assert said != sorted(said)
        assert sorted(said) == list(range(20))


async def test_held_updates_can_be_told_backwards() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        async with at.simulator.holding(backwards=True):
            await at.business.writes("Bom dia")
            await at.simulator.settled()
            await ana.reads()

        assert at.webhook.statuses == ["read", "delivered", "sent"]


async def test_a_status_can_overtake_the_answer() -> None:
    async with office(mischief=Mischief(status_first=True), pace=Pace(sent=1, delivered=1)) as at:
        await at.simulator.customer(ANA).writes("Olá")
        await at.business.writes("Bom dia")

        assert at.webhook.statuses == ["sent"]
        await at.simulator.clock.passes(10)
        assert at.webhook.statuses == ["sent", "delivered"]


async def test_anything_can_be_posted_signed() -> None:
    async with office() as at:
        await at.simulator.posts(b'{"object":"whatsapp_business_account","entry":"nonsense"}')

        assert at.webhook.envelopes == [{"object": "whatsapp_business_account", "entry": "nonsense"}]


async def test_other_fields_are_told_too() -> None:
    async with office() as at:
        await at.simulator.tells({"event": "ACCOUNT_UPDATE"}, field="account_update")

        (change,) = at.webhook.envelopes[0]["entry"][0]["changes"]
        assert change == {"value": {"event": "ACCOUNT_UPDATE"}, "field": "account_update"}


async def test_the_signature_is_one_of_the_raw_bytes() -> None:
    body = json.dumps({"text": "é"}).encode()

    assert signature("s", body) != signature("s", json.dumps({"text": "é"}, ensure_ascii=False).encode())
    assert HEADER == "X-Hub-Signature-256"


async def test_an_app_can_be_subscribed_by_graph() -> None:
    async with office() as at, ClientSession(headers={"Authorization": "Bearer access-token"}) as http:
        path = f"{at.simulator.url}/v26.0/{at.simulator.account.id}/subscribed_apps"
        async with http.delete(path) as answer:
            assert answer.status == 200
        assert (await at.business.gets(f"{at.simulator.account.id}/subscribed_apps"))[1] == {"data": []}
        wrong = {"override_callback_uri": at.webhook.url, "verify_token": "wrong"}
        async with http.post(path, json=wrong) as answer:
            assert (await answer.json())["error"]["code"] == 2200
        right = {"override_callback_uri": at.webhook.url, "verify_token": "verify-token"}
        async with http.post(path, json=right) as answer:
            assert await answer.json() == {"success": True}

        (app,) = (await at.business.gets(f"{at.simulator.account.id}/subscribed_apps"))[1]["data"]
        assert app["override_callback_uri"] == at.webhook.url


async def test_a_closed_window_can_be_told_later() -> None:
    async with office(mischief=Mischief(closed=Closed.LATER)) as at:
        at.simulator.customer(ANA)
        await at.business.writes("Hello?", biz_opaque_callback_data="mine")
        await at.simulator.settled()

        (value,) = at.webhook.values
        (status,) = value["statuses"]
        assert "contacts" not in value
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131047)
        assert status["biz_opaque_callback_data"] == "mine"
        assert "pricing" not in status
