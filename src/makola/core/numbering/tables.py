"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `short_codes`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="numbering")

short_code = sa.Table(
    "short_code", metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("short_code_organisation", "organisation_id", "number"),
)
