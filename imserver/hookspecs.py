"""What plugins can say. The kind of a hook is in its name; docs/hooks.md is made from this file.

`register_…` declares, and is asked once at start. `refine_…` returns something better, None to leave it as it is, or
`DROP`. `find_ choose_ keep_ may_` ask: the first answer counts. Everything else has happened, and is only told.
Every argument may be left out; every implementation but those of `register_…` may be `async`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.hooks import hookspec, manner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from aiohttp.web import AbstractRouteDef
    from prometheus_client.registry import Collector
    from pydantic import BaseModel

    from imserver.desk.agents import Agent
    from imserver.desk.clients import Client
    from imserver.desk.commands import Caller
    from imserver.desk.conversation import Conversation
    from imserver.desk.names import Name
    from imserver.desk.settings import QueueSettings
    from imserver.desk.templates import Filled, Situation, Template
    from imserver.features.commands import Command
    from imserver.features.shared_archive import SharedArchive
    from imserver.hooks import Dropped
    from imserver.iq import IQHandler, Target
    from imserver.routing.components import Component
    from imserver.routing.journal import Origin
    from imserver.routing.presences import PresenceHandler
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.storage.archive import ArchiveRow
    from imserver.storage.uploads import Upload
    from imserver.stream.scram import ScramCredentials
    from imserver.xmpp.element import Element
    from imserver.xmpp.errors import StanzaError
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
def register_routes(server: Server) -> Iterable[AbstractRouteDef]:  # type: ignore[empty-body]
    """Add routes to the HTTP listener, as `aiohttp.web.RouteDef`."""


@hookspec
def register_commands(server: Server) -> Iterable[Command]:  # type: ignore[empty-body]
    """Add ad-hoc commands (XEP-0050) of the server, as `imserver.features.commands.Command`."""


@hookspec
def register_metrics(server: Server) -> Iterable[Collector]:  # type: ignore[empty-body]
    """Add collectors of `prometheus_client` to what `/metrics` shows."""


# refine


@hookspec
def refine_message(server: Server, origin: Origin, message: Message) -> Message | Dropped | None:
    """Change a message before it is put on record and delivered."""


@hookspec
def refine_upload(server: Server, upload: Upload, asker: JID) -> Upload | Dropped | None:
    """Change what was asked for before a file is promised its room (XEP-0363)."""


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
def find_largest_upload(server: Server, asker: JID) -> int | None:
    """Find how large a file of this asker may be, in bytes, where that is less than the server's limit."""


@hookspec
def find_archive(server: Server, asker: JID, peer: JID) -> SharedArchive | None:
    """Find in whose archives somebody reads who asks for their messages with a contact; refuse by `StanzaError`."""


@hookspec
def keep_undelivered(server: Server, message: Message) -> bool | None:
    """Nobody is there to read it: return True if you have kept it for later."""


@hookspec
@manner(at_once=True)
def may_talk(server: Server, stanza: Stanza) -> bool | None:
    """Return False if its sender may not reach the local account it is addressed to; must not be `async`."""


@hookspec
@manner(at_once=True)
def may_ask(server: Server, iq: IQ) -> bool | None:
    """Return False if its sender may not know that there is such a client; must not be `async`."""


@hookspec
@manner(at_once=True)
def choose_agent(
    server: Server, queue: QueueSettings, conversation: Conversation, candidates: Sequence[Agent]
) -> Sequence[str] | None:
    """Choose which of the agents who have room are asked now; `[]` lets the client wait; must not be `async`."""


@hookspec
def find_display_name(server: Server, client: Client) -> Name | str | None:
    """Find what agents see of a client instead of the number; nobody waits for you, and who fails is passed over."""


@hookspec
@manner(at_once=True)
def find_agent_name(server: Server, conversation: Conversation, agent: JID) -> str | None:
    """Find the name under which a client sees what an agent writes (XEP-0172); must not be `async`."""


@hookspec
def find_templates(server: Server, caller: Caller, situation: Situation) -> Sequence[Template] | None:
    """List the answers written beforehand that an agent may send there."""


@hookspec
def find_template(
    server: Server, caller: Caller, situation: Situation, shortcut: str, values: Mapping[str, str]
) -> Filled | None:
    """Fill in the answer written beforehand of that shortcut, which is in lower case; None if you have none."""


@hookspec
@manner(patience=90.0)
def may_keep_upload(server: Server, upload: Upload, file: Path) -> bool | None:
    """Return False if an uploaded file is not to be kept; nobody can have it yet, and its sender waits."""


# announce


@hookspec
@manner(in_turn=True)
def server_starting(server: Server) -> None:
    """The database is open, and nobody can connect yet."""


@hookspec
@manner(in_turn=True)
def server_started(server: Server) -> None:
    """Everything is up, and the listeners are open."""


@hookspec
@manner(in_turn=True)
def server_stopping(server: Server) -> None:
    """The streams are about to be closed."""


@hookspec
def account_removed(server: Server, account: JID) -> None:
    """An account is gone, with everything in the database that was its own."""


@hookspec
def session_opened(server: Server, session: Session) -> None:
    """A client of an account has logged in and bound a resource."""


@hookspec
def session_closed(server: Server, session: Session) -> None:
    """A session of an account is over, and will not be resumed."""


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
def client_named(server: Server, client: Client, name: Name) -> None:
    """A client said their name, or the channel that they came by knows it."""


@hookspec
def file_uploaded(server: Server, upload: Upload) -> None:
    """A file has come, and whoever knows its address can have it."""


@hookspec
def file_refused(server: Server, upload: Upload, reason: StanzaError) -> None:
    """A file was refused, before it was promised its room or when it had come."""


@hookspec
def conversation_opened(server: Server, conversation: Conversation) -> None:
    """A client has come to a queue, or has come back."""


@hookspec
def conversation_assigned(server: Server, conversation: Conversation, agent: JID) -> None:
    """An agent has a conversation now, or was invited to it."""


@hookspec
def conversation_closed(server: Server, conversation: Conversation) -> None:
    """A conversation is over for its client; its agent may still write it up."""
