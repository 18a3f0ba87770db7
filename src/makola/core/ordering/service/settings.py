"""Shipping types, and where an organisation wants to hear of its orders."""

from collections import Counter
from collections.abc import Sequence

from makola.core.callbacks.service import endpoint_saved
from makola.core.ordering.errors import InvalidContentError
from makola.core.ordering.store import settings as store
from makola.core.ordering.types import ShippingType
from makola.core.organisations import audit
from makola.core.organisations.countries import country_by_id
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection
from makola.kit.outgoing import AddressPolicy, check_url

_MOST_NAME_CHARACTERS = 200


async def save_shipping_types(connection: Connection, types: Sequence[ShippingType]) -> list[ShippingType]:
    """Add shipping types, or change those of the same name; for the platform's own commands.

    Args:
        connection: an open transaction.
        types: their ids do not matter.

    Returns:
        The same, with their ids, in no particular order.

    Raises:
        InvalidContentError: a name is empty, too long or there twice, or a country is unknown; the fields are such as
            `[0].name`.
    """
    problems: list[tuple[str, str]] = []
    names = Counter(one.name for one in types)
    for index, one in enumerate(types):
        if not 1 <= len(one.name) <= _MOST_NAME_CHARACTERS or "\0" in one.name:
            problems.append((f"[{index}].name", f"must have from 1 to {_MOST_NAME_CHARACTERS} characters"))
        elif names[one.name] > 1:
            problems.append((f"[{index}].name", "is there more than once"))
        problems += [(f"[{index}].countries", f"{country_id} is not a country that is known here")
                     for country_id in one.countries if country_by_id(country_id) is None]
    if problems:
        raise InvalidContentError(problems)
    return await store.save_types(connection, types) if types else []


async def load_callback_url(connection: Connection, actor: Actor) -> str:
    """Return where the actor's organisation wants to hear of its orders; empty for nowhere.

    Raises:
        PermissionDeniedError: the actor may not see the organisation's settings.
    """
    actor.require(Permission.ORGANISATION_CHANGE)
    return await store.find_callback_url(connection, actor.organisation_id)


async def save_callback_url(connection: Connection, actor: Actor, url: str, policy: AddressPolicy) -> None:
    """Say where the actor's organisation wants to hear of its orders.

    Args:
        connection: an open transaction.
        actor: of the organisation.
        url: http or https; empty for nowhere.
        policy: which addresses may stand in it.

    Raises:
        PermissionDeniedError: the actor may not change the organisation's settings.
        InvalidUrlError: it cannot be called.
    """
    actor.require(Permission.ORGANISATION_CHANGE)
    if url:
        check_url(url, policy=policy, field="callback_url")
    await store.save_callback_url(connection, actor.organisation_id, url, now())
    if url:
        await endpoint_saved(connection, actor.organisation_id, url)
    await audit.record(connection, actor, "order_settings:change", f"organisation:{actor.organisation_id}",
                       {"callback_url": url})
