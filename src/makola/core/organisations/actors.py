"""From a user, or an emulation, to the Actor that a request acts as."""

from dataclasses import dataclass, replace

from makola.core.identity.queries import find_user
from makola.core.organisations.credit import credit_accounts_of
from makola.core.organisations.grants import effective_grants
from makola.core.organisations.permissions import ALL_RIGHTS, Permission
from makola.core.organisations.queries import find_place
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_EMULATION = """
SELECT user_id, real_user_id FROM organisations.emulation WHERE id = $1 AND ended_at IS NULL AND ends_at > now()
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user's credentials say about the request, beside the user.

    Attributes:
        application_id: the program that authenticated.
        scopes: what a token allows; None for all.
        emulation_id: the emulation that the token is for.
    """

    application_id: int
    scopes: frozenset[str] | None = None
    emulation_id: int | None = None


async def load_actor(database: Database, user_id: int, standing: Standing) -> Actor | None:
    """Return the actor that a user is; None when the user or a tier above is suspended, or there is none.

    With an emulation the user is the person behind it, and the actor the one that is emulated: as long as it has not
    ended, both may act, and the person still stands above the emulated user and holds all of that user's rights.
    """
    if standing.emulation_id is None:
        return await _load(database, user_id, standing)
    row = await database.fetchrow(_EMULATION, standing.emulation_id)
    if row is None or row["real_user_id"] != user_id:
        return None
    real = await _load(database, user_id, replace(standing, emulation_id=None))
    emulated = await _load(database, row["user_id"], standing)
    if real is None or emulated is None or not may_emulate(real, emulated):
        return None
    return replace(emulated, real_user_id=user_id, real_organisation_id=real.organisation_id)


def may_emulate(real: Actor, emulated: Actor) -> bool:
    """Say whether one actor may act as another: only downwards in the tree, and never with more rights."""
    return (real.may(Permission.EMULATION_START) and real.organisation_id in emulated.chain[:-1]
            and real.rights.covers(emulated.rights))


async def find_platform_actor(connection: Connection) -> Actor | None:
    """Return the actor of the platform's own commands: the root of the tree; None when there is no tree yet."""
    root_id = await connection.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL")
    if root_id is None:
        return None
    return Actor(root_id, (root_id,), 0, None, "GH", "GMT", grants=replace(ALL_RIGHTS, root=True),
                 real_organisation_id=root_id, has_credit_account=True)


async def _load(database: Database, user_id: int, standing: Standing) -> Actor | None:
    async with database.connection() as connection:
        user = await find_user(connection, user_id)
        if user is None or user.suspended_at is not None:
            return None
        place = await find_place(connection, user.organisation_id)
        if place is None:
            return None
        grants = await effective_grants(connection, user_id, place)
        has_credit = len(place.chain) == 1 or bool(await credit_accounts_of(connection, user.organisation_id))
    return Actor(user.organisation_id, place.chain, standing.application_id, standing.scopes, place.country_code,
                 place.time_zone, user_id, grants, user.currency, user_id, user.organisation_id, standing.emulation_id,
                 has_credit)
