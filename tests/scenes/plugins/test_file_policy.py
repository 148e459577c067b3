"""Which files may be sent, as clients and agents see it: refused at the slot, at the PUT, and told in the chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.plugins.file_policy.clamd import running_clamd
from tests.plugins.file_policy.files import EICAR, GOOD, PNG, PROGRAM, zipped
from tests.scenes.actors import Actor, staged
from tests.scenes.desk.conftest import SUPPORT, DeskStage, attends, bodies, heard, on_stage, says
from tests.scenes.test_http_upload import (
    SERVICE,
    UPLOAD,
    Http,
    condition,
    refusal,
    request,
    slot,
    stored,
    text,
)

QUEUE = "support@desk.localhost"
TYPE = "application/octet-stream"


class FileStage:
    """A desk with a policy for files; luis is a client, ana and eva are agents."""

    def __init__(self, stage: DeskStage, http: Http) -> None:
        self.stage = stage
        self.http = http

    async def puts(self, actor: Actor, name: str, content: bytes) -> tuple[int, str]:
        """Ask for a slot, and upload; return the status and what was said."""
        url = await slot(actor, name, len(content), TYPE)
        status, _, said = await self.http("PUT", url, content, {"Content-Type": TYPE})
        if status != 201:  # the slot is used up, and there is nothing
            assert (await self.http("GET", url))[0] == 404
            assert (await self.http("PUT", url, content, {"Content-Type": TYPE}))[0] == 404
        return status, said.decode()

    async def metric(self, name: str) -> float:
        _, _, page = await self.http("GET", "http://localhost:0/metrics")
        return next(float(line.split()[-1]) for line in page.decode().splitlines() if line.startswith(name))


@asynccontextmanager
async def with_policy(folder: Path, policy: dict[str, Any], desk: str = SUPPORT) -> AsyncIterator[FileStage]:
    file = folder / "desk.toml"
    file.write_text(desk)
    plugins = {"enabled": ["file_policy"], "file_policy": policy}
    async with (
        on_stage(folder, file, {"plugins": plugins}) as stage,
        aiohttp.ClientSession() as client,
    ):
        yield FileStage(stage, Http(stage, client))


@pytest.fixture
def policy() -> dict[str, Any]:
    return {}


@pytest.fixture
async def files(
    tmp_path: Path, policy: dict[str, Any], request: pytest.FixtureRequest
) -> AsyncIterator[FileStage]:
    """`@pytest.mark.settings(**policy)` changes the policy."""
    for mark in request.node.iter_markers("settings"):
        policy = mark.kwargs
    async with with_policy(tmp_path, policy) as one:
        yield one


@pytest.fixture
async def ana(files: FileStage) -> Actor:
    return await files.stage.comes_online("ana")


@pytest.fixture
async def luis(files: FileStage) -> Actor:
    return await files.stage.comes_online("luis")


async def largest(actor: Actor) -> str:
    """Read how large a file may be."""
    answer = await actor.asks(
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    form = answer.elements()[0].child("x", "jabber:x:data")
    assert form is not None
    return next(one.elements()[0].text for one in form.all("field") if one.get("var") == "max-file-size")


# At the slot


@pytest.mark.settings(rules=[{"name": "pictures", "extensions": ["png", "jpg"]}])
async def test_a_refusal_names_the_rule_and_what_is_allowed(files: FileStage, luis: Actor) -> None:
    error = await refusal(luis, request("invoice.pdf.exe", 10, TYPE))

    assert (condition(error), error.get("type")) == ("not-acceptable", "modify")
    assert text(error) == "Files of the type .exe are not allowed. The rule “pictures” allows: png, jpg"


@pytest.mark.parametrize(
    "name",
    [
        "run.exe",
        "photo.jpg.scr",
        "invoice.exe.pdf",
        "run.exe. .",
        "photo_&#x202e;gpj.exe",
        "page.html",
        "logo.svg",
        "README",
    ],
)
async def test_what_is_refused_by_its_name(files: FileStage, luis: Actor, name: str) -> None:
    assert condition(await refusal(luis, request(name, 10, None))) == "not-acceptable"


async def test_a_type_that_does_not_fit_the_name_is_refused(files: FileStage, luis: Actor) -> None:
    error = await refusal(luis, request("photo.jpg", 10, "text/html"))

    assert text(error).startswith(
        "text/html is not allowed for .jpg. The rule “usual files” allows: avif, bmp"
    )


RULES = [
    {"name": "agents", "direction": "out", "max_bytes": 3000, "extensions": ["png", "pdf"]},
    {"name": "clients", "role": "client", "max_bytes": 2000, "extensions": ["png"]},
    {"name": "others", "max_bytes": 1000, "extensions": ["txt"]},
]


@pytest.mark.settings(rules=RULES)
async def test_each_role_has_its_own_rule_and_limit(files: FileStage, ana: Actor, luis: Actor) -> None:
    tea = await files.stage.comes_online("tea")
    await says(luis, QUEUE, "hello")  # who has written to a queue is a client

    assert [await largest(actor) for actor in (ana, luis, tea)] == ["3000", "2000", "1000"]
    await slot(ana, "price.pdf", 3000, None)
    assert "“clients”" in text(await refusal(luis, request("price.pdf", 10, None)))
    assert "“others”" in text(await refusal(tea, request("a.png", 10, None)))
    error = await refusal(luis, request("a.png", 2001, None))
    assert text(error) == "The rule “clients” allows up to 2 KiB."
    too_large = error.child("file-too-large", UPLOAD)
    assert too_large is not None
    assert too_large.elements()[0].text == "2000"


@pytest.mark.settings(rules=[{"name": "web", "channel": "web"}])
async def test_a_channel_without_a_rule_takes_no_files(files: FileStage, luis: Actor) -> None:
    assert (
        text(await refusal(luis, request("a.png", 10, None)))
        == "There is no rule that lets you upload files."
    )
    assert await largest(luis) == "0"


# At the PUT


@pytest.mark.parametrize("name", ["holiday.png", "letter.docx", "voice.ogg", "photos.zip", "notes.txt"])
async def test_what_is_what_it_says_comes(files: FileStage, luis: Actor, name: str) -> None:
    assert await files.puts(luis, name, GOOD[name]) == (201, "")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "photo.jpg",
            PROGRAM,
            "It is not what its name says: .jpg, but it holds application/x-dosexec. The rule “",
        ),
        (
            "all.zip",
            zipped({"run.exe": PROGRAM}),
            "The archive holds “run.exe”, which is not allowed. The rule “",
        ),
        ("all.zip", zipped({"more.zip": "x"}), "The archive holds another archive: “more.zip”. The rule “"),
    ],
)
async def test_what_is_something_else_is_refused_and_nothing_is_kept(
    files: FileStage, luis: Actor, name: str, content: bytes, said: str
) -> None:
    status, answer = await files.puts(luis, name, content)

    assert status == 415
    assert answer.startswith(said)
    assert stored(files.stage) == []
    assert await files.stage.server.store.uploads.owned_by(luis.jid.bare) == []
    assert await files.metric("imserver_file_policy_refused_total") == 1


# In the chat


async def test_the_agent_sees_why_a_clients_file_did_not_come_and_the_client_is_told(
    files: FileStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(files.stage, ana, luis)

    await files.puts(luis, "photo.jpg", PROGRAM)

    told = await ana.receives(
        f"<message from='{client}/xmpp' to='ana@localhost' type='chat' id='…'><body>…</body>"
        "<internal xmlns='urn:imserver:desk:internal'/><no-store xmlns='urn:xmpp:hints'/></message>"
    )
    [body] = bodies([told])
    assert body.startswith(
        "luis@localhost wanted to send “photo.jpg”, which was not accepted. It is not what its name says"
    )
    [said] = bodies(await luis.swallows())
    assert said.startswith("Your file “photo.jpg” was not accepted. It is not what its name says: .jpg, but")


async def test_what_is_refused_at_the_slot_is_told_once(files: FileStage, ana: Actor, luis: Actor) -> None:
    await attends(files.stage, ana, luis)

    for _ in range(3):
        await refusal(luis, request("run.exe", 10, None))
    await files.stage.settles()

    assert len(bodies(await luis.swallows())) == 1
    assert len(heard(await ana.swallows())) == 1


@pytest.mark.settings(rules=[{"name": "fotos", "extensions": ["png"]}])
async def test_each_is_told_in_their_own_language(files: FileStage) -> None:
    ana = await files.stage.begins_work("ana", lang="de")
    luis = await files.stage.enters("luis", lang="es")
    await says(luis, QUEUE, "hola")
    await files.stage.settles()
    await says(ana, QUEUE, "!accept 1")
    await files.stage.settles()
    await ana.swallows()
    await luis.swallows()

    await refusal(luis, request("run.exe", 10, None))
    await files.stage.settles()

    assert heard(await ana.swallows()) == [
        "luis@localhost wollte „run.exe“ senden; die Datei wurde nicht angenommen. "
        "Dateien der Art .exe sind nicht erlaubt. Die Regel „fotos“ erlaubt: png"
    ]
    assert bodies(await luis.swallows()) == [
        "Su archivo «run.exe» no se ha aceptado. "
        "Los archivos .exe no están permitidos. La regla «fotos» permite: png"
    ]


async def test_the_agent_who_comes_later_is_told_what_did_not_come(files: FileStage, luis: Actor) -> None:
    await says(luis, QUEUE, "here is my invoice")
    await refusal(luis, request("invoice.exe", 10, None))
    ana = await files.stage.comes_online("ana")

    await says(luis, QUEUE, "did you get it?")
    await files.stage.settles()
    await says(ana, QUEUE, "!accept 1")
    await files.stage.settles()

    told = heard(await ana.swallows())
    assert len([body for body in told if body.startswith("luis@localhost wanted to send “invoice.exe”")]) == 1


async def test_an_agent_is_told_of_a_file_of_their_own_and_the_client_is_not(
    files: FileStage, ana: Actor, luis: Actor
) -> None:
    await attends(files.stage, ana, luis)

    await files.puts(ana, "price.pdf", PROGRAM)
    await files.stage.settles()

    [told] = bodies(await ana.swallows())
    assert told.startswith("Your file “price.pdf” was not accepted.")
    assert bodies(await luis.swallows()) == []


async def test_what_the_server_itself_refuses_is_told_as_well(
    files: FileStage, ana: Actor, luis: Actor
) -> None:
    await attends(files.stage, ana, luis)

    await refusal(luis, request("film.mp4", 60_000_000, None))
    await files.stage.settles()

    assert bodies(await luis.swallows()) == [
        "Your file “film.mp4” was not accepted. A file may have up to 50 MiB."
    ]


# Viruses


async def test_a_file_with_a_virus_is_refused_by_its_name(tmp_path: Path) -> None:
    async with running_clamd(tmp_path) as clamd, with_policy(tmp_path, {"clamd": clamd}) as files:
        ana, luis = await files.stage.comes_online("ana"), await files.stage.comes_online("luis")
        await attends(files.stage, ana, luis)

        assert await files.puts(luis, "fine.txt", b"nothing to see") == (201, "")
        status, said = await files.puts(luis, "notes.txt", EICAR)
        await files.stage.settles()

        assert (status, said) == (415, "A virus was found in it: Our.Test.EICAR.UNOFFICIAL.")
        assert heard(await ana.swallows()) == [
            "luis@localhost wanted to send “notes.txt”, which was not accepted."
            " A virus was found in it: Our.Test.EICAR.UNOFFICIAL."
        ]
        assert await files.metric('imserver_file_policy_scans_total{verdict="infected"}') == 1


@asynccontextmanager
async def slow_clamd(folder: Path, answer: Callable[[], Awaitable[bytes]]) -> AsyncIterator[str]:
    """Somebody in clamd's place, who takes their time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(10)
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            await reader.readexactly(length)
        writer.write(await answer())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_nobody_can_have_a_file_before_the_verdict(tmp_path: Path) -> None:
    asked, verdict = asyncio.Event(), asyncio.Event()

    async def answer() -> bytes:
        asked.set()
        await verdict.wait()
        return b"stream: OK\0"

    async with slow_clamd(tmp_path, answer) as clamd, with_policy(tmp_path, {"clamd": clamd}) as files:
        luis = await files.stage.comes_online("luis")
        url = await slot(luis, "a.png", len(PNG), "image/png")
        putting = asyncio.create_task(files.http("PUT", url, PNG, {"Content-Type": "image/png"}))
        await asked.wait()

        assert (await files.http("GET", url))[0] == 404
        assert (await files.http("PUT", url, PNG, {"Content-Type": "image/png"}))[0] == 409
        await luis.asks("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")

        verdict.set()
        assert (await putting)[0] == 201
        assert (await files.http("GET", url))[2] == PNG


