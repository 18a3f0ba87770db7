"""Callbacks: deliveries with their attempts, disabled endpoints, signing secrets."""

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    "CREATE SCHEMA callbacks",
    """
    -- A delivery is claimed by setting lease_until, which no index holds: with room in the page that is
    -- a heap-only update. The pending index is a queue: it wants vacuuming long before 20 % are dead.
    CREATE TABLE callbacks.delivery (
        delivery_id     uuid PRIMARY KEY,
        organisation_id bigint NOT NULL,
        application_id  bigint,
        event           text NOT NULL,
        subject_id      uuid,
        receiver        text COLLATE "C" NOT NULL,
        method          text NOT NULL CHECK (method IN ('GET', 'POST')),
        url             text NOT NULL,
        query           text NOT NULL,
        body            bytea,
        content_type    text NOT NULL,
        state           text NOT NULL
                        CHECK (state IN ('pending', 'delivered', 'failed', 'gone', 'not_sent')),
        detail          text NOT NULL DEFAULT '',
        attempt_count   integer NOT NULL DEFAULT 0,
        tries           integer NOT NULL DEFAULT 0,
        due_at          timestamptz NOT NULL DEFAULT now(),
        lease_until     timestamptz,
        created_at      timestamptz NOT NULL DEFAULT now(),
        finished_at     timestamptz
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
            autovacuum_analyze_scale_factor = 0.05)
    """,
    "CREATE INDEX delivery_pending ON callbacks.delivery (receiver, due_at) WHERE state = 'pending'",
    "CREATE INDEX delivery_of_organisation ON callbacks.delivery (organisation_id, created_at, delivery_id)",
    "CREATE INDEX delivery_by_time ON callbacks.delivery (created_at, delivery_id)",
    "CREATE INDEX delivery_of_subject ON callbacks.delivery (subject_id) WHERE subject_id IS NOT NULL",
    """
    CREATE TABLE callbacks.attempt (
        delivery_id uuid NOT NULL,
        number      integer NOT NULL,
        started_at  timestamptz NOT NULL,
        duration_ms integer NOT NULL,
        status      smallint,
        error       text NOT NULL,
        answer      text NOT NULL,
        PRIMARY KEY (delivery_id, number)
    )
    """,
    """
    CREATE TABLE callbacks.endpoint (
        organisation_id bigint NOT NULL,
        url             text COLLATE "C" NOT NULL,
        disabled_at     timestamptz NOT NULL DEFAULT now(),
        reason          text NOT NULL,
        PRIMARY KEY (organisation_id, url)
    )
    """,
    """
    CREATE TABLE callbacks.secret (
        organisation_id bigint PRIMARY KEY,
        secret          text NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT now()
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA callbacks CASCADE")
