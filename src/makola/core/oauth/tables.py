"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="oauth")

access_token = sa.Table(
    "access_token", metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("application_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger),
    sa.Column("emulation_id", sa.BigInteger),
    sa.Column("scopes", postgresql.ARRAY(sa.Text)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Index("access_token_application", "application_id"),
    sa.Index("access_token_emulation", "emulation_id", postgresql_where=sa.text("emulation_id IS NOT NULL")),
    sa.Index("access_token_expires", "expires_at"),
)
