"""What may be done with applications, and who a client id and secret, or a token, stand for."""

import hmac
from uuid import uuid4

from makola.core.applications.types import AnswerCasing, Application, Caller, NewApplication
from makola.core.organisations.acting import load_acting
from makola.core.organisations.actors import Standing, load_actor
from makola.core.organisations.permissions import Grants
from makola.core.organisations.queries import find_place
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database, Record
from makola.kit.secret_texts import new_secret_text, sha256_of

_INSERT = """
INSERT INTO applications.application (organisation_id, kind, user_id, name, client_id, answer_casing,
                                      unique_client_reference)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""

_COLUMNS = "a.id, a.organisation_id, a.name, a.client_id, a.answer_casing, a.unique_client_reference, a.user_id"

_FIND = f"""
SELECT {_COLUMNS},
       array(SELECT s.sha256 FROM applications.secret s
             WHERE s.application_id = a.id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets
FROM applications.application a
WHERE a.client_id = $1 AND a.suspended_at IS NULL AND a.kind IN ('private', 'api_client')
"""  # noqa: S608 - made of this module's own column names

_FIND_BY_ID = f"""
SELECT {_COLUMNS}, a.kind FROM applications.application a WHERE a.id = $1 AND a.suspended_at IS NULL
"""  # noqa: S608 - made of this module's own column names


#: Those that act for their owner, or for the user that they stand for, with their own credentials.
_OWN_KINDS = frozenset({"private", "api_client"})


async def create_application(connection: Connection, organisation_id: int, *, name: str,
                             answer_casing: AnswerCasing = AnswerCasing.PASCAL,
                             unique_client_reference: bool = False, user_id: int | None = None) -> NewApplication:
    """Make an application with a first secret of 256 random bits.

    Args:
        connection: an open transaction.
        organisation_id: whose it is.
        name: what people call it.
        answer_casing: how the Unity API answers it.
        unique_client_reference: whether a repeated client reference gets the first answer.
        user_id: the user that an API client stands for; None for a private application, which stands for its whole
            organisation.
    """
    client_id = str(uuid4())
    application_id = await connection.fetchval(
        _INSERT, organisation_id, "private" if user_id is None else "api_client", user_id, name, client_id,
        str(answer_casing), unique_client_reference)
    application = Application(application_id, organisation_id, name, client_id, answer_casing,
                              unique_client_reference, user_id)
    return NewApplication(application, await add_secret(connection, application_id))


async def add_secret(connection: Connection, application_id: int) -> str:
    """Give an application a further secret; return it, for it is stored as a hash only."""
    client_secret = new_secret_text()
    await connection.execute("INSERT INTO applications.secret (application_id, sha256) VALUES ($1, $2)",
                             application_id, sha256_of(client_secret))
    return client_secret


async def authenticate(database: Database, client_id: str, client_secret: str) -> Caller | None:
    """Return who the credentials stand for; None when they are wrong, or suspended at any tier.

    A public, partner or trusted application stands for nobody by its credentials: it acts for others, by OAuth alone.
    """
    row = await database.fetchrow(_FIND, client_id)
    given = sha256_of(client_secret)
    stored: list[bytes] = row["secrets"] if row is not None else [b""]
    matches = [hmac.compare_digest(given, one) for one in stored]
    if row is None or not any(matches):
        return None
    application = application_of(row)
    return await _caller(database, application, application.user_id, Standing(application.application_id))


async def find_caller(database: Database, application_id: int, *, user_id: int | None,
                      scopes: frozenset[str] | None, emulation_id: int | None,
                      organisation_id: int | None = None) -> Caller | None:
    """Return who a token of an application stands for; None when the application or any tier is suspended.

    Args:
        database: where applications are.
        application_id: to which the token was given.
        user_id: whom the token stands for; None for whom the application stands for.
        scopes: what the token allows; None for all.
        emulation_id: the emulation that the token is for.
        organisation_id: for which the user has authorized the application, the user's own or one below it; None
            for a token of the application's own, or of an emulation.
    """
    row = await database.fetchrow(_FIND_BY_ID, application_id)
    if row is None:
        return None
    application = application_of(row)
    if row["kind"] not in _OWN_KINDS:
        if user_id is None or (organisation_id is None and emulation_id is None):
            return None  # what acts for others never acts for its owner
        if await find_place(database, application.organisation_id) is None:
            return None
    if user_id is not None and organisation_id is not None:
        actor = await load_acting(database, user_id, organisation_id, application_id=application_id, scopes=scopes)
        return Caller(actor, application) if actor is not None else None
    return await _caller(database, application, application.user_id if user_id is None else user_id,
                         Standing(application_id, scopes, emulation_id))


def application_of(row: Record) -> Application:
    """Build an `Application` from a row of its table."""
    return Application(row["id"], row["organisation_id"], row["name"], row["client_id"],
                       AnswerCasing(row["answer_casing"]), row["unique_client_reference"], row["user_id"])


async def _caller(database: Database, application: Application, user_id: int | None,
                  standing: Standing) -> Caller | None:
    if user_id is not None:
        actor = await load_actor(database, user_id, standing)
        return Caller(actor, application) if actor is not None else None
    place = await find_place(database, application.organisation_id)
    if place is None:
        return None
    return Caller(Actor(application.organisation_id, place.chain, application.application_id, standing.scopes,
                        place.country_code, place.time_zone, grants=Grants(modules=place.modules, admin=True)),
                  application)
