"""Messaging: messages, their submissions, receipts and routes."""

from makola.migrations.statements import execute

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA messaging;

        -- due_at: the next moment at which a worker must look at the row (its schedule, its retry, or the end of
        -- the lease of the worker that has it); NULL when nothing is left to do. Neither `status` nor
        -- `updated_at` is in an index, so that the receipt of a message is a heap-only update.
        CREATE TABLE messaging.message (
            id uuid PRIMARY KEY,
            organisation_id bigint NOT NULL,
            application_id bigint,
            inbound boolean NOT NULL,
            pending boolean NOT NULL,
            scheduled boolean NOT NULL,
            registered_delivery boolean NOT NULL,
            flash boolean NOT NULL,
            submitting boolean NOT NULL DEFAULT false,
            kind smallint NOT NULL,
            status smallint NOT NULL,
            units smallint NOT NULL,
            attempt_count smallint NOT NULL DEFAULT 0,
            price_units bigint NOT NULL,
            "time" timestamptz NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            valid_until timestamptz NOT NULL,
            due_at timestamptz,
            sender text NOT NULL,
            recipient text NOT NULL,
            network_id text NOT NULL,
            connector text NOT NULL,
            content text NOT NULL,
            udh text NOT NULL,
            client_reference text NOT NULL,
            billing_info text NOT NULL,
            detail text NOT NULL DEFAULT ''
        ) WITH (fillfactor = 80);
        CREATE INDEX message_list ON messaging.message (organisation_id, pending, "time", id);
        CREATE INDEX message_due ON messaging.message (due_at) WHERE due_at IS NOT NULL;

        -- One row for each segment that an operator took, by the operator's id for it.
        CREATE TABLE messaging.submission (
            connector text NOT NULL,
            provider_id text NOT NULL,
            message_id uuid NOT NULL,
            segment smallint NOT NULL,
            status smallint,
            CONSTRAINT submission_pkey PRIMARY KEY (connector, provider_id)
        ) WITH (fillfactor = 90);
        CREATE INDEX submission_message ON messaging.submission (message_id);

        -- Receipts that came before the operator's answer to the submission.
        CREATE TABLE messaging.parked_receipt (
            connector text NOT NULL,
            provider_id text NOT NULL,
            status smallint NOT NULL,
            at timestamptz NOT NULL,
            detail text NOT NULL,
            parked_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT parked_receipt_pkey PRIMARY KEY (connector, provider_id, status)
        );

        -- What makes a repeated request recognisable: kind 0 an Idempotency-Key, 1 a ClientReference.
        CREATE TABLE messaging.request_key (
            application_id bigint NOT NULL,
            kind smallint NOT NULL,
            key text NOT NULL,
            request_sha256 bytea NOT NULL,
            message_id uuid NOT NULL,
            price_units bigint NOT NULL,
            network_id text NOT NULL,
            client_reference text NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT request_key_pkey PRIMARY KEY (application_id, kind, key)
        );
        CREATE INDEX request_key_age ON messaging.request_key (created_at) WHERE kind = 0;

        CREATE TABLE messaging.route (
            network_id text PRIMARY KEY,
            connector text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now()
        );

        -- The root organisation's list is the platform's.
        CREATE TABLE messaging.do_not_contact (
            number text NOT NULL,
            organisation_id bigint NOT NULL,
            reason text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT do_not_contact_pkey PRIMARY KEY (number, organisation_id)
        );
        CREATE INDEX do_not_contact_organisation ON messaging.do_not_contact (organisation_id, number);

        CREATE TABLE messaging.blocked_phrase (
            phrase text PRIMARY KEY,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA messaging CASCADE")
