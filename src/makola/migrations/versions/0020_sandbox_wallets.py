"""The sandbox's wallets and cards."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE sandbox.wallet (
            number text PRIMARY KEY REFERENCES sandbox.handset ON DELETE CASCADE,
            registered boolean NOT NULL DEFAULT true,
            balance_units bigint NOT NULL CHECK (balance_units >= 0),
            pin_salt bytea,
            pin_digest bytea,
            limit_per_payment_units bigint NOT NULL CHECK (limit_per_payment_units > 0),
            limit_per_day_units bigint NOT NULL CHECK (limit_per_day_units > 0),
            spent_on date,
            spent_units bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 70)""")
    op.execute("""
        CREATE TABLE sandbox.wallet_operation (
            operation_id bigint GENERATED ALWAYS AS IDENTITY (START WITH 700000001) PRIMARY KEY,
            transaction_id uuid NOT NULL CONSTRAINT wallet_operation_transaction_id_key UNIQUE,
            kind text NOT NULL CHECK (kind IN ('payment', 'send', 'refund')),
            number text NOT NULL,
            network_id text NOT NULL,
            amount_units bigint NOT NULL CHECK (amount_units > 0),
            currency text NOT NULL,
            state text NOT NULL CHECK (state IN ('pending', 'successful', 'failed')),
            reason text,
            payee text NOT NULL,
            note text NOT NULL,
            refers_to uuid,
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            settled_at timestamptz
        ) WITH (fillfactor = 80)""")
    op.execute("""
        CREATE INDEX wallet_operation_prompts ON sandbox.wallet_operation (number, operation_id)
         WHERE state = 'pending'""")
    op.execute("""
        CREATE INDEX wallet_operation_due ON sandbox.wallet_operation (expires_at, operation_id)
         WHERE state = 'pending'""")
    op.execute("CREATE INDEX wallet_operation_of_number ON sandbox.wallet_operation (number, operation_id)")
    op.execute("CREATE INDEX wallet_operation_in_order ON sandbox.wallet_operation (created_at, operation_id)")
    op.execute("""
        CREATE INDEX wallet_operation_refunds ON sandbox.wallet_operation (refers_to)
         WHERE refers_to IS NOT NULL""")
    op.execute("""
        CREATE TABLE sandbox.card_payment (
            session_id uuid PRIMARY KEY,
            transaction_id uuid NOT NULL CONSTRAINT card_payment_transaction_id_key UNIQUE,
            amount_units bigint NOT NULL CHECK (amount_units > 0),
            currency text NOT NULL,
            state text NOT NULL CHECK (state IN ('open', 'challenged', 'successful', 'failed')),
            reason text,
            payee text NOT NULL,
            note text NOT NULL,
            return_url text NOT NULL,
            brand text,
            last_four text CHECK (last_four ~ '^[0-9]{4}$'),
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            settled_at timestamptz
        )""")
    op.execute("CREATE INDEX card_payment_in_order ON sandbox.card_payment (created_at, transaction_id)")
    op.execute("""
        CREATE TABLE sandbox.card_refund (
            transaction_id uuid PRIMARY KEY,
            refers_to uuid NOT NULL,
            amount_units bigint NOT NULL CHECK (amount_units > 0),
            created_at timestamptz NOT NULL
        )""")
    op.execute("CREATE INDEX card_refund_of_payment ON sandbox.card_refund (refers_to)")
    op.execute("CREATE INDEX card_refund_in_order ON sandbox.card_refund (created_at, transaction_id)")


def downgrade() -> None:
    op.execute("DROP TABLE sandbox.wallet, sandbox.wallet_operation, sandbox.card_payment, sandbox.card_refund")
