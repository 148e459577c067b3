"""Files of the server's own, put where uploads are (XEP-0363): whoever knows the address can have them for a time."""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imserver.features import upload_files, upload_names
from imserver.features.upload_folder import UploadFolder
from imserver.storage.uploads import Upload
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from pathlib import Path

    from imserver.server import Server

#: How much of a file is copied at once, in bytes.
CHUNK: Final = 262_144
#: How long copying may take, in seconds: then what there is of it is cleaned up.
SLOT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that others can have."""

    url: str
    name: str
    type: str
    size: int
    expires: datetime


async def share(server: Server, file: Path) -> SharedFile:
    """Put a copy of a file where uploads are, for as long as an upload is kept; it is the server's, and no account's.

    Raises:
        StanzaError: If there is no HTTP to have it by, or it can't be read.
    """
    if not server.settings.public_url:
        raise StanzaError("service-unavailable", "This server gives no files")
    try:
        size = (await asyncio.to_thread(file.stat)).st_size
        upload = Upload(
            token=secrets.token_urlsafe(32),
            owner=server.domain,
            name=upload_names.safe_name(file.name),
            size=size,
            type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            expires=datetime.now(UTC) + timedelta(seconds=SLOT_SECONDS),
        )
        await server.store.uploads.reserve(upload)
        await _copy(file, UploadFolder(server.settings.data / "uploads"), upload)
    except OSError as error:
        raise StanzaError("internal-server-error", f"{file.name} can't be read: {error.strerror}") from error
    expires = datetime.now(UTC) + timedelta(days=server.settings.upload.expire_days)
    await server.store.uploads.mark_stored(upload.token, expires)
    url = upload_files.url(server.settings.public_url, upload)
    return SharedFile(url, upload.name, upload.type, size, expires)


async def _copy(file: Path, folder: UploadFolder, upload: Upload) -> None:
    left = upload.size
    async with folder.arriving(upload.token) as copy:
        with await asyncio.to_thread(file.open, "rb") as stream:
            while left and (data := await asyncio.to_thread(stream.read, min(CHUNK, left))):
                await copy.write(data)
                left -= len(data)
        if left:
            raise OSError(0, "it has become shorter meanwhile")
        await copy.keep()
