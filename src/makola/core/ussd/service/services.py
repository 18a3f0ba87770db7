"""Service codes: assigned from above, mapped to an application by their owner."""

import re
from dataclasses import replace

from makola.core.organisations.queries import find_visible_organisation, is_in_subtree
from makola.core.organisations.types import Actor
from makola.core.ussd import codes
from makola.core.ussd.errors import CodeNotOwnedError, CodeTakenError, InvalidServiceError, UnknownServiceError
from makola.core.ussd.store import services as store
from makola.core.ussd.types import Service
from makola.kit.database import Connection
from makola.kit.outgoing import AddressPolicy, check_url

_LONGEST_NAME = 200
_MOST_OPERATORS = 50
_LONGEST_RESUME_S = 86_400
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}", re.ASCII)


async def add_service(connection: Connection, actor: Actor, service: Service, *, allow_private: bool) -> Service:
    """Assign a code to an organisation.

    The platform assigns any code; an organisation only sub-codes of its own codes, to itself or to those below it.

    Args:
        connection: an open transaction.
        actor: who asks.
        service: what to add; its id is given here.
        allow_private: whether the application may be at a private address.

    Raises:
        InvalidServiceError: the code, or another value, cannot be.
        InvalidUrlError: an URL cannot be called.
        UnknownOrganisationError: the owner is not in the actor's sight.
        CodeNotOwnedError: the code is not below one of the actor's.
        CodeTakenError: it is assigned already.
    """
    service = replace(service, code=codes.normalised(service.code), chain=())
    if not codes.is_code(service.code):
        raise InvalidServiceError("A service code is digits, with sub-codes after asterisks: 711 or 711*23.",
                                  field="code")
    _check(service, allow_private=allow_private)
    await find_visible_organisation(connection, actor, service.organisation_id, field="organisation_id")
    if not actor.is_platform:
        above = await store.fetch_by_codes(connection, codes.above(service.code))
        if not above or not await is_in_subtree(connection, actor, above[0].organisation_id):
            raise CodeNotOwnedError("The code must be a sub-code of a code of yours.", field="code")
    service_id = await store.insert(connection, service)
    if service_id is None:
        raise CodeTakenError("The code is assigned already.", field="code")
    return replace(service, service_id=service_id)


async def change_service(connection: Connection, actor: Actor, service: Service, *, allow_private: bool) -> Service:
    """Change everything of a service but its code and its owner.

    Raises:
        UnknownServiceError: there is none in the actor's sight.
        InvalidServiceError: a value cannot be.
        InvalidUrlError: an URL cannot be called.
    """
    before = await _visible(connection, actor, service.service_id)
    service = replace(service, code=before.code, organisation_id=before.organisation_id, chain=())
    _check(service, allow_private=allow_private)
    await store.update(connection, service)
    return service


async def remove_service(connection: Connection, actor: Actor, service_id: int) -> None:
    """Take a code back; its sessions stay in the log until they are old.

    Raises:
        UnknownServiceError: there is none in the actor's sight.
    """
    await _visible(connection, actor, service_id)
    await store.delete(connection, service_id)


async def get_service(connection: Connection, actor: Actor, service_id: int) -> Service:
    """Return a service of the actor's organisation or of one below it.

    Raises:
        UnknownServiceError: there is none in the actor's sight.
    """
    return await _visible(connection, actor, service_id, lock=False)


async def _visible(connection: Connection, actor: Actor, service_id: int, *, lock: bool = True) -> Service:
    found = await store.fetch(connection, service_id, lock=lock)
    if found is None or not await is_in_subtree(connection, actor, found.organisation_id):
        raise UnknownServiceError("There is no such service.", field="service_id")
    return found


def _check(service: Service, *, allow_private: bool) -> None:
    if len(service.name) > _LONGEST_NAME or "\0" in service.name:
        raise InvalidServiceError(f"A name has at most {_LONGEST_NAME} characters.", field="name")
    if not 0 <= service.resume_s <= _LONGEST_RESUME_S:
        raise InvalidServiceError(f"A session can be resumed for 0 to {_LONGEST_RESUME_S} seconds.", field="resume_s")
    if len(service.operators) > _MOST_OPERATORS or any(
            not name or len(name) > 64 or "\0" in name for name in service.operators):
        raise InvalidServiceError("Operators are given by name, such as Vodafone.", field="operators")
    if service.secret and not _SECRET.fullmatch(service.secret):
        raise InvalidServiceError("A secret is whsec_ and a key of at least 24 bytes in Base64.", field="secret")
    policy = AddressPolicy(allow_private=allow_private)
    for field, url in (("url", service.url), ("fulfilment_url", service.fulfilment_url)):
        if url:
            check_url(url, policy=policy, field=field)
