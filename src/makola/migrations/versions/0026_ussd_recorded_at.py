"""When the database took a USSD step, by the database's own clock: compared with the mark of a breakdown."""

from makola.migrations.statements import execute

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    execute(
        """
        -- Of steps that are there already nobody knows it; a constant is added without writing every row anew.
        ALTER TABLE ussd.step ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT 'epoch';
        ALTER TABLE ussd.step ALTER COLUMN recorded_at SET DEFAULT clock_timestamp();
        """
    )


def downgrade() -> None:
    execute("ALTER TABLE ussd.step DROP COLUMN recorded_at")
