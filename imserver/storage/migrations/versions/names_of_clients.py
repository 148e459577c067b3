"""A client has a name from each who gave one; those of before were claimed by the clients themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("desk_clients", sa.Column("names", sa.JSON(), nullable=False, server_default="{}"))
    clients = sa.table("desk_clients", sa.column("key"), sa.column("name"), sa.column("names", sa.JSON()))
    connection = op.get_bind()
    named = connection.execute(sa.select(clients.c.key, clients.c.name).where(clients.c.name != "")).all()
    for key, name in named:
        connection.execute(
            sa.update(clients).where(clients.c.key == key).values(names={"nick": [name, False]})
        )
    op.drop_column("desk_clients", "name")
