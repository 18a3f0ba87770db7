"""When the database took a USSD step, by the database's own clock: compared with the mark of a breakdown."""

from makola.migrations.statements import execute

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    execute(
        """
        -- Of steps that are there already nobody knows it; a constant is added without writing every row anew. Those of
        -- open sessions get what their process wrote, so that the sessions outlive the upgrade.
        ALTER TABLE ussd.step ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT 'epoch';
        ALTER TABLE ussd.step ALTER COLUMN recorded_at SET DEFAULT clock_timestamp();
        UPDATE ussd.step s SET recorded_at = coalesce(s.answered_at, s.asked_at)
        FROM ussd.session o WHERE o.id = s.session_id AND o.ended_at IS NULL;
        """
    )


def downgrade() -> None:
    execute("ALTER TABLE ussd.step DROP COLUMN recorded_at")
