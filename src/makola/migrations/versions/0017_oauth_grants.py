"""OAuth: grants, consents, codes, refresh tokens, keys."""

from makola.migrations.statements import execute

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    execute(
        """
        -- organisation_id NULL: the one that the application, or the user, belongs to.
        ALTER TABLE oauth.access_token ADD organisation_id bigint, ADD grant_id bigint;
        CREATE INDEX access_token_grant ON oauth.access_token (grant_id) WHERE grant_id IS NOT NULL;

        -- One authorization: everything that was given out because of it ends with it (the "family").
        -- sealed_access_token: the newest one, encrypted, for applications that are told when it ends.
        CREATE TABLE oauth.grant (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            user_id bigint NOT NULL,
            scopes text[] NOT NULL,
            session_id uuid,
            auth_time timestamptz NOT NULL,
            amr text[] NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            last_used_at timestamptz,
            sealed_access_token text,
            revoked_at timestamptz,
            revoked_because text
        );
        CREATE INDEX grant_organisation ON oauth.grant (organisation_id, application_id, id) WHERE revoked_at IS NULL;
        CREATE INDEX grant_user ON oauth.grant (user_id, application_id, id) WHERE revoked_at IS NULL;
        CREATE INDEX grant_session ON oauth.grant (session_id) WHERE session_id IS NOT NULL;
        CREATE INDEX grant_application ON oauth.grant (application_id) WHERE revoked_at IS NULL;
        CREATE INDEX grant_expires ON oauth.grant (expires_at);

        -- A code is kept after its use, so that a second use is recognised (RFC 6749 section 4.1.2).
        CREATE TABLE oauth.authorization_code (
            sha256 bytea PRIMARY KEY,
            grant_id bigint NOT NULL,
            application_id bigint NOT NULL,
            redirect_uri text,
            code_challenge text,
            nonce text,
            resources text[] NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            redeemed_at timestamptz
        );
        CREATE INDEX authorization_code_expires ON oauth.authorization_code (expires_at);

        -- used_at: exchanged for its successors, whose parent it is.
        CREATE TABLE oauth.refresh_token (
            sha256 bytea PRIMARY KEY,
            grant_id bigint NOT NULL,
            application_id bigint NOT NULL,
            parent bytea,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            used_at timestamptz
        );
        CREATE INDEX refresh_token_grant ON oauth.refresh_token (grant_id);
        CREATE INDEX refresh_token_parent ON oauth.refresh_token (parent) WHERE parent IS NOT NULL;
        CREATE INDEX refresh_token_expires ON oauth.refresh_token (expires_at);

        -- What a person has agreed to, so that they are not asked again.
        CREATE TABLE oauth.consent (
            user_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            application_id bigint NOT NULL,
            scopes text[] NOT NULL,
            given_at timestamptz NOT NULL,
            CONSTRAINT consent_pkey PRIMARY KEY (user_id, application_id, organisation_id)
        );
        CREATE INDEX consent_installation ON oauth.consent (organisation_id, application_id);

        -- A request at the authorization endpoint that waits for a person; parameters are kept as they were checked.
        CREATE TABLE oauth.authorization_request (
            sha256 bytea PRIMARY KEY,
            session_id uuid,
            parameters text NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX authorization_request_expires ON oauth.authorization_request (expires_at);

        -- Assertions of clients that were used (RFC 7523 section 3, item 7).
        CREATE TABLE oauth.used_assertion (
            sha256 bytea PRIMARY KEY,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX used_assertion_expires ON oauth.used_assertion (expires_at);

        -- private_jwk is encrypted with the installation's key, which is not here.
        CREATE TABLE oauth.signing_key (
            kid text PRIMARY KEY,
            algorithm text NOT NULL,
            public_jwk text NOT NULL,
            private_jwk text NOT NULL,
            created_at timestamptz NOT NULL,
            signs_from timestamptz NOT NULL,
            signs_until timestamptz,
            published_until timestamptz
        );

        -- Applications to be told that a session ended (OpenID Connect Back-Channel Logout).
        CREATE TABLE oauth.logout_notice (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_id bigint NOT NULL,
            session_id uuid NOT NULL,
            user_id bigint NOT NULL,
            state text NOT NULL DEFAULT 'pending',
            tries integer NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL,
            detail text NOT NULL DEFAULT '',
            CONSTRAINT logout_notice_once UNIQUE (session_id, application_id),
            CONSTRAINT logout_notice_state CHECK (state IN ('pending', 'delivered', 'failed'))
        );
        CREATE INDEX logout_notice_due ON oauth.logout_notice (due_at) WHERE state = 'pending';
        """
    )


def downgrade() -> None:
    execute(
        """
        DROP TABLE oauth.logout_notice, oauth.signing_key, oauth.used_assertion, oauth.authorization_request,
            oauth.consent, oauth.refresh_token, oauth.authorization_code, oauth.grant;
        DROP INDEX oauth.access_token_grant;
        ALTER TABLE oauth.access_token DROP organisation_id, DROP grant_id;
        """
    )
