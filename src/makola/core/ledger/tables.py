"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="ledger")

account = sa.Table(
    "account", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("credit_limit", sa.BigInteger, server_default="0"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("owner_id", "purpose", "currency", name="account_owner"),
)

hold = sa.Table(
    "hold", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("state", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("debit_ids", postgresql.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("credit_ids", postgresql.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("amounts", postgresql.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
)

transfer = sa.Table(
    "transfer", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("debit_id", sa.BigInteger, nullable=False),
    sa.Column("credit_id", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference", sa.Uuid, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("transfer_reference", "reference"),
)
