"""What stands beside the accounts at domains of its own: upload, desk, bridges."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import Message, Stanza


class Component(Protocol):
    """An address space inside the server; everything addressed to its domain is handed to it. Inherit from it."""

    domain: str
    #: What people see in service discovery.
    name: str

    def keeps(self, message: Message) -> bool:
        """Tell whether a message from or to an address of yours belongs into an archive that you keep there."""
        return False

    def pass_on(self, message: Message) -> Sequence[Message]:
        """Say what you make of a message to you for others, if that is known before it is on record.

        That goes on record in the same transaction, and is delivered then; the message itself you do not receive.
        Whatever else it changes is yours to note here.
        """
        return ()

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        """Take a stanza.

        Raises:
            StanzaError: To have it answered with an error.
        """
