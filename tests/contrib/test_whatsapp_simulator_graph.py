"""contrib/whatsapp_simulator: what Graph takes, and what it refuses in Meta's words."""

import aiohttp
import pytest

from contrib.whatsapp_simulator import DAY, Account, Mischief, TemplateStatus
from contrib.whatsapp_simulator.samples import document, picture
from tests.contrib.whatsapp_office import ANA, JSON, NUMBER, Office, office

BUTTON = {"type": "reply", "reply": {"id": "1", "title": "Yes"}}
QUESTION = {"type": "button", "body": {"text": "?"}}


@pytest.mark.parametrize(
    ("kind", "content", "code", "details"),
    [
        ("text", {}, 131008, "text['body']"),
        ("text", {"body": " "}, 131008, "text['body']"),
        ("text", {"body": "x" * 4097}, 100, "at most 4096 characters"),
        ("text", {"body": 3}, 100, "must be a string"),
        ("text", {"body": "x", "colour": "red"}, 100, 'Unexpected key "colour" on param "text"'),
        ("text", {"body": "x", "preview_url": "yes"}, 100, "must be a boolean"),
        ("text", "Hello", 100, "must be a JSON object"),
        ("image", {"id": "1", "link": "https://example.com/a.png"}, 131009, "Exactly one"),
        ("image", {}, 131009, "Exactly one"),
        ("image", {"link": "nonsense"}, 131009, "not a valid URL"),
        ("image", {"id": "404"}, 100, "not an uploaded media id"),
        ("image", {"link": "https://example.com/a.png", "caption": "x" * 1025}, 100, "at most 1024"),
        ("audio", {"link": "https://example.com/a.ogg", "caption": "x"}, 100, 'Unexpected key "caption"'),
        ("sticker", {"link": "https://example.com/a.webp", "caption": "x"}, 100, 'Unexpected key "caption"'),
        ("reaction", {"message_id": "wamid.nothing", "emoji": "👍"}, 131009, "not a message of this chat"),
        ("reaction", {"message_id": "wamid.x", "emoji": "ok"}, 131009, "one emoji"),
        ("location", {"latitude": 91, "longitude": 0}, 131009, "between -90 and 90"),
        ("location", {"latitude": "north", "longitude": 0}, 100, "must be a number"),
        ("contacts", [{"name": {"formatted_name": "Rui"}}], 131008, "first_name"),
        ("interactive", QUESTION | {"action": {"buttons": [BUTTON] * 4}}, 131009, "between 1 and 3"),
        ("interactive", QUESTION | {"action": {"buttons": [BUTTON] * 2}}, 131009, "not unique"),
        (
            "interactive",
            {"type": "list", "body": {"text": "?"}, "action": {"button": "B", "sections": []}},
            131009,
            "1",
        ),
        ("hologram", {}, 100, "must be one of"),
    ],
)
async def test_a_request_that_is_not_in_order_is_refused(
    kind: str, content: object, code: int, details: str
) -> None:
    async with office() as at:
        await at.simulator.customer(ANA).writes("Olá")
        found, said = await at.business.is_refused(kind, content)

        assert found == code
        assert details in said


@pytest.mark.parametrize("kind", ["location", "contacts", "interactive", "sticker", "document"])
async def test_every_other_kind_is_taken(kind: str) -> None:
    contents: dict[str, object] = {
        "location": {"latitude": 38.7, "longitude": "-9.1", "name": "Lisboa"},
        "contacts": [{"name": {"formatted_name": "Rui", "first_name": "Rui"}, "phones": [{"phone": "+351"}]}],
        "interactive": QUESTION | {"action": {"buttons": [BUTTON]}},
        "sticker": {"link": "https://example.com/a.webp"},
        "document": {"link": "https://example.com/a.pdf", "filename": "a.pdf", "caption": "Here"},
    }
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        await at.business.sends(kind, contents[kind])

        assert (await ana.receives()).kind == kind


async def test_an_error_has_metas_body() -> None:
    async with office() as at:
        status, answer = await at.business.posts({"to": ANA, "type": "text", "text": {"body": "?"}})

        trace = answer["error"].pop("fbtrace_id")
        assert status == 400
        assert trace
        assert answer["error"] == {
            "message": "(#131047) Re-engagement message",
            "type": "OAuthException",
            "code": 131047,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "Message failed to send because more than 24 hours have passed since the customer "
                "last replied to this number.",
            },
        }


async def test_the_product_and_the_recipient_have_to_be_named() -> None:
    async with office() as at:
        _, nameless = await at.business.posts({"type": "text", "text": {"body": "?"}})
        async with at.business.http.post(f"{at.simulator.url}/v26.0/{NUMBER}/messages", json={}) as answer:
            productless = await answer.json()

        assert nameless["error"]["message"] == "(#100) The parameter to is required."
        assert productless["error"]["message"] == "(#100) The parameter messaging_product is required."


