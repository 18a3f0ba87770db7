"""The sandbox operator's USSD sessions."""

from makola.migrations.statements import execute

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    execute(
        """
        -- The session that a handset has open, or had last; what was said in it is not kept here.
        CREATE TABLE sandbox.ussd_session (
            number text PRIMARY KEY REFERENCES sandbox.handset ON DELETE CASCADE,
            session text NOT NULL,
            dialled text NOT NULL,
            at timestamptz NOT NULL
        );

        -- What the network shows without being asked: a session that timed out.
        CREATE TABLE sandbox.ussd_event (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            number text NOT NULL,
            session text NOT NULL,
            text text NOT NULL,
            at timestamptz NOT NULL
        );
        CREATE INDEX ussd_event_age ON sandbox.ussd_event (at);
        """
    )


def downgrade() -> None:
    execute("DROP TABLE sandbox.ussd_event; DROP TABLE sandbox.ussd_session")
