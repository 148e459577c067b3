"""XEP-0313: Message Archive Management. What is kept, for whom and how long; for reading it see archive_queries."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from imserver.features import archive_queries
from imserver.features.archive_preferences import ArchivePreferencesOfAll
from imserver.features.archive_words import WordIndexing
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
        self._words = WordIndexing()

    # What is kept

    @hookimpl
    def find_records(self, server: Server, message: Message) -> Rows | Awaitable[Rows]:
        """Put a message on record for those who exchange it."""
        if not (is_worth_keeping(message)[0] and server.settings.archive.enabled):
            return None
        sender, to = message.sender, message.to
        if sender is None or to is None:
            return None
        for_recipient = has_archive(server, to, message)
        is_known = to.domain != server.domain or not for_recipient or self._accounts.is_known(server, to.bare)
        if is_known and not self._preferences.are_asked(sender.bare, to.bare):
            for_sender = has_archive(server, sender, message)
            return write_records(message, sender, to, for_sender=for_sender, for_recipient=for_recipient)
        return self._find_records_later(server, message, sender, to)

    async def _find_records_later(self, server: Server, message: Message, sender: JID, to: JID) -> Rows:
        """Look up what is not in memory."""
        for_sender = has_archive(server, sender, message) and await self._keeps(server, sender.bare, to)
        for_recipient = has_archive(server, to, message) and await self._keeps(server, to.bare, sender)
        # Others may be on record before it by now, and the order of numbers is the order of the archive.
        message.number = server.number()
        return write_records(message, sender, to, for_sender=for_sender, for_recipient=for_recipient)

    async def _keeps(self, server: Server, owner: JID, peer: JID) -> bool:
        if owner.domain != server.domain:
            return True  # a component keeps it, and has said so
        exists = await self._accounts.exists(server, owner)
        return exists and await self._preferences.allow(server, owner, peer)

    # For how long

    @hookimpl
    async def server_starting(self, server: Server) -> None:
        """Read everybody's preferences: each message asks for them."""
        await self._preferences.load(server)

    @hookimpl
    def account_removed(self, account: JID) -> None:
        """Forget it: messages to it are on nobody's record any more."""
        self._accounts.forget(account)

    @hookimpl
    def server_started(self, server: Server) -> None:
        """Begin to look for what is too old, and for what is not indexed."""
        if server.settings.archive.enabled:
            self._expire_now_and_then(server)
        if server.settings.archive.enabled and server.settings.archive.search:
            self._words.start(server)

    @hookimpl
    def server_stopping(self) -> None:
        """Look no more."""
        self._words.stop()
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
        return [(Target.ACCOUNT | Target.SERVER, feature) for feature in archive_queries.features(server)]


def has_archive(server: Server, jid: JID, message: Message) -> bool:
    """Tell whether a message is for the archive of an address: an account's here, if there is one, or a component's."""
    if not jid.local:
        return False
    if jid.domain == server.domain:
        return True
    component = server.router.components.get(jid.domain)
    return component is not None and component.keeps(message)


def write_records(message: Message, sender: JID, to: JID, *, for_sender: bool, for_recipient: bool) -> Rows:
    """Write one row for the accounts here, and note under which id they will find it.

    A message to oneself is in the archive once (XEP-0313, 6.1.1).
    """
    number, stanza = message.number, message.wire
    writer, reader = sender.bare, to.bare
    for_both = for_sender and for_recipient and writer != reader
    # Plain text: see ArchiveRow.
    if for_recipient:
        message.stable_ids = {reader: number, writer: number} if for_both else {reader: number}
        mirror = to.resource if for_both else None
        return [ArchiveRow(number, str(reader), str(writer), sender.resource, stanza, mirror)]
    if for_sender and writer != reader:
        message.stable_ids = {writer: number}
        return [ArchiveRow(number, str(writer), str(reader), to.resource, stanza)]
    message.stable_ids = {}
    return []


async def expire(server: Server) -> None:
    """Delete what is older than the settings allow, and let others write in between."""
    oldest = time.time_ns() // 1000 - server.settings.archive.keep_days * _DAY_US
    deleted = 0
    while some := await server.store.archive.expire(oldest, RETENTION_BATCH):
        deleted += some
        await asyncio.sleep(0)
    if deleted:
        server.log.info("old messages were deleted from the archive", messages=deleted)
