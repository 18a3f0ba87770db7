"""Numbering: the numbers on which an organisation receives."""

from makola.migrations.statements import execute

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA numbering;

        CREATE TABLE numbering.short_code (
            number text PRIMARY KEY,
            organisation_id bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX short_code_organisation ON numbering.short_code (organisation_id, number);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA numbering CASCADE")
