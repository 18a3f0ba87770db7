"""Applications: every kind, the directory, installations; pictures that pages show from a copy of our own."""

from makola.migrations.statements import execute

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    execute(
        """
        -- suspended_at: refused from then on. closed_at: by its owner, for good. suspension_reason: by the platform.
        ALTER TABLE applications.application DROP CONSTRAINT application_kind;
        ALTER TABLE applications.application
            ADD closed_at timestamptz,
            ADD suspension_reason text NOT NULL DEFAULT '',
            ADD CONSTRAINT application_kind CHECK (
                kind IN ('private', 'public', 'partner', 'trusted', 'api_client')
                AND (kind = 'api_client') = (user_id IS NOT NULL)),
            ADD CONSTRAINT application_closed CHECK (closed_at IS NULL OR suspended_at IS NOT NULL);
        CREATE INDEX application_trusted ON applications.application (id) WHERE kind = 'trusted';

        -- How an application speaks OAuth, as its owner has set it. In force at once, except requested_scopes of a
        -- partner application, which are in force as they were published.
        CREATE TABLE applications.oauth_client (
            application_id bigint PRIMARY KEY REFERENCES applications.application,
            redirect_uris text[] NOT NULL DEFAULT '{}',
            post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
            requested_scopes text[] NOT NULL DEFAULT '{}',
            token_endpoint_auth_method text NOT NULL DEFAULT 'client_secret',
            jwks text,
            jwks_uri text NOT NULL DEFAULT '',
            implicit_enabled boolean NOT NULL DEFAULT false,
            access_token_lifetime_s integer,
            deauthorization_uri text NOT NULL DEFAULT '',
            authorization_uri text NOT NULL DEFAULT '',
            switch_session_uri text NOT NULL DEFAULT '',
            backchannel_logout_uri text NOT NULL DEFAULT '',
            installed_by_default boolean NOT NULL DEFAULT false,
            CONSTRAINT oauth_client_method CHECK (
                token_endpoint_auth_method IN ('client_secret', 'private_key_jwt', 'none')),
            CONSTRAINT oauth_client_lifetime CHECK (access_token_lifetime_s > 0)
        );

        -- What people read about an application, as its owner is writing it: a JSON object (core's Listing).
        CREATE TABLE applications.listing (
            application_id bigint PRIMARY KEY REFERENCES applications.application,
            draft text NOT NULL,
            changed_at timestamptz NOT NULL DEFAULT now()
        );

        -- A copy of name, scopes and listing that the platform is asked to publish. It never changes.
        CREATE TABLE applications.submission (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_id bigint NOT NULL REFERENCES applications.application,
            state text NOT NULL DEFAULT 'pending',
            content text NOT NULL,
            submitted_at timestamptz NOT NULL DEFAULT now(),
            submitted_by bigint,
            decided_at timestamptz,
            decided_by bigint,
            note text NOT NULL DEFAULT '',
            CONSTRAINT submission_state CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn'))
        );
        CREATE INDEX submission_application ON applications.submission (application_id, id);
        CREATE UNIQUE INDEX submission_one_pending ON applications.submission (application_id)
            WHERE state = 'pending';
        CREATE INDEX submission_pending ON applications.submission (id) WHERE state = 'pending';

        -- What the directory shows: the content of the submission that was approved last.
        CREATE TABLE applications.publication (
            application_id bigint PRIMARY KEY REFERENCES applications.application,
            submission_id bigint NOT NULL,
            name text NOT NULL,
            category text NOT NULL,
            short_description text NOT NULL,
            content text NOT NULL,
            published_at timestamptz NOT NULL
        );
        CREATE INDEX publication_name ON applications.publication (lower(name), application_id);
        CREATE INDEX publication_category ON applications.publication (category, lower(name), application_id);

        -- Which organisation has authorized which application, and for what.
        CREATE TABLE applications.installation (
            organisation_id bigint NOT NULL,
            application_id bigint NOT NULL,
            scopes text[] NOT NULL DEFAULT '{}',
            installed_at timestamptz NOT NULL DEFAULT now(),
            installed_by bigint,
            deauthorised_at timestamptz,
            deauthorised_by bigint,
            CONSTRAINT installation_pkey PRIMARY KEY (organisation_id, application_id)
        );
        CREATE INDEX installation_application ON applications.installation (application_id, organisation_id);

        -- Roles that a trusted application publishes to organisations, and which of their users have them.
        CREATE TABLE applications.published_role (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_id bigint NOT NULL REFERENCES applications.application,
            name text NOT NULL,
            description text NOT NULL DEFAULT '',
            CONSTRAINT published_role_name UNIQUE (application_id, name)
        );
        CREATE TABLE applications.role_holder (
            organisation_id bigint NOT NULL,
            role_id bigint NOT NULL REFERENCES applications.published_role ON DELETE CASCADE,
            user_id bigint NOT NULL,
            CONSTRAINT role_holder_pkey PRIMARY KEY (role_id, organisation_id, user_id)
        );
        CREATE INDEX role_holder_user ON applications.role_holder (user_id, role_id);

        CREATE SCHEMA pictures;

        -- A picture that somebody has named by its URL; content is what we made of it, safe to serve.
        -- asked_at: when a page last showed it, to the day; what no page shows any more is forgotten.
        CREATE TABLE pictures.picture (
            id bytea PRIMARY KEY,
            url text NOT NULL,
            state text NOT NULL DEFAULT 'wanted',
            due_at timestamptz DEFAULT now(),
            tries integer NOT NULL DEFAULT 0,
            detail text NOT NULL DEFAULT '',
            width integer NOT NULL DEFAULT 0,
            height integer NOT NULL DEFAULT 0,
            content bytea,
            fetched_at timestamptz,
            asked_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT picture_state CHECK (state IN ('wanted', 'ready', 'failed'))
        );
        CREATE INDEX picture_due ON pictures.picture (due_at) WHERE due_at IS NOT NULL;
        """
    )


def downgrade() -> None:
    execute(
        """
        DROP SCHEMA pictures CASCADE;
        DROP TABLE applications.role_holder, applications.published_role, applications.installation,
            applications.publication, applications.submission, applications.listing, applications.oauth_client;
        DELETE FROM applications.secret WHERE application_id IN
            (SELECT id FROM applications.application WHERE kind IN ('public', 'partner', 'trusted'));
        DELETE FROM applications.application WHERE kind IN ('public', 'partner', 'trusted');
        DROP INDEX applications.application_trusted;
        ALTER TABLE applications.application DROP CONSTRAINT application_closed;
        ALTER TABLE applications.application DROP CONSTRAINT application_kind;
        ALTER TABLE applications.application DROP closed_at, DROP suspension_reason;
        ALTER TABLE applications.application ADD CONSTRAINT application_kind
            CHECK (kind IN ('private', 'api_client') AND (kind = 'api_client') = (user_id IS NOT NULL));
        """
    )
