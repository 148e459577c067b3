"""XEP-0313: messages that somebody may read in their own archive, though they are in others'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from imserver.storage.archive import ArchivedMessage
    from imserver.xmpp.jid import JID


@dataclass(frozen=True, slots=True)
class SharedArchive:
    """What is read together with what the asker has with that contact."""

    #: Whose archives; they are read whole.
    owners: Sequence[JID]
    #: Write a page so that the asker's client understands it, and leave out what must not be shown.
    show: Callable[[Sequence[ArchivedMessage]], Awaitable[Sequence[ArchivedMessage]]]
