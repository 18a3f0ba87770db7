"""Checkout: merchant accounts, invoices, payments, refunds."""

from makola.migrations.statements import execute

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA checkout;

        CREATE SEQUENCE checkout.merchant_number;
        CREATE SEQUENCE checkout.order_number;

        -- settlement_id: the ledger's account of what the merchant has been paid and not paid out.
        -- channels: empty for all.
        CREATE TABLE checkout.merchant_account (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL,
            number text NOT NULL,
            name text NOT NULL,
            currency text NOT NULL,
            state text NOT NULL,
            kyc_state text NOT NULL,
            refused_because text NOT NULL DEFAULT '',
            sweep_channel text NOT NULL DEFAULT '',
            sweep_number text NOT NULL DEFAULT '',
            sweep_name text NOT NULL DEFAULT '',
            channels text[] NOT NULL DEFAULT '{}',
            pay_on_delivery boolean NOT NULL DEFAULT true,
            fees_on_customer boolean NOT NULL DEFAULT false,
            settlement_id bigint NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT merchant_account_number UNIQUE (number),
            CONSTRAINT merchant_account_state CHECK (state IN ('pending', 'active', 'suspended')),
            CONSTRAINT merchant_account_kyc CHECK (kyc_state IN ('none', 'submitted', 'approved', 'rejected'))
        );
        CREATE INDEX merchant_account_organisation ON checkout.merchant_account (organisation_id, id);

        -- The files are on disk, under the data directory, named by their ids.
        CREATE TABLE checkout.document (
            id uuid PRIMARY KEY,
            merchant_account_id bigint NOT NULL REFERENCES checkout.merchant_account,
            kind text NOT NULL,
            file_name text NOT NULL,
            content_type text NOT NULL,
            size_bytes integer NOT NULL,
            sha256 bytea NOT NULL,
            state text NOT NULL,
            note text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL,
            reviewed_at timestamptz,
            CONSTRAINT document_state CHECK (state IN ('submitted', 'approved', 'rejected'))
        );
        CREATE INDEX document_account ON checkout.document (merchant_account_id, created_at, id);

        -- What the fees are: the most particular row counts (this account's own channel, this account, the channel,
        -- everybody). merchant_account_id 0: every account. channel '': every channel. maximum_units NULL: no limit.
        CREATE TABLE checkout.fee_tariff (
            merchant_account_id bigint NOT NULL,
            channel text NOT NULL,
            rate_ppm integer NOT NULL,
            fixed_units bigint NOT NULL,
            minimum_units bigint NOT NULL,
            maximum_units bigint,
            CONSTRAINT fee_tariff_pkey PRIMARY KEY (merchant_account_id, channel),
            CONSTRAINT fee_tariff_amounts CHECK (rate_ppm BETWEEN 0 AND 1000000 AND fixed_units >= 0
                AND minimum_units >= 0 AND (maximum_units IS NULL OR maximum_units >= minimum_units))
        );

        -- refunded_units: paid back or about to be. returned_units: certainly paid back.
        CREATE TABLE checkout.invoice (
            id uuid PRIMARY KEY,
            merchant_account_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            application_id bigint NOT NULL,
            kind text NOT NULL,
            generation smallint NOT NULL,
            state text NOT NULL,
            client_reference text NOT NULL,
            content_sha256 bytea NOT NULL,
            items jsonb NOT NULL,
            taxes_units bigint NOT NULL,
            total_units bigint NOT NULL,
            currency text NOT NULL,
            description text NOT NULL,
            callback_url text NOT NULL,
            return_url text NOT NULL,
            cancellation_url text NOT NULL,
            logo_url text NOT NULL,
            payee_name text NOT NULL,
            payee_number text NOT NULL,
            payee_email text NOT NULL,
            custom_data bytea NOT NULL,
            sales_invoice_id text NOT NULL,
            customer_number text NOT NULL DEFAULT '',
            paid_by uuid,
            refunded_units bigint NOT NULL DEFAULT 0,
            returned_units bigint NOT NULL DEFAULT 0,
            order_number text NOT NULL DEFAULT '',
            order_token text NOT NULL DEFAULT '',
            failure_code text NOT NULL DEFAULT '',
            attempt_count integer NOT NULL DEFAULT 0,
            expires_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL,
            finished_at timestamptz,
            CONSTRAINT invoice_kind CHECK (kind IN ('page', 'direct')),
            CONSTRAINT invoice_state CHECK (state IN ('open', 'paid', 'ordered', 'failed', 'cancelled', 'expired',
                'refunded')),
            CONSTRAINT invoice_amounts CHECK (total_units > 0 AND refunded_units >= returned_units
                AND returned_units >= 0),
            CONSTRAINT invoice_paid CHECK ((state IN ('paid', 'refunded')) = (paid_by IS NOT NULL))
        ) WITH (fillfactor = 70);
        CREATE UNIQUE INDEX invoice_client_reference ON checkout.invoice (merchant_account_id, client_reference)
            WHERE client_reference <> '';
        CREATE INDEX invoice_account ON checkout.invoice (merchant_account_id, created_at);
        CREATE INDEX invoice_expiry ON checkout.invoice (expires_at) WHERE state = 'open';

        -- id: what the provider knows it by. hold_id: the ledger's hold of what a refund, send or sweep reserves.
        -- due_at: when the provider is asked how it stands, or until when another process has that in hand.
        CREATE TABLE checkout.transaction (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            state text NOT NULL,
            merchant_account_id bigint NOT NULL,
            organisation_id bigint NOT NULL,
            application_id bigint NOT NULL,
            checkout_id uuid,
            refunds uuid,
            provider text NOT NULL,
            channel text NOT NULL,
            number text NOT NULL,
            name text NOT NULL,
            amount_units bigint NOT NULL,
            charges_units bigint NOT NULL,
            currency text NOT NULL,
            surplus boolean NOT NULL DEFAULT false,
            reason text NOT NULL,
            client_reference text NOT NULL,
            content_sha256 bytea NOT NULL DEFAULT '',
            callback_url text NOT NULL,
            secondary_callback_url text NOT NULL,
            provider_reference text NOT NULL DEFAULT '',
            failure_code text NOT NULL DEFAULT '',
            failure_detail text NOT NULL DEFAULT '',
            card_last4 text NOT NULL DEFAULT '',
            poll_count integer NOT NULL DEFAULT 0,
            due_at timestamptz,
            created_at timestamptz NOT NULL,
            finished_at timestamptz,
            CONSTRAINT transaction_kind CHECK (kind IN ('payment', 'refund', 'send', 'sweep')),
            CONSTRAINT transaction_state CHECK (state IN ('asking', 'pending', 'succeeded', 'failed', 'undecided')),
            CONSTRAINT transaction_amounts CHECK (amount_units > 0 AND charges_units >= 0)
        ) WITH (fillfactor = 70);
        CREATE INDEX transaction_checkout ON checkout.transaction (checkout_id, created_at);
        CREATE INDEX transaction_due ON checkout.transaction (due_at) WHERE due_at IS NOT NULL;
        CREATE INDEX transaction_account ON checkout.transaction (merchant_account_id, created_at, id);
        CREATE INDEX transaction_provider ON checkout.transaction (provider, created_at);
        CREATE INDEX transaction_reference ON checkout.transaction (merchant_account_id, provider_reference)
            WHERE provider_reference <> '';
        CREATE UNIQUE INDEX transaction_client_reference
            ON checkout.transaction (merchant_account_id, kind, client_reference)
            WHERE client_reference <> '' AND kind IN ('refund', 'send', 'sweep');
        CREATE UNIQUE INDEX transaction_one_winner ON checkout.transaction (checkout_id)
            WHERE kind = 'payment' AND state = 'succeeded' AND NOT surplus;

        -- Where a provider's list and the ledger do not agree. detail: in words, for the person who looks into it.
        CREATE TABLE checkout.difference (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            provider text NOT NULL,
            day date NOT NULL,
            kind text NOT NULL,
            subject text NOT NULL,
            transaction_id uuid,
            provider_reference text NOT NULL,
            ours_units bigint,
            theirs_units bigint,
            detail text NOT NULL,
            found_at timestamptz NOT NULL,
            resolved_at timestamptz,
            resolution text NOT NULL DEFAULT '',
            CONSTRAINT difference_once UNIQUE (provider, day, kind, subject)
        );
        CREATE INDEX difference_open ON checkout.difference (id) WHERE resolved_at IS NULL;

        -- Which of a provider's days have been compared.
        CREATE TABLE checkout.reconciled_day (
            provider text NOT NULL,
            day date NOT NULL,
            compared_at timestamptz NOT NULL,
            ours_count integer NOT NULL,
            theirs_count integer NOT NULL,
            difference_count integer NOT NULL,
            CONSTRAINT reconciled_day_pkey PRIMARY KEY (provider, day)
        );
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA checkout CASCADE")
