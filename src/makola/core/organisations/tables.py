"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service` and `queries`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="organisations")

_NO_TEXTS = sa.text("'{}'")


def _texts(name: str, default: sa.TextClause = _NO_TEXTS) -> sa.Column[list[str]]:
    return sa.Column(name, postgresql.ARRAY(sa.Text), nullable=False, server_default=default)


def _choice(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _owner() -> sa.Column[int]:
    return sa.Column("organisation_id", sa.BigInteger, sa.ForeignKey("organisations.organisation.id"), nullable=False)


organisation = sa.Table(
    "organisation", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
    sa.Column("parent_id", sa.BigInteger, sa.ForeignKey("organisations.organisation.id")),
    sa.Column("chain", postgresql.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("suspended_at", sa.DateTime(timezone=True)),
    _choice("linked_account"),
    sa.Column("finance_type", sa.Text, nullable=False, server_default="DIRECT"),
    _texts("modules", sa.text("'{WEBSTORE,MESSAGING,PAYMENTS}'")),
    sa.Index("organisation_parent", "parent_id", "id"),
    sa.Index("organisation_chain", "chain", postgresql_using="gin"),
    sa.Index("organisation_root", sa.text("(parent_id IS NULL)"), unique=True,
             postgresql_where=sa.text("parent_id IS NULL")),
)

account_settings = sa.Table(
    "account_settings", metadata,
    sa.Column("organisation_id", sa.BigInteger, sa.ForeignKey("organisations.organisation.id"), primary_key=True,
              autoincrement=False),
    sa.Column("country_code", sa.Text, nullable=False, server_default="GH"),
    sa.Column("time_zone", sa.Text, nullable=False, server_default="GMT"),
    sa.Column("delivery_report_url", sa.Text, nullable=False, server_default=""),
    sa.Column("delivery_report_method", sa.Text, nullable=False, server_default="POST"),
    _choice("email_daily_summary"),
    _choice("email_invoice_reminders"),
    _choice("email_maintenance"),
    _choice("email_new_invoice"),
    _choice("sms_fortnight_balance"),
    _choice("sms_low_balance_notification"),
    _choice("sms_maintenance"),
    _choice("sms_promotional_messages"),
    _choice("sms_top_up_notification"),
)

address = sa.Table(
    "address", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _owner(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("company_name", sa.Text, nullable=False),
    sa.Column("recipient_name", sa.Text, nullable=False),
    sa.Column("addr_line_1", sa.Text, nullable=False),
    sa.Column("addr_line_2", sa.Text, nullable=False),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("postal_code", sa.Text, nullable=False),
    sa.Column("country_code", sa.Integer, nullable=False),
    _choice("shared"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("address_organisation", "organisation_id", "id"),
)

user_grants = sa.Table(
    "user_grants", metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    _texts("permissions"),
    _texts("parent_permissions"),
    _texts("modules"),
    _choice("admin"),
    _choice("root"),
)

role = sa.Table(
    "role", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _owner(),
    sa.Column("name", sa.Text, nullable=False),
    _texts("permissions"),
    _texts("parent_permissions"),
    _choice("shared"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
sa.Index("role_name", role.c.organisation_id, sa.func.lower(role.c.name), unique=True)

user_role = sa.Table(
    "user_role", metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("role_id", sa.BigInteger, sa.ForeignKey("organisations.role.id", ondelete="CASCADE"),
              primary_key=True, autoincrement=False),
    sa.Index("user_role_role", "role_id"),
)

emulation = sa.Table(
    "emulation", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("real_user_id", sa.BigInteger, nullable=False),
    sa.Column("real_organisation_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Index("emulation_organisation", "organisation_id", "id"),
)

audit_entry = sa.Table(
    "audit_entry", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("actor_organisation_id", sa.BigInteger, nullable=False),
    sa.Column("real_organisation_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger),
    sa.Column("real_user_id", sa.BigInteger),
    sa.Column("application_id", sa.BigInteger),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", postgresql.JSONB, nullable=False, server_default=_NO_TEXTS),
    sa.Index("audit_entry_organisation", "organisation_id", "id"),
    sa.Index("audit_entry_subject", "subject", "id"),
)
