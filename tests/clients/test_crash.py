"""The server dies in the middle of a conversation, and nobody loses a word."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import OpenProfanity, SignIn
from tests.clients.running import Account, RunningServer


@pytest.fixture
def server(tmp_path: Path, ana: Account, luis: Account) -> Iterator[RunningServer]:
    """A server of one's own, that may be killed."""
    server = RunningServer(tmp_path)
    server.add_account(ana)
    server.add_account(luis)
    server.start()
    yield server
    server.stop()
    print(server.log.read_text())


async def test_after_a_crash_both_find_their_history(
    server: RunningServer, profanity: OpenProfanity, sign_in: SignIn, ana: Account, luis: Account
) -> None:
    ana_screen, luis_client = await profanity(ana), await sign_in(luis)
    await ana_screen.open_chat(luis.address)
    ana_screen.enter("will this be remembered?")
    await luis_client.hears("will this be remembered?")
    luis_client.say(ana.address, "always")
    await ana_screen.shows(": always")

    server.kill_hard()
    await luis_client.happens("disconnected")
    await ana_screen.close()
    await asyncio.to_thread(server.start)

    ana_screen, luis_client = await profanity(ana), await sign_in(luis, "new phone")
    assert await luis_client.history(ana.address) == ["will this be remembered?", "always"]
    await ana_screen.open_chat(luis.address)
    await ana_screen.shows("me: will this be remembered?")
    await ana_screen.shows(": always")
