"""What may be done with applications, and who a client id and secret stand for."""

import hashlib
import hmac
import secrets
from uuid import uuid4

from makola.core.applications.types import AnswerCasing, Application, Caller, NewApplication
from makola.core.organisations.queries import find_place
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_INSERT = """
INSERT INTO applications.application (organisation_id, name, client_id, answer_casing, unique_client_reference)
VALUES ($1, $2, $3, $4, $5) RETURNING id
"""

_FIND = """
SELECT a.id, a.organisation_id, a.name, a.client_id, a.answer_casing, a.unique_client_reference,
       array(SELECT s.sha256 FROM applications.secret s
             WHERE s.application_id = a.id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets
FROM applications.application a WHERE a.client_id = $1 AND a.suspended_at IS NULL
"""


async def create_application(connection: Connection, organisation_id: int, *, name: str,
                             answer_casing: AnswerCasing = AnswerCasing.PASCAL,
                             unique_client_reference: bool = False) -> NewApplication:
    """Make a private application with a first secret of 256 random bits."""
    client_id = str(uuid4())
    client_secret = secrets.token_urlsafe(32)
    application_id = await connection.fetchval(
        _INSERT, organisation_id, name, client_id, str(answer_casing), unique_client_reference)
    await connection.execute("INSERT INTO applications.secret (application_id, sha256) VALUES ($1, $2)",
                             application_id, _sha256(client_secret))
    application = Application(application_id, organisation_id, name, client_id, answer_casing,
                              unique_client_reference)
    return NewApplication(application, client_secret)


async def authenticate(database: Database, client_id: str, client_secret: str) -> Caller | None:
    """Return who the credentials stand for; None when they are wrong, or suspended at any tier."""
    row = await database.fetchrow(_FIND, client_id)
    given = _sha256(client_secret)
    stored: list[bytes] = row["secrets"] if row is not None else [b""]
    matches = [hmac.compare_digest(given, one) for one in stored]
    if row is None or not any(matches):
        return None
    place = await find_place(database, row["organisation_id"])
    if place is None:
        return None
    application = Application(row["id"], row["organisation_id"], row["name"], row["client_id"],
                              AnswerCasing(row["answer_casing"]), row["unique_client_reference"])
    actor = Actor(row["organisation_id"], place.chain, row["id"], None, place.country_code, place.time_zone)
    return Caller(actor, application)


def _sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
