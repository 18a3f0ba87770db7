"""Ledger: accounts, holds and transfers, in integers."""

from makola.migrations.statements import execute

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA ledger;

        -- Amounts are in 1/10,000 of the currency's unit. credit_limit NULL: no limit (the world outside).
        CREATE TABLE ledger.account (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            owner_id bigint NOT NULL,
            purpose text NOT NULL,
            currency text NOT NULL,
            balance bigint NOT NULL DEFAULT 0,
            held bigint NOT NULL DEFAULT 0,
            credit_limit bigint DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT account_owner UNIQUE (owner_id, purpose, currency),
            CONSTRAINT account_held CHECK (held >= 0),
            CONSTRAINT account_limit CHECK (credit_limit >= 0)
        ) WITH (fillfactor = 50);

        -- A hold reserves amounts[n] on debit_ids[n] for credit_ids[n]; state 0 open, 1 posted, 2 voided.
        CREATE TABLE ledger.hold (
            id uuid PRIMARY KEY,
            state smallint NOT NULL DEFAULT 0,
            debit_ids bigint[] NOT NULL,
            credit_ids bigint[] NOT NULL,
            amounts bigint[] NOT NULL,
            created_at timestamptz NOT NULL,
            closed_at timestamptz
        ) WITH (fillfactor = 85);

        CREATE TABLE ledger.transfer (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            debit_id bigint NOT NULL,
            credit_id bigint NOT NULL,
            amount bigint NOT NULL,
            kind text NOT NULL,
            reference uuid NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT transfer_amount CHECK (amount > 0),
            CONSTRAINT transfer_parties CHECK (debit_id <> credit_id)
        );
        CREATE INDEX transfer_reference ON ledger.transfer (reference);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA ledger CASCADE")
