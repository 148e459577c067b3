"""XEP-0313: Message Archive Management. What is kept, for whom and how long; for reading it see archive_queries."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from imserver.features import archive_queries
from imserver.features.archive_preferences import ArchivePreferencesOfAll
from imserver.features.local_accounts import LocalAccounts
from imserver.features.worth_keeping import is_worth_keeping
from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target
from imserver.storage.archive import ArchiveRow

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver.server import Server
    from imserver.xmpp.jid import JID
    from imserver.xmpp.stanza import Message

    Rows = list[ArchiveRow] | None

#: How often we look for what is too old, in seconds, and how many rows are deleted at a time.
RETENTION_SECONDS: Final = 3600.0
RETENTION_BATCH: Final = 1000

_DAY_US: Final = 86_400_000_000


class Plugin:
    """The archives of all accounts."""

    def __init__(self) -> None:
        self._accounts = LocalAccounts()
        self._preferences = ArchivePreferencesOfAll()
        self._retention: asyncio.TimerHandle | None = None

    # What is kept

    @hookimpl
    def find_records(self, server: Server, message: Message) -> Rows | Awaitable[Rows]:
        """Put a message on record for those who exchange it."""
        if not (server.settings.archive.enabled and is_worth_keeping(message)[0]):
            return None
        to = message.to
        if to is None or message.sender is None:
            return None
        is_known = to.domain != server.domain or not to.local or self._accounts.is_known(server, to.bare)
        if is_known and not self._preferences.are_asked(message.sender.bare, to.bare):
            return self._records(server, message, self._owners(server, message))
        return self._find_records_later(server, message)

    async def _find_records_later(self, server: Server, message: Message) -> Rows:
        """Look up what is not in memory; others may be on record before it now, so it is numbered anew."""
        owners = [
            owner for owner in self._owners(server, message) if await self._keeps(server, message, owner)
        ]
        message.number = server.number()
        return self._records(server, message, owners)

    async def _keeps(self, server: Server, message: Message, owner: JID) -> bool:
        return await self._accounts.exists(server, owner) and await self._preferences.allow(
            server, owner, _peer(message, owner)
        )

    @staticmethod
    def _owners(server: Server, message: Message) -> list[JID]:
        """List the accounts here that exchange it: two, one, or one who writes to itself."""
        assert message.sender is not None
        assert message.to is not None
        sender, recipient, here = message.sender.bare, message.to.bare, server.domain
        if recipient.domain != here or not recipient.local:
            return [sender] if sender.domain == here and sender.local else []
        if sender.domain != here or not sender.local or sender == recipient:
            return [recipient]
        return [recipient, sender]

    @staticmethod
    def _records(server: Server, message: Message, owners: list[JID]) -> Rows:
        """Write its rows, and note under which ids they will be found."""
        assert message.to is not None
        recipient, stanza = message.to.bare, message.wire
        rows = []
        message.stable_ids = stable_ids = {}
        for owner in owners:
            number = message.number if owner == recipient else server.number()
            peer = _peer(message, owner)
            rows.append(ArchiveRow(number, owner, peer.bare, peer.resource, stanza))
            stable_ids[owner] = number
        return rows

    # For how long

    @hookimpl
    async def server_started(self, server: Server) -> None:
        """Begin to look for what is too old."""
        await self._preferences.load(server)
        if server.settings.archive.enabled:
            self._expire_now_and_then(server)

    @hookimpl
    def server_stopping(self) -> None:
        """Look no more."""
        if self._retention is not None:
            self._retention.cancel()

    def _expire_now_and_then(self, server: Server) -> None:
        if server.settings.archive.keep_days:
            server.spawn(expire(server))
        loop = asyncio.get_running_loop()
        self._retention = loop.call_later(RETENTION_SECONDS, self._expire_now_and_then, server)

    # Reading it

    @hookimpl
    def register_iq_handlers(self, server: Server) -> list[IQHandler]:
        """Answer the owner, and nobody else."""
        if not server.settings.archive.enabled:
            return []
        return [*archive_queries.HANDLERS, *self._preferences.handlers]

    @hookimpl
    def register_disco_features(self, server: Server) -> list[tuple[Target, str]]:
        """Show what can be asked; the XEP wants it at the account.

        COMPAT: Profanity 0.13 looks for it at the server only.
        """
        if not server.settings.archive.enabled:
            return []
        return [(Target.ACCOUNT | Target.SERVER, feature) for feature in archive_queries.FEATURES]


def _peer(message: Message, owner: JID) -> JID:
    """Name the other side, as the owner of an archive sees it."""
    assert message.sender is not None
    assert message.to is not None
    return message.to if message.sender.bare == owner else message.sender


async def expire(server: Server) -> None:
    """Delete what is older than the settings allow, and let others write in between."""
    oldest = time.time_ns() // 1000 - server.settings.archive.keep_days * _DAY_US
    deleted = 0
    while some := await server.store.archive.expire(oldest, RETENTION_BATCH):
        deleted += some
        await asyncio.sleep(0)
    if deleted:
        server.log.info("old messages were deleted from the archive", messages=deleted)
