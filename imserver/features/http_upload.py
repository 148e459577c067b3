"""XEP-0363: HTTP File Upload; who may upload what, and for how long it stays."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imserver.features import disco, upload_files, upload_names
from imserver.features.upload_files import UploadFiles
from imserver.features.upload_folder import UploadFolder
from imserver.hooks import DROP, hookimpl, is_awaitable
from imserver.iq import IQTable, Target, iq_handler
from imserver.routing.components import Component
from imserver.storage.uploads import QuotaExceeded, Upload
from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Field, Form
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import IQ, Stanza

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp.web import RouteDef

    from imserver.server import Server

UPLOAD: Final = "urn:xmpp:http:upload:0"
IDENTITY: Final = disco.Identity("store", "file", "File upload")
FEATURES: Final = (namespaces.DISCO_INFO, namespaces.DISCO_ITEMS, "urn:xmpp:ping", UPLOAD)
#: How often expired files are removed, and how many at once.
EXPIRY_SECONDS: Final = 300.0
BATCH: Final = 500


class Plugin:
    """A server's uploads."""

    def __init__(self) -> None:
        self._expiry: asyncio.Task[None] | None = None
        self._folder: UploadFolder | None = None
        self._files: UploadFiles | None = None

    @hookimpl
    def register_components(self, server: Server) -> list[Component]:
        """Answer at an address of our own, unless there is no HTTP to upload by."""
        return [UploadComponent(server)] if server.settings.public_url else []

    @hookimpl
    def register_routes(self, server: Server) -> list[RouteDef]:
        """Take files and give them."""
        self._folder = UploadFolder(server.settings.data / "uploads")
        self._files = UploadFiles(server, self._folder)
        return self._files.routes()

    @hookimpl
    async def server_started(self, server: Server) -> None:
        """Clean up now, and again and again."""
        assert self._folder is not None, "routes are registered before"
        await self._folder.open()
        self._expiry = asyncio.create_task(self._expire_always(server))

    @hookimpl
    async def server_stopping(self) -> None:
        """Leave the rest for the next start."""
        if self._expiry is not None:
            self._expiry.cancel()
            with suppress(asyncio.CancelledError):
                await self._expiry

    @hookimpl
    def account_removed(self, server: Server) -> None:
        """Remove its files, in our own time."""
        assert self._folder is not None
        server.spawn(_guarded(server, remove_orphans(server, self._folder)))

    async def _expire_always(self, server: Server) -> None:
        assert self._folder is not None
        await _guarded(server, remove_orphans(server, self._folder))
        while True:
            await _guarded(server, self.expire(server, datetime.now(UTC)))
            await asyncio.sleep(EXPIRY_SECONDS)

    async def expire(self, server: Server, now: datetime) -> None:
        """Remove the files and slots whose time is over, a batch at a time."""
        assert self._folder is not None
        assert self._files is not None
        while expired := await server.store.uploads.expired(now, BATCH):
            # Who has begun in time may finish.
            tokens = [upload.token for upload in expired if upload.token not in self._files.arriving]
            if not tokens:
                return
            await self._folder.remove(tokens)
            await server.store.uploads.delete(tokens)


async def remove_orphans(server: Server, folder: UploadFolder) -> None:
    """Remove files that no account owns any more."""
    for token in await folder.tokens():
        if await server.store.uploads.find(token) is None:
            await folder.remove([token])


