"""What plugins decide and hear of files (XEP-0363)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.scenes.actors import Actor, Stage, staged
from tests.scenes.test_http_upload import SERVICE, Http, condition, refusal, request, slot, stored, text

HEAD = """
import asyncio
from dataclasses import replace
from imserver import DROP, Element, StanzaError, hookimpl

def told(server, line):
    server.features.setdefault("told", []).append(line)

@hookimpl
def file_uploaded(server, upload):
    told(server, f"{upload.name} came")

@hookimpl
async def file_refused(server, upload, reason):
    told(server, f"{upload.name} of {upload.owner} did not come: {reason}")

@hookimpl
"""


@asynccontextmanager
async def with_plugin(folder: Path, code: str) -> AsyncIterator[tuple[Stage, Actor, Http]]:
    (folder / "files.py").write_text(HEAD + code)
    async with (
        staged(folder, {"plugins": {"paths": [str(folder / "files.py")]}}) as stage,
        aiohttp.ClientSession() as client,
    ):
        yield stage, await stage.comes_online("ana"), Http(stage, client)


async def test_a_plugin_refuses_a_slot(tmp_path: Path) -> None:
    code = """
async def refine_upload(upload, asker):
    raise StanzaError("not-acceptable", f"not {upload.name}, {asker}")
"""
    async with with_plugin(tmp_path, code) as (stage, ana, _):
        error = await refusal(ana, request("a.exe", 3, None))
        await stage.settles()

        assert (condition(error), text(error)) == ("not-acceptable", "not a.exe, ana@localhost/stage")
        assert await stage.server.store.uploads.owned_by(ana.jid.bare) == []
        assert stage.server.features["told"] == [
            "a.exe of ana@localhost did not come: not-acceptable: not a.exe, ana@localhost/stage"
        ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return DROP", "not-acceptable"),
        ("return 'yes'", "internal-server-error"),
        ("1 / 0", "internal-server-error"),
    ],
)
async def test_a_slot_that_a_plugin_does_not_grant_is_refused(
    tmp_path: Path, body: str, expected: str
) -> None:
    async with with_plugin(tmp_path, f"def refine_upload(): {body}") as (_, ana, _):
        assert condition(await refusal(ana, request("a.exe", 3, None))) == expected


async def test_a_plugin_changes_what_was_asked_for(tmp_path: Path) -> None:
    code = "def refine_upload(upload): return replace(upload, name='plain.txt', type='text/plain')"
    async with with_plugin(tmp_path, code) as (stage, ana, http):
        url = await slot(ana, "fancy.txt", 3, None)

        assert url.endswith("/plain.txt")
        assert (await http("PUT", url, b"abc", {"Content-Type": "text/plain"}))[0] == 201
        assert (await http("GET", url))[1]["Content-Type"] == "text/plain; charset=utf-8"
        await stage.settles()
        assert stage.server.features["told"] == ["plain.txt came"]


async def test_a_plugin_says_how_large_a_file_may_be(tmp_path: Path) -> None:
    async with with_plugin(tmp_path, "async def find_largest_upload(asker): return 77") as (_, ana, _):
        answer = await ana.asks(
            f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        )

        assert "<value>77</value>" in str(answer)


TOO_LARGE = "raise StanzaError('not-acceptable', 'too large', application=Element('file-too-large', 'x'))"


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("def may_keep_upload(): return False", 415, b"This file is not taken"),
        (
            "async def may_keep_upload(file): raise StanzaError('not-acceptable', file.read_text())",
            415,
            b"abc",
        ),
        (f"def may_keep_upload(): {TOO_LARGE}", 413, b"too large"),
        ("def may_keep_upload(): raise StanzaError('forbidden')", 403, b"This file is not taken"),
        ("def may_keep_upload(): raise StanzaError('resource-constraint', 'later')", 503, b"later"),
        (
            "async def may_keep_upload(): 1 / 0",
            500,
            b"This could not be processed; the admin finds more in the log",
        ),
        (
            "def may_keep_upload(): return 'nonsense'",
            500,
            b"This could not be processed; the admin finds more in the log",
        ),
    ],
)
async def test_nothing_is_kept_of_a_file_that_a_plugin_refuses(
    tmp_path: Path, code: str, status: int, said: bytes
) -> None:
    async with with_plugin(tmp_path, code) as (stage, ana, http):
        url = await slot(ana, "a.txt", 3, None)

        got, headers, answer = await http("PUT", url, b"abc")

        assert (got, answer, headers["Content-Type"]) == (status, said, "text/plain; charset=utf-8")
        assert stored(stage) == []
        assert [(await http(method, url, b"abc"))[0] for method in ("GET", "PUT")] == [404, 404]
        assert await stage.server.store.uploads.owned_by(ana.jid.bare) == []
        await stage.settles()
        [line] = stage.server.features["told"]
        assert line.startswith("a.txt of ana@localhost did not come: ")


async def test_a_plugin_may_take_its_time_while_nobody_can_have_the_file(tmp_path: Path) -> None:
    code = """
async def may_keep_upload(server, upload):
    server.features["asked"].set()
    await server.features["answer"].wait()
"""
    async with with_plugin(tmp_path, code) as (stage, ana, http):
        asked, answer = asyncio.Event(), asyncio.Event()
        stage.server.features |= {"asked": asked, "answer": answer}
        assert stage.server.hooks.may_keep_upload._patience == 90
        url = await slot(ana, "a.txt", 3, None)
        putting = asyncio.create_task(http("PUT", url, b"abc"))
        await asked.wait()

        assert (await http("GET", url))[0] == 404
        assert (await http("PUT", url, b"abc"))[0] == 409

        answer.set()
        assert (await putting)[0] == 201
        assert (await http("GET", url))[2] == b"abc"