@pytest.mark.parametrize(("decision", "status"), [("refuse", 503), ("keep", 201)])
async def test_what_becomes_of_a_file_without_a_verdict_is_a_setting(
    tmp_path: Path, decision: str, status: int
) -> None:
    over = asyncio.Event()

    async def answer() -> bytes:
        await over.wait()
        return b""

    policy = {"scan_seconds": 0.1, "on_scan_failure": decision}
    async with (
        slow_clamd(tmp_path, answer) as clamd,
        with_policy(tmp_path, {"clamd": clamd, **policy}) as files,
    ):
        luis = await files.stage.comes_online("luis")

        assert (await files.puts(luis, "a.png", PNG))[0] == status

        warnings = [one for one in files.stage.log.entries if one["event"] == "a file was not scanned"]
        assert [one["decision"] for one in warnings] == [decision]
        assert await files.metric('imserver_file_policy_scans_total{verdict="failed"}') == 1
        over.set()


# Links


def link(url: str, id: str = "1") -> str:
    return (
        f"<message to='{QUEUE}' type='chat' id='{id}'><body>{url}</body>"
        f"<x xmlns='jabber:x:oob'><url>{url}</url></x></message>"
    )


@pytest.mark.settings(foreign_links="refuse")
async def test_links_to_files_elsewhere_can_be_refused(files: FileStage, ana: Actor, luis: Actor) -> None:
    await attends(files.stage, ana, luis)
    url = await slot(luis, "a.png", len(PNG), "image/png")

    await luis.sends(link("https://example.com/a.png", "foreign"))
    error = await luis.hears()
    await luis.sends(link(url, "ours"))
    await files.stage.settles()

    assert (error.get("id"), error.get("type")) == ("foreign", "error")
    assert heard(await ana.swallows()) == [url]


