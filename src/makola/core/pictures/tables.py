"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service` and `workers`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="pictures")

picture = sa.Table(
    "picture", metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="wanted"),
    sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("width", sa.Integer, nullable=False, server_default="0"),
    sa.Column("height", sa.Integer, nullable=False, server_default="0"),
    sa.Column("content", sa.LargeBinary),
    sa.Column("fetched_at", sa.DateTime(timezone=True)),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("picture_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)
