"""What uploaded files are called, said to be, and where they lie."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imserver.features import upload_names
from imserver.features.http_upload import Plugin, remove_orphans
from imserver.features.upload_folder import UploadFolder
from imserver.features.websocket_discovery import websocket_url
from imserver.storage.uploads import Upload
from tests.scenes.actors import staged

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("très cool.jpg", "très cool.jpg"),
        ("👩‍👩‍👧.png", "👩‍👩‍👧.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\report.pdf", "report.pdf"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("a\r\nSet-Cookie: x=1", "a__Set-Cookie_ x=1"),
        ("invoice\u202egpj.exe", "invoice_gpj.exe"),
        ('quo"te<b>.txt', "quo_te_b_.txt"),
        ("\x00", "_"),
    ],
)
def test_a_name_is_safe_whatever_was_wanted(wanted: str, given: str) -> None:
    assert upload_names.safe_name(wanted) == given


@pytest.mark.parametrize(
    ("announced", "read"),
    [
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPEG", "image/jpeg"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    ],
)
def test_a_media_type_is_read_without_its_parameters(announced: str, read: str) -> None:
    assert upload_names.essence(announced) == read


@pytest.mark.parametrize(
    "announced", ["jpeg", "image/", "image/jpeg\r\nX: y", "a/b; \r\nX: y", "a b/c", "é/x"]
)
def test_what_is_no_media_type_is_refused(announced: str) -> None:
    with pytest.raises(ValueError):
        upload_names.essence(announced)


@pytest.mark.parametrize(
    ("type", "disposition"),
    [
        ("image/png", "inline"),
        ("audio/ogg", "inline"),
        ("text/plain", "inline"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("application/pdf", "attachment"),
        ("", "attachment"),
    ],
)
def test_a_browser_shows_only_what_can_hold_no_script(type: str, disposition: str) -> None:
    headers = upload_names.headers("é.x", type)

    assert headers["Content-Disposition"] == f"{disposition}; filename*=UTF-8''%C3%A9.x"


async def test_a_file_is_there_only_when_all_of_it_is(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path / "uploads")
    await folder.open()

    async with folder.arriving("token") as file:
        await file.write(b"half")
        assert await folder.tokens() == []
        await file.write(b" and half")
        await file.keep()

    assert await folder.tokens() == ["token"]
    assert folder.file("token").read_bytes() == b"half and half"
    assert folder.file("token").stat().st_mode & 0o077 == 0


async def test_nothing_stays_of_a_file_that_was_not_kept(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)

    async with folder.arriving("token") as file:
        await file.write(b"half")

    assert list(tmp_path.iterdir()) == []


async def test_what_was_coming_at_a_crash_is_removed_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "one.part").write_bytes(b"half")
    (tmp_path / "two").write_bytes(b"whole")

    await UploadFolder(tmp_path).open()

    assert [file.name for file in tmp_path.iterdir()] == ["two"]


async def test_expired_files_and_slots_are_removed_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imserver.features.http_upload.BATCH", 2)
    async with staged(tmp_path, {}) as stage:
        server, plugin = stage.server, Plugin()
        plugin.register_routes(server)
        folder = server.settings.data / "uploads"
        for name, days in {"a": -2, "b": -1, "c": -3, "d": 1}.items():
            expires = NOW + timedelta(days=days)
            await server.store.uploads.reserve(
                Upload(name, "ana@localhost", "f", 1, "", expires, stored=True)
            )
            (folder / name).write_bytes(b"x")

        await plugin.expire(server, NOW)

        assert [file.name for file in folder.iterdir()] == ["d"]
        assert [upload.token for upload in await server.store.uploads.owned_by("ana@localhost")] == ["d"]


async def test_who_began_in_time_may_finish(tmp_path: Path) -> None:
    async with staged(tmp_path, {}) as stage:
        server, plugin = stage.server, Plugin()
        plugin.register_routes(server)
        await server.store.uploads.reserve(Upload("slow", "ana@localhost", "f", 1, "", NOW))
        assert plugin._files is not None
        plugin._files.arriving.add("slow")

        await plugin.expire(server, NOW)

        assert await server.store.uploads.find("slow") is not None


async def test_the_files_of_a_removed_account_are_removed(tmp_path: Path) -> None:
    async with staged(tmp_path, {}) as stage:
        folder = UploadFolder(tmp_path / "uploads")
        folder.file("orphan").write_bytes(b"x")

        await remove_orphans(stage.server, folder)

        assert await folder.tokens() == []


@pytest.mark.parametrize(
    ("public", "expected"),
    [
        ("https://chat.example.com", "wss://chat.example.com/xmpp-websocket"),
        ("http://localhost:5443", "ws://localhost:5443/xmpp-websocket"),
    ],
)
def test_the_websocket_is_as_safe_as_http_is(public: str, expected: str) -> None:
    assert websocket_url(public) == expected
