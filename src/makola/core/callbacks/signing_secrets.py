"""The secret that signs an organisation's callbacks: made when it is first needed, and replaced without an outage."""

from makola.core.callbacks import signatures, store
from makola.core.callbacks.errors import InvalidOverlapError
from makola.core.callbacks.types import SigningSecret
from makola.core.organisations.audit import record
from makola.core.organisations.emulation import refuse_while_emulating
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_visible_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database, Record

#: Long enough to tell every receiver; a secret that somebody else knows is rotated without an overlap.
USUAL_OVERLAP_S = 86_400
MOST_OVERLAP_S = 7 * 86_400


async def signing_secret(database: Database, organisation_id: int) -> str:
    """Return the organisation's `whsec_…` secret, made on first use. To be shown to its owner only."""
    async with database.transaction() as connection:
        return (await _present(connection, organisation_id)).secret


async def load_signing_secret(connection: Connection, actor: Actor) -> SigningSecret:
    """Return what signs the callbacks of the actor's organisation, made on first use.

    Raises:
        PermissionDeniedError: the actor may not change the organisation's settings, or is emulating.
    """
    actor.require(Permission.ORGANISATION_CHANGE)
    refuse_while_emulating(actor)
    return await _present(connection, actor.organisation_id)


async def rotate_signing_secret(connection: Connection, actor: Actor, overlap_s: int, *,
                                organisation_id: int | None = None) -> SigningSecret:
    """Sign with a new secret from now on; meanwhile every callback carries a signature of the present one too.

    Args:
        connection: an open transaction.
        actor: who rotates.
        overlap_s: for how long; 0 for not at all. A secret that was left from a rotation before ends now: a callback
            never carries more than two signatures.
        organisation_id: whose secret; by default that of the actor's organisation.

    Raises:
        PermissionDeniedError: the actor may not change the organisation's settings, or is emulating.
        UnknownOrganisationError: there is no such organisation in the actor's sight.
        InvalidOverlapError: the overlap is not possible.
    """
    actor.require(Permission.ORGANISATION_CHANGE)
    refuse_while_emulating(actor)
    owner_id = actor.organisation_id
    if organisation_id is not None:
        owner_id = (await find_visible_organisation(connection, actor, organisation_id)).organisation_id
    if not 0 <= overlap_s <= MOST_OVERLAP_S:
        raise InvalidOverlapError(f"From 0 to {MOST_OVERLAP_S} seconds.", field="overlap_s")
    made = _secret_of(await store.rotate_secret(connection, owner_id, signatures.new_secret(), overlap_s))
    await record(connection, actor, "callback_secret:rotate", f"organisation:{owner_id}", {"overlap_s": overlap_s},
                 organisation_id=owner_id)
    return made


async def _present(connection: Connection, organisation_id: int) -> SigningSecret:
    return _secret_of(await store.present_secret(connection, organisation_id, signatures.new_secret()))


def _secret_of(row: Record) -> SigningSecret:
    return SigningSecret(row["secret"], row["created_at"], row["previous_until"])
