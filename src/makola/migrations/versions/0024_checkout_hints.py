"""A provider's notice that could not be looked into is remembered, so that its provider is asked again soon."""

from makola.migrations.statements import execute

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    execute("ALTER TABLE checkout.transaction ADD COLUMN hint_count smallint")


def downgrade() -> None:
    execute("ALTER TABLE checkout.transaction DROP COLUMN hint_count")
