"""`imserver client …`: what is kept of a client is found, written down, and erased."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from imserver.cli import app
from imserver.storage.archive import ArchiveRow
from imserver.storage.conversations import ConversationRow
from imserver.storage.database import Database
from imserver.storage.offline import OfflineRow
from imserver.storage.rosters import RosterItem
from imserver.storage.store import Store
from imserver.storage.uploads import Upload

ANA = "ana@example.com"
TOKEN = "t" * 43
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
URL = f"https://example.com/upload/{TOKEN}/cat.png"

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "imserver.toml"
    file.write_text('domain = "example.com"\ndata = "."')
    return file


@pytest.fixture
def run(config: Path) -> Run:
    def run_it(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["client", *arguments, "--config", str(config)])

    return run_it


def at(config: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    async def open_and_work() -> Any:
        database = await Database.open(f"sqlite:///{config.parent / 'imserver.db'}")
        try:
            return await work(Store(database))
        finally:
            await database.close()

    return asyncio.run(open_and_work())


@pytest.fixture
def key(config: Path) -> str:
    """A client who was attended by ana; whose JID is `<key>@xmpp.example.com`."""
    uploads = config.parent / "uploads"
    uploads.mkdir()
    (uploads / TOKEN).write_bytes(b"meow")
    (uploads / ("o" * 43)).write_bytes(b"other")

    async def fill(store: Store) -> str:
        client = await store.desk.find_or_add("xmpp:luis@elsewhere.example")
        jid = f"{client.key}@xmpp.example.com"
        body = f"<message from='{jid}/xmpp' to='{ANA}' id='1'><body>see {URL}</body></message>".encode()
        await store.archive.write(
            [
                ArchiveRow(1, ANA, jid, "xmpp", body, ""),
                ArchiveRow(
                    2,
                    jid,
                    ANA,
                    "",
                    f"<message from='{ANA}/x' to='{jid}'><body>nice</body></message>".encode(),
                    "",
                ),
                ArchiveRow(3, ANA, "eva@example.com", "", b"<message><body>secret of ana</body></message>"),
            ],
            [OfflineRow(ANA, 1, body)],
        )
        await store.desk.save([ConversationRow(1, jid, "support", "closed", ANA, 1.0, 2.0)])
        await store.desk.add_note(1, ANA, 1.5, "likes cats")
        await store.rosters.put(ANA, RosterItem(jid, "Luis"))
        for token, name in ((TOKEN, "cat.png"), ("o" * 43, "other.png")):
            await store.uploads.reserve(
                Upload(token, "luis@example.com", name, 4, "image/png", NEVER, stored=True)
            )
        return client.key

    found: str = at(config, fill)
    return found


@pytest.mark.parametrize(
    "named", ["luis@elsewhere.example", "xmpp:luis@elsewhere.example", "{key}@xmpp.example.com", "{key}"]
)
def test_a_client_is_named_by_any_address(run: Run, key: str, tmp_path: Path, named: str) -> None:
    result = run("export", named.format(key=key), "--to", str(tmp_path / "out"))

    assert result.exit_code == 0, result.output
    assert "2 messages, 1 files, 1 notes, 1 conversations" in result.output


def test_an_export_is_for_machines_and_for_people(run: Run, key: str, tmp_path: Path) -> None:
    run("export", key, "--to", str(tmp_path / "out"))

    out = tmp_path / "out"
    messages = [json.loads(line) for line in (out / "messages.jsonl").read_text().splitlines()]
    assert [(one["number"], one["text"]) for one in messages] == [(1, f"see {URL}"), (2, "nice")]
    assert json.loads((out / "notes.jsonl").read_text())["text"] == "likes cats"
    assert json.loads((out / "conversations.jsonl").read_text())["queue"] == "support"
    assert [file.read_bytes() for file in (out / "files").iterdir()] == [b"meow"]
    report = (out / "report.txt").read_text()
    assert "xmpp:luis@elsewhere.example" in report
    assert f"{ANA}: nice" in report
    assert "secret" not in report


def test_an_export_overwrites_nothing(run: Run, key: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()

    assert run("export", key, "--to", str(tmp_path / "out")).exit_code == 1


def test_what_is_erased_is_nowhere_and_a_report_says_what_it_was(run: Run, key: str, config: Path) -> None:
    result = run("erase", "luis@elsewhere.example", "--yes")

    assert result.exit_code == 0, result.output
    counted = [line.split()[:2] for line in result.output.splitlines() if line.startswith("  ")]
    assert [int(count) for count, _ in counted] == [2, 1, 1, 1, 1, 1, 1]
    assert sorted(file.name for file in (config.parent / "uploads").iterdir()) == ["o" * 43]

    async def rest(store: Store) -> None:
        assert [row.id for row in (await store.archive.page(ANA, limit=9)).rows] == [3]
        assert await store.offline.count(ANA) == 0
        assert await store.desk.client(key) is None
        assert await store.desk.notes_of(key) == []
        assert [one.contact for one in await store.rosters.load(ANA)] == []
        assert await store.uploads.find(TOKEN) is None

    at(config, rest)
    for file in config.parent.glob("imserver.db*"):
        assert b"nice" not in file.read_bytes() or file.suffix != ".db"
    assert run("erase", key, "--yes").exit_code == 1


def test_nothing_is_erased_unasked(run: Run, key: str, config: Path) -> None:
    assert run("erase", key).exit_code == 1
    assert run("find", "luis").output.split() == [key, "xmpp:luis@elsewhere.example"]


def test_who_is_in_a_conversation_stays(run: Run, key: str, config: Path) -> None:
    jid = f"{key}@xmpp.example.com"
    at(config, lambda store: store.desk.save([ConversationRow(2, jid, "support", "active", ANA, 3.0)]))

    result = run("erase", key, "--yes")

    assert result.exit_code == 1
    assert "is in a conversation" in result.output
    assert len(at(config, lambda store: store.archive.page(jid, limit=9)).rows) == 2


@pytest.mark.parametrize(
    "command", [("find", "%"), ("export", "nobody@example.com"), ("erase", "nobody@example.com")]
)
def test_who_is_unknown_is_said(run: Run, key: str, command: tuple[str, str]) -> None:
    assert run(*command).exit_code == 1
