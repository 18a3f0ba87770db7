"""What the administrators of applications do that ends tokens too: both in one transaction.

Whoever calls makes this process forget the credentials that it remembers (`Credentials.forget`); the others forget
them within seconds by themselves.
"""

from dataclasses import dataclass
from datetime import datetime

from makola.core.applications import installations, registration
from makola.core.applications.clients import find_client
from makola.core.applications.errors import NotInstalledError
from makola.core.applications.installations import Installation
from makola.core.applications.live_secrets import end_secret, replace_secret
from makola.core.applications.types import ApplicationKind, RegisteredApplication
from makola.core.oauth.deauthorisation import deauthorise
from makola.core.oauth.service import list_grants, revoke_tokens_of_application
from makola.core.organisations.audit import record
from makola.core.organisations.emulation import refuse_while_emulating
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database
from makola.kit.sealing import Sealer


@dataclass(frozen=True, slots=True)
class InstalledApplication:
    """An application that an organisation has authorized, and when it last used that."""

    installation: Installation
    last_used_at: datetime | None


async def list_installed(database: Database, actor: Actor) -> list[InstalledApplication]:
    """Return the applications that the actor's organisation has authorized, by name.

    Raises:
        PermissionDeniedError: the actor may not look at applications.
    """
    actor.require(Permission.CLIENT_VIEW)
    used: dict[int, datetime] = {}
    for grant in await list_grants(database, actor.organisation_id):
        if grant.last_used_at is not None:
            used[grant.application_id] = max(grant.last_used_at, used.get(grant.application_id, grant.last_used_at))
    return [InstalledApplication(each, used.get(each.application_id))
            for each in await installations.list_installed(database, actor.organisation_id)]


async def deauthorise_installed(connection: Connection, actor: Actor, client_id: str,
                                sealer: Sealer | None) -> None:
    """Take back all that the actor's organisation has given an application: its tokens die, and it is told.

    Args:
        connection: an open transaction.
        actor: who takes it back.
        client_id: of the application.
        sealer: opens the copy of the token that the application is told; without one it is not told.

    Raises:
        PermissionDeniedError: the actor may not, or is emulating.
        NotInstalledError: the organisation has not authorized this application.
    """
    actor.require(Permission.CLIENT_CHANGE)
    refuse_while_emulating(actor)
    client = await find_client(connection, client_id)
    if client is None or not await deauthorise(connection, actor.organisation_id, client.application_id,
                                               actor.user_id, sealer):
        raise NotInstalledError("Your organisation has not authorized this application.")
    await record(connection, actor, "application:deauthorise", f"application:{client_id}", {"name": client.name})


async def rotate_secret(connection: Connection, actor: Actor, client_id: str, *, overlap_s: int = 0) -> str:
    """Give an application a new secret, returned this once.

    Without an overlap the present one ends at once, with every token that a private application got by it. Tokens
    that other organisations have granted go on: whoever has a secret alone cannot use them.

    Raises what `registration.find_changeable` and `live_secrets.replace_secret` do.
    """
    application = await registration.find_changeable(connection, actor, client_id)
    client_secret = await replace_secret(connection, actor, application, overlap_s)
    if overlap_s == 0:
        await _end_own_tokens(connection, application)
    return client_secret


async def revoke_secret(connection: Connection, actor: Actor, client_id: str, secret_id: int) -> None:
    """Refuse one secret from now on, with every token that a private application has.

    Raises what `registration.find_changeable` and `live_secrets.end_secret` do.
    """
    application = await registration.find_changeable(connection, actor, client_id)
    await end_secret(connection, actor, application, secret_id)
    await _end_own_tokens(connection, application)


async def close_application(connection: Connection, actor: Actor, client_id: str) -> None:
    """Give an application up for good, with every token that it has; raises what `find_changeable` does."""
    application = await registration.mark_closed(connection, actor, client_id)
    await revoke_tokens_of_application(connection, application.application_id)


async def _end_own_tokens(connection: Connection, application: RegisteredApplication) -> None:
    if application.kind is ApplicationKind.PRIVATE:
        await revoke_tokens_of_application(connection, application.application_id)
