"""What stands beside the accounts at domains of its own: upload, desk, bridges."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imserver.routing.sessions import Guest
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ, Message, Presence, Stanza


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody says who wants to be let in at a component's domain."""

    #: `ANONYMOUS` or `OAUTHBEARER`.
    mechanism: str
    #: What is shown with `OAUTHBEARER`; read by nobody yet.
    token: str
    #: The IP address that they come from.
    address: str
    #: The origin of the web page, where a browser says it.
    origin: str = ""

    def __repr__(self) -> str:
        return f"Login(mechanism={self.mechanism!r}, address={self.address!r}, origin={self.origin!r})"


class Host(Protocol):
    """Who lets people in at a component's domain, and says what they may do. Inherit from it.

    Their sessions take no part in what accounts have: no roster, no vCard, no presence to others, nothing kept for
    later. They get what the component sends to their sessions, and all that they send is looked at here first.
    """

    #: How to log in: `ANONYMOUS`, `OAUTHBEARER`.
    mechanisms: tuple[str, ...]

    def welcomes(self, origin: str) -> bool:
        """Tell whether web pages of this origin may connect to get there."""
        return False

    def identify(self, login: Login) -> Awaitable[str]:
        """Say who it is: what stands before the @ of their address.

        Raises:
            SASLError: If they are not let in. How often somebody may try is for the host to say.
        """

    def opened(self, guest: Guest) -> None:
        """Take note of a new session."""

    def closed(self, guest: Guest) -> None:
        """Take note that a session is over."""

    def check(self, guest: Guest, stanza: Stanza) -> None:
        """Look at a stanza before anything is done with it; messages that pass go their usual way.

        Raises:
            StanzaError: If it may not be sent.
        """

    def serve(self, guest: Guest, stanza: IQ | Presence) -> Awaitable[None] | None:
        """Take a question, or presence, whomever it is to.

        Raises:
            StanzaError: To have it answered with an error.
        """

    def shows(self, guest: Guest, stanza: Stanza) -> bool:
        """Tell whether a stanza may be seen by them: the last look before it leaves."""
        return True


class Component(Protocol):
    """An address space inside the server; everything addressed to its domain is handed to it. Inherit from it."""

    domain: str
    #: What people see in service discovery.
    name: str
    #: Whoever lets people in there; nobody logs in at most domains.
    host: Host | None = None

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
