"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

metadata = sa.MetaData(schema="ussd")

_AT = sa.DateTime(timezone=True)

service = sa.Table(
    "service", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("fulfilment_url", sa.Text, nullable=False),
    sa.Column("operators", ARRAY(sa.Text), nullable=False),
    sa.Column("long_text", sa.Text, nullable=False),
    sa.Column("resume_s", sa.Integer, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", _AT, nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", _AT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("code", name="service_code"),
    sa.Index("service_organisation", "organisation_id", "id"),
)

session = sa.Table(
    "session", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("service_id", sa.BigInteger, nullable=False),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("service_code", sa.Text, nullable=False),
    sa.Column("connector", sa.Text, nullable=False),
    sa.Column("operator_session_id", sa.Text, nullable=False),
    sa.Column("mobile", sa.Text, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("started_at", _AT, nullable=False),
    sa.Column("ended_at", _AT),
    sa.Column("end_reason", sa.SmallInteger),
    sa.Column("error", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.UniqueConstraint("connector", "operator_session_id", name="session_at_operator"),
    sa.Index("session_list", "organisation_id", "started_at", "id"),
    sa.Index("session_open", "started_at", postgresql_where=sa.text("ended_at IS NULL")),
    sa.Index("session_resumable", "service_id", "mobile", postgresql_where=sa.text("end_reason = 3")),
    sa.Index("session_newest", "started_at", "id"),
)

step = sa.Table(
    "step", metadata,
    sa.Column("session_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("flags", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("status", sa.SmallInteger),
    sa.Column("duration_ms", sa.Integer),
    sa.Column("asked_at", _AT, nullable=False),
    sa.Column("answered_at", _AT),
    sa.Column("push_id", sa.Text, nullable=False),
    sa.Column("input", sa.Text, nullable=False),
    sa.Column("screen", sa.Text),
    sa.Column("pages", sa.Text),
    sa.Column("client_state", sa.Text),
    sa.Column("error", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("cause", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("body", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("recorded_at", _AT, nullable=False, server_default=sa.text("clock_timestamp()")),
)

failure = sa.Table(
    "failure", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("service_id", sa.BigInteger),
    sa.Column("session_id", sa.Uuid),
    sa.Column("service_code", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", _AT, nullable=False),
    sa.Index("failure_list", "organisation_id", "at", "id"),
    sa.Index("failure_newest", "at", "id"),
)

# Unlogged: empty after the server ended out of order.
continuity = sa.Table(
    "continuity", metadata,
    sa.Column("single", sa.Boolean, sa.CheckConstraint("single", name="continuity_single"), primary_key=True,
              server_default=sa.text("true")),
    sa.Column("since", _AT, nullable=False),
    prefixes=["UNLOGGED"],
)
