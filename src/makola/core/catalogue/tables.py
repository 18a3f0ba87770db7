"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="catalogue")

sa.Sequence("part_id", metadata=metadata)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True)


def _below(name: str, target: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"catalogue.{target}.id", ondelete="CASCADE"), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


vendor = sa.Table("vendor", metadata, _id(), sa.Column("name", sa.Text, nullable=False),
                  sa.UniqueConstraint("name", name="vendor_name"))

product_type = sa.Table("product_type", metadata, _id(), sa.Column("name", sa.Text, nullable=False),
                        sa.UniqueConstraint("name", name="product_type_name"))

product = sa.Table(
    "product", metadata, _id(),
    sa.Column("product_code", sa.Text, nullable=False),
    sa.Column("vendor_id", sa.BigInteger, sa.ForeignKey("catalogue.vendor.id")),
    sa.Column("type_id", sa.BigInteger, sa.ForeignKey("catalogue.product_type.id")),
    sa.Column("name", sa.Text, nullable=False),
    _text("description"), _text("detailed_description"), _text("featured_description"),
    sa.Column("thumb_url", sa.Text), sa.Column("main_image_url", sa.Text), sa.Column("datasheet_url", sa.Text),
    sa.Column("guide_url", sa.Text), sa.Column("quickstart_url", sa.Text),
    sa.Column("stock", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("subscription_type", sa.Text),
    sa.Column("is_shippable", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("is_financeable", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("popularity", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
    sa.Column("changed_in", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("product_code", "vendor_id", name="product_code", postgresql_nulls_not_distinct=True),
    sa.Index("product_changed", "changed_in"),
)

product_price = sa.Table(
    "product_price", metadata,
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("catalogue.product.id", ondelete="CASCADE"),
              primary_key=True, autoincrement=False),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("cost_units", sa.BigInteger, nullable=False),
    sa.Column("rrp_units", sa.BigInteger),
    sa.Column("shipping_cost_units", sa.BigInteger, nullable=False, server_default="0"),
)

service_item = sa.Table(
    "service_item", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    _below("product_id", "product"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("sku", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("dovetail", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("product_id", "kind", "sku", name="service_item_sku"),
)

service_price = sa.Table(
    "service_price", metadata,
    sa.Column("service_item_id", sa.BigInteger, sa.ForeignKey("catalogue.service_item.id", ondelete="CASCADE"),
              primary_key=True, autoincrement=False),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("cost_units", sa.BigInteger, nullable=False),
)

rate_plan = sa.Table(
    "rate_plan", metadata, _id(), _below("product_id", "product"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("term_length_months", sa.Integer, nullable=False),
    sa.Column("billing_frequency", sa.Text, nullable=False),
    sa.Column("renewal_term_length_months", sa.Integer),
    sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("min_quantity", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("max_quantity", sa.BigInteger),
    sa.UniqueConstraint("product_id", "name", name="rate_plan_name"),
)

rate_plan_charge = sa.Table(
    "rate_plan_charge", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    _below("rate_plan_id", "rate_plan"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("charge_type", sa.Text, nullable=False),
    sa.Column("charge_model", sa.Text, nullable=False),
    sa.Column("unit_of_measure", sa.Text, nullable=False),
    sa.UniqueConstraint("rate_plan_id", "name", name="rate_plan_charge_name"),
)

charge_cost = sa.Table(
    "charge_cost", metadata, _id(), _below("rate_plan_charge_id", "rate_plan_charge"),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("cost_units", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("rate_plan_charge_id", "currency", name="charge_cost_currency"),
)

document = sa.Table(
    "document", metadata,
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("catalogue.product.id", ondelete="CASCADE"),
              primary_key=True, autoincrement=False),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("template", sa.LargeBinary, nullable=False),
    sa.Column("parts", sa.LargeBinary, nullable=False),
    sa.Column("part_currencies", sa.Text, nullable=False),
)

stock_change = sa.Table(
    "stock_change", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("product_id", sa.BigInteger, nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Index("stock_change_product", "product_id"),
)

price_rule = sa.Table(
    "price_rule", metadata, _id(),
    sa.Column("seller_id", sa.BigInteger, nullable=False),
    sa.Column("buyer_id", sa.BigInteger),
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("catalogue.product.id", ondelete="CASCADE")),
    sa.Column("part_id", sa.BigInteger),
    sa.Column("type_id", sa.BigInteger, sa.ForeignKey("catalogue.product_type.id")),
    sa.Column("vendor_id", sa.BigInteger, sa.ForeignKey("catalogue.vendor.id")),
    sa.Column("currency", sa.Text),
    sa.Column("min_quantity", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("valid_from", sa.DateTime(timezone=True)),
    sa.Column("valid_to", sa.DateTime(timezone=True)),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("rounding_units", sa.BigInteger, nullable=False, server_default="1"),
    sa.UniqueConstraint("seller_id", "product_id", "part_id", "type_id", "vendor_id", "buyer_id", "currency",
                        "min_quantity", "valid_from", name="price_rule_target", postgresql_nulls_not_distinct=True),
    sa.Index("price_rule_seller", "seller_id", "id"),
    sa.Index("price_rule_product", "product_id", postgresql_where=sa.text("product_id IS NOT NULL")),
)

price_book = sa.Table(
    "price_book", metadata,
    sa.Column("seller_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("changed_in", sa.BigInteger, nullable=False),
    sa.Index("price_book_changed", "changed_in"),
)
