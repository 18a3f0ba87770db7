"""Identity: passwords, sessions, second factors, invitations."""

from makola.migrations.statements import execute

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    execute(
        """
        ALTER TABLE identity."user" ADD password_hash text, ADD password_changed_at timestamptz;

        CREATE TABLE identity.session (
            id uuid PRIMARY KEY,
            sha256 bytea NOT NULL,
            user_id bigint NOT NULL REFERENCES identity."user" (id),
            organisation_id bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            auth_time timestamptz NOT NULL DEFAULT now(),
            amr text[] NOT NULL,
            last_used_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            address text NOT NULL,
            device text NOT NULL
        );
        CREATE UNIQUE INDEX session_sha256 ON identity.session (sha256);
        CREATE INDEX session_of_user ON identity.session (user_id, last_used_at);
        CREATE INDEX session_expires ON identity.session (expires_at);
        CREATE INDEX session_last_used ON identity.session (last_used_at);

        -- What the domains above are told; a row is deleted in the transaction that told them.
        CREATE TABLE identity.session_event (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            change text NOT NULL CONSTRAINT session_event_change CHECK (change IN ('signed_out', 'switched')),
            session_id uuid NOT NULL,
            user_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            previous_organisation_id bigint,
            at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE identity.totp (
            user_id bigint PRIMARY KEY REFERENCES identity."user" (id),
            secret text NOT NULL,
            confirmed_at timestamptz,
            last_step bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE identity.recovery_code (
            user_id bigint NOT NULL REFERENCES identity."user" (id),
            sha256 bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (user_id, sha256)
        );

        CREATE TABLE identity.passkey (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES identity."user" (id),
            credential_id bytea NOT NULL,
            user_handle bytea NOT NULL,
            public_key bytea NOT NULL,
            sign_count bigint NOT NULL,
            transports text[] NOT NULL DEFAULT '{}',
            name text NOT NULL,
            synced boolean NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            last_used_at timestamptz
        );
        CREATE UNIQUE INDEX passkey_credential ON identity.passkey (credential_id);
        CREATE INDEX passkey_user ON identity.passkey (user_id, id);

        -- What is under way for a few minutes: a sign-in that waits for its second factor, a passkey's ceremony.
        CREATE TABLE identity.challenge (
            sha256 bytea PRIMARY KEY,
            purpose text NOT NULL CONSTRAINT challenge_purpose
                CHECK (purpose IN ('second_factor', 'passkey_sign_in', 'passkey_registration')),
            user_id bigint REFERENCES identity."user" (id),
            browser bytea NOT NULL,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX challenge_expires ON identity.challenge (expires_at);

        CREATE TABLE identity.link (
            sha256 bytea PRIMARY KEY,
            purpose text NOT NULL CONSTRAINT link_purpose CHECK (purpose IN ('invitation', 'reset')),
            user_id bigint NOT NULL REFERENCES identity."user" (id),
            email text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL
        );
        CREATE UNIQUE INDEX link_user ON identity.link (user_id, purpose);
        CREATE INDEX link_expires ON identity.link (expires_at);

        CREATE TABLE identity.throttle (
            key bytea PRIMARY KEY,
            failures integer NOT NULL DEFAULT 0,
            counted_at timestamptz NOT NULL DEFAULT now(),
            blocked_until timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX throttle_counted ON identity.throttle (counted_at);
        """
    )


def downgrade() -> None:
    execute(
        """
        DROP TABLE identity.throttle, identity.link, identity.challenge, identity.passkey, identity.recovery_code,
            identity.totp, identity.session_event, identity.session;
        ALTER TABLE identity."user" DROP password_hash, DROP password_changed_at;
        """
    )
