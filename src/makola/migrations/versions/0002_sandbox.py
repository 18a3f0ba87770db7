"""Sandbox: the virtual operator's submissions, its handsets and what is on them."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE SCHEMA sandbox")
    op.execute("""
        CREATE TABLE sandbox.operator (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            available boolean NOT NULL DEFAULT true,
            delivery_delay_ms integer,
            buffer_expiry_s integer,
            revision bigint NOT NULL DEFAULT 0,
            trimmed_to bigint NOT NULL DEFAULT 0
        )""")
    op.execute("INSERT INTO sandbox.operator DEFAULT VALUES")
    op.execute("""
        CREATE TABLE sandbox.handset (
            number text PRIMARY KEY,
            network_id text NOT NULL,
            name text NOT NULL,
            state text NOT NULL CHECK (state IN ('on', 'off', 'full', 'blocked', 'unknown')),
            refusal smallint,
            receipt_status smallint,
            deferral boolean NOT NULL DEFAULT false,
            cleared_to bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL
        )""")
    op.execute("CREATE INDEX handset_in_order ON sandbox.handset (created_at, number)")
    op.execute("""
        CREATE TABLE sandbox.submission (
            submission_id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10000000) PRIMARY KEY,
            message_id uuid NOT NULL CONSTRAINT submission_message_id_key UNIQUE,
            sender text NOT NULL,
            recipient text NOT NULL,
            kind smallint NOT NULL,
            content text NOT NULL,
            udh text NOT NULL,
            units smallint NOT NULL,
            flash boolean NOT NULL,
            valid_until timestamptz NOT NULL,
            accepted_at timestamptz NOT NULL,
            state smallint NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL,
            expires_at timestamptz,
            outcome smallint,
            outcome_at timestamptz,
            unreported boolean NOT NULL DEFAULT false,
            lease_until timestamptz
        ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)""")
    op.execute("CREATE INDEX submission_due ON sandbox.submission (due_at, submission_id) WHERE state < 2")
    op.execute("CREATE INDEX submission_buffered ON sandbox.submission (recipient) WHERE state = 1")
    op.execute("CREATE INDEX submission_unreported ON sandbox.submission (lease_until) WHERE unreported")
    op.execute("""
        CREATE TABLE sandbox.message (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            number text NOT NULL,
            direction text NOT NULL CHECK (direction IN ('received', 'sent')),
            peer text NOT NULL,
            kind smallint NOT NULL,
            content text NOT NULL,
            udh text NOT NULL,
            units smallint NOT NULL,
            flash boolean NOT NULL,
            message_id uuid,
            at timestamptz NOT NULL
        )""")
    op.execute("CREATE INDEX message_of_number ON sandbox.message (number, id)")
    op.execute("""
        CREATE TABLE sandbox.mobile_originated (
            id bigint PRIMARY KEY,
            sender text NOT NULL,
            recipient text NOT NULL,
            content text NOT NULL,
            network_id text NOT NULL,
            at timestamptz NOT NULL,
            lease_until timestamptz NOT NULL
        )""")
    op.execute("CREATE INDEX mobile_originated_due ON sandbox.mobile_originated (lease_until)")


def downgrade() -> None:
    op.execute("DROP SCHEMA sandbox CASCADE")
