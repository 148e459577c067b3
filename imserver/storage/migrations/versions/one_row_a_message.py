"""One row for both archives of a message, and an index of numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("archive", sa.Column("mirror", sa.Text(), nullable=True))
    op.create_table(
        "archive_conversations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_archive_conversations"),
    )
    op.create_index(
        "ix_archive_conversations_owner_peer", "archive_conversations", ["owner", "peer"], unique=True
    )

    op.drop_index("ix_archive_index_owner_id", "archive_index")
    op.rename_table("archive_index", "old_archive_index")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_archive_index RENAME TO pk_old_archive_index")
    op.create_table(
        "archive_index",
        sa.Column("conversation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "id", name="pk_archive_index"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO archive_conversations (owner, peer)"
        " SELECT owner, peer FROM old_archive_index UNION SELECT owner, '' FROM old_archive_index"
    )
    op.execute(
        "INSERT INTO archive_index (conversation, id)"
        " SELECT c.number, old.id FROM archive_conversations c"
        " JOIN old_archive_index old ON old.owner = c.owner AND c.peer IN (old.peer, '')"
        " ORDER BY c.number, old.id"
    )
    op.drop_table("old_archive_index")
    if op.get_bind().dialect.name == "postgresql":
        # Where many nodes write, the index never lags.
        op.execute("UPDATE archive_indexing SET up_to = 9223372036854775807")
