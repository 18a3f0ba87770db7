"""Administration of the tree: organisations are added, changed, suspended and moved by those above them."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from makola.core.organisations.audit import last_author_above, record
from makola.core.organisations.errors import InvalidMoveError, InvalidOrganisationError, PermissionDeniedError
from makola.core.organisations.grants import read_modules
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import (
    TREE_CHANNEL,
    find_place,
    find_visible_organisation,
    organisation_of,
)
from makola.core.organisations.service import create_organisation
from makola.core.organisations.texts import holds_control_character
from makola.core.organisations.types import Actor, FinanceType, Organisation
from makola.kit.database import Connection

_CHANGE = """
UPDATE organisations.organisation o SET name = $2, linked_account = $3, finance_type = $4, modules = $5 WHERE o.id = $1
RETURNING o.id, o.parent_id, o.chain, o.name, o.linked_account, o.finance_type, o.modules, o.suspended_at
"""

_SUSPEND = """
UPDATE organisations.organisation SET suspended_at = CASE WHEN $2 THEN now() END
WHERE id = $1 AND (suspended_at IS NULL) = $2
"""

_LOCK_SUSPENSION = "SELECT suspended_at IS NOT NULL FROM organisations.organisation WHERE id = $1 FOR NO KEY UPDATE"

# Everybody who adds an organisation holds this lock shared, so nothing is added below a chain that changes.
_LOCK_TREE = "SELECT pg_advisory_xact_lock(hashtext('organisations.tree'))"

# $2 the chain of the new parent; $3 the depth of the moved organisation, whose chain is replaced from there up.
_MOVE = """
UPDATE organisations.organisation
SET chain = $2::bigint[] || chain[$3:], parent_id = CASE WHEN id = $1 THEN $4 ELSE parent_id END
WHERE chain @> ARRAY[$1::bigint]
"""

_MOST_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class OrganisationChange:
    """What to change of an organisation; None leaves it."""

    name: str | None = None
    linked_account: bool | None = None
    finance_type: str | None = None
    modules: Collection[str] | None = None

    @property
    def is_for_those_above(self) -> bool:
        """Whether it changes what an organisation may not change of itself."""
        return (self.linked_account, self.finance_type, self.modules) != (None, None, None)


async def add_organisation(connection: Connection, actor: Actor, parent_id: int,
                           particulars: OrganisationChange) -> Organisation:
    """Add an organisation below the actor's own, or below one of its descendants.

    Raises:
        PermissionDeniedError: the actor may not.
        UnknownOrganisationError: the parent is not in the actor's sight.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.ORGANISATION_CREATE)
    parent = await find_visible_organisation(connection, actor, parent_id, field="parent")
    name = _name(particulars.name or "")
    made = await create_organisation(connection, parent_id, name=name)
    modules = particulars.modules
    if modules is None:
        place = await find_place(connection, parent.organisation_id)
        modules = place.modules & actor.modules if place is not None else ()
    # What is new has no modules yet: each of those that it gets must be the actor's to give.
    made = await _save(connection, actor, replace(made, modules=frozenset()), OrganisationChange(
        name, particulars.linked_account, particulars.finance_type, modules))
    await record(connection, actor, "organisation:create", f"organisation:{made.organisation_id}",
                 _particulars(made) | {"parent": parent_id}, organisation_id=made.organisation_id)
    return made


