"""What a name says that a file is."""

import pytest

from imserver_file_policy import names


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("holiday.jpg", "jpg"),
        ("HOLIDAY.JPG", "jpg"),
        ("backup.tar.gz", "gz"),
        ("invoice.pdf.exe", "exe"),
        ("photo.jpg.scr", "scr"),
        ("invoice.exe.", "exe"),
        ("invoice.exe . .", "exe"),
        ("invoice.pdf          .exe", "exe"),
        ("README", ""),
        (".bashrc", ""),
        ("version 1.2 final", ""),
        ("", ""),
        ("...", ""),
        ("x." + "y" * 300, ""),
    ],
)
def test_the_extension_is_what_computers_go_by(name: str, extension: str) -> None:
    assert names.extension(name) == extension
    assert not names.is_misleading(name) or not extension


@pytest.mark.parametrize(
    "name",
    [
        "photo_\u202egpj.exe",  # shown as photo_exe.jpg
        "\u2066photo.jpg",
        "photo\u2024jpg",
        "photo．jpg",
        "invoice.pdf․exe",
        "photo.ｊｐｇ",
        "photo.jpg\u200b",
        "report.pdf.some words",
    ],
)
def test_a_name_that_people_read_otherwise_is_misleading(name: str) -> None:
    assert names.is_misleading(name)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("invoice.exe.pdf", "exe"),
        ("invoice․exe.pdf", "exe"),
        ("a.scr.b.jpg", "scr"),
        ("factura.amazon.com.pdf", ""),
        ("St. Pl. 3.pdf", ""),
        ("archive.tar.gz", ""),
    ],
)
def test_a_programs_extension_before_the_last_is_found(name: str, hidden: str) -> None:
    assert names.hidden(name) == hidden
