"""A real server and other people's clients, made for each test and taken away after it."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.clients.go_sendxmpp import GoSendxmpp
from tests.clients.profanity import Profanity
from tests.clients.running import Account, RunningServer
from tests.clients.slixmpp_client import Slixmpp

SignIn = Callable[..., Awaitable[Slixmpp]]
OpenProfanity = Callable[[Account], Awaitable[Profanity]]
OpenGoSendxmpp = Callable[..., GoSendxmpp]

# More pairs than there are tests: each one meets an ana and a luis without a past.
PAIRS = 60
PEOPLE = [
    Account(f"{name}{n}@localhost", f"pässword of {name} {n}")
    for n in range(PAIRS)
    for name in ("ana", "luis")
]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path_factory.mktemp("imserver"))
    server.import_accounts(PEOPLE)
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture
def server(shared_server: RunningServer) -> Iterator[RunningServer]:
    """The server all tests share; a test that fails shows what it logged meanwhile."""
    before = shared_server.log.stat().st_size
    yield shared_server
    print(shared_server.log.read_bytes()[before:].decode())


@pytest.fixture(scope="session")
def newcomers() -> Iterator[Account]:
    return iter(PEOPLE)


@pytest.fixture
def pair(newcomers: Iterator[Account]) -> tuple[Account, Account]:
    return next(newcomers), next(newcomers)


@pytest.fixture
def ana(pair: tuple[Account, Account]) -> Account:
    return pair[0]


@pytest.fixture
def luis(pair: tuple[Account, Account]) -> Account:
    return pair[1]


@pytest.fixture
async def sign_in(server: RunningServer) -> AsyncIterator[SignIn]:
    """Sign in with slixmpp: `await sign_in(ana, "phone")`."""
    clients: list[Slixmpp] = []

    async def open_one(account: Account, *arguments: Any, **options: Any) -> Slixmpp:
        client = Slixmpp(account, server, *arguments, **options)
        clients.append(client)
        await client.sign_in()
        return client

    yield open_one
    await asyncio.gather(*(client.leave() for client in clients))


@pytest.fixture
async def profanity(server: RunningServer, tmp_path: Path) -> AsyncIterator[OpenProfanity]:
    """Sign in with Profanity: `await profanity(ana)`."""
    needs("profanity")
    clients: list[Profanity] = []
    homes = (tmp_path / f"profanity{n}" for n in itertools.count())

    async def open_one(account: Account) -> Profanity:
        client = await Profanity.sign_in(account, server, next(homes))
        clients.append(client)
        return client

    yield open_one
    for client in clients:
        await client.close()


@pytest.fixture
def go_sendxmpp(server: RunningServer) -> OpenGoSendxmpp:
    """Use go-sendxmpp: `await go_sendxmpp(ana).send(to, text)`."""
    needs("go-sendxmpp")
    return lambda account, **options: GoSendxmpp(account, server, **options)


@pytest.fixture
async def web(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    """A web client that trusts the server's certificate."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=server.ca)) as session:
        yield session


def needs(package: str) -> None:
    if shutil.which(package) is None:
        pytest.skip(f"{package} is not installed (Debian and Ubuntu: apt install {package})")