async def _guarded(server: Server, work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:
        server.log.error("expired files could not be removed", exc_info=error)


class UploadComponent(Component):
    """Promises slots, at `upload.<domain>`."""

    name = IDENTITY.name

    def __init__(self, server: Server) -> None:
        self.domain = f"upload.{server.domain}"
        self._iqs = IQTable()
        for handler in (answer_info, answer_items, answer_ping, answer_request):
            self._iqs.add("http_upload", handler)

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        """Answer questions.

        Raises:
            StanzaError: If it is anything else.
        """
        if not isinstance(stanza, IQ):
            if stanza.name == "message" and stanza.type != "error":
                raise StanzaError("service-unavailable", "Nobody reads messages to the upload service")
            return None
        if stanza.type not in ("get", "set"):
            return None
        if stanza.to != self.domain:
            raise StanzaError("item-not-found", f"The service is {self.domain} itself")
        return server.router.answer(self._iqs.find(stanza, Target.SERVER), stanza)


# Service discovery (XEP-0363, 3)


@iq_handler("get", namespaces.DISCO_INFO, "query", target=Target.SERVER)
async def answer_info(server: Server, iq: IQ) -> Element:
    """Say what we are, and how large a file may be."""
    _refuse_nodes(iq)
    largest = Field("max-file-size", value=str(await _largest_of(server, iq.sender)))
    return disco.info([IDENTITY], FEATURES, [Form((largest,), type=UPLOAD)])


@iq_handler("get", namespaces.DISCO_ITEMS, "query", target=Target.SERVER)
def answer_items(server: Server, iq: IQ) -> Element:
    """Say that there is nothing below."""
    _refuse_nodes(iq)
    return disco.items(())


@iq_handler("get", "urn:xmpp:ping", "ping", target=Target.SERVER)
def answer_ping(server: Server, iq: IQ) -> None:
    """Say that we are here (XEP-0199)."""


def _refuse_nodes(iq: IQ) -> None:
    if iq.query.get("node"):
        raise StanzaError("item-not-found", "There are no nodes here")


async def _largest_of(server: Server, asker: JID | None) -> int:
    largest = server.hooks.find_largest_upload.ask(server=server, asker=asker)
    if is_awaitable(largest):
        largest = await largest
    return min(_largest(server), largest) if largest is not None else _largest(server)


def _largest(server: Server) -> int:
    settings = server.settings.upload
    return min(settings.max_bytes, settings.quota_bytes)


# Slots (XEP-0363, 4)


@iq_handler("get", UPLOAD, "request", target=Target.SERVER)
async def answer_request(server: Server, iq: IQ) -> Element:
    """Promise room for one file, and say where to put it."""
    owner = _owner(server, iq.sender)
    wanted = _read_request(server, iq.query, owner)
    try:
        upload = await _promise(server, wanted, iq.sender or owner)
    except StanzaError as refusal:
        upload_files.note_refused(server, wanted, refusal)
        raise
    url = upload_files.url(server.settings.public_url, upload)
    return Element("slot", UPLOAD).add(
        Element("put", UPLOAD, {"url": url}), Element("get", UPLOAD, {"url": url})
    )


def _read_request(server: Server, request: Element, owner: JID) -> Upload:
    size, name = request.get("size", ""), request.get("filename", "")
    if not (size.isascii() and size.isdigit() and len(size) < 19):
        raise StanzaError("bad-request", "size has to be a number of bytes")
    if not name.strip():
        raise StanzaError("bad-request", "filename is missing")
    return Upload(
        token=secrets.token_urlsafe(32),
        owner=owner,
        name=upload_names.safe_name(name),
        size=int(size),
        type=_read_type(request.get("content-type", "")),
        expires=datetime.now(UTC) + timedelta(seconds=server.settings.upload.slot_seconds),
    )


async def _promise(server: Server, wanted: Upload, asker: JID) -> Upload:
    _check(server, wanted)
    refined = server.hooks.refine_upload.refine(wanted, "upload", server=server, asker=asker)
    upload = await refined if is_awaitable(refined) else refined
    if upload is DROP:
        raise StanzaError("not-acceptable", "This file is not taken")
    try:
        await server.store.uploads.reserve(upload, quota=server.settings.upload.quota_bytes)
    except QuotaExceeded:
        raise await _over_quota(server, upload) from None
    return upload


def _check(server: Server, upload: Upload) -> None:
    largest, longest = _largest(server), upload_names.LONGEST_NAME
    if upload.size > largest:
        too_large = Element("file-too-large", UPLOAD).add(Element("max-file-size", UPLOAD, text=str(largest)))
        raise StanzaError("not-acceptable", f"A file may have up to {largest} bytes", application=too_large)
    if upload.size == 0:
        raise StanzaError("not-acceptable", "A file has at least one byte: empty files are not taken")
    if len(upload.name.encode()) > longest:
        raise StanzaError("not-acceptable", f"The name of a file may have up to {longest} bytes")


def _owner(server: Server, sender: JID | None) -> JID:
    if sender is None or not sender.local or not _is_ours(server, sender):
        raise StanzaError("forbidden", f"Only accounts of {server.domain} may upload here")
    return sender.bare


def _is_ours(server: Server, sender: JID) -> bool:
    """Tell whether somebody has an account here, or is a component's guest; that says what they may ask."""
    component = server.router.components.get(sender.domain)
    return sender.domain == server.domain or (component is not None and component.host is not None)


def _read_type(announced: str) -> str:
    try:
        return upload_names.essence(announced) if announced else ""
    except ValueError as error:
        raise StanzaError("not-acceptable", f"content-type has to be {error}") from None


async def _over_quota(server: Server, wanted: Upload) -> StanzaError:
    """Tell when enough of the account's files will have expired."""
    quota = server.settings.upload.quota_bytes
    owned = await server.store.uploads.owned_by(wanted.owner)
    used = sum(upload.size for upload in owned)
    retry = datetime.now(UTC)
    for upload in owned:  # the first to expire first
        if used + wanted.size <= quota:
            break
        used -= upload.size
        retry = upload.expires
    stamp = retry.strftime("%Y-%m-%dT%H:%M:%SZ")
    return StanzaError(
        "resource-constraint",
        f"An account may keep up to {quota} bytes; the oldest files expire first",
        application=Element("retry", UPLOAD, {"stamp": stamp}),
    )
