"""Two people with different programs do what the server is for, whole stories long."""

from pathlib import Path

import aiohttp

from tests.clients.conftest import OpenGoSendxmpp, OpenProfanity, SignIn
from tests.clients.running import Account


async def test_two_programs_meet_talk_and_type(
    profanity: OpenProfanity, sign_in: SignIn, ana: Account, luis: Account
) -> None:
    luis_client = await sign_in(luis)
    ana_screen = await profanity(ana)

    await ana_screen.befriend(luis.address)
    await ana_screen.shows(f"Received authorization request from {luis.address}")
    ana_screen.enter(f"/sub allow {luis.address}")
    await luis_client.sees_online(ana.address)
    await ana_screen.shows(f"++ {luis.address} (slixmpp) is online")

    await ana_screen.open_chat(luis.address)
    await ana_screen.shows(f"{luis.address} [online]")
    ana_screen.enter("hello, Luís")
    heard = await luis_client.hears("hello, Luís", from_=ana.address)
    luis_client.show_typing(heard["from"])
    await ana_screen.shows("(typing...)")
    luis_client.say(heard["from"], "hello, Ana 👋")
    await ana_screen.shows(": hello, Ana 👋")
    await ana_screen.no_longer_shows("(typing...)")

    ana_screen.type("let me see")
    await luis_client.sees_typing(ana.address)
    ana_screen.enter("")
    await luis_client.hears("let me see")

    luis_client.xmpp.send_presence(pshow="dnd")
    await ana_screen.shows(f"{luis.address} [dnd]")


async def test_a_script_alerts_a_person(
    profanity: OpenProfanity, go_sendxmpp: OpenGoSendxmpp, ana: Account, luis: Account
) -> None:
    ana_screen = await profanity(ana)

    await go_sendxmpp(luis).send(ana.address, "backup finished")

    await ana_screen.shows(f"<< chat message: {luis.address}")
    await ana_screen.open_chat(luis.address)
    await ana_screen.shows(": backup finished")


async def test_a_file_arrives_byte_by_byte(
    profanity: OpenProfanity,
    sign_in: SignIn,
    web: aiohttp.ClientSession,
    ana: Account,
    luis: Account,
    tmp_path: Path,
) -> None:
    luis_client = await sign_in(luis)
    ana_screen = await profanity(ana)
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000)

    await ana_screen.open_chat(luis.address)
    ana_screen.enter(f"/sendfile {picture}")

    await ana_screen.shows("me: https://localhost:")
    async with web.get(await luis_client.hears_a_link()) as response:
        assert response.content_type == "image/png"
        assert await response.read() == picture.read_bytes()
