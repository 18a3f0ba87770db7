"""Identity: the people who may act."""

from makola.migrations.statements import execute

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA identity;

        CREATE TABLE identity."user" (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL,
            name text NOT NULL,
            email text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            suspended_at timestamptz
        );
        CREATE UNIQUE INDEX user_email ON identity."user" (lower(email));
        CREATE INDEX user_organisation ON identity."user" (organisation_id, id);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA identity CASCADE")
