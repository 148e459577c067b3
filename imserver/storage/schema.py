"""What the server keeps: every table, described once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# SQLite keeps rows in the order of their id at no cost, but only when the column's type is spelt INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, kept as microseconds since 1970: the same in every database, and sortable."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


def microseconds(value: datetime) -> int:
    return (value - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


class Seconds(TypeDecorator[float]):
    """Seconds, since 1970 or of a span, kept as whole microseconds: a sum of them is exact."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | None:
        return None if value is None else whole_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> float | None:
        # PostgreSQL gives the sum of integers as a Decimal.
        return None if value is None else int(value) / 1_000_000


def whole_microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

# `owner` is always the text of a bare JID; when the account goes, every row with that owner goes.

accounts = Table(
    "accounts",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("created", Moment, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("mechanism", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("stored_key", LargeBinary, nullable=False),
    Column("server_key", LargeBinary, nullable=False),
)

roster_versions = Table(
    "roster_versions",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    # Removals up to here are forgotten: a client that knows less gets the whole roster.
    Column("forgotten", BigInteger, nullable=False),
)

roster_items = Table(
    "roster_items",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("subscription", Text, nullable=False),
    Column("ask", Boolean, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("pending_in", LargeBinary),
    Column("groups", JSON, nullable=False),
    Column("listed", Boolean, nullable=False),
    # The roster's version when a client could last see this item change; 0 for one that was never listed.
    Column("version", BigInteger, nullable=False),
    Index(None, "owner", "version"),
)

# The archive is a journal in the order of its ids, so that a message costs one append …
archive = Table(
    "archive",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    # It is in the archive of `owner`, who exchanged it with `resource` of `peer` …
    Column("owner", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("stanza", LargeBinary, nullable=False),
    # … and, unless this is NULL, in the archive of `peer` as well, who exchanged it with this resource of `owner`.
    Column("mirror", Text),
)

# … and is found by conversation: an owner's with a peer, or, where the peer is "", with everybody …
archive_conversations = Table(
    "archive_conversations",
    metadata,
    Column("number", RowId, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Index(None, "owner", "peer", unique=True),
)

# … so a message is in two conversations of each owner.
archive_index = Table(
    "archive_index",
    metadata,
    Column("conversation", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# One row: up to this id of the journal the index knows everything.
archive_indexing = Table(
    "archive_indexing",
    metadata,
    Column("up_to", BigInteger, primary_key=True, autoincrement=False),
)

# One row: up to this id of the journal the words of all messages are in `archive_words`, see `archive_words.py`.
archive_words_indexing = Table(
    "archive_words_indexing",
    metadata,
    Column("up_to", BigInteger, primary_key=True, autoincrement=False),
)

offline = Table(
    "offline",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("stanza", LargeBinary, nullable=False),
)

private = Table(
    "private",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("element", LargeBinary, nullable=False),
)

vcards = Table(
    "vcards",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("element", LargeBinary, nullable=False),
)

blocklists = Table(
    "blocklists",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("jid", Text, primary_key=True),
)

preferences = Table(
    "preferences",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("default", Text, nullable=False),
    Column("always", JSON, nullable=False),
    Column("never", JSON, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("token", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("stored", Boolean, nullable=False),
    Column("expires", Moment, nullable=False),
    Index(None, "owner"),
    Index(None, "expires"),
)

lasts = Table(
    "lasts",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("time", Moment, nullable=False),
    Column("status", Text, nullable=False),
)

# The desk's times are seconds since 1970, as its clock gives them.

desk_clients = Table(
    "desk_clients",
    metadata,
    Column("key", Text, primary_key=True),
    Column("lang", Text, nullable=False),
    # By who says so: [name, whether it is verified].
    Column("names", JSON, nullable=False),
    # The key that this client has now, if it turned out to be another one; never one that is merged itself.
    Column("merged", Text),
    Index(None, "merged"),
)

desk_aliases = Table(
    "desk_aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("client", Text, nullable=False),
    Index(None, "client"),
)

desk_conversations = Table(
    "desk_conversations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    # The client's key, and the domain of the channel; together the client JID. "" for a client that was erased.
    Column("client", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("opened", Seconds, nullable=False),
    Column("closed", Seconds),
    Column("details", JSON, nullable=False),
    Index(None, "client", "id"),
    Index(None, "state", "closed"),
)

desk_agents = Table(
    "desk_agents",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("paused", Text, nullable=False),
    Column("misses", Integer, nullable=False),
    Column("idle_since", Seconds),
    Column("offline_since", Seconds),
)

desk_notes = Table(
    "desk_notes",
    metadata,
    Column("number", RowId, primary_key=True),
    Column("conversation", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Column("at", Seconds, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "conversation"),
)

# What the figures are made from. Nothing here leads to a client whose conversation has been erased.
desk_events = Table(
    "desk_events",
    metadata,
    Column("number", RowId, primary_key=True),
    Column("conversation", BigInteger, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Seconds, nullable=False),
    Column("seconds", Seconds, nullable=False),
    Index(None, "at"),
)

# Where an account's rows are found by owner. The archive is not among them: it is found by its conversations.
OWNED = [table for table in metadata.sorted_tables if "owner" in table.c and table is not archive]

Values = Mapping[str, Any]
