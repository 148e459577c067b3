"""What clients see of our attention: blue ticks and "typing…", as far as the admin wants them to.

Meta has one request for both: who is seen typing has seen the message. It needs a message of the client's, and is
forgotten after 25 seconds, or when our answer comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from imserver_whatsapp.outgoing import read_mark

#: How often "typing…" is said again, in seconds.
REPEAT_SECONDS: Final = 20.0

#: When a message counts as read: when an agent's device has shown it, when somebody answers, or never.
Policy: TypeAlias = Literal["view", "reply", "never"]


@dataclass(slots=True)
class Attention:
    """What one client knows of our attention. Each method returns what is to be posted now: nothing, or one request."""

    policy: Policy
    #: The last message of the client's.
    last: str = ""
    #: The last one that they know we have read.
    marked: str = ""
    _repeats_at: float | None = None

    def heard(self, wamid: str) -> None:
        """Take in that the client wrote; edits and reactions are nothing to be read."""
        self.last = wamid

    def seen(self, wamid: str) -> list[dict[str, Any]]:
        """An agent's device has shown it (XEP-0333); what came before it was shown as well."""
        return self._mark(wamid) if self.policy == "view" else []

    def answered(self) -> list[dict[str, Any]]:
        """Somebody has answered: Meta forgets that they were typing."""
        self._repeats_at = None
        return self._mark(self.last) if self.policy != "never" else []

    def _mark(self, wamid: str) -> list[dict[str, Any]]:
        if not wamid or wamid == self.marked:
            return []
        self.marked = wamid
        return [read_mark(wamid)]

    def composing(self, now: float) -> list[dict[str, Any]]:
        """An agent is writing (XEP-0085)."""
        if self._repeats_at is not None and now < self._repeats_at:
            return []
        # It marks the message as read: only where that is allowed, or done already.
        if not self.last or not (self.policy == "view" or self.marked == self.last):
            return []
        self.marked = self.last
        self._repeats_at = now + REPEAT_SECONDS
        return [read_mark(self.last, is_composing=True)]

    def paused(self) -> None:
        """Nobody is writing any more; Meta has no way to say so, and forgets it soon."""
        self._repeats_at = None

    @property
    def repeats_at(self) -> float | None:
        """Say when `composing` has to be called again, unless they pause."""
        return self._repeats_at
