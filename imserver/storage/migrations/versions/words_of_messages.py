"""Messages are found by their words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE archive_words (id bigint PRIMARY KEY, words tsvector NOT NULL)")
        op.execute("CREATE INDEX ix_archive_words_words ON archive_words USING gin (words)")
    else:
        op.execute(
            "CREATE VIRTUAL TABLE archive_words USING fts5"
            "(words, detail = none, columnsize = 0, tokenize = \"ascii tokenchars '_'\")"
        )
    op.create_table(
        "archive_words_indexing",
        sa.Column("up_to", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("up_to", name="pk_archive_words_indexing"),
    )
    op.execute("INSERT INTO archive_words_indexing (up_to) VALUES (0)")