async def test_what_is_no_json_is_refused() -> None:
    async with office() as at:
        path = f"{at.simulator.url}/v26.0/{NUMBER}/messages"
        async with at.business.http.post(path, data=b"{") as answer:
            assert (await answer.json())["error"]["code"] == 100


async def test_without_the_token_nothing_goes() -> None:
    async with office() as at, aiohttp.ClientSession() as stranger:
        path = f"{at.simulator.url}/v26.0/{NUMBER}"
        async with stranger.get(path) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (401, 190)
        async with stranger.get(path, headers={"Authorization": "Bearer guessed"}) as answer:
            assert answer.status == 401
        at.simulator.expires_token()
        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 190
        _, token = await at.business.gets("debug_token?input_token=access-token")
        assert token["error"]["code"] == 190


# Who it goes to


@pytest.mark.parametrize(
    ("written", "wa_id"),
    [
        ("+351 910 000 000", "351910000000"),
        ("+5531999990002", "553199990002"),
        ("+5511999990002", "5511999990002"),
        ("+525512345678", "5215512345678"),
        ("+541112345678", "5491112345678"),
    ],
)
async def test_the_answer_says_how_whatsapp_calls_the_number(written: str, wa_id: str) -> None:
    async with office() as at:
        someone = at.simulator.customer(written)
        await someone.writes("Oi")
        status, answer = await at.business.posts({"to": written, "type": "text", "text": {"body": "Oi"}})

        assert status == 200
        assert answer["contacts"] == [{"input": written, "wa_id": wa_id}]
        assert answer["messages"][0]["message_status"] == "accepted"
        assert at.webhook.messages[0]["from"] == wa_id
        assert len(at.simulator.sent_to(someone)) == 1


async def test_a_user_id_goes_into_recipient() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        user_id = ana.customer.user_id
        _, answer = await at.business.posts({"recipient": user_id, "type": "text", "text": {"body": "Olá"}})

        assert answer["contacts"] == [{"input": user_id, "user_id": user_id}]
        await ana.receives("Olá")


async def test_with_both_to_wins() -> None:
    async with office() as at:
        ana, rui = at.simulator.customer(ANA), at.simulator.customer("+351920000000")
        await ana.writes("Olá")
        await at.business.writes("Olá", to=ANA, recipient=rui.customer.user_id)

        assert (len(at.simulator.sent_to(ana)), len(at.simulator.sent_to(rui))) == (1, 0)


async def test_a_user_id_in_to_is_dropped_without_a_word() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        await at.business.writes("Olá", to=ana.customer.user_id)
        await at.simulator.settled()

        assert at.simulator.sent_to(ana) == []
        assert at.webhook.statuses == []


async def test_a_password_cannot_go_to_a_user_id() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        at.simulator.add_template("code", "{{1}} is your code", category="AUTHENTICATION")
        template = {"name": "code", "language": {"code": "pt_PT"}, "components": [_body("123")]}
        status, answer = await at.business.posts(
            {"recipient": ana.customer.user_id, "type": "template", "template": template}
        )

        assert (status, answer["error"]["code"]) == (400, 131062)


async def test_whoever_is_not_on_whatsapp_gets_nothing() -> None:
    async with office() as at:
        at.simulator.add_template("hello", "Olá")
        await at.business.sends(
            "template", {"name": "hello", "language": {"code": "pt_PT"}}, to="+351999999999"
        )
        await at.simulator.settled()

        (status,) = at.webhook.values[-1]["statuses"]
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)


async def test_an_account_on_trial_has_a_list_of_recipients() -> None:
    async with office(account=Account(allowed=frozenset({"+351920000000"}))) as at:
        await at.simulator.customer(ANA).writes("Olá")

        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 131030


# When


async def test_the_window_closes_after_24_hours_to_the_second() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).writes("Olá")
        await at.simulator.clock.passes(DAY - 1)
        await at.business.writes("Still here")
        await at.simulator.clock.passes(1)

        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 131047


async def test_one_person_gets_a_message_in_six_seconds_and_a_burst_is_borrowed() -> None:
    async with office(mischief=Mischief()) as at:
        await at.simulator.customer(ANA).writes("Olá")
        for _ in range(20):
            await at.business.writes("!")
        await at.simulator.clock.passes(6)
        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 131056

        await at.simulator.clock.passes(19 * 6)

        await at.business.writes("Now")


async def test_a_burst_ends_at_45() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).writes("Olá")
        for _ in range(45):
            await at.business.writes("!")

        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 131056


