"""OAuth: access tokens."""

from makola.migrations.statements import execute

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA oauth;

        -- The token is 256 random bits: one SHA-256 is enough. scopes NULL: all the rights of the application.
        CREATE TABLE oauth.access_token (
            sha256 bytea PRIMARY KEY,
            application_id bigint NOT NULL,
            user_id bigint,
            emulation_id bigint,
            scopes text[],
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            revoked_at timestamptz
        );
        CREATE INDEX access_token_application ON oauth.access_token (application_id);
        CREATE INDEX access_token_emulation ON oauth.access_token (emulation_id) WHERE emulation_id IS NOT NULL;
        CREATE INDEX access_token_expires ON oauth.access_token (expires_at);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA oauth CASCADE")
