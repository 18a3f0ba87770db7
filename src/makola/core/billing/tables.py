"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="billing")

tariff = sa.Table(
    "tariff", metadata,
    sa.Column("organisation_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("network_id", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("price_units", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
