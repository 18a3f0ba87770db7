"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `store` and `service`."""

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
    sa.Column("organisation_id", sa.BigInteger),
    sa.Column("grant_id", sa.BigInteger),
    sa.Index("access_token_application", "application_id"),
    sa.Index("access_token_emulation", "emulation_id", postgresql_where=sa.text("emulation_id IS NOT NULL")),
    sa.Index("access_token_expires", "expires_at"),
    sa.Index("access_token_grant", "grant_id", postgresql_where=sa.text("grant_id IS NOT NULL")),
)

grant = sa.Table(
    "grant", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("application_id", sa.BigInteger, nullable=False),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
    sa.Column("session_id", sa.Uuid),
    sa.Column("auth_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("amr", postgresql.ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    sa.Column("sealed_access_token", sa.Text),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_because", sa.Text),
    sa.Index("grant_organisation", "organisation_id", "application_id", "id",
             postgresql_where=sa.text("revoked_at IS NULL")),
    sa.Index("grant_user", "user_id", "application_id", "id", postgresql_where=sa.text("revoked_at IS NULL")),
    sa.Index("grant_session", "session_id", postgresql_where=sa.text("session_id IS NOT NULL")),
    sa.Index("grant_application", "application_id", postgresql_where=sa.text("revoked_at IS NULL")),
    sa.Index("grant_expires", "expires_at"),
)

authorization_code = sa.Table(
    "authorization_code", metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("grant_id", sa.BigInteger, nullable=False),
    sa.Column("application_id", sa.BigInteger, nullable=False),
    sa.Column("redirect_uri", sa.Text),
    sa.Column("code_challenge", sa.Text),
    sa.Column("nonce", sa.Text),
    sa.Column("resources", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("redeemed_at", sa.DateTime(timezone=True)),
    sa.Index("authorization_code_expires", "expires_at"),
)

refresh_token = sa.Table(
    "refresh_token", metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("grant_id", sa.BigInteger, nullable=False),
    sa.Column("application_id", sa.BigInteger, nullable=False),
    sa.Column("parent", sa.LargeBinary),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("used_at", sa.DateTime(timezone=True)),
    sa.Index("refresh_token_grant", "grant_id"),
    sa.Index("refresh_token_parent", "parent", postgresql_where=sa.text("parent IS NOT NULL")),
    sa.Index("refresh_token_expires", "expires_at"),
)

consent = sa.Table(
    "consent", metadata,
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("organisation_id", sa.BigInteger, nullable=False),
    sa.Column("application_id", sa.BigInteger, nullable=False),
    sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
    sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("user_id", "application_id", "organisation_id", name="consent_pkey"),
    sa.Index("consent_installation", "organisation_id", "application_id"),
)

authorization_request = sa.Table(
    "authorization_request", metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("session_id", sa.Uuid),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("authorization_request_expires", "expires_at"),
)

used_assertion = sa.Table(
    "used_assertion", metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("used_assertion_expires", "expires_at"),
)

signing_key = sa.Table(
    "signing_key", metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("algorithm", sa.Text, nullable=False),
    sa.Column("public_jwk", sa.Text, nullable=False),
    sa.Column("private_jwk", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("signs_from", sa.DateTime(timezone=True), nullable=False),
    sa.Column("signs_until", sa.DateTime(timezone=True)),
    sa.Column("published_until", sa.DateTime(timezone=True)),
)

logout_notice = sa.Table(
    "logout_notice", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("application_id", sa.BigInteger, nullable=False),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("session_id", "application_id", name="logout_notice_once"),
    sa.Index("logout_notice_due", "due_at", postgresql_where=sa.text("state = 'pending'")),
)
