"""USSD: services, sessions, steps, failures."""

from makola.migrations.statements import execute

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA ussd;

        CREATE TABLE ussd.service (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            code text NOT NULL,
            organisation_id bigint NOT NULL,
            name text NOT NULL,
            url text NOT NULL,
            fulfilment_url text NOT NULL,
            operators text[] NOT NULL,
            long_text text NOT NULL,
            resume_s integer NOT NULL,
            secret text NOT NULL,
            enabled boolean NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT service_code UNIQUE (code)
        );
        CREATE INDEX service_organisation ON ussd.service (organisation_id, id);

        -- end_reason: 1 application, 2 subscriber, 3 time-out, 4 error. An operator that uses an id of its own anew
        -- pushes the old session's aside (`operator_session_id`).
        CREATE TABLE ussd.session (
            id uuid PRIMARY KEY,
            service_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            service_code text NOT NULL,
            connector text NOT NULL,
            operator_session_id text NOT NULL,
            mobile text NOT NULL,
            operator text NOT NULL,
            started_at timestamptz NOT NULL,
            ended_at timestamptz,
            end_reason smallint,
            error text NOT NULL DEFAULT '',
            CONSTRAINT session_at_operator UNIQUE (connector, operator_session_id)
        ) WITH (fillfactor = 80);
        CREATE INDEX session_list ON ussd.session (organisation_id, started_at, id);
        CREATE INDEX session_open ON ussd.session (started_at) WHERE ended_at IS NULL;
        CREATE INDEX session_resumable ON ussd.session (service_id, mobile) WHERE end_reason = 3;
        CREATE INDEX session_age ON ussd.session USING brin (started_at);

        -- One row for each push of an operator and each end of a session. Its key is what keeps two processes from
        -- going on with the same session at once. Masked texts are never written.
        CREATE TABLE ussd.step (
            session_id uuid NOT NULL,
            "position" smallint NOT NULL,
            sequence smallint NOT NULL,
            kind smallint NOT NULL,
            flags smallint NOT NULL DEFAULT 0,
            status smallint,
            duration_ms integer,
            asked_at timestamptz NOT NULL,
            answered_at timestamptz,
            push_id text NOT NULL,
            input text NOT NULL,
            screen text,
            pages text,
            client_state text,
            error text NOT NULL DEFAULT '',
            cause text NOT NULL DEFAULT '',
            body text NOT NULL DEFAULT '',
            CONSTRAINT step_pkey PRIMARY KEY (session_id, "position")
        ) WITH (fillfactor = 70);

        CREATE TABLE ussd.failure (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL,
            service_id bigint,
            session_id uuid,
            service_code text NOT NULL,
            code text NOT NULL,
            cause text NOT NULL,
            status smallint,
            body text NOT NULL,
            at timestamptz NOT NULL
        );
        CREATE INDEX failure_list ON ussd.failure (organisation_id, at, id);
        CREATE INDEX failure_age ON ussd.failure USING brin (at);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA ussd CASCADE")
