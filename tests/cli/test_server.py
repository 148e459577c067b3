import datetime
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from imserver.cli import app
from imserver.net.tls import make_self_signed

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "imserver.toml"


def check(config: Path, text: str) -> Result:
    config.write_text(text)
    return CliRunner().invoke(app, ["check", "--config", str(config)])


def test_good_settings_are_fine(config: Path) -> None:
    done = check(config, 'domain = "example.com"')

    assert done.exit_code == 0
    assert done.stdout == f"{config} is fine: example.com, data in {config.parent / 'imserver-data'}\n"
    assert done.stderr.startswith("warning: no certificate is set")


def test_everything_wrong_with_the_settings_is_told(config: Path) -> None:
    done = check(config, 'domian = "x"\n[limits]\nroster_items = "[bold]"')

    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f'error: {config}: [limits] roster_items: is "[bold]"; expected a whole number',
        f'error: {config}: domian: there is no such setting (its value is "x"); expected domain?',
    ]


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_missing_file_is_told_with_the_next_step(command: str, config: Path) -> None:
    done = CliRunner().invoke(app, [command, "--config", str(config)])

    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"error: there is no {config}",
        "Name the file with --config FILE, or try the server out without one: imserver demo",
    ]


def test_a_file_that_is_not_text_is_refused(config: Path) -> None:
    config.write_bytes(b"\xff")

    done = CliRunner().invoke(app, ["check", "--config", str(config)])

    assert done.exit_code == 1
    assert "is not text in UTF-8" in done.stderr


def test_a_data_folder_that_cannot_be_made_is_told_with_the_next_step(config: Path) -> None:
    (config.parent / "taken").write_text("")

    done = check(config, 'data = "taken"')

    assert done.exit_code == 1
    assert f"error: the folder {config.parent / 'taken'} cannot be made: File exists" in done.stderr
    assert "Name another one as data" in done.stderr


def test_a_certificate_that_cannot_be_used_is_told(config: Path) -> None:
    done = check(config, '[tls]\ncertificate = "c.pem"\nkey = "k.pem"')

    assert done.exit_code == 1
    assert f"error: {config.parent / 'c.pem'} cannot be read: No such file or directory" in done.stderr
    assert "Have a look at [tls]" in done.stderr


@pytest.mark.parametrize(
    ("domain", "made", "warning"),
    [
        ("example.com", NOW, ""),
        ("other.example", NOW, "the certificate is not for other.example, but for example.com, localhost"),
        ("example.com", NOW - datetime.timedelta(days=820), "the certificate is over on "),
    ],
)
def test_a_certificate_that_clients_will_not_like_is_warned_of(
    config: Path, domain: str, made: datetime.datetime, warning: str
) -> None:
    make_self_signed(config.parent, ["example.com"], made)

    done = check(config, f'domain = "{domain}"\n[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"')

    assert done.exit_code == 0
    assert done.stderr.startswith(f"warning: {warning}" if warning else "")
    assert bool(done.stderr) is bool(warning)


def test_the_file_can_be_named_by_the_environment(config: Path) -> None:
    config.write_text("")

    done = CliRunner().invoke(app, ["check"], env={"IMSERVER_CONFIG": str(config)})

    assert done.exit_code == 0


def test_a_port_that_is_taken_is_told_with_the_next_step(config: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(f'[listen]\nc2s = ["127.0.0.1:{port}"]\nc2s_tls = []\nhttp = []')

        done = CliRunner().invoke(app, ["run", "--config", str(config)])

    assert done.exit_code == 1
    assert "Is the server running already? If not, choose another port in [listen]" in done.stderr


def test_the_data_folder_is_for_the_server_only(config: Path) -> None:
    check(config, "")

    assert os.stat(config.parent / "imserver-data").st_mode & 0o077 == 0
