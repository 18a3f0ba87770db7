"""Organisations: permissions, roles, modules, emulation, audit, addresses."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None: ...


def downgrade() -> None: ...
