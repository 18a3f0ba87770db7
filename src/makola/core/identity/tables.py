"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="identity")

user = sa.Table(
    "user", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("suspended_at", sa.DateTime(timezone=True)),
    sa.Column("currency", sa.Text, nullable=False, server_default="GBP"),
    sa.Column("locale", sa.Text, nullable=False, server_default="en"),
    sa.Column("timezone", sa.Text, nullable=False, server_default="UTC"),
    sa.Index("user_organisation", "organisation_id", "id"),
)
sa.Index("user_email", sa.func.lower(user.c.email), unique=True)
