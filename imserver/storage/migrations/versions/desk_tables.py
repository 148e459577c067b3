"""The desk: clients, conversations, agents, notes, and what the figures are made from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "desk_clients",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lang", sa.Text(), nullable=False),
        sa.Column("merged", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_desk_clients"),
    )
    op.create_index("ix_desk_clients_merged", "desk_clients", ["merged"])
    op.create_table(
        "desk_aliases",
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alias", name="pk_desk_aliases"),
    )
    op.create_index("ix_desk_aliases_client", "desk_aliases", ["client"])
    op.create_table(
        "desk_conversations",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_desk_conversations"),
    )
    op.create_index("ix_desk_conversations_client_id", "desk_conversations", ["client", "id"])
    op.create_index("ix_desk_conversations_state_closed", "desk_conversations", ["state", "closed"])
    op.create_table(
        "desk_agents",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("paused", sa.Text(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("idle_since", sa.BigInteger(), nullable=True),
        sa.Column("offline_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("owner", name="pk_desk_agents"),
    )
    op.create_table(
        "desk_notes",
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("conversation", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_desk_notes"),
    )
    op.create_index("ix_desk_notes_conversation", "desk_notes", ["conversation"])
    op.create_table(
        "desk_events",
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("conversation", sa.BigInteger(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_desk_events"),
    )
    op.create_index("ix_desk_events_at", "desk_events", ["at"])
