"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service`."""

import sqlalchemy as sa

metadata = sa.MetaData(schema="applications")

application = sa.Table(
    "application", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default="private"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("answer_casing", sa.Text, nullable=False, server_default="pascal"),
    sa.Column("unique_client_reference", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("suspended_at", sa.DateTime(timezone=True)),
    sa.Column("user_id", sa.BigInteger),
    sa.UniqueConstraint("client_id", name="application_client_id"),
    sa.Index("application_organisation", "organisation_id", "id"),
    sa.Index("application_user", "user_id", "id", postgresql_where=sa.text("user_id IS NOT NULL")),
)

secret = sa.Table(
    "secret", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("application_id", sa.BigInteger, sa.ForeignKey("applications.application.id"), nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.Index("secret_application", "application_id"),
)
