"""How Alembic runs a migration: on the connection that is handed to it."""

from alembic import context

from imserver.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
