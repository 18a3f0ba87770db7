"""Transfers in one statement, and a mark by which USSD knows that the database has broken down."""

from alembic import op

from makola.migrations.statements import execute

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute(
        """
        -- Moves many amounts, all or none: see core/ledger/service.py, transfer_all. Called by a caller's statement,
        -- it lets one statement, its own transaction, both store something and pay for it.
        CREATE FUNCTION ledger.transfer_all(debits bigint[], credits bigint[], units bigint[], purposes uuid[],
                                            what_for text, at timestamptz, in_full boolean) RETURNS void
        LANGUAGE plpgsql AS $$
        DECLARE
            parties bigint[] := ARRAY(SELECT DISTINCT unnest(debits || credits));
            changed bigint;
        BEGIN
            INSERT INTO ledger.transfer (debit_id, credit_id, amount, kind, reference, created_at)
            SELECT t.debit_id, t.credit_id, t.amount, what_for, t.reference, at
            FROM unnest(debits, credits, units, purposes) AS t (debit_id, credit_id, amount, reference);

            -- The busiest accounts are locked last and for the shortest time, and always in the order of their ids, so
            -- that no two writers deadlock.
            PERFORM FROM ledger.account WHERE id = ANY(parties) ORDER BY id FOR UPDATE;

            UPDATE ledger.account a SET balance = a.balance + d.received - d.paid
            FROM (SELECT p.id, sum(p.received)::bigint AS received, sum(p.paid)::bigint AS paid
                  FROM (SELECT unnest(debits) AS id, 0 AS received, unnest(units) AS paid
                        UNION ALL SELECT unnest(credits), unnest(units), 0) AS p
                  GROUP BY p.id) AS d
            WHERE a.id = d.id
              AND (a.credit_limit IS NULL
                   OR a.balance - a.held + a.credit_limit >= d.paid - CASE WHEN in_full THEN 0 ELSE d.received END
                   OR (d.received >= d.paid AND NOT (in_full AND d.paid > 0)));
            GET DIAGNOSTICS changed = ROW_COUNT;
            IF changed < cardinality(parties) THEN
                RAISE EXCEPTION 'an account cannot cover this amount'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'account_covers';
            END IF;
        END
        $$
        """
    )
    execute(
        """
        -- What PostgreSQL loses when it ends out of order, and when a standby takes over; an orderly restart keeps it.
        CREATE UNLOGGED TABLE ussd.continuity (
            single boolean PRIMARY KEY DEFAULT true CONSTRAINT continuity_single CHECK (single),
            since timestamptz NOT NULL
        );
        INSERT INTO ussd.continuity (since) VALUES ('epoch');

        -- The platform's own log lists everybody's, the newest first; what is old is found by these too.
        CREATE INDEX session_newest ON ussd.session (started_at, id);
        CREATE INDEX failure_newest ON ussd.failure (at, id);
        DROP INDEX ussd.session_age;
        DROP INDEX ussd.failure_age;
        """
    )


def downgrade() -> None:
    execute(
        """
        CREATE INDEX session_age ON ussd.session USING brin (started_at);
        CREATE INDEX failure_age ON ussd.failure USING brin (at);
        DROP INDEX ussd.session_newest;
        DROP INDEX ussd.failure_newest;
        DROP TABLE ussd.continuity;
        """
    )
    op.execute("DROP FUNCTION ledger.transfer_all")
