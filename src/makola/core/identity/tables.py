"""The tables as the migrations must leave them. For the drift test; the SQL that runs is in the modules beside."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(schema="identity")

_ID = sa.BigInteger
_BYTES = sa.LargeBinary
_TEXTS = postgresql.ARRAY(sa.Text)


def _time(name: str, *, default: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False,
                     server_default=sa.func.now() if default else None)


def _of_user(*, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column("user_id", _ID, sa.ForeignKey("identity.user.id"), primary_key=primary_key, nullable=nullable,
                     autoincrement=False)


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
    sa.Column("password_hash", sa.Text),
    sa.Column("password_changed_at", sa.DateTime(timezone=True)),
    sa.Index("user_organisation", "organisation_id", "id"),
)
sa.Index("user_email", sa.func.lower(user.c.email), unique=True)

session = sa.Table(
    "session", metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("sha256", _BYTES, nullable=False),
    _of_user(),
    sa.Column("organisation_id", _ID, nullable=False),
    _time("created_at"),
    _time("auth_time"),
    sa.Column("amr", _TEXTS, nullable=False),
    _time("last_used_at"),
    _time("expires_at", default=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Index("session_sha256", "sha256", unique=True),
    sa.Index("session_of_user", "user_id", "last_used_at"),
    sa.Index("session_expires", "expires_at"),
    sa.Index("session_last_used", "last_used_at"),
)

session_event = sa.Table(
    "session_event", metadata,
    sa.Column("id", _ID, sa.Identity(always=True), primary_key=True),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("user_id", _ID, nullable=False),
    sa.Column("organisation_id", _ID, nullable=False),
    _time("at"),
)

totp = sa.Table(
    "totp", metadata,
    _of_user(primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("confirmed_at", sa.DateTime(timezone=True)),
    sa.Column("last_step", _ID, nullable=False, server_default="0"),
    _time("created_at"),
)

recovery_code = sa.Table(
    "recovery_code", metadata,
    _of_user(primary_key=True),
    sa.Column("sha256", _BYTES, primary_key=True),
    _time("created_at"),
)

passkey = sa.Table(
    "passkey", metadata,
    sa.Column("id", _ID, sa.Identity(always=True), primary_key=True),
    _of_user(),
    sa.Column("credential_id", _BYTES, nullable=False),
    sa.Column("user_handle", _BYTES, nullable=False),
    sa.Column("public_key", _BYTES, nullable=False),
    sa.Column("sign_count", _ID, nullable=False),
    sa.Column("transports", _TEXTS, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("synced", sa.Boolean, nullable=False),
    _time("created_at"),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    sa.Index("passkey_credential", "credential_id", unique=True),
    sa.Index("passkey_user", "user_id", "id"),
)

challenge = sa.Table(
    "challenge", metadata,
    sa.Column("sha256", _BYTES, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    _of_user(nullable=True),
    sa.Column("browser", _BYTES, nullable=False),
    _time("expires_at", default=False),
    sa.Index("challenge_expires", "expires_at"),
)

link = sa.Table(
    "link", metadata,
    sa.Column("sha256", _BYTES, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    _of_user(),
    sa.Column("email", sa.Text, nullable=False),
    _time("created_at"),
    _time("expires_at", default=False),
    sa.Index("link_user", "user_id", "purpose", unique=True),
    sa.Index("link_expires", "expires_at"),
)

throttle = sa.Table(
    "throttle", metadata,
    sa.Column("key", _BYTES, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    _time("counted_at"),
    _time("blocked_until"),
    sa.Index("throttle_counted", "counted_at"),
)
