"""What users may do: their own permissions and modules, those of their roles, and what the tree leaves of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from makola.core.organisations.errors import InvalidOrganisationError
from makola.core.organisations.permissions import Grants, Module, Permission
from makola.core.organisations.queries import Place
from makola.kit.database import Connection, Record

# A role counts as long as its organisation is the user's own or above it ($2).
_OF_USER = """
SELECT coalesce(g.permissions, '{}') AS permissions, coalesce(g.parent_permissions, '{}') AS parent_permissions,
       coalesce(g.modules, '{}') AS modules, coalesce(g.admin, false) AS admin, coalesce(g.root, false) AS root,
       array(SELECT r.role_id FROM organisations.user_role r WHERE r.user_id = $1 ORDER BY r.role_id) AS role_ids,
       array(SELECT DISTINCT p FROM organisations.user_role u JOIN organisations.role r ON r.id = u.role_id,
             unnest(r.permissions) p
             WHERE u.user_id = $1 AND r.organisation_id = ANY($2::bigint[])) AS role_permissions,
       array(SELECT DISTINCT p FROM organisations.user_role u JOIN organisations.role r ON r.id = u.role_id,
             unnest(r.parent_permissions) p
             WHERE u.user_id = $1 AND r.organisation_id = ANY($2::bigint[])) AS role_parent_permissions
FROM (SELECT 1) one LEFT JOIN organisations.user_grants g ON g.user_id = $1
"""

_SAVE = """
INSERT INTO organisations.user_grants (user_id, permissions, parent_permissions, modules, admin, root)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id) DO UPDATE SET permissions = excluded.permissions,
    parent_permissions = excluded.parent_permissions, modules = excluded.modules, admin = excluded.admin,
    root = excluded.root
"""


@dataclass(frozen=True, slots=True)
class AssignedGrants:
    """What was given to a user, before the tree is asked what of it counts.

    Attributes:
        permissions: given directly, and whether each also counts for what the parent shares.
        role_ids: further permissions by role.
        modules: of the product.
        admin: every permission of these modules.
        root: everything; for users of the root of the tree.
    """

    permissions: Mapping[Permission, bool]
    role_ids: Sequence[int]
    modules: frozenset[Module]
    admin: bool = False
    root: bool = False


def permissions_of(names: Collection[str], parents: Collection[str]) -> dict[Permission, bool]:
    """Return stored permissions; a name that this program no longer knows counts for nothing."""
    known = {str(permission): permission for permission in Permission}
    return {known[name]: name in parents for name in sorted(names) if name in known}


async def assigned_grants(connection: Connection, user_id: int) -> AssignedGrants:
    """Return what was given to a user."""
    row = await _row(connection, user_id, ())
    return AssignedGrants(permissions_of(row["permissions"], row["parent_permissions"]), tuple(row["role_ids"]),
                          frozenset(map(Module, row["modules"])), row["admin"], row["root"])


async def effective_grants(connection: Connection, user_id: int, place: Place) -> Grants:
    """Return what a user may do, whose organisation stands at `place`."""
    row = await _row(connection, user_id, place.chain)
    permissions = permissions_of({*row["permissions"], *row["role_permissions"]},
                                 {*row["parent_permissions"], *row["role_parent_permissions"]})
    modules = frozenset(map(Module, row["modules"])) & place.modules
    return Grants(permissions, modules, row["admin"], row["root"] and len(place.chain) == 1)


async def _row(connection: Connection, user_id: int, chain: Sequence[int]) -> Record:
    row = await connection.fetchrow(_OF_USER, user_id, list(chain))
    if row is None:
        raise LookupError("a query without a table has one row")
    return row


async def save_grants(connection: Connection, user_id: int, grants: AssignedGrants) -> None:
    """Replace what was given to a user; whoever calls has decided that it may be given."""
    await connection.execute(
        _SAVE, user_id, sorted(grants.permissions), sorted(p for p, parent in grants.permissions.items() if parent),
        sorted(grants.modules), grants.admin, grants.root)
    await connection.execute("DELETE FROM organisations.user_role WHERE user_id = $1", user_id)
    await connection.execute(
        "INSERT INTO organisations.user_role (user_id, role_id) SELECT $1, unnest($2::bigint[])",
        user_id, list(grants.role_ids))


def read_permissions(given: Sequence[tuple[str, bool]]) -> dict[Permission, bool]:
    """Return permissions by their names.

    Raises:
        InvalidOrganisationError: there is no such permission.
    """
    known = {str(permission): permission for permission in Permission}
    unknown = [name for name, _ in given if name not in known]
    if unknown:
        raise InvalidOrganisationError(f"There is no permission {unknown[0][:100]!r}.", field="permissions")
    read: dict[Permission, bool] = {}
    for name, parent in given:
        read[known[name]] = read.get(known[name], False) or parent
    return read


def read_modules(names: Collection[str]) -> frozenset[Module]:
    """Return modules by their names.

    Raises:
        InvalidOrganisationError: there is no such module.
    """
    known = {str(module): module for module in Module}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidOrganisationError(f"There is no module {unknown[0][:100]!r}.", field="modules")
    return frozenset(known[name] for name in names)
