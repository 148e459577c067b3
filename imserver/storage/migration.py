"""Bringing a database to the schema of today."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

SCRIPTS = Path(__file__).with_name("migrations")
# Nodes that start together on one PostgreSQL migrate one after the other. Any number will do.
ADVISORY_LOCK = 0x696D736572766572


def migrate(connection: Connection, revision: str = "head") -> None:
    """Apply what is missing, inside the transaction of the connection."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
