"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="checkout")


def _text(name: str, *, default: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="" if default else None)


def _units(name: str, *, default: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable, server_default="0" if default else None)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


merchant_account = sa.Table(
    "merchant_account", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _units("organisation_id"),
    _text("number"),
    _text("name"),
    _text("currency"),
    _text("state"),
    _text("kyc_state"),
    _text("refused_because", default=True),
    _text("sweep_channel", default=True),
    _text("sweep_number", default=True),
    _text("sweep_name", default=True),
    sa.Column("channels", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("pay_on_delivery", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("fees_on_customer", sa.Boolean, nullable=False, server_default=sa.false()),
    _units("settlement_id"),
    _moment("created_at"),
    sa.UniqueConstraint("number", name="merchant_account_number"),
    sa.Index("merchant_account_organisation", "organisation_id", "id"),
)

document = sa.Table(
    "document", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("merchant_account_id", sa.BigInteger, sa.ForeignKey("checkout.merchant_account.id"), nullable=False),
    _text("kind"),
    _text("file_name"),
    _text("content_type"),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    _text("state"),
    _text("note", default=True),
    _moment("created_at"),
    _moment("reviewed_at", nullable=True),
    sa.Index("document_account", "merchant_account_id", "created_at", "id"),
)

fee_tariff = sa.Table(
    "fee_tariff", metadata,
    sa.Column("merchant_account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("rate_ppm", sa.Integer, nullable=False),
    _units("fixed_units"),
    _units("minimum_units"),
    _units("maximum_units", nullable=True),
)

invoice = sa.Table(
    "invoice", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _units("merchant_account_id"),
    _units("organisation_id"),
    _units("application_id"),
    _text("kind"),
    sa.Column("generation", sa.SmallInteger, nullable=False),
    _text("state"),
    _text("client_reference"),
    sa.Column("content_sha256", sa.LargeBinary, nullable=False),
    sa.Column("items", postgresql.JSONB, nullable=False),
    _units("taxes_units"),
    _units("total_units"),
    _text("currency"),
    _text("description"),
    _text("callback_url"),
    _text("return_url"),
    _text("cancellation_url"),
    _text("logo_url"),
    _text("payee_name"),
    _text("payee_number"),
    _text("payee_email"),
    sa.Column("custom_data", sa.LargeBinary, nullable=False),
    _text("sales_invoice_id"),
    _text("customer_number", default=True),
    sa.Column("paid_by", sa.Uuid),
    _units("refunded_units", default=True),
    _units("returned_units", default=True),
    _text("order_number", default=True),
    _text("order_token", default=True),
    _text("failure_code", default=True),
    sa.Column("attempt_count", sa.Integer, nullable=False, server_default="0"),
    _moment("expires_at"),
    _moment("created_at"),
    _moment("finished_at", nullable=True),
    sa.Index("invoice_client_reference", "merchant_account_id", "client_reference", unique=True,
             postgresql_where=sa.text("client_reference <> ''")),
    sa.Index("invoice_account", "merchant_account_id", "created_at"),
    sa.Index("invoice_expiry", "expires_at", postgresql_where=sa.text("state = 'open'")),
)

transaction = sa.Table(
    "transaction", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _text("kind"),
    _text("state"),
    _units("merchant_account_id"),
    _units("organisation_id"),
    _units("application_id"),
    sa.Column("checkout_id", sa.Uuid),
    sa.Column("refunds", sa.Uuid),
    _text("provider"),
    _text("channel"),
    _text("number"),
    _text("name"),
    _units("amount_units"),
    _units("charges_units"),
    _text("currency"),
    sa.Column("surplus", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("reason"),
    _text("client_reference"),
    sa.Column("content_sha256", sa.LargeBinary, nullable=False, server_default=""),
    _text("callback_url"),
    _text("secondary_callback_url"),
    _text("provider_reference", default=True),
    _text("failure_code", default=True),
    _text("failure_detail", default=True),
    _text("card_last4", default=True),
    sa.Column("poll_count", sa.Integer, nullable=False, server_default="0"),
    _moment("due_at", nullable=True),
    _moment("created_at"),
    _moment("finished_at", nullable=True),
    sa.Column("hint_count", sa.SmallInteger),
    sa.Index("transaction_checkout", "checkout_id", "created_at"),
    sa.Index("transaction_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("transaction_account", "merchant_account_id", "created_at", "id"),
    sa.Index("transaction_provider", "provider", "created_at"),
    sa.Index("transaction_reference", "merchant_account_id", "provider_reference",
             postgresql_where=sa.text("provider_reference <> ''")),
    sa.Index("transaction_client_reference", "merchant_account_id", "kind", "client_reference", unique=True,
             postgresql_where=sa.text("client_reference <> '' AND kind IN ('refund', 'send', 'sweep')")),
    sa.Index("transaction_one_winner", "checkout_id", unique=True,
             postgresql_where=sa.text("kind = 'payment' AND state = 'succeeded' AND NOT surplus")),
)

difference = sa.Table(
    "difference", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _text("provider"),
    sa.Column("day", sa.Date, nullable=False),
    _text("kind"),
    _text("subject"),
    sa.Column("transaction_id", sa.Uuid),
    _text("provider_reference"),
    _units("ours_units", nullable=True),
    _units("theirs_units", nullable=True),
    _text("detail"),
    _moment("found_at"),
    _moment("resolved_at", nullable=True),
    _text("resolution", default=True),
    sa.Column("resolved_by_person", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("provider", "day", "kind", "subject", name="difference_once"),
    sa.Index("difference_open", "id", postgresql_where=sa.text("resolved_at IS NULL")),
)

reconciled_day = sa.Table(
    "reconciled_day", metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _moment("compared_at"),
    sa.Column("ours_count", sa.Integer, nullable=False),
    sa.Column("theirs_count", sa.Integer, nullable=False),
    sa.Column("difference_count", sa.Integer, nullable=False),
    sa.Column("open_count", sa.Integer, nullable=False, server_default="0"),
)