async def test_a_number_has_a_throughput() -> None:
    async with office() as at:
        people = [at.simulator.customer(f"+3519100000{number:02}") for number in range(40)]
        for person in people:
            await person.writes("Olá")
        for person in people:
            await at.business.writes("Olá", to=person.customer.phone)

        assert (await at.business.is_refused("text", {"body": "?"}))[0] == 130429
        await at.simulator.clock.passes(1)
        await at.business.writes("Olá", to=people[0].customer.phone)


# What goes wrong on demand


async def test_a_code_on_demand_at_once_or_later() -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        at.simulator.fails_next(131000)
        at.simulator.fails_next(131049, later=True)

        assert (await at.business.is_refused("text", {"body": "1"}))[0] == 131000
        await at.business.writes("2")
        await at.business.writes("3")
        await at.simulator.settled()

        assert at.webhook.statuses == ["failed", "sent", "delivered"]
        assert [message.text for message in at.simulator.sent_to(ana)] == ["2", "3"]


async def test_a_proxy_in_trouble_answers_no_json() -> None:
    async with office() as at:
        at.simulator.breaks_next(502)
        body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "?"}}
        async with at.business.http.post(f"{at.simulator.url}/v26.0/{NUMBER}/messages", json=body) as answer:
            assert (answer.status, answer.content_type) == (502, "text/html")


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_answer_that_is_lost_may_be_one_to_an_accepted_message(accepted: bool) -> None:
    async with office() as at:
        ana = at.simulator.customer(ANA)
        await ana.writes("Olá")
        at.simulator.loses_next_answer(accepted=accepted)
        with pytest.raises(aiohttp.ClientError):
            await at.business.writes("Bom dia")
        await at.simulator.settled()

        assert len(at.simulator.sent_to(ana)) == int(accepted)
        assert at.webhook.statuses == (["sent", "delivered"] if accepted else [])


# Files


async def test_a_file_is_uploaded_looked_up_fetched_and_deleted() -> None:
    content = picture(12, 12)
    async with office() as at:
        _, uploaded = await at.business.uploads(content, "image/png", "a.png")
        _, found = await at.business.gets(uploaded["id"])
        assert (found["mime_type"], found["file_size"]) == ("image/png", len(content))
        async with at.business.http.get(found["url"]) as answer:
            assert await answer.read() == content
        async with aiohttp.ClientSession() as stranger, stranger.get(found["url"]) as answer:
            assert answer.status == 401

        await at.simulator.clock.passes(5 * 60)
        async with at.business.http.get(found["url"]) as answer:
            assert answer.status == 404
        async with at.business.http.delete(f"{at.simulator.url}/v26.0/{uploaded['id']}") as answer:
            assert await answer.json() == {"success": True}
        assert (await at.business.gets(uploaded["id"]))[0] == 400


async def test_inbound_files_are_kept_for_seven_days_and_ours_for_thirty() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_image()
        _, uploaded = await at.business.uploads(picture(9, 9), "image/png")
        theirs, ours = at.webhook.last["image"]["id"], uploaded["id"]

        await at.simulator.clock.passes(7 * DAY - 1)
        assert (await at.business.gets(theirs))[0] == 200
        await at.simulator.clock.passes(1)
        assert (await at.business.gets(theirs))[0] == 400
        await at.simulator.clock.passes(22 * DAY)
        assert (await at.business.gets(ours))[0] == 200
        await at.simulator.clock.passes(DAY)
        assert (await at.business.gets(ours))[0] == 400


@pytest.mark.parametrize(
    ("content", "mime_type", "details"),
    [
        (b"GIF89a", "image/gif", "supported types"),
        (b"x" * (5 * 1024 * 1024 + 1), "image/png", "too large"),
        (b"", "image/png", "must not be empty"),
    ],
)
async def test_an_upload_has_rules(content: bytes, mime_type: str, details: str) -> None:
    async with office() as at:
        status, answer = await at.business.uploads(content, mime_type)

        assert status == 400
        assert details in answer["error"]["error_data"]["details"]


async def test_a_file_of_another_type_than_it_says_fails_later() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).writes("Olá")
        _, uploaded = await at.business.uploads(document(), "image/png")
        await at.business.sends("image", {"id": uploaded["id"]})
        await at.simulator.settled()

        assert at.webhook.values[-1]["statuses"][0]["errors"][0]["code"] == 131053


# Templates


def _body(*texts: str) -> JSON:
    return {"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}


async def _template(at: Office, *components: JSON, name: str = "order", language: str = "pt_PT") -> JSON:
    at.simulator.customer(ANA)
    _, answer = await at.business.posts(
        {
            "to": ANA,
            "type": "template",
            "template": {"name": name, "language": {"code": language}, "components": list(components)},
        }
    )
    return answer


async def test_a_template_is_rendered_outside_the_window() -> None:
    async with office() as at:
        at.simulator.add_template(
            "order", "Olá {{1}}, segue {{2}}.", header="A caminho", buttons=["Obrigado"]
        )
        press = {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "P"}],
        }
        answer = await _template(at, _body("Ana", "hoje"), press)
        ana = at.simulator.customer(ANA)
        message = await ana.receives(kind="template")
        await ana.presses(message.id, "Obrigado")

        assert answer["messages"][0]["id"] == message.id
        assert message.rendered["body"] == "Olá Ana, segue hoje."
        assert at.webhook.last["button"] == {"payload": "P", "text": "Obrigado"}
        assert at.webhook.last["context"]["id"] == message.id


