"""What plugins can say. The kind of a hook is in its name; docs/hooks.md is made from this file.

`register_…` declares, and is asked once at start. `refine_…` returns something better, None to leave it as it is, or
`DROP`. `find_ choose_ keep_ may_` ask: the first answer counts. Everything else has happened, and is only told.
Every argument may be left out; every implementation but those of `register_…` may be `async`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imserver.hooks import hookspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from imserver.desk.agents import Agent
    from imserver.desk.conversation import Conversation
    from imserver.desk.settings import QueueSettings
    from imserver.hooks import Dropped
    from imserver.iq import IQHandler, Target
    from imserver.routing.components import Component
    from imserver.routing.journal import Origin
    from imserver.routing.presences import PresenceHandler
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.storage.archive import ArchiveRow
    from imserver.stream.scram import ScramCredentials
    from imserver.xmpp.element import Element
    from imserver.xmpp.jid import JID
    from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

# declare


@hookspec
def register_settings() -> Iterable[type[BaseModel]]:  # type: ignore[empty-body]
    """Name the model of your own table, `[plugins.<your name>]`; at most one."""


@hookspec
def register_iq_handlers(server: Server) -> Iterable[IQHandler]:  # type: ignore[empty-body]
    """Say which questions you answer; service discovery lists their namespaces."""


@hookspec
def register_presence_handlers(server: Server) -> Iterable[PresenceHandler]:  # type: ignore[empty-body]
    """Say which types of presence you take; one plugin a type."""


@hookspec
def register_disco_features(server: Server) -> Iterable[tuple[Target, str]]:  # type: ignore[empty-body]
    """Name what service discovery shows besides the namespaces that have a handler."""


@hookspec
def register_stream_features(server: Server) -> Iterable[Element]:  # type: ignore[empty-body]
    """Add what a stream offers after login."""


@hookspec
def register_components(server: Server) -> Iterable[Component]:  # type: ignore[empty-body]
    """Put something at a domain of its own."""


@hookspec
def register_routes(server: Server) -> Iterable[Any]:  # type: ignore[empty-body]
    """Add routes to the HTTP listener, as `aiohttp.web.RouteDef`."""


@hookspec
def register_commands(server: Server) -> Iterable[Any]:  # type: ignore[empty-body]
    """Add ad-hoc commands (XEP-0050) of the server, as `imserver.features.commands.Command`."""


@hookspec
def register_metrics(server: Server) -> Iterable[Any]:  # type: ignore[empty-body]
    """Add collectors of `prometheus_client` to what `/metrics` shows."""


# refine


@hookspec
def refine_message(server: Server, origin: Origin, message: Message) -> Message | Dropped | None:
    """Change a message before it is put on record and delivered."""


# ask


@hookspec
def find_credentials(server: Server, username: str) -> Sequence[ScramCredentials] | None:
    """Find what somebody's password is checked against; None if you do not know that account."""


@hookspec
def find_records(server: Server, message: Message) -> Sequence[ArchiveRow] | None:
    """Find what must be on disk before this message is delivered, and anybody told that it was."""


@hookspec
def find_disco_node(server: Server, iq: IQ) -> Element | None:
    """Answer a service discovery query about a node of the server, if the node is yours."""


@hookspec
def keep_undelivered(server: Server, message: Message) -> bool | None:
    """Nobody is there to read it: return True if you have kept it for later."""


@hookspec
def may_talk(server: Server, stanza: Stanza) -> bool | None:
    """Return False if its sender may not reach the local account it is addressed to; must not be `async`."""


@hookspec
def may_ask(server: Server, iq: IQ) -> bool | None:
    """Return False if its sender may not know that there is such a client; must not be `async`."""


@hookspec
def choose_agent(
    server: Server, queue: QueueSettings, conversation: Conversation, candidates: Sequence[Agent]
) -> Sequence[str] | None:
    """Choose which of the agents who have room are asked now; `[]` lets the client wait; must not be `async`."""


# announce


@hookspec
def server_starting(server: Server) -> None:
    """The database is open, and nobody can connect yet."""


@hookspec
def server_started(server: Server) -> None:
    """Everything is up, and the listeners are open."""


@hookspec
def server_stopping(server: Server) -> None:
    """The streams are about to be closed."""


@hookspec
def account_removed(server: Server, account: JID) -> None:
    """An account is gone, with everything in the database that was its own."""


@hookspec
def session_opened(server: Server, session: Session) -> None:
    """A client has logged in and bound a resource."""


@hookspec
def session_closed(server: Server, session: Session) -> None:
    """A session is over, and will not be resumed."""


@hookspec
def presence_changed(server: Server, session: Session, presence: Presence) -> None:
    """A session told everybody that it is available, unavailable, or otherwise than before."""


@hookspec
def message_accepted(server: Server, message: Message, origin: Origin) -> None:
    """A message is on record, and about to be delivered."""


@hookspec
def message_delivered(server: Server, message: Message, sessions: Sequence[Session]) -> None:
    """A message was handed to these sessions of its addressee."""


@hookspec
def conversation_opened(server: Server, conversation: Conversation) -> None:
    """A client has come to a queue, or has come back."""


@hookspec
def conversation_assigned(server: Server, conversation: Conversation, agent: JID) -> None:
    """An agent has a conversation now, or was invited to it."""


@hookspec
def conversation_closed(server: Server, conversation: Conversation) -> None:
    """A conversation is over for its client; its agent may still write it up."""
