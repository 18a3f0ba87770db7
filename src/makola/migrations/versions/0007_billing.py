"""Billing: what each organisation pays its parent for a message."""

from makola.migrations.statements import execute

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA billing;

        -- network_id: MCC+MNC, or an MCC alone, or '*'; the most exact one counts.
        CREATE TABLE billing.tariff (
            organisation_id bigint NOT NULL,
            service text NOT NULL,
            network_id text NOT NULL,
            currency text NOT NULL,
            price_units bigint NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT tariff_pkey PRIMARY KEY (organisation_id, service, network_id),
            CONSTRAINT tariff_price CHECK (price_units >= 0)
        );
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA billing CASCADE")