async def change_organisation(connection: Connection, actor: Actor, organisation_id: int,
                              change: OrganisationChange) -> Organisation:
    """Change an organisation. Of itself an organisation may change the name alone; the rest is for those above.

    Raises:
        PermissionDeniedError: the actor may not.
        UnknownOrganisationError: it is not in the actor's sight.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.ORGANISATION_CHANGE)
    before = await find_visible_organisation(connection, actor, organisation_id)
    if change.is_for_those_above:
        _require_above(actor, before, "Only those above an organisation change this.")
    after = await _save(connection, actor, before, change)
    await record(connection, actor, "organisation:change", f"organisation:{organisation_id}",
                 {"before": _particulars(before), "after": _particulars(after)}, organisation_id=organisation_id)
    return after


async def suspend_organisation(connection: Connection, actor: Actor, organisation_id: int, *,
                               suspended: bool) -> Organisation:
    """Suspend an organisation and all that is below it, or let it act again. Only those above do this.

    What somebody above the actor suspended stays suspended until somebody there lets it act again.

    Raises:
        PermissionDeniedError: the actor may not.
        UnknownOrganisationError: it is not in the actor's sight.
    """
    actor.require(Permission.ORGANISATION_SUSPEND)
    before = await find_visible_organisation(connection, actor, organisation_id)
    if organisation_id == actor.organisation_id:
        raise PermissionDeniedError("Nobody suspends their own organisation.")
    subject = f"organisation:{organisation_id}"
    was_suspended = await connection.fetchval(_LOCK_SUSPENSION, organisation_id)
    is_from_above = was_suspended and await last_author_above(connection, actor, "organisation:suspend", subject)
    if is_from_above and not suspended:
        raise PermissionDeniedError("It was suspended by those above you.")
    # A suspension by somebody higher takes the place of one that is there.
    if await connection.execute(_SUSPEND, organisation_id, suspended) == "UPDATE 1" or (
            suspended and not is_from_above):
        await record(connection, actor, "organisation:suspend" if suspended else "organisation:resume",
                     subject, organisation_id=organisation_id)
    return await find_visible_organisation(connection, actor, before.organisation_id)


async def move_organisation(connection: Connection, actor: Actor, organisation_id: int,
                            parent_id: int) -> Organisation:
    """Put an organisation, with everything below it, under another parent.

    Both must be in the actor's sight, and the organisation strictly below the actor. The chains of the whole subtree
    are rewritten in this transaction; credentials that were checked before are believed for a few seconds more.

    Raises:
        PermissionDeniedError: the actor may not.
        UnknownOrganisationError: one of the two is not in the actor's sight.
        InvalidMoveError: the new parent is the organisation itself or below it.
    """
    actor.require(Permission.ORGANISATION_MOVE)
    await connection.execute(_LOCK_TREE)
    moved = await find_visible_organisation(connection, actor, organisation_id)
    parent = await find_visible_organisation(connection, actor, parent_id, field="parent")
    if organisation_id == actor.organisation_id:
        raise PermissionDeniedError("Nobody moves their own organisation.")
    if organisation_id in parent.chain:
        raise InvalidMoveError("An organisation cannot be moved below itself.", field="parent")
    if moved.parent_id == parent_id:
        return moved
    await connection.execute(_MOVE, organisation_id, list(parent.chain), len(moved.chain), parent_id)
    await connection.execute("SELECT pg_notify($1, '')", TREE_CHANNEL)
    await record(connection, actor, "organisation:move", f"organisation:{organisation_id}",
                 {"from": moved.parent_id, "to": parent_id}, organisation_id=organisation_id)
    return await find_visible_organisation(connection, actor, organisation_id)


async def _save(connection: Connection, actor: Actor, before: Organisation,
                change: OrganisationChange) -> Organisation:
    modules = before.modules
    if change.modules is not None:
        modules = read_modules(change.modules)
        if not modules - before.modules <= actor.modules:
            raise InvalidOrganisationError("An organisation cannot be given a module that you do not have.",
                                           field="modules")
    finance_type = before.finance_type
    if change.finance_type is not None:
        if change.finance_type not in set(FinanceType):
            raise InvalidOrganisationError(f"This is one of {', '.join(FinanceType)}.", field="finance_type")
        finance_type = FinanceType(change.finance_type)
    row = await connection.fetchrow(
        _CHANGE, before.organisation_id, _name(change.name) if change.name is not None else before.name,
        before.linked_account if change.linked_account is None else change.linked_account, str(finance_type),
        sorted(modules))
    if row is None:
        raise LookupError("organisations are never deleted")
    return organisation_of(row)


def _name(given: str) -> str:
    name = given.strip()
    if not name or len(name) > _MOST_NAME_CHARACTERS:
        raise InvalidOrganisationError(f"A name has 1 to {_MOST_NAME_CHARACTERS} characters.", field="name")
    if holds_control_character(name):
        raise InvalidOrganisationError("A name holds no control characters.", field="name")
    return name


def _require_above(actor: Actor, organisation: Organisation, detail: str) -> None:
    """Refuse an actor of the organisation itself; the root of the tree has nobody above and may."""
    if organisation.organisation_id == actor.organisation_id and not actor.is_platform:
        raise PermissionDeniedError(detail)


def _particulars(organisation: Organisation) -> dict[str, object]:
    return {"name": organisation.name, "linked_account": organisation.linked_account,
            "finance_type": str(organisation.finance_type), "modules": sorted(organisation.modules)}
