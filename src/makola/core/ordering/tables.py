"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="ordering")

_TEXTS = postgresql.ARRAY(sa.Text)
_NUMBERS = postgresql.ARRAY(sa.BigInteger)


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _text(name: str, *, default: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="" if default else None)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str, *, default: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0" if default else None)


shipping_type = sa.Table(
    "shipping_type", metadata,
    _key(),
    _text("name"),
    sa.Column("countries", _NUMBERS, nullable=False, server_default="{}"),
    sa.Column("exclude_countries", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("name", name="shipping_type_name"),
)

basket = sa.Table(
    "basket", metadata,
    _key(),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger),
    _text("name"),
    _text("purchase_order_number"),
    sa.Column("shipping_address", postgresql.JSONB),
    sa.Column("shipping_type_id", sa.BigInteger, sa.ForeignKey("ordering.shipping_type.id")),
    _text("provisioning_instructions"),
    sa.Column("order_id", sa.BigInteger),
    _moment("created_at"),
    _moment("updated_at"),
    sa.Index("basket_organisation", "organisation_id", "id"),
)

basket_item = sa.Table(
    "basket_item", metadata,
    sa.Column("basket_id", sa.BigInteger, sa.ForeignKey("ordering.basket.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True),
    _text("product_code"),
    sa.Column("product_id", sa.BigInteger),
    _text("prov_product_code"),
    sa.Column("quantity", sa.BigInteger, nullable=False),
)

order = sa.Table(
    "order", metadata,
    _key(),
    sa.Column("reference", sa.Uuid, nullable=False),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger),
    _text("state"),
    _text("name"),
    _text("purchase_order_number"),
    sa.Column("shipping_address", postgresql.JSONB),
    sa.Column("shipping_type_id", sa.BigInteger, sa.ForeignKey("ordering.shipping_type.id")),
    _text("provisioning_instructions"),
    _count("history_count", default=False),
    _count("submission_count"),
    sa.Column("handed_over", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("errand", default=True),
    _moment("due_at", nullable=True),
    _count("attempt_count"),
    _moment("created_at"),
    _moment("updated_at"),
    sa.UniqueConstraint("reference", name="order_reference"),
    sa.Index("order_organisation", "organisation_id", "id"),
    sa.Index("order_by_state", "state", "id"),
    sa.Index("order_purchase_order_number", "organisation_id", "purchase_order_number", unique=True,
             postgresql_where=sa.text("purchase_order_number <> ''")),
    sa.Index("order_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

line_item = sa.Table(
    "line_item", metadata,
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("ordering.order.id"), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True),
    sa.Column("product_id", sa.BigInteger, nullable=False),
    _text("product_code"),
    sa.Column("vendor_id", sa.BigInteger),
    _text("name"),
    _text("prov_product_code"),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("shipped_quantity", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("is_shippable", sa.Boolean, nullable=False),
    _text("currency"),
    sa.Column("quoted_units", sa.BigInteger, nullable=False),
    sa.Column("shipping_units", sa.BigInteger, nullable=False),
    sa.Column("tier_organisation_ids", _NUMBERS, nullable=False, server_default="{}"),
    sa.Column("tier_currencies", _TEXTS, nullable=False, server_default="{}"),
    sa.Column("tier_units", _NUMBERS, nullable=False, server_default="{}"),
)

history = sa.Table(
    "history", metadata,
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("ordering.order.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _text("state"),
    _moment("at"),
    _text("reason"),
    _text("note"),
    _text("origin"),
    sa.Column("organisation_id", sa.BigInteger),
    sa.Column("user_id", sa.BigInteger),
    sa.Column("real_user_id", sa.BigInteger),
    _text("origin_name"),
)

shipment = sa.Table(
    "shipment", metadata,
    _key(),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("ordering.order.id"), nullable=False),
    sa.Column("external_id", sa.Text),
    _text("carrier"),
    _text("tracking_number"),
    _text("tracking_url"),
    sa.Column("hold_id", sa.Uuid),
    _moment("shipped_at"),
    sa.UniqueConstraint("order_id", "external_id", name="shipment_external_id"),
    sa.Index("shipment_order", "order_id", "id"),
)

shipped_item = sa.Table(
    "shipped_item", metadata,
    sa.Column("shipment_id", sa.BigInteger, sa.ForeignKey("ordering.shipment.id"), primary_key=True),
    sa.Column("line_number", sa.SmallInteger, primary_key=True),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("serial_numbers", _TEXTS, nullable=False),
    sa.Column("mac_addresses", _TEXTS, nullable=False),
)

organisation_settings = sa.Table(
    "organisation_settings", metadata,
    sa.Column("organisation_id", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("callback_url"),
    _moment("updated_at"),
)

notice = sa.Table(
    "notice", metadata,
    sa.Column("notice_id", sa.Text, primary_key=True),
    _moment("received_at"),
    sa.Index("notice_age", "received_at"),
)

request_key = sa.Table(
    "request_key", metadata,
    sa.Column("application_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_sha256", postgresql.BYTEA, nullable=False),
    sa.Column("answer", postgresql.BYTEA, nullable=False),
    _moment("created_at"),
    sa.Index("request_key_age", "created_at"),
)
