"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="callbacks")


def _moment(name: str, *, nullable: bool = False, default: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable,
                     server_default=sa.func.now() if default else None)


delivery = sa.Table(
    "delivery", metadata,
    sa.Column("delivery_id", sa.Uuid, primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("application_id", sa.BigInteger),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid),
    sa.Column("receiver", sa.Text(collation="C"), nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("body", postgresql.BYTEA),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("attempt_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    _moment("due_at", default=True),
    _moment("lease_until", nullable=True),
    _moment("created_at", default=True),
    _moment("finished_at", nullable=True),
    sa.Index("delivery_pending", "receiver", "due_at", postgresql_where=sa.text("state = 'pending'")),
    sa.Index("delivery_of_organisation", "organisation_id", "created_at", "delivery_id"),
    sa.Index("delivery_by_time", "created_at", "delivery_id"),
    sa.Index("delivery_of_subject", "subject_id", postgresql_where=sa.text("subject_id IS NOT NULL")),
)

attempt = sa.Table(
    "attempt", metadata,
    sa.Column("delivery_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _moment("started_at"),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
)

endpoint = sa.Table(
    "endpoint", metadata,
    sa.Column("organisation_id", sa.BigInteger, primary_key=True),
    sa.Column("url", sa.Text(collation="C"), primary_key=True),
    _moment("disabled_at", default=True),
    sa.Column("reason", sa.Text, nullable=False),
)

secret = sa.Table(
    "secret", metadata,
    sa.Column("organisation_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("secret", sa.Text, nullable=False),
    _moment("created_at", default=True),
    sa.Column("previous_secret", sa.Text),
    _moment("previous_until", nullable=True),
)
