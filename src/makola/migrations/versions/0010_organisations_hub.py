"""Organisations: permissions, roles, modules, emulation, audit, addresses; users and API clients of the Hub."""

from makola.migrations.statements import execute

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    execute(
        """
        ALTER TABLE organisations.organisation
            ADD linked_account boolean NOT NULL DEFAULT false,
            ADD finance_type text NOT NULL DEFAULT 'DIRECT',
            ADD modules text[] NOT NULL DEFAULT '{WEBSTORE,MESSAGING,PAYMENTS}';

        -- shared: the direct children see it too.
        CREATE TABLE organisations.address (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL REFERENCES organisations.organisation,
            name text NOT NULL,
            company_name text NOT NULL,
            recipient_name text NOT NULL,
            addr_line_1 text NOT NULL,
            addr_line_2 text NOT NULL,
            city text NOT NULL,
            region text NOT NULL,
            postal_code text NOT NULL,
            country_code integer NOT NULL,
            shared boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX address_organisation ON organisations.address (organisation_id, id);

        -- parent_permissions: those of permissions that also count for what the parent shares.
        CREATE TABLE organisations.user_grants (
            user_id bigint PRIMARY KEY,
            permissions text[] NOT NULL DEFAULT '{}',
            parent_permissions text[] NOT NULL DEFAULT '{}',
            modules text[] NOT NULL DEFAULT '{}',
            admin boolean NOT NULL DEFAULT false,
            root boolean NOT NULL DEFAULT false,
            CONSTRAINT user_grants_parent CHECK (parent_permissions <@ permissions)
        );

        CREATE TABLE organisations.role (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL REFERENCES organisations.organisation,
            name text NOT NULL,
            permissions text[] NOT NULL DEFAULT '{}',
            parent_permissions text[] NOT NULL DEFAULT '{}',
            shared boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT role_parent CHECK (parent_permissions <@ permissions)
        );
        CREATE UNIQUE INDEX role_name ON organisations.role (organisation_id, lower(name));

        CREATE TABLE organisations.user_role (
            user_id bigint NOT NULL,
            role_id bigint NOT NULL REFERENCES organisations.role ON DELETE CASCADE,
            CONSTRAINT user_role_pkey PRIMARY KEY (user_id, role_id)
        );
        CREATE INDEX user_role_role ON organisations.user_role (role_id);

        CREATE TABLE organisations.emulation (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            real_user_id bigint NOT NULL,
            real_organisation_id bigint NOT NULL,
            user_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            reason text NOT NULL,
            started_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL,
            ended_at timestamptz,
            CONSTRAINT emulation_time CHECK (ends_at > started_at)
        );
        CREATE INDEX emulation_organisation ON organisations.emulation (organisation_id, id);

        CREATE TABLE organisations.audit_entry (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            organisation_id bigint NOT NULL,
            actor_organisation_id bigint NOT NULL,
            real_organisation_id bigint NOT NULL,
            user_id bigint,
            real_user_id bigint,
            application_id bigint,
            action text NOT NULL,
            subject text NOT NULL,
            details jsonb NOT NULL DEFAULT '{}'
        );
        CREATE INDEX audit_entry_organisation ON organisations.audit_entry (organisation_id, id);
        CREATE INDEX audit_entry_subject ON organisations.audit_entry (subject, id);

        ALTER TABLE identity."user"
            ADD currency text NOT NULL DEFAULT 'GBP',
            ADD locale text NOT NULL DEFAULT 'en',
            ADD timezone text NOT NULL DEFAULT 'UTC';

        -- An API client stands for a user; a private application for its whole organisation.
        ALTER TABLE applications.application ADD user_id bigint;
        ALTER TABLE applications.application DROP CONSTRAINT application_kind;
        ALTER TABLE applications.application ADD CONSTRAINT application_kind
            CHECK (kind IN ('private', 'api_client') AND (kind = 'api_client') = (user_id IS NOT NULL));
        CREATE INDEX application_user ON applications.application (user_id, id) WHERE user_id IS NOT NULL;
        """
    )


def downgrade() -> None:
    execute(
        """
        DELETE FROM applications.secret WHERE application_id IN
            (SELECT id FROM applications.application WHERE user_id IS NOT NULL);
        DELETE FROM applications.application WHERE user_id IS NOT NULL;
        ALTER TABLE applications.application DROP CONSTRAINT application_kind;
        ALTER TABLE applications.application DROP user_id;
        ALTER TABLE applications.application ADD CONSTRAINT application_kind CHECK (kind IN ('private'));
        ALTER TABLE identity."user" DROP currency, DROP locale, DROP timezone;
        DROP TABLE organisations.audit_entry, organisations.emulation, organisations.user_role, organisations.role,
            organisations.user_grants, organisations.address;
        ALTER TABLE organisations.organisation DROP linked_account, DROP finance_type, DROP modules;
        """
    )
