"""Everything that is kept of one client, gathered, written down, and erased."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imserver.storage.archive import ArchivedMessage, Erased
from imserver.storage.client_traces import contact_lists_with, unblock_everywhere
from imserver.storage.clients import Client
from imserver.storage.conversations import OPEN_STATES, ConversationRow
from imserver.storage.store import Store
from imserver.storage.uploads import Upload
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.namespaces import CLIENT
from imserver.xmpp.parser import parse_message
from imserver.xmpp.timestamps import format_timestamp

# As written into addresses of uploaded files.
FILE_ADDRESS = re.compile(rb"/upload/([A-Za-z0-9_-]{43})/")
AT_ONCE = 500
MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Dossier:
    """What there is of a client, but for the messages."""

    client: Client
    addresses: list[str]
    """The client JIDs: one for each key and channel."""
    conversations: list[ConversationRow]
    notes: list[dict[str, Any]]
    rosters: list[tuple[str, str]]
    """Whose contact the client is, and under which address."""

    @property
    def goes_on(self) -> bool:
        return any(one.state in OPEN_STATES for one in self.conversations)


@dataclass(slots=True)
class Exported:
    """How much was written."""

    messages: int = 0
    files: list[Upload] = field(default_factory=list)
    files_gone: int = 0


async def find_client(store: Store, named: str) -> Client | None:
    """Find a client by alias, with or without its kind, by client JID or by key."""
    for alias in (
        named,
        f"xmpp:{_address(named)}",
        *(f"{kind}:{named}" for kind in ("whatsapp", "email", "tel")),
    ):
        if (found := await store.desk.client_of(alias)) is not None:
            return found
    return await store.desk.client(named.partition("@")[0])


def _address(text: str) -> str:
    try:
        return JID.parse(text).bare
    except JIDError:
        return text


async def gather(store: Store, client: Client) -> Dossier:
    """Read what there is of a client."""
    keys = await store.desk.keys_of(client.key)
    conversations: list[ConversationRow] = []
    before = 2**62
    while some := await store.desk.conversations_of(client.key, before=before):
        conversations += some
        before = some[-1].id
    addresses = await store.archive.addresses_of(keys)
    addresses += sorted({one.client for one in conversations} - {*addresses, ""})
    notes = [
        {"conversation": note.conversation, "agent": note.agent, "time": _time(note.at), "text": note.text}
        for note in await store.desk.notes_of(client.key)
    ]
    contacts = await contact_lists_with(store.database, addresses)
    return Dossier(client, addresses, conversations[::-1], notes, contacts)


async def messages_of(store: Store, dossier: Dossier) -> AsyncIterator[ArchivedMessage]:
    """Read what was said with a client, on all channels, in the order of time."""
    if not dossier.addresses:
        return
    first, *others = dossier.addresses
    after: int | None = None
    while True:
        page = await store.archive.page(first, together_with=others, after=after, limit=AT_ONCE)
        for row in page.rows:
            yield row
        if page.complete or not page.rows:
            return
        after = page.rows[-1].id


async def files_of(store: Store, dossier: Dossier) -> list[Upload]:
    """Find the uploaded files whose addresses stand in the messages."""
    tokens: dict[str, None] = {}
    async for row in messages_of(store, dossier):
        tokens |= {found.decode(): None for found in FILE_ADDRESS.findall(row.stanza)}
    uploads = [await store.uploads.find(token) for token in tokens]
    return [upload for upload in uploads if upload is not None]


# Write down


async def export(store: Store, dossier: Dossier, uploads: Path, folder: Path) -> Exported:
    """Write everything into a folder: lines of JSON for machines, the files, and a report for people."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - nobody else runs here
    exported = Exported()
    with (
        (folder / "messages.jsonl").open("w", encoding="utf-8") as lines,
        (folder / "report.txt").open("w", encoding="utf-8") as report,
    ):
        report.write(_head(dossier))
        async for row in messages_of(store, dossier):
            message = _read(row)
            lines.write(json.dumps(message, ensure_ascii=False) + "\n")
            if message["text"]:
                report.write(
                    f"[{message['time'][:16].replace('T', ' ')} UTC] {_who(message)}: {message['text']}\n"
                )
            exported.messages += 1
    _write_lines(folder / "notes.jsonl", dossier.notes)
    _write_lines(folder / "conversations.jsonl", [_conversation(one) for one in dossier.conversations])
    for upload in await files_of(store, dossier):
        if (uploads / upload.token).is_file():
            (folder / "files").mkdir(exist_ok=True)
            shutil.copyfile(uploads / upload.token, folder / "files" / f"{upload.token[:8]}-{upload.name}")
            exported.files.append(upload)
        else:
            exported.files_gone += 1
    return exported


def _write_lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _read(row: ArchivedMessage) -> dict[str, Any]:
    tree = parse_message(row.stanza)
    body = tree.child("body", CLIENT)
    return {
        "number": row.id,
        "time": format_timestamp(row.time),
        "from": tree.get("from"),
        "to": tree.get("to"),
        "id": tree.get("id"),
        "text": body.text if body is not None else "",
        "stanza": row.stanza.decode(),
    }


def _who(message: dict[str, Any]) -> str:
    return str(message["from"]).partition("/")[0]


def _conversation(row: ConversationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "client": row.client,
        "queue": row.queue,
        "state": row.state,
        "agent": row.agent,
        "opened": _time(row.opened),
        "closed": None if row.closed is None else _time(row.closed),
        "details": dict(row.details),
    }


def _time(seconds: float) -> str:
    return format_timestamp(datetime.fromtimestamp(seconds, UTC))


def _head(dossier: Dossier) -> str:
    client = dossier.client
    lines = [
        f"Client {client.key}",
        *(f"Address: {alias}" for alias in client.aliases),
        *(f"Name: {name.text} ({name.origin})" for name in client.names),
        *(f"Seen by agents as: {address}" for address in dossier.addresses),
        "",
        *(
            f"Conversation {one.id}: {_time(one.opened)[:16]}, queue {one.queue}, {one.agent or 'nobody'}"
            for one in dossier.conversations
        ),
        "",
        *(f"Note of {note['agent']}, {note['time'][:16]}: {note['text']}" for note in dossier.notes),
        "",
    ]
    return "\n".join(lines) + "\n"


# Erase


@dataclass(frozen=True, slots=True)
class Removed:
    """What was erased."""

    messages: Erased
    files: int
    notes: int
    conversations: int
    contacts: int
    addresses: int


async def erase(
    store: Store, dossier: Dossier, uploads: Path, tell: Callable[[str], None] = lambda step: None
) -> Removed:
    """Erase everything of a client but the figures; if it is interrupted, do it again.

    Raises:
        ConversationGoesOn: If the client is in a conversation, or has opened one meanwhile.
    """
    tell("files")
    files = await files_of(store, dossier)
    for upload in files:
        (uploads / upload.token).unlink(missing_ok=True)
    await store.uploads.delete([upload.token for upload in files])
    tell("messages")
    messages = await store.archive.erase(dossier.addresses)
    tell("contacts")
    for owner, contact in dossier.rosters:
        await store.rosters.delete(owner, contact)
    await unblock_everywhere(store.database, dossier.addresses)
    tell("client")
    await store.desk.erase(dossier.client.key)
    return Removed(
        messages,
        len(files),
        len(dossier.notes),
        len(dossier.conversations),
        len(dossier.rosters),
        len(dossier.client.aliases),
    )
