"""Applications: what programs authenticate as."""

from makola.migrations.statements import execute

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA applications;

        CREATE TABLE applications.application (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL,
            kind text NOT NULL DEFAULT 'private',
            name text NOT NULL,
            client_id text NOT NULL,
            answer_casing text NOT NULL DEFAULT 'pascal',
            unique_client_reference boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            suspended_at timestamptz,
            CONSTRAINT application_client_id UNIQUE (client_id),
            CONSTRAINT application_kind CHECK (kind IN ('private')),
            CONSTRAINT application_casing CHECK (answer_casing IN ('pascal', 'camel'))
        );
        CREATE INDEX application_organisation ON applications.application (organisation_id, id);

        -- The secret is 256 random bits: one SHA-256 is enough, and cheap on each request.
        CREATE TABLE applications.secret (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_id bigint NOT NULL REFERENCES applications.application,
            sha256 bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz
        );
        CREATE INDEX secret_application ON applications.secret (application_id);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA applications CASCADE")