async def test_links_are_just_links_otherwise(files: FileStage, ana: Actor, luis: Actor) -> None:
    await attends(files.stage, ana, luis)

    await luis.sends(link("https://example.com/a.png"))
    await files.stage.settles()

    assert heard(await ana.swallows()) == ["https://example.com/a.png"]


# On and off


async def test_without_a_desk_everybody_is_an_account(tmp_path: Path) -> None:
    rules = [{"name": "accounts", "role": "account", "extensions": ["png"]}]
    overrides = {"plugins": {"enabled": ["file_policy"], "file_policy": {"rules": rules}}}
    async with staged(tmp_path, overrides) as stage, aiohttp.ClientSession() as client:
        ana = await stage.comes_online("ana")

        url = await slot(ana, "a.png", len(PNG), "image/png")
        assert (await Http(stage, client)("PUT", url, PNG, {"Content-Type": "image/png"}))[0] == 201
        assert condition(await refusal(ana, request("a.pdf", 1, None))) == "not-acceptable"


async def test_without_the_plugin_any_file_comes(tmp_path: Path) -> None:
    async with staged(tmp_path, {}) as stage, aiohttp.ClientSession() as client:
        ana = await stage.comes_online("ana")

        url = await slot(ana, "run.exe", len(PROGRAM), TYPE)
        assert (await Http(stage, client)("PUT", url, PROGRAM, {"Content-Type": TYPE}))[0] == 201
