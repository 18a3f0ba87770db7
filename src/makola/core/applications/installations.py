"""Which organisation has authorized which application: written by the OAuth server, shown to the organisation.

Applications know nothing about tokens. Whoever deauthorises ends the tokens in the same transaction:
`makola.core.oauth.deauthorisation` does both, and tells the application.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from makola.core.applications.types import ApplicationKind
from makola.kit.database import Connection, Database, Record

_RECORD = """
INSERT INTO applications.installation (organisation_id, application_id, scopes, installed_by)
VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation_id, application_id) DO UPDATE SET
    scopes = CASE WHEN applications.installation.deauthorised_at IS NULL
                  THEN array(SELECT DISTINCT s FROM unnest(applications.installation.scopes || excluded.scopes) s
                             ORDER BY s)
                  ELSE excluded.scopes END,
    installed_at = CASE WHEN applications.installation.deauthorised_at IS NULL
                        THEN applications.installation.installed_at ELSE now() END,
    installed_by = coalesce(excluded.installed_by, applications.installation.installed_by),
    deauthorised_at = NULL, deauthorised_by = NULL
"""

_COLUMNS = """
i.organisation_id, i.application_id, i.scopes, i.installed_at, i.installed_by, a.client_id, a.kind,
coalesce(p.name, a.name) AS name, a.suspended_at IS NOT NULL AS suspended
"""

_INSTALLED = """
FROM applications.installation i
JOIN applications.application a ON a.id = i.application_id
LEFT JOIN applications.publication p ON p.application_id = i.application_id AND a.kind = 'partner'
WHERE i.organisation_id = $1 AND i.deauthorised_at IS NULL AND a.closed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """An application that an organisation has authorized.

    Attributes:
        scopes: everything that was granted, by whomever.
        installed_by: the user who authorized it last; None where it was installed without one.
    """

    organisation_id: int
    application_id: int
    client_id: str
    kind: ApplicationKind
    name: str
    scopes: frozenset[str]
    installed_at: datetime
    installed_by: int | None
    suspended: bool


async def record_install(connection: Connection, organisation_id: int, application_id: int, scopes: Collection[str],
                         user_id: int | None) -> None:
    """Write down that an organisation has authorized an application; scopes are added to those granted before.

    Args:
        connection: the transaction that makes the grant.
        organisation_id: for whom.
        application_id: which application.
        scopes: what was granted, implied ones included.
        user_id: who granted it; None without a user.
    """
    await connection.execute(_RECORD, organisation_id, application_id, sorted(scopes), user_id)


async def is_installed(database: Database | Connection, organisation_id: int, application_id: int) -> bool:
    """Say whether an organisation has authorized an application, and has not taken it back."""
    return bool(await database.fetchval(
        "SELECT EXISTS (SELECT FROM applications.installation"
        " WHERE organisation_id = $1 AND application_id = $2 AND deauthorised_at IS NULL)",
        organisation_id, application_id))


async def list_installed(database: Database | Connection, organisation_id: int) -> list[Installation]:
    """Return an organisation's authorized applications, by name."""
    rows = await database.fetch(
        f"SELECT {_COLUMNS} {_INSTALLED} ORDER BY lower(coalesce(p.name, a.name)), i.application_id", organisation_id)
    return [_installation_of(row) for row in rows]


async def deauthorise(connection: Connection, organisation_id: int, application_id: int,
                      user_id: int | None) -> bool:
    """Write down that an organisation has taken its authorization back; False when there was none.

    Args:
        connection: the transaction that ends the tokens too.
        organisation_id: whose authorization.
        application_id: of which application.
        user_id: who takes it back.
    """
    return await connection.fetchval(
        "UPDATE applications.installation SET deauthorised_at = now(), deauthorised_by = $3"
        " WHERE organisation_id = $1 AND application_id = $2 AND deauthorised_at IS NULL RETURNING application_id",
        organisation_id, application_id, user_id) is not None


async def install_by_default(connection: Connection, application_id: int, organisation_ids: Collection[int],
                             scopes: Collection[str]) -> list[int]:
    """Install an application without a user where it never was; return for which organisations.

    One that has taken its authorization back is left alone.
    """
    rows = await connection.fetch(
        "INSERT INTO applications.installation (organisation_id, application_id, scopes)"
        " SELECT o, $1, $3 FROM unnest($2::bigint[]) o ON CONFLICT DO NOTHING RETURNING organisation_id",
        application_id, list(organisation_ids), sorted(scopes))
    return sorted(row["organisation_id"] for row in rows)


async def installed_by_default(database: Database) -> list[int]:
    """Return the applications that every organisation has from the start."""
    rows = await database.fetch(
        "SELECT a.id FROM applications.application a JOIN applications.oauth_client o ON o.application_id = a.id"
        " WHERE a.kind = 'trusted' AND o.installed_by_default AND a.suspended_at IS NULL ORDER BY a.id")
    return [row["id"] for row in rows]


def _installation_of(row: Record) -> Installation:
    return Installation(
        row["organisation_id"], row["application_id"], row["client_id"], ApplicationKind(row["kind"]), row["name"],
        frozenset(row["scopes"]), row["installed_at"], row["installed_by"], row["suspended"])
