"""What is said of a person, as far as the scopes go (OpenID Connect Core, section 5.4)."""

from makola.core.applications.published_roles import roles_of_user
from makola.core.identity.queries import find_user
from makola.core.organisations.queries import find_organisation
from makola.kit.database import Database


async def claims_of(database: Database, *, user_id: int, organisation_id: int, application_id: int,
                    scopes: frozenset[str]) -> dict[str, object]:
    """Return claims about a person; empty when there is no such person any more.

    `organisation` and `roles` are ours: for whom the person acts, and the roles that they have in the application
    there (document, "Roles").
    """
    async with database.connection() as connection:
        user = await find_user(connection, user_id)
        organisation = await find_organisation(connection, organisation_id)
        roles = await roles_of_user(connection, application_id, organisation_id, user_id)
    if user is None or organisation is None:
        return {}
    claims: dict[str, object] = {"sub": str(user_id)}
    if "profile" in scopes:
        claims |= {"name": user.name, "locale": user.locale.replace("_", "-"), "zoneinfo": user.timezone,
                   "organisation": {"id": organisation.organisation_id, "name": organisation.name},
                   "roles": list(roles)}
    if "email" in scopes:
        claims |= {"email": user.email, "email_verified": False}
    return claims
