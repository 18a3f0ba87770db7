"""For whom a person may act: their own organisation, and those below it that they may administer.

Acting for an organisation below is no emulation: the person stays who they are, with the rights that they hold
themselves, as far as that organisation has the modules.
"""

from dataclasses import dataclass, replace

from makola.core.organisations.actors import Standing, load_actor
from makola.core.organisations.credit import credit_accounts_of
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_place
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_MOST = 50

# $1 the person's organisation; $2 what may be chosen: that one alone, or its subtree; none below a suspended one.
_ADMINISTRABLE = """
SELECT o.id, o.name, o.chain FROM organisations.organisation o
WHERE o.chain @> ARRAY[$1::bigint] AND ($2 OR o.id = $1)
  AND ($3 = '' OR strpos(lower(o.name), lower($3)) > 0)
  AND NOT EXISTS (SELECT FROM organisations.organisation above
                  WHERE above.id = ANY(o.chain) AND above.suspended_at IS NOT NULL)
ORDER BY cardinality(o.chain), o.id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class AdministrableOrganisation:
    """An organisation that a person may act for. `depth` is 0 for the person's own."""

    organisation_id: int
    name: str
    depth: int


async def list_administrable(connection: Connection, actor: Actor, *, text: str = "",
                             limit: int = _MOST) -> list[AdministrableOrganisation]:
    """Return the organisations that a person may act for, their own first, then nearest first.

    Args:
        connection: to read with.
        actor: the person; also one that acts for an organisation below already: what counts is the person's own.
        text: a part of the name, in any case; empty for all.
        limit: the most to return; a tree can be large, so offer a search beside the list.
    """
    home_id = actor.real_organisation_id
    if actor.user_id is None or home_id is None:
        return []
    rows = await connection.fetch(_ADMINISTRABLE, home_id, _may_administer(actor), text, limit)
    return [AdministrableOrganisation(row["id"], row["name"], len(row["chain"]) - row["chain"].index(home_id) - 1)
            for row in rows]


async def load_acting(database: Database, user_id: int, organisation_id: int, *, application_id: int = 0,
                      scopes: frozenset[str] | None = None) -> Actor | None:
    """Return a person as acting for an organisation.

    Args:
        database: where they are.
        user_id: the person.
        organisation_id: the person's own, or one below it.
        application_id: through which the person acts; 0 for the pages.
        scopes: what a token allows; None for all that the person may.

    Returns:
        None when the person, the organisation or a tier above is suspended, or the person may not act for it.
    """
    home = await load_actor(database, user_id, Standing(application_id, scopes))
    if home is None or home.organisation_id == organisation_id:
        return home
    place = await find_place(database, organisation_id)
    if place is None or home.organisation_id not in place.chain or not _may_administer(home):
        return None
    # The root's administrators have every right by themselves; below the root what counts is the place.
    grants = replace(home.grants, modules=home.modules & place.modules, admin=home.grants.admin or home.grants.root,
                     root=False)
    async with database.connection() as connection:
        has_credit = bool(await credit_accounts_of(connection, organisation_id))
    return replace(home, organisation_id=organisation_id, chain=place.chain, country_code=place.country_code,
                   time_zone=place.time_zone, grants=grants, has_credit_account=has_credit)


def _may_administer(actor: Actor) -> bool:
    """Say whether a person may act for what is below: by their own right, whatever a token's scopes allow."""
    return actor.grants.may(Permission.ORGANISATION_CHANGE)
