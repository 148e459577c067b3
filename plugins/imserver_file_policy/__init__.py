"""Which files may be sent: extensions, types and sizes, by channel, direction and role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver import JID, Message, Server, StanzaError, Upload, hookimpl
from imserver_file_policy import askers, links, rules
from imserver_file_policy.clamd import Place, ScanFailed, scan
from imserver_file_policy.content import Inspector
from imserver_file_policy.metrics import FileCounters
from imserver_file_policy.notices import Notices
from imserver_file_policy.refusal import Refusal
from imserver_file_policy.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from imserver.desk import Conversation


class Plugin:
    """One server's policy for files."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counters = FileCounters()
        self.notices = Notices()
        self._inspector = Inspector(settings)
        self._clamd = Place.parse(settings.clamd) if settings.clamd else None

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[Settings]]:
        """Read `[plugins.file_policy]`."""
        return [Settings]

    @hookimpl
    def register_metrics(self) -> list[FileCounters]:
        """Show how many files came, and why others did not."""
        return [self.counters]

    @hookimpl
    def server_stopping(self) -> None:
        """Look at no more files."""
        self._inspector.close()

    # At the slot

    @hookimpl
    async def find_largest_upload(self, server: Server, asker: JID) -> int | None:
        """Say what the rules of whoever asks allow."""
        try:
            given = rules.rules_for(await askers.find_asker(server, asker), self.settings.rules)
        except Refusal:
            return 0
        return min(rule.max_bytes for rule in given)

    @hookimpl
    async def refine_upload(self, server: Server, upload: Upload, asker: JID) -> None:
        """Refuse what is not allowed by what is said of it."""
        for rule in rules.rules_for(await askers.find_asker(server, asker), self.settings.rules):
            rules.check(rule, upload.name, upload.type, upload.size)

    # At the PUT

    @hookimpl
    async def may_keep_upload(self, server: Server, upload: Upload, file: Path) -> None:
        """Refuse what turns out to be something else, or to hold what may not come."""
        asker = await askers.find_asker(server, JID.parse(upload.owner))
        given = rules.rules_for(asker, self.settings.rules)
        for rule in given:  # whoever had no conversation then may have one now
            rules.check(rule, upload.name, upload.type, upload.size)
        await self._inspector.inspect(file, upload.name, given)
        if self._clamd is not None:
            await self._scan(server, self._clamd, upload, file)

    async def _scan(self, server: Server, clamd: Place, upload: Upload, file: Path) -> None:
        try:
            found = await scan(clamd, file, seconds=self.settings.scan_seconds)
        except ScanFailed as failure:
            self.counters.scans["failed"] += 1
            decision = self.settings.on_scan_failure
            server.log.warning(
                "a file was not scanned", account=upload.owner, reason=str(failure), decision=decision
            )
            if decision == "refuse":
                raise Refusal("scan_failed") from failure
            return
        self.counters.scans["infected" if found else "clean"] += 1
        if found:
            server.log.warning("a virus was found", account=upload.owner, signature=found)
            raise Refusal("virus", signature=found)

    # Afterwards

    @hookimpl
    def file_uploaded(self) -> None:
        """Count it."""
        self.counters.accepted += 1

    @hookimpl
    def file_refused(self, server: Server, upload: Upload, reason: StanzaError) -> Awaitable[None]:
        """Count it, and tell those who are in the chat."""
        self.counters.refused[reason.key if isinstance(reason, Refusal) else reason.condition] += 1
        return self.notices.tell(server, upload, reason)

    @hookimpl
    def conversation_assigned(self, server: Server, conversation: Conversation, agent: JID) -> None:
        """Tell an agent what did not come before."""
        self.notices.assigned(server, conversation, agent)

    @hookimpl
    def conversation_closed(self, conversation: Conversation) -> None:
        """Forget what nobody was told."""
        self.notices.closed(conversation)

    # Files elsewhere

    @hookimpl
    def refine_message(self, server: Server, message: Message) -> None:
        """Refuse a client's link to a file that nobody here has looked at."""
        if self.settings.foreign_links == "allow" or message.to is None or message.sender is None:
            return
        desk = askers.desk_of(server)
        if desk is None or message.to.domain != desk.domain or askers.is_agent(desk, message.sender.bare):
            return
        link = links.foreign_link(message, f"{server.settings.public_url}/upload/")
        if link:
            raise Refusal("foreign_link")
