"""Conversations of the desk and its agents, as they were when the server last touched them; and their notes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, func, insert, literal_column, or_, select
from sqlalchemy.dialects import postgresql

from imserver.storage.archive import Step
from imserver.storage.clients import current_key
from imserver.storage.database import Database
from imserver.storage.happenings import INSERT_EVENTS, EventRow
from imserver.storage.schema import desk_agents, desk_conversations, desk_notes, whole_microseconds

# What a conversation that goes on can be; see `desk/conversation.py` for what this means.
OPEN_STATES = ("waiting", "offered", "active", "wrapping")
# A query needs a number where everything is wanted.
EVERYTHING = 2**62


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation; times are seconds since 1970."""

    id: int
    client: str
    """The client JID: what stands before the @ is the client's key. "" for a client that was erased."""
    queue: str
    state: str
    agent: str
    opened: float
    closed: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else there is to know: JSON."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """What is left of an agent when the server stops; times are seconds since 1970."""

    jid: str
    paused: str = ""
    misses: int = 0
    idle_since: float | None = None
    offline_since: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    conversation: int
    agent: str
    at: float
    text: str


_NEW = postgresql.insert(desk_conversations)
# SQLite has taken this clause over from PostgreSQL. Whose conversation it is never changes, but by a merge.
PUT_CONVERSATIONS = _NEW.on_conflict_do_update(
    index_elements=["id"],
    set_={
        "queue": _NEW.excluded.queue,
        "state": _NEW.excluded.state,
        "agent": _NEW.excluded.agent,
        "opened": _NEW.excluded.opened,
        "closed": _NEW.excluded.closed,
        "details": _NEW.excluded.details,
    },
    # What was erased stays so, even if somebody still had it in memory.
    where=desk_conversations.c.client != literal_column("''"),
)
_AGENT = postgresql.insert(desk_agents)
PUT_AGENTS = _AGENT.on_conflict_do_update(
    index_elements=["owner"],
    set_={
        "paused": _AGENT.excluded.paused,
        "misses": _AGENT.excluded.misses,
        "idle_since": _AGENT.excluded.idle_since,
        "offline_since": _AGENT.excluded.offline_since,
    },
)

_CONVERSATIONS = select(desk_conversations)
_HIS = desk_conversations.c.client == current_key(bindparam("client", type_=Text))
LOAD = _CONVERSATIONS.where(
    or_(
        desk_conversations.c.state.in_([bindparam(state, state) for state in OPEN_STATES]),
        (desk_conversations.c.state == bindparam("over", "closed"))
        & (desk_conversations.c.closed >= bindparam("since", type_=BigInteger)),
    )
).order_by(desk_conversations.c.id)
NEWEST = select(func.max(desk_conversations.c.id))
LOAD_AGENTS = select(desk_agents).order_by(desk_agents.c.owner)
OF_CLIENT = (
    _CONVERSATIONS.where(_HIS, desk_conversations.c.id < bindparam("before", type_=BigInteger))
    .order_by(desk_conversations.c.id.desc())
    .limit(bindparam("limit", type_=BigInteger))
)
LAST_AGENT = (
    select(desk_conversations.c.agent)
    .where(_HIS, desk_conversations.c.queue == bindparam("queue"), desk_conversations.c.agent != "")
    .order_by(desk_conversations.c.id.desc())
    .limit(1)
)
NOTES_OF = (
    select(desk_notes.c.conversation, desk_notes.c.agent, desk_notes.c.at, desk_notes.c.text)
    .join(desk_conversations, desk_conversations.c.id == desk_notes.c.conversation)
    .where(_HIS)
    .order_by(desk_notes.c.number)
)
ADD_NOTE = (
    insert(desk_notes)
    .values({name: bindparam(name) for name in ("conversation", "agent", "at", "text")})
    .inline()
)


class Conversations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, closed_since: float) -> tuple[list[ConversationRow], list[AgentRow]]:
        """Read what a desk that starts must know: what goes on, and what may be reopened."""
        conversations = await self._database.fetch(LOAD, since=whole_microseconds(closed_since))
        agents = await self._database.fetch(LOAD_AGENTS)
        return [_conversation(*row) for row in conversations], [AgentRow(*row) for row in agents]

    async def newest(self) -> int:
        """Say the highest id there is; 0 if there is no conversation."""
        [(newest,)] = await self._database.fetch(NEWEST)
        return newest or 0

    async def save(
        self,
        conversations: Sequence[ConversationRow],
        events: Sequence[EventRow] = (),
        agents: Sequence[AgentRow] = (),
    ) -> None:
        """Keep all of this or nothing; it is on disk when this returns.

        Whose conversation it is, is kept the first time only: it changes by a merge, whatever memory holds.
        """
        steps = (
            (PUT_CONVERSATIONS, [_values(row) for row in conversations]),
            (PUT_AGENTS, [_agent_values(row) for row in agents]),
            (INSERT_EVENTS, [row.values() for row in events]),
        )
        if some := [(statement, rows) for statement, rows in steps if rows]:
            await self._database.write_batch(*some)

    def steps(self, conversations: Sequence[ConversationRow]) -> Sequence[Step]:
        """Say how to keep them in a transaction of somebody else's."""
        return [(PUT_CONVERSATIONS, [_values(row) for row in conversations])]

    async def conversations_of(
        self, client: str, limit: int = 50, before: int = EVERYTHING
    ) -> list[ConversationRow]:
        """Page back through the conversations of a client, by its key, the newest first."""
        rows = await self._database.fetch(OF_CLIENT, client=client, limit=limit, before=before)
        return [_conversation(*row) for row in rows]

    async def last_agent(self, client: str, queue: str) -> str:
        """Say who attended a client, by its key, the last time in this queue; "" if nobody ever did."""
        rows = await self._database.fetch(LAST_AGENT, client=client, queue=queue)
        return str(rows[0][0]) if rows else ""

    async def add_note(self, conversation: int, agent: str, at: float, text: str) -> None:
        """Keep what an agent wrote for other agents."""
        row = (conversation, str(agent), whole_microseconds(at), text)
        await self._database.write_batch((ADD_NOTE, [row]))

    async def notes_of(self, client: str) -> list[Note]:
        """Read all notes on a client, by its key, the oldest first."""
        return [Note(*row) for row in await self._database.fetch(NOTES_OF, client=client)]


def _conversation(
    id: int,
    client: str,
    channel: str,
    queue: str,
    state: str,
    agent: str,
    opened: float,
    closed: float | None,
    details: Mapping[str, Any],
) -> ConversationRow:
    jid = f"{client}@{channel}" if client else ""
    return ConversationRow(id, jid, queue, state, agent, opened, closed, details)


# In the order of the tables' columns. Addresses as plain text: for a subclass of it the driver takes longer.


def _values(row: ConversationRow) -> tuple[Any, ...]:
    client, _, channel = str(row.client).partition("@")
    return (
        row.id,
        client,
        channel,
        row.queue,
        str(row.state),
        str(row.agent),
        whole_microseconds(row.opened),
        _moment(row.closed),
        json.dumps(row.details, separators=(",", ":"), ensure_ascii=False),
    )


def _agent_values(row: AgentRow) -> tuple[Any, ...]:
    return (str(row.jid), row.paused, row.misses, _moment(row.idle_since), _moment(row.offline_since))


def _moment(seconds: float | None) -> int | None:
    return None if seconds is None else whole_microseconds(seconds)
