"""What go-sendxmpp, the command of scripts and alarms, does with the server."""

from pathlib import Path

import aiohttp
import pytest

from tests.clients.conftest import OpenGoSendxmpp, SignIn
from tests.clients.running import Account


@pytest.mark.parametrize("direct_tls", [False, True], ids=["STARTTLS", "direct TLS"])
async def test_sends_a_message(
    sign_in: SignIn, go_sendxmpp: OpenGoSendxmpp, ana: Account, luis: Account, direct_tls: bool
) -> None:
    listener = await sign_in(luis)

    await go_sendxmpp(ana, direct_tls=direct_tls).send(luis.address, "disk almost full: 97 %")

    await listener.hears("disk almost full: 97 %", from_=ana.address)


async def test_prints_what_it_hears(
    sign_in: SignIn, go_sendxmpp: OpenGoSendxmpp, ana: Account, luis: Account
) -> None:
    talker = await sign_in(luis)
    talker.say(ana.address, "kept until you listen")

    async with go_sendxmpp(ana).listening() as printed:
        first = await printed.readline()
        talker.say(ana.address, "said while you listen")
        second = await printed.readline()

    assert f"{luis.address}: kept until you listen" in first.decode()
    assert f"{luis.address}: said while you listen" in second.decode()


async def test_uploads_a_file_that_the_other_downloads(
    sign_in: SignIn,
    go_sendxmpp: OpenGoSendxmpp,
    web: aiohttp.ClientSession,
    ana: Account,
    luis: Account,
    tmp_path: Path,
) -> None:
    listener = await sign_in(luis)
    report = tmp_path / "report.txt"
    report.write_text("todo en orden\n" * 1000)

    await go_sendxmpp(ana).upload(luis.address, report)

    async with web.get(await listener.hears_a_link()) as response:
        assert await response.text() == report.read_text()