async def test_a_template_with_a_picture_and_named_values() -> None:
    async with office() as at:
        at.simulator.add_template("order", "Olá {{name}}", header="IMAGE", named=True)
        header = {
            "type": "header",
            "parameters": [{"type": "image", "image": {"link": "https://example.com/a.png"}}],
        }
        body = {"type": "body", "parameters": [{"type": "text", "parameter_name": "name", "text": "Ana"}]}

        assert "messages" in await _template(at, header, body)
        assert (await _template(at, body))["error"]["code"] == 132000


async def test_a_file_in_a_header_has_to_be_there_too() -> None:
    async with office() as at:
        at.simulator.add_template("order", "Olá", header="IMAGE")
        header = {"type": "header", "parameters": [{"type": "image", "image": {"id": "404"}}]}

        assert "not an uploaded media id" in (await _template(at, header))["error"]["error_data"]["details"]


@pytest.mark.parametrize(
    ("components", "status", "code"),
    [
        ([], TemplateStatus.APPROVED, 132000),
        ([_body("1", "2")], TemplateStatus.APPROVED, 132000),
        ([_body("")], TemplateStatus.APPROVED, 132012),
        ([_body("two\nlines")], TemplateStatus.APPROVED, 132012),
        ([_body("x" * 1100)], TemplateStatus.APPROVED, 132005),
        ([_body("Ana")], TemplateStatus.PENDING, 132001),
        ([_body("Ana")], TemplateStatus.PAUSED, 132015),
        ([_body("Ana")], TemplateStatus.DISABLED, 132016),
    ],
)
async def test_a_template_is_refused(components: list[JSON], status: TemplateStatus, code: int) -> None:
    async with office() as at:
        at.simulator.add_template("order", "Olá {{1}}", status=status)

        assert (await _template(at, *components))["error"]["code"] == code


async def test_a_template_in_another_language_is_another_one() -> None:
    async with office() as at:
        at.simulator.add_template("order", "Olá")

        assert (await _template(at, language="en"))["error"]["code"] == 132001


async def test_templates_are_listed_by_pages() -> None:
    async with office() as at:
        for number in range(5):
            at.simulator.add_template(f"template_{number}", "Olá {{1}}")
        path, names, pages = f"{at.simulator.account.id}/message_templates?limit=2&fields=name,status", [], 0
        while path:
            _, answer = await at.business.gets(path)
            names += [template["name"] for template in answer["data"]]
            path = answer["paging"].get("next", "").removeprefix(f"{at.simulator.url}/v26.0/")
            pages += 1

        assert names == [f"template_{number}" for number in range(5)]
        assert pages == 3


async def test_a_paused_template_is_told() -> None:
    async with office() as at:
        template = at.simulator.add_template("order", "Olá")
        await at.simulator.changes_template(template, TemplateStatus.PAUSED)

        (change,) = at.webhook.envelopes[0]["entry"][0]["changes"]
        assert change["field"] == "message_template_status_update"
        assert change["value"]["event"] == "PAUSED"
        assert change["value"]["message_template_name"] == "order"


# The account


async def test_what_a_check_of_the_setup_asks_is_answered() -> None:
    async with office() as at:
        account = at.simulator.account
        _, number = await at.business.gets(f"{NUMBER}?fields=verified_name,status")
        _, numbers = await at.business.gets(f"{account.id}/phone_numbers")
        _, token = await at.business.gets("debug_token?input_token=access-token")
        _, wrong = await at.business.gets("debug_token?input_token=another")
        _, subscriptions = await at.business.gets(f"{account.app_id}/subscriptions")

        assert number == {"verified_name": "Casa do Chá", "status": "CONNECTED", "id": NUMBER}
        assert [one["id"] for one in numbers["data"]] == [NUMBER]
        assert "whatsapp_business_messaging" in token["data"]["scopes"]
        assert (token["data"]["is_valid"], wrong["data"]["is_valid"]) == (True, False)
        assert subscriptions["data"][0]["callback_url"] == at.webhook.url


@pytest.mark.parametrize("path", ["404", "404/message_templates", "404/subscribed_apps", "404/nonsense"])
async def test_what_is_not_ours_is_not_there(path: str) -> None:
    async with office() as at:
        status, answer = await at.business.gets(path)

        assert (status, answer["error"]["code"], answer["error"].get("error_subcode")) == (400, 100, 33)
