"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in `service`."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

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
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.Column("suspension_reason", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("client_id", name="application_client_id"),
    sa.Index("application_trusted", "id", postgresql_where=sa.text("kind = 'trusted'")),
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

oauth_client = sa.Table(
    "oauth_client", metadata,
    sa.Column("application_id", sa.BigInteger, sa.ForeignKey("applications.application.id"), primary_key=True),
    sa.Column("redirect_uris", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("post_logout_redirect_uris", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("requested_scopes", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("token_endpoint_auth_method", sa.Text, nullable=False, server_default="client_secret"),
    sa.Column("jwks", sa.Text),
    sa.Column("jwks_uri", sa.Text, nullable=False, server_default=""),
    sa.Column("implicit_enabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("access_token_lifetime_s", sa.Integer),
    sa.Column("deauthorization_uri", sa.Text, nullable=False, server_default=""),
    sa.Column("authorization_uri", sa.Text, nullable=False, server_default=""),
    sa.Column("switch_session_uri", sa.Text, nullable=False, server_default=""),
    sa.Column("backchannel_logout_uri", sa.Text, nullable=False, server_default=""),
    sa.Column("installed_by_default", sa.Boolean, nullable=False, server_default=sa.false()),
)

listing = sa.Table(
    "listing", metadata,
    sa.Column("application_id", sa.BigInteger, sa.ForeignKey("applications.application.id"), primary_key=True),
    sa.Column("draft", sa.Text, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

submission = sa.Table(
    "submission", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("application_id", sa.BigInteger, sa.ForeignKey("applications.application.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("submitted_by", sa.BigInteger),
    sa.Column("decided_at", sa.DateTime(timezone=True)),
    sa.Column("decided_by", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Index("submission_application", "application_id", "id"),
    sa.Index("submission_one_pending", "application_id", unique=True,
             postgresql_where=sa.text("state = 'pending'")),
    sa.Index("submission_pending", "id", postgresql_where=sa.text("state = 'pending'")),
)

publication = sa.Table(
    "publication", metadata,
    sa.Column("application_id", sa.BigInteger, sa.ForeignKey("applications.application.id"), primary_key=True),
    sa.Column("submission_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("short_description", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("publication_name", sa.text("lower(name)"), "application_id"),
    sa.Index("publication_category", "category", sa.text("lower(name)"), "application_id"),
)

installation = sa.Table(
    "installation", metadata,
    sa.Column("organisation_id", sa.BigInteger, primary_key=True),
    sa.Column("application_id", sa.BigInteger, primary_key=True),
    sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("installed_by", sa.BigInteger),
    sa.Column("deauthorised_at", sa.DateTime(timezone=True)),
    sa.Column("deauthorised_by", sa.BigInteger),
    sa.Index("installation_application", "application_id", "organisation_id"),
)

published_role = sa.Table(
    "published_role", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("application_id", sa.BigInteger, sa.ForeignKey("applications.application.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("application_id", "name", name="published_role_name"),
)

role_holder = sa.Table(
    "role_holder", metadata,
    sa.Column("role_id", sa.BigInteger, sa.ForeignKey("applications.published_role.id", ondelete="CASCADE"),
              primary_key=True),
    sa.Column("organisation_id", sa.BigInteger, primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True),
    sa.Index("role_holder_user", "user_id", "role_id"),
)
