"""A day is compared with its provider's list again while something of it may still change.

What a person has said of a difference is kept apart from what was found to be gone, and of a day it is known how many
of its transactions were still open.
"""

from makola.migrations.statements import execute

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    execute("""
ALTER TABLE checkout.difference ADD COLUMN resolved_by_person boolean NOT NULL DEFAULT false;
UPDATE checkout.difference SET resolved_by_person = true
WHERE resolved_at IS NOT NULL AND resolution <> 'agrees now';
ALTER TABLE checkout.reconciled_day ADD COLUMN open_count integer NOT NULL DEFAULT 0;
""")


def downgrade() -> None:
    execute("""
ALTER TABLE checkout.reconciled_day DROP COLUMN open_count;
ALTER TABLE checkout.difference DROP COLUMN resolved_by_person;
""")
