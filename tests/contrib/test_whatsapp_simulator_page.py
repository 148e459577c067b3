"""contrib/whatsapp_simulator: the page like a phone, and the command that shows it."""

import asyncio
import re
import sys
from pathlib import Path

import aiohttp
import pytest

import contrib.whatsapp_simulator
from contrib.whatsapp_simulator import RunningClock, Signing, simulated
from contrib.whatsapp_simulator.__main__ import fill, read_options
from contrib.whatsapp_simulator.phone_actions import PERSON_ACTS
from contrib.whatsapp_simulator.samples import picture, voice_note
from tests.contrib.whatsapp_office import ANA, JSON, Office, office

PAGE = Path(contrib.whatsapp_simulator.__file__).with_name("page")


async def _act(at: Office, name: str, said: JSON) -> int:
    async with at.business.http.post(f"{at.simulator.url}/phone/act/{name}", json=said) as answer:
        return answer.status


async def _state(at: Office) -> JSON:
    async with at.business.http.get(f"{at.simulator.url}/phone/state?customer=1") as answer:
        state: JSON = await answer.json()
        return state


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() -> None:
    async with office() as at, at.business.http.get(at.simulator.url) as answer:
        page = await answer.text()

        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for name in re.findall(r'(?:src|href)="([^"]+)"', page):
            async with at.business.http.get(at.simulator.url + name) as file:
                assert file.status == 200
    for file_name in PAGE.iterdir():
        content = file_name.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org)", content)
        assert "innerHTML" not in content
        assert " style=" not in content


async def test_what_a_customer_does_in_the_page_reaches_the_webhook() -> None:
    async with office() as at:
        assert await _act(at, "meet", {"phone": ANA, "name": "Ana"}) == 200
        assert await _act(at, "write", {"customer": "1", "text": "Olá <b>"}) == 200
        for sample in (
            "picture",
            "voice",
            "location",
            "sticker",
            "document",
            "contact",
            "order",
            "album",
            "unknown",
        ):
            assert await _act(at, sample, {"customer": "1"}) == 200

        state = await _state(at)
        assert at.webhook.messages[0]["text"]["body"] == "Olá <b>"
        assert len(state["chat"]["messages"]) == len(at.webhook.messages) == 12
        assert state["chat"]["is_open"]


async def test_the_page_shows_what_the_business_sends() -> None:
    async with office() as at:
        fill(at.simulator)
        ana = at.simulator.person(at.simulator.world.chats.customers[0])
        await ana.writes("Olá")
        parameters = [{"type": "text", "text": "Ana"}]
        hello = {
            "name": "hello",
            "language": {"code": "pt_PT"},
            "components": [{"type": "body", "parameters": parameters}],
        }
        await at.business.sends("template", hello, to=ana.customer.phone)
        at.simulator.fails_next(131026, later=True)
        await at.business.writes("Não chega", to=ana.customer.phone)
        await at.simulator.settled()

        _, template, failed = (await _state(at))["chat"]["messages"]
        assert template["text"] == "Olá Ana, ainda podemos ajudar?"
        assert [button["title"] for button in template["buttons"]] == ["Sim", "Não"]
        assert (failed["status"], failed["error"]["code"]) == ("failed", 131026)


@pytest.mark.parametrize("name", PERSON_ACTS)
async def test_whatever_a_customer_does_can_be_shown(name: str) -> None:
    buttons = [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]
    question = {"type": "button", "body": {"text": "Tea?"}, "action": {"buttons": buttons}}
    async with office() as at:
        own = await at.simulator.customer(ANA).writes("Olá")
        asked = await at.business.sends("interactive", question)
        target = asked if name in ("press", "play") else own
        said = {
            "id": target,
            "to": asked,
            "emoji": "👍",
            "button": "y",
            "text": "?",
            "phone": "+351920000000",
            "name": "Bea",
        }

        assert await _act(at, name, said | {"customer": "1"}) == 200
        assert (await _state(at))["chat"]["messages"][1]["buttons"] == [{"id": "y", "title": "Yes"}]


