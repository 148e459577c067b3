"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_accounts"),
    )
    op.create_table(
        "archive",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("stanza", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_archive"),
    )
    op.create_table(
        "archive_index",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "peer", "id", name="pk_archive_index"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_archive_index_owner_id", "archive_index", ["owner", "id"])
    op.create_table(
        "archive_indexing",
        sa.Column("up_to", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("up_to", name="pk_archive_indexing"),
    )
    op.create_table(
        "blocklists",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("jid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "jid", name="pk_blocklists"),
    )
    op.create_table(
        "credentials",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("mechanism", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("iterations", sa.Integer(), nullable=False),
        sa.Column("stored_key", sa.LargeBinary(), nullable=False),
        sa.Column("server_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "mechanism", name="pk_credentials"),
    )
    op.create_table(
        "lasts",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_lasts"),
    )
    op.create_table(
        "offline",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stanza", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_offline"),
    )
    op.create_table(
        "preferences",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("default", sa.Text(), nullable=False),
        sa.Column("always", sa.JSON(), nullable=False),
        sa.Column("never", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_preferences"),
    )
    op.create_table(
        "private",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("element", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "namespace", "name", name="pk_private"),
    )
    op.create_table(
        "roster_items",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("ask", sa.Boolean(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("pending_in", sa.LargeBinary(), nullable=True),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "contact", name="pk_roster_items"),
    )
    op.create_index("ix_roster_items_owner_version", "roster_items", ["owner", "version"])
    op.create_table(
        "roster_versions",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("forgotten", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_roster_versions"),
    )
    op.create_table(
        "uploads",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("stored", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_uploads"),
    )
    op.create_index("ix_uploads_expires", "uploads", ["expires"])
    op.create_index("ix_uploads_owner", "uploads", ["owner"])
    op.create_table(
        "vcards",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("element", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_vcards"),
    )
    op.execute("INSERT INTO archive_indexing (up_to) VALUES (0)")
