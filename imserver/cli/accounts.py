"""`imserver account …`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from imserver.cli import config as configuration
from imserver.cli.bulk import account_address, derive, import_rows, read_rows
from imserver.cli.config import ConfigOption
from imserver.cli.console import complain, err, fail, out
from imserver.cli.database import open_database
from imserver.settings import Settings
from imserver.storage.accounts import Account, AccountExists, Accounts, AccountUnknown, StoredCredentials
from imserver.stream.scram import PasswordError
from imserver.xmpp.jid import JID

# How many accounts are listed in one go.
PAGE = 500

app = typer.Typer(
    help="Add, change, remove and list accounts; the server may be running.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

AddressArgument = Annotated[
    str, typer.Argument(metavar="JID", help="The account's address, such as ana@example.com.")
]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]


@app.command()
def add(
    jid: AddressArgument, password_stdin: PasswordOption = False, config: ConfigOption = configuration.DEFAULT
) -> None:
    """Add an account; asks for its password.

    [bold]Example:[/] imserver account add ana@example.com
    """
    settings = configuration.read(config)
    address = _address(jid, settings)
    password = _ask_password(password_stdin)

    async def add_it(accounts: Accounts) -> None:
        try:
            await accounts.add(address, _derive(password, settings))
        except AccountExists:
            fail(f"there is an account {address} already", f"New password: imserver account passwd {address}")

    _with_accounts(settings, add_it)
    out.print(f"{address} can log in now.", markup=False)


@app.command()
def passwd(
    jid: AddressArgument, password_stdin: PasswordOption = False, config: ConfigOption = configuration.DEFAULT
) -> None:
    """Give an account a new password; asks for it.

    [bold]Example:[/] imserver account passwd ana@example.com
    """
    settings = configuration.read(config)
    address = _address(jid, settings)
    password = _ask_password(password_stdin)

    async def change(accounts: Accounts) -> None:
        try:
            await accounts.set_credentials(address, _derive(password, settings))
        except AccountUnknown:
            fail(f"there is no account {address}", f"To add it: imserver account add {address}")

    _with_accounts(settings, change)
    out.print(f"{address} has a new password.", markup=False)


@app.command()
def remove(
    jid: AddressArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """Remove an account and everything that is kept for it: contacts, messages, files.

    [bold]Example:[/] imserver account remove ana@example.com
    """
    settings = configuration.read(config)
    address = _address(jid, settings)
    if not yes and not typer.confirm(f"Remove {address} with all its contacts and messages?"):
        fail("nothing was removed")

    async def remove_it(accounts: Accounts) -> None:
        if not await accounts.remove(address):
            fail(f"there is no account {address}", "To see which there are: imserver account list")

    _with_accounts(settings, remove_it)
    out.print(f"{address} is removed.", markup=False)


@app.command("list")
def list_(config: ConfigOption = configuration.DEFAULT) -> None:
    """List the accounts, one a line.

    [bold]Example:[/] imserver account list | wc -l
    """

    async def print_all(accounts: Accounts) -> None:
        async for account in _all(accounts):
            out.print(account.owner if account.enabled else f"{account.owner} (disabled)", markup=False)

    _with_accounts(configuration.read(config), print_all)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file: one jid,password a line.")],
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """Add many accounts from a CSV file of lines "jid,password"; those that exist stay as they are.

    [bold]Example:[/] imserver account import accounts.csv
    """
    settings = configuration.read(config)
    rows, refused = read_rows(_read_file(file), settings.domain)

    async def import_them(accounts: Accounts) -> None:
        with Progress(
            TextColumn("Adding accounts"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=err,
        ) as progress:
            task = progress.add_task("", total=len(rows))
            async for done, left_out in import_rows(rows, accounts, settings.sasl.iterations):
                refused.extend(left_out)
                progress.advance(task, done)

    _with_accounts(settings, import_them)
    for refusal in sorted(refused):
        complain(f"{file}, line {refusal.line}: {refusal.problem}")
    lines = len(rows) + sum(refusal.line not in {row.line for row in rows} for refusal in refused)
    out.print(f"{lines - len(refused)} of {lines} accounts added.", markup=False)
    if refused:
        err.print("Mend the lines named above, and import the file again: it adds what is missing.")
        raise typer.Exit(1)


def _read_file(file: Path) -> str:
    try:
        # A byte order mark is what spreadsheets leave.
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8", "Save it as UTF-8.")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", "Name a CSV file with one jid,password a line.")


def _address(text: str, settings: Settings) -> JID:
    try:
        return account_address(text, settings.domain)
    except ValueError as error:
        fail(str(error), f"Name an account of this server, such as ana@{settings.domain}")


def _ask_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        fail(
            "there is no terminal to ask for the password", "Send it to standard input with --password-stdin."
        )
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _derive(password: str, settings: Settings) -> list[StoredCredentials]:
    try:
        return derive(password, settings.sasl.iterations)
    except PasswordError as error:
        fail(str(error), "Choose another one.")


def _with_accounts(settings: Settings, work: Callable[[Accounts], Awaitable[None]]) -> None:
    async def open_and_work() -> None:
        async with open_database(settings) as database:
            await work(Accounts(database))

    asyncio.run(open_and_work())


async def _all(accounts: Accounts) -> AsyncIterator[Account]:
    after = ""
    while page := await accounts.list(after, PAGE):
        for account in page:
            yield account
        after = page[-1].owner
