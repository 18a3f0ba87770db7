"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="messaging")


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


message = sa.Table(
    "message", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("application_id", sa.BigInteger),
    sa.Column("inbound", sa.Boolean, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    sa.Column("scheduled", sa.Boolean, nullable=False),
    sa.Column("registered_delivery", sa.Boolean, nullable=False),
    sa.Column("flash", sa.Boolean, nullable=False),
    sa.Column("submitting", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("units", sa.SmallInteger, nullable=False),
    sa.Column("attempt_count", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("price_units", sa.BigInteger, nullable=False),
    sa.Column("time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("network_id", sa.Text, nullable=False),
    sa.Column("connector", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("udh", sa.Text, nullable=False),
    sa.Column("client_reference", sa.Text, nullable=False),
    sa.Column("billing_info", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Index("message_list", "organisation_id", "pending", "time", "id"),
    sa.Index("message_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

submission = sa.Table(
    "submission", metadata,
    sa.Column("connector", sa.Text, primary_key=True),
    sa.Column("provider_id", sa.Text, primary_key=True),
    sa.Column("message_id", sa.Uuid, nullable=False),
    sa.Column("segment", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Index("submission_message", "message_id"),
)

parked_receipt = sa.Table(
    "parked_receipt", metadata,
    sa.Column("connector", sa.Text, primary_key=True),
    sa.Column("provider_id", sa.Text, primary_key=True),
    sa.Column("status", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    _now("parked_at"),
)

request_key = sa.Table(
    "request_key", metadata,
    sa.Column("application_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_sha256", sa.LargeBinary, nullable=False),
    sa.Column("message_id", sa.Uuid, nullable=False),
    sa.Column("price_units", sa.BigInteger, nullable=False),
    sa.Column("network_id", sa.Text, nullable=False),
    sa.Column("client_reference", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("request_key_age", "created_at", postgresql_where=sa.text("kind = 0")),
)

route = sa.Table(
    "route", metadata,
    sa.Column("network_id", sa.Text, primary_key=True),
    sa.Column("connector", sa.Text, nullable=False),
    _now("updated_at"),
)

do_not_contact = sa.Table(
    "do_not_contact", metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    _now("created_at"),
    sa.Index("do_not_contact_organisation", "organisation_id", "number"),
)

blocked_phrase = sa.Table(
    "blocked_phrase", metadata,
    sa.Column("phrase", sa.Text, primary_key=True),
    _now("created_at"),
)
