"""`imserver client …`."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from imserver.cli import config as configuration
from imserver.cli.client_files import MOST_FOUND, Dossier, erase, export, find_client, gather
from imserver.cli.config import ConfigOption
from imserver.cli.console import fail, out
from imserver.cli.database import open_database
from imserver.settings import Settings
from imserver.storage.client_traces import search_clients
from imserver.storage.desk import ConversationGoesOn
from imserver.storage.store import Store

app = typer.Typer(
    help="Find, export and erase clients of the contact centre; the server may be running.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

ClientArgument = Annotated[
    str,
    typer.Argument(
        metavar="CLIENT",
        help="An address of the client, such as luis@example.com, or the client JID agents see.",
    ),
]


@app.command("find")
def find_(
    words: Annotated[str, typer.Argument(metavar="TEXT", help="A part of an address or a name.")],
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """List the clients with an address or a name like that, one a line: the key, the addresses and the names.

    [bold]Example:[/] imserver client find luis
    """
    settings = configuration.read(config)

    async def list_them(store: Store) -> None:
        keys = await search_clients(store.database, words, MOST_FOUND + 1)
        for key in keys[:MOST_FOUND]:
            client = await store.desk.client(key)
            if client is not None:
                names = [name.text for name in client.names]
                out.print("  ".join([client.key, *client.aliases, *names]), markup=False)
        if not keys:
            fail(f"there is no client with {words!r} in an address or a name")
        if len(keys) > MOST_FOUND:
            out.print(f"… and more than {MOST_FOUND}: say more of the address.", markup=False)

    _with_store(settings, list_them)


@app.command("export")
def export_(
    client: ClientArgument,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Where to; client-<key> by default.")
    ] = None,
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """Write down everything that is kept of a client: messages, notes and conversations as JSON lines, files, a report.

    [bold]Example:[/] imserver client export luis@example.com --to luis
    """
    settings = configuration.read(config)

    async def export_it(store: Store) -> None:
        dossier = await _gather(store, client)
        folder = to or Path(f"client-{dossier.client.key}")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            fail(f"{folder} is not an empty folder", "Name another one with --to FOLDER.")
        exported = await export(store, dossier, settings.data / "uploads", folder)
        out.print(
            f"{folder}: {exported.messages} messages, {len(exported.files)} files,"
            f" {len(dossier.notes)} notes, {len(dossier.conversations)} conversations.",
            markup=False,
        )
        if exported.files_gone:
            out.print(
                f"{exported.files_gone} more files are named in messages, but never came.", markup=False
            )
        out.print(f"To read it: {folder / 'report.txt'}", markup=False)

    _with_store(settings, export_it)


@app.command("erase")
def erase_(
    client: ClientArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """Erase a client for good: messages in all archives, files, notes, names and addresses; the figures stay.

    [bold]Example:[/] imserver client erase luis@example.com
    """
    settings = configuration.read(config)

    async def erase_it(store: Store) -> None:
        dossier = await _gather(store, client)
        if dossier.goes_on:
            _refuse(client)
        named = ", ".join(dossier.client.aliases) or dossier.client.key
        if not yes and not typer.confirm(
            f"Erase {named} with {len(dossier.conversations)} conversations, all messages and files?"
        ):
            fail("nothing was erased")
        try:
            removed = await erase(store, dossier, settings.data / "uploads")
        except ConversationGoesOn:
            _refuse(client)
        lines = [
            (removed.messages.messages, "messages"),
            (removed.messages.waiting, "messages that waited for their reader"),
            (removed.files, "files"),
            (removed.notes, "notes"),
            (removed.contacts, "entries in contact lists"),
            (removed.addresses, "addresses"),
        ]
        out.print(f"Erased of client {dossier.client.key}:", markup=False)
        for count, what in lines:
            out.print(f"{count:>8}  {what}", markup=False)
        out.print(
            f"{removed.conversations:>8}  conversations made anonymous; their figures stay", markup=False
        )
        out.print(
            "A server that is running may still know the name: restart it. What agents' devices hold, and what"
            " an account of the client on this server has in its own archive, is not erased.",
            markup=False,
        )

    _with_store(settings, erase_it)


def _refuse(client: str) -> NoReturn:
    fail(f"{client} is in a conversation", "Close it first: !close in the chat of the agent.")


async def _gather(store: Store, named: str) -> Dossier:
    found = await find_client(store, named)
    if found is None:
        fail(f"there is no client {named}", "To look for one: imserver client find TEXT")
    return await gather(store, found)


def _with_store(settings: Settings, work: Callable[[Store], Awaitable[None]]) -> None:
    async def open_and_work() -> None:
        async with open_database(settings) as database:
            await work(Store(database))

    asyncio.run(open_and_work())
