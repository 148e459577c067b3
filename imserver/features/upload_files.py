"""XEP-0363, over HTTP: files come once, exactly as announced, and go to whoever knows their address."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aiohttp import web

from imserver.features import upload_names
from imserver.hooks import is_awaitable
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imserver.features.upload_folder import UploadFolder
    from imserver.server import Server
    from imserver.storage.uploads import Upload

PATH: Final = "/upload"
#: How long a client may send nothing in the midst of a file, in seconds.
STALL_SECONDS: Final = 60.0
#: As written by `secrets.token_urlsafe(32)`.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")

#: Web clients of any origin may upload and download; nothing here depends on cookies.
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Disposition, Content-Range, ETag",
}
PREFLIGHT: Final = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, HEAD, PUT, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Range, X-Requested-With",
    "Access-Control-Max-Age": "7200",
}
HEADERS: Final = {**CORS, **upload_names.GUARDS}

#: What a client is answered when a plugin does not keep its file; anything else is 415.
REFUSALS: Final[Mapping[str, type[web.HTTPException]]] = {
    "forbidden": web.HTTPForbidden,
    "internal-server-error": web.HTTPInternalServerError,
    "remote-server-timeout": web.HTTPServiceUnavailable,
    "resource-constraint": web.HTTPServiceUnavailable,
    "service-unavailable": web.HTTPServiceUnavailable,
}


def url(public_url: str, upload: Upload) -> str:
    """Write where a file is put, and got."""
    return f"{public_url}{PATH}/{upload.token}/{quote(upload.name, safe='')}"


class UploadFiles:
    """Takes files and gives them."""

    def __init__(self, server: Server, folder: UploadFolder) -> None:
        self._server = server
        self._folder = folder
        #: Whose files are coming right now.
        self.arriving: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """List the routes of all files; whatever is no file's address is answered alike."""
        path = f"{PATH}/{{path:.*}}"
        return [web.put(path, self.take), web.get(path, self.give), web.options(path, self.answer_preflight)]

    async def answer_preflight(self, request: web.Request) -> web.Response:
        """Let web clients of any origin in (Fetch, 3.2)."""
        return web.Response(status=204, headers=PREFLIGHT)

    # Giving

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Hand a file out, or a range of it (RFC 9110, 14)."""
        upload = await self._find(request)
        file = self._folder.file(upload.token)
        if not upload.stored or not await asyncio.to_thread(file.is_file):
            raise _unknown()
        left = int((upload.expires - datetime.now(UTC)).total_seconds())
        headers = {
            **CORS,
            **upload_names.headers(upload.name, upload.type),
            "Cache-Control": f"private, max-age={left}, immutable",
        }
        return web.FileResponse(file, headers=headers)

    async def _find(self, request: web.Request) -> Upload:
        token, _, name = request.match_info["path"].partition("/")
        upload = await self._server.store.uploads.find(token) if _TOKEN.fullmatch(token) else None
        if upload is None or upload.name != name or upload.expires <= datetime.now(UTC):
            raise _unknown()
        return upload

    # Taking

    async def take(self, request: web.Request) -> web.Response:
        """Take a file, once; it is on disk before the client is told so."""
        upload = await self._find(request)
        _check_announced(request, upload)
        if upload.stored or upload.token in self.arriving:
            raise web.HTTPConflict(text="This file has been uploaded", headers=HEADERS)
        self.arriving.add(upload.token)
        try:
            await self._store(request, upload)
        except StanzaError as refusal:
            # Somebody who tries until it passes has to ask for a slot each time.
            await self._server.store.uploads.delete([upload.token])
            note_refused(self._server, upload, refusal)
            raise _refused(upload, refusal) from None
        finally:
            self.arriving.discard(upload.token)
        self._note_stored(upload)
        return web.Response(status=201, headers=HEADERS)

    def _note_stored(self, upload: Upload) -> None:
        counters = self._server.counters
        counters.uploads += 1
        counters.upload_bytes += upload.size
        self._server.log.info("file uploaded", account=upload.owner, size=upload.size, type=upload.type)
        told = self._server.hooks.file_uploaded.announce(server=self._server, upload=upload)
        if told is not None:
            self._server.spawn(told)

    async def _store(self, request: web.Request, upload: Upload) -> None:
        async with self._folder.arriving(upload.token) as file:
            received = 0
            while data := await _read(request):
                received += len(data)
                if received > upload.size:
                    raise _too_large(upload)
                await file.write(data)
            if received != upload.size:
                raise _wrong_size(upload)
            await self._check(upload, await file.written())
            await file.keep()
        kept_until = datetime.now(UTC) + timedelta(days=self._server.settings.upload.expire_days)
        if not await self._server.store.uploads.mark_stored(upload.token, kept_until):
            # The account was removed meanwhile, and its slots with it.
            await self._folder.remove([upload.token])
            raise _unknown()

    async def _check(self, upload: Upload, file: Path) -> None:
        """Have plugins look at it, while nobody can have it yet.

        Raises:
            StanzaError: If one of them does not keep it.
        """
        answer = self._server.hooks.may_keep_upload.ask(server=self._server, upload=upload, file=file)
        if is_awaitable(answer):
            answer = await answer
        if answer is False:
            raise StanzaError("not-acceptable", "This file is not taken")


def note_refused(server: Server, upload: Upload, refusal: StanzaError) -> None:
    """Tell plugins, and the log, that a file did not come."""
    server.log.info("file refused", account=upload.owner, size=upload.size, reason=refusal.text)
    told = server.hooks.file_refused.announce(server=server, upload=upload, reason=refusal)
    if told is not None:
        server.spawn(told)


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(STALL_SECONDS):
            return await request.content.readany()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="Nothing came for too long", headers=HEADERS) from None


def _check_announced(request: web.Request, upload: Upload) -> None:
    """XEP-0363, 4: size and type are what the slot was asked for."""
    if request.content_length is None:
        raise web.HTTPLengthRequired(text="Content-Length has to be the announced size", headers=HEADERS)
    if request.content_length > upload.size:
        raise _too_large(upload)
    if request.content_length < upload.size:
        raise _wrong_size(upload)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType(text="Send the file as it is, not encoded", headers=HEADERS)
    if upload.type and request.content_type.lower() != upload.type:
        raise web.HTTPUnsupportedMediaType(text=f"Content-Type has to be {upload.type}", headers=HEADERS)


def _too_large(upload: Upload) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(
        max_size=upload.size, actual_size=0, text=f"{upload.size} bytes were announced", headers=HEADERS
    )


def _refused(upload: Upload, refusal: StanzaError) -> web.HTTPException:
    text = refusal.text or "This file is not taken"
    if refusal.application is not None and refusal.application.name == "file-too-large":
        return web.HTTPRequestEntityTooLarge(max_size=0, actual_size=upload.size, text=text, headers=HEADERS)
    kind = REFUSALS.get(refusal.condition, web.HTTPUnsupportedMediaType)
    return kind(text=text, headers=HEADERS)


def _wrong_size(upload: Upload) -> web.HTTPException:
    return web.HTTPBadRequest(text=f"{upload.size} bytes were announced", headers=HEADERS)


def _unknown() -> web.HTTPException:
    # The same for whatever is not there, never was, or is not there yet: nothing can be found out by trying.
    return web.HTTPNotFound(text="There is no such file", headers=HEADERS)
