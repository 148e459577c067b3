"""What is in a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imserver_file_policy.content import Inspector
from imserver_file_policy.refusal import Refusal
from imserver_file_policy.settings import Rule, Settings
from tests.plugins.file_policy.files import GOOD, ODT, OLE, PDF, PNG, PROGRAM, encrypted, office, zipped

USUAL = Rule()


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    one = Inspector(Settings())
    yield one
    one.close()


async def look(inspector: Inspector, folder: Path, name: str, content: bytes, rule: Rule = USUAL) -> str:
    """Return the key of the reason why it is refused, if it is."""
    file = folder / "token.part"
    file.write_bytes(content)
    try:
        await inspector.inspect(file, name, [rule])
    except Refusal as refused:
        return refused.key
    return ""


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_what_its_name_says_may_come(inspector: Inspector, tmp_path: Path, name: str) -> None:
    assert await look(inspector, tmp_path, name, GOOD[name]) == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.jpg", PROGRAM),
        ("photo.jpg", PNG),
        ("photo.jpg", b"<html><body>hi</body></html>"),
        ("photo.png", b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
        ("letter.docx", zipped({"a.txt": "a"})),
        ("letter.docx", PROGRAM),
        ("sums.xlsx", office("word")),
        ("old.doc", PROGRAM),
        ("notes.txt", PROGRAM),
        ("notes.txt", b"<html><body><script>x</script></body></html>"),
        ("notes.txt", bytes(range(256))),
        ("song.mp3", PROGRAM),
        ("photos.zip", PDF),
        ("photos.zip", PROGRAM),
    ],
)
async def test_what_is_something_else_may_not(
    inspector: Inspector, tmp_path: Path, name: str, content: bytes
) -> None:
    assert await look(inspector, tmp_path, name, content) == "content"


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.zip", zipped({"run.exe": PROGRAM}), "inside"),
        ("a.zip", zipped({"deep/down/invoice.pdf.exe": PROGRAM}), "inside"),
        ("a.zip", zipped({"run.exe.": PROGRAM}), "inside"),
        ("a.zip", zipped({"__MACOSX/._run.exe": PROGRAM}), "inside"),
        ("a.zip", zipped({"photo_\u202egpj.png": PNG}), "inside"),
        ("a.zip", zipped({"page.html": "<p>"}), "inside"),
        ("a.zip", zipped({"more.zip": zipped({"a.txt": "a"})}), "nested"),
        ("a.zip", zipped({"more.rar": "x"}), "nested"),
        ("a.zip", zipped({"../../etc/notes.txt": "x"}), "broken"),
        ("a.zip", zipped({"/etc/notes.txt": "x"}), "broken"),
        ("a.zip", encrypted(zipped({"a.txt": "a"})), "encrypted"),
        ("a.zip", zipped({"a.txt": "a"})[:-30], "broken"),
        ("a.zip", zipped({f"{number}.txt": "" for number in range(1001)}), "bomb"),
        ("a.zip", zipped({"zeros.txt": bytes(11 * 1024 * 1024)}), "bomb"),
        ("letter.docx", office("word", "word/vbaProject.bin"), "macros"),
        ("sums.xlsx", office("xl", "xl/VBAPROJECT.BIN"), "macros"),
        ("letter.odt", ODT, ""),
        (
            "letter.odt",
            zipped({"mimetype": "x", "Basic/script-lc.xml": "x", "Basic/Standard/Module1.xml": "x"}),
            "macros",
        ),
        ("old.doc", OLE + "_VBA_PROJECT".encode("utf-16-le"), "macros"),
        ("old.xls", OLE + bytes(1024 * 1024 - 1008 - 5) + "_VBA_PROJECT_CUR".encode("utf-16-le"), "macros"),
    ],
)
async def test_archives_and_documents_are_looked_into(
    inspector: Inspector, tmp_path: Path, name: str, content: bytes, key: str
) -> None:
    assert await look(inspector, tmp_path, name, content) == key


def _with_end(
    packed: bytes, *, count: int | None = None, length: int | None = None, large: bool = False
) -> bytes:
    """Lie at the end of an archive."""
    at = packed.rindex(b"PK\x05\x06")
    end = bytearray(packed[at:])
    if count is not None:
        end[8:12] = count.to_bytes(2, "little") * 2
    if length is not None:
        end[12:16] = length.to_bytes(4, "little")
    return packed[:at] + (b"PK\x06\x07" + bytes(16) if large else b"") + bytes(end)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (_with_end(zipped({"a.txt": "a"}), count=60_000), "bomb"),
        (_with_end(zipped({"a.txt": "a"}), length=0xFFFFFFFE), "bomb"),
        (_with_end(zipped({"a.txt": "a"}), length=40), "broken"),
        (_with_end(zipped({"a.txt": "a"}), large=True), "broken"),
    ],
)
async def test_an_archive_that_lies_about_itself_is_refused_before_it_is_read(
    inspector: Inspector, tmp_path: Path, content: bytes, key: str
) -> None:
    assert await look(inspector, tmp_path, "a.zip", content) == key


async def test_an_admin_may_keep_what_is_usually_refused(tmp_path: Path) -> None:
    settings = Settings(macros="keep", nested_archives="keep", encrypted_archives="keep")
    lenient = Inspector(settings)
    rule = Rule(extensions=("docx", "txt", "zip"))

    for name, content in {
        "a.docx": office("word", "word/vbaProject.bin"),
        "nested.zip": zipped({"b.zip": zipped({"a.txt": "a"})}),
        "encrypted.zip": encrypted(zipped({"a.txt": "a"})),
    }.items():
        assert await look(lenient, tmp_path, name, content, rule) == ""
    lenient.close()


async def test_encrypted_files_can_be_allowed_where_nobody_can_look_into_them(
    inspector: Inspector, tmp_path: Path
) -> None:
    assert await look(inspector, tmp_path, "a.jpg", os.urandom(5000)) == "content"
    assert await look(inspector, tmp_path, "a.jpg", os.urandom(5000), Rule(check_content=False)) == ""


async def test_who_looks_for_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Inspector(Settings(inspect_seconds=0.05))
    monkeypatch.setattr(slow, "type_of", lambda file, extension: time.sleep(1))

    assert await look(slow, tmp_path, "a.png", PNG) == "not_inspected"
    slow.close()


async def test_what_can_not_be_read_is_refused(inspector: Inspector, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        await inspector.inspect(tmp_path / "nothing", "a.png", [USUAL])

    assert (refused.value.key, refused.value.condition) == ("not_inspected", "service-unavailable")


def test_what_the_server_starts_later_finds_the_libraries_of_the_system() -> None:
    code = (
        "import ctypes, os; before = dict(os.environ), ctypes.CDLL.__init__\n"
        "from imserver_file_policy.content import load_magic; load_magic()\n"
        "assert (dict(os.environ), ctypes.CDLL.__init__) == before"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_others_imported_before_is_not_used_and_stays_theirs() -> None:
    code = (
        "import sys, types; theirs = sys.modules['magic'] = types.ModuleType('magic')\n"
        "from imserver_file_policy.content import load_magic\n"
        "for _ in range(2): assert load_magic().from_buffer(b'%PDF-1.7\\n') == 'application/pdf'\n"
        "assert sys.modules['magic'] is theirs"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