async def test_the_page_switches_mischief_and_time() -> None:
    async with office() as at:
        before = at.simulator.clock.now()
        assert await _act(at, "mischief", {"signing": "wrong"}) == 200
        assert await _act(at, "mischief", {"duplicates": "2"}) == 200
        assert await _act(at, "pace", {"read": ""}) == 200
        assert await _act(at, "pass", {"seconds": 3600}) == 200

        assert at.simulator.mischief.signing is Signing.WRONG
        assert at.simulator.mischief.duplicates == 2
        assert at.simulator.pace.read is None
        assert at.simulator.clock.now() == before + 3600


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("write", {"customer": "404", "text": "?"}),
        ("meet", {"phone": "nobody"}),
        ("pass", {"seconds": -1}),
        ("mischief", {"nonsense": 1}),
        ("nonsense", {}),
    ],
)
async def test_what_cannot_be_is_refused(name: str, said: JSON) -> None:
    async with office() as at:
        assert await _act(at, name, said) == 400


async def test_a_file_from_the_page_becomes_a_message() -> None:
    async with office() as at:
        at.simulator.customer(ANA)
        form = aiohttp.FormData({"customer": "1", "caption": "Look"})
        form.add_field("file", picture(9, 9), filename="a.png", content_type="image/png")
        async with at.business.http.post(
            f"{at.simulator.url}/phone/file", data=form, headers={"Origin": at.simulator.url}
        ) as answer:
            assert answer.status == 200

        assert at.webhook.last["image"]["caption"] == "Look"
        (message,) = (await _state(at))["chat"]["messages"]
        async with at.business.http.get(at.simulator.url + message["media"]["url"]) as shown:
            assert await shown.read() == picture(9, 9)
            assert "sandbox" in shown.headers["Content-Security-Policy"]


async def test_a_page_in_a_file_is_saved_not_shown() -> None:
    async with office() as at:
        await at.simulator.customer(ANA).sends_document(b"<script>", mime_type="text/html", filename="a.html")
        (message,) = (await _state(at))["chat"]["messages"]

        async with at.business.http.get(at.simulator.url + message["media"]["url"]) as shown:
            assert shown.content_type == "application/octet-stream"
            assert shown.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
async def test_pages_from_elsewhere_may_not_ask(headers: dict[str, str]) -> None:
    async with (
        office() as at,
        at.business.http.get(f"{at.simulator.url}/phone/state", headers=headers) as answer,
    ):
        assert answer.status == 403


async def test_changes_are_told_as_they_happen() -> None:
    async with office() as at, at.business.http.get(f"{at.simulator.url}/phone/changes") as stream:
        assert await stream.content.readline() == b"data: changed\n"
        await stream.content.readline()
        await at.simulator.customer(ANA).writes("Olá")

        assert await asyncio.wait_for(stream.content.readline(), 10) == b"data: changed\n"


async def test_a_running_clock_can_be_put_forward() -> None:
    done: list[str] = []
    async with simulated(clock=RunningClock()) as simulator:
        simulator.clock.after(3600, lambda: done.append("an hour"))
        simulator.clock.after(0.01, lambda: done.append("soon"))
        await asyncio.sleep(0.1)
        assert done == ["soon"]

        await simulator.clock.passes(3600)

        assert done == ["soon", "an hour"]


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["--help"])

    said = capsys.readouterr().out
    assert "curl http://127.0.0.1:8600/v26.0/" in said
    assert "--webhook" in said


async def test_the_command_runs_until_it_is_told_to_stop() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "contrib.whatsapp_simulator", "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        first = (await process.stdout.readline()).decode()
        async with aiohttp.ClientSession() as http, http.get(first.split()[-1]) as answer:
            assert "<title>WhatsApp simulator</title>" in await answer.text()
    finally:
        process.terminate()
        status = await process.wait()

    assert status == 0


def test_a_voice_note_is_a_real_one() -> None:
    note = voice_note()

    # RFC 3533, 6 and RFC 7845, 5.1.
    assert note.startswith(b"OggS\0")
    assert b"OpusHead" in note[:64]
