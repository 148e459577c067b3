import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner, Result

from imserver.cli import app
from imserver.storage.accounts import Accounts
from imserver.storage.database import Database
from imserver.stream.scram import ScramCredentials, verify_password

T = TypeVar("T")
Account = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "imserver.toml"
    file.write_text('domain = "example.com"\ndata = "."')
    return file


@pytest.fixture
def account(config: Path) -> Account:
    """Run `imserver account …`."""

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["account", *arguments, "--config", str(config)], input=typed)

    return run


def stored(config: Path, look: Callable[[Accounts], Awaitable[T]]) -> T:
    async def open_and_look() -> T:
        database = await Database.open(f"sqlite:///{config.parent / 'imserver.db'}")
        try:
            return await look(Accounts(database))
        finally:
            await database.close()

    return asyncio.run(open_and_look())


def can_log_in(config: Path, address: str, password: str) -> bool:
    """Tell whether the password is right, by every mechanism."""
    credentials = stored(config, lambda accounts: accounts.credentials(address))
    return bool(credentials) and all(
        verify_password(
            password,
            ScramCredentials(one.mechanism, one.salt, one.iterations, one.stored_key, one.server_key),
        )
        for one in credentials
    )


def test_an_account_that_was_added_can_log_in(account: Account, config: Path) -> None:
    done = account("add", "Ana@Example.com", "--password-stdin", typed="secret, ünd more \n")

    assert (done.exit_code, done.stdout) == (0, "ana@example.com can log in now.\n")
    assert can_log_in(config, "ana@example.com", "secret, ünd more ")


def test_an_account_cannot_be_added_twice(account: Account, config: Path) -> None:
    account("add", "ana@example.com", "--password-stdin", typed="first")

    done = account("add", "ana@example.com", "--password-stdin", typed="second")

    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "error: there is an account ana@example.com already",
        "New password: imserver account passwd ana@example.com",
    ]
    assert can_log_in(config, "ana@example.com", "first")


@pytest.mark.parametrize(
    ("jid", "problem"),
    [
        ("ana", '"ana" is not the address of an account'),
        ("ana@example.com/home", '"ana@example.com/home" is not the address of an account'),
        ("ana@other.example", '"ana@other.example" is not of this server, whose domain is example.com'),
        ("a b@example.com", '"a b@example.com" is not an address'),
    ],
)
def test_what_cannot_be_an_account_here_is_refused(account: Account, jid: str, problem: str) -> None:
    done = account("add", jid, "--password-stdin", typed="secret")

    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {problem}")
    assert done.stderr.endswith("Name an account of this server, such as ana@example.com\n")


def test_an_empty_password_is_refused(account: Account) -> None:
    done = account("add", "ana@example.com", "--password-stdin", typed="\n")

    assert done.exit_code == 1
    assert done.stderr == "error: a password cannot be empty\nChoose another one.\n"


def test_without_a_terminal_nobody_is_asked_for_a_password(account: Account) -> None:
    done = account("add", "ana@example.com")

    assert done.exit_code == 1
    assert "Send it to standard input with --password-stdin." in done.stderr


def test_a_new_password_replaces_the_old_one(account: Account, config: Path) -> None:
    account("add", "ana@example.com", "--password-stdin", typed="old")

    done = account("passwd", "ana@example.com", "--password-stdin", typed="new")

    assert done.exit_code == 0
    assert can_log_in(config, "ana@example.com", "new")
    assert not can_log_in(config, "ana@example.com", "old")


def test_an_unknown_account_is_told_with_the_next_step(account: Account) -> None:
    new_password = account("passwd", "ana@example.com", "--password-stdin", typed="new")
    removal = account("remove", "ana@example.com", "--yes")

    assert (new_password.exit_code, removal.exit_code) == (1, 1)
    assert new_password.stderr.endswith("To add it: imserver account add ana@example.com\n")
    assert removal.stderr.endswith("To see which there are: imserver account list\n")


def test_an_account_is_removed_when_asked_and_confirmed(account: Account) -> None:
    account("add", "ana@example.com", "--password-stdin", typed="secret")

    refused = account("remove", "ana@example.com", typed="n\n")
    kept = account("list").stdout
    removed = account("remove", "ana@example.com", typed="y\n")

    assert (refused.exit_code, kept) == (1, "ana@example.com\n")
    assert removed.exit_code == 0
    assert account("list").stdout == ""


def test_a_file_of_accounts_is_imported(account: Account, config: Path) -> None:
    file = config.parent / "accounts.csv"
    file.write_text('\ufeffjid,password\nana@example.com,one\n\nluis@example.com,"two, ""three"""\n')

    done = account("import", str(file))

    assert (done.exit_code, done.stdout) == (0, "2 of 2 accounts added.\n")
    assert can_log_in(config, "ana@example.com", "one")
    assert can_log_in(config, "luis@example.com", 'two, "three"')


def test_lines_that_cannot_be_imported_are_named_and_the_others_are(account: Account, config: Path) -> None:
    account("add", "eva@example.com", "--password-stdin", typed="hers")
    file = config.parent / "accounts.csv"
    file.write_text(
        "eva@example.com,new\n"
        "ana@example.com,one\n"
        "luis@example.com\n"
        "ana@example.com,two\n"
        "luis@other.example,x\n"
        "luis@example.com,\n"
        "@example.com,x\n"
    )

    done = account("import", str(file))

    assert (done.exit_code, done.stdout) == (1, "1 of 7 accounts added.\n")
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [
        f"error: {file}, line 1: eva@example.com exists already",
        f"error: {file}, line 3: expected jid,password, and found 1 columns",
        f"error: {file}, line 4: ana@example.com stands in line 2 already",
        f'error: {file}, line 5: "luis@other.example" is not of this server, whose domain is example.com',
        f"error: {file}, line 6: a password cannot be empty",
        f'error: {file}, line 7: "@example.com" is not an address',
    ]
    assert can_log_in(config, "eva@example.com", "hers")
    assert can_log_in(config, "ana@example.com", "one")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_told(account: Account, config: Path, content: bytes | None) -> None:
    file = config.parent / "accounts.csv"
    if content is not None:
        file.write_bytes(content)

    done = account("import", str(file))

    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {file} ")


def test_many_accounts_are_listed_in_order(account: Account, config: Path) -> None:
    addresses = [f"user{number:04}@example.com" for number in range(1001)]
    stored(config, lambda accounts: accounts.add_many([(address, []) for address in addresses]))

    assert account("list").stdout.split() == addresses


def test_a_database_that_cannot_be_opened_is_told(account: Account, config: Path) -> None:
    (config.parent / "imserver.db").write_text("this is no database, but a text of some length")

    done = account("list")

    assert done.exit_code == 1
    assert done.stderr.startswith("error: the database cannot be opened: ")
