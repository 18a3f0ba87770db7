"""The door of the Hub API: every request passes it before anything else is looked at."""

from typing import cast

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope as LitestarScope

from makola.api.common.asgi import Scope
from makola.api.common.credentials import Credentials
from makola.api.hub.errors import HubError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor

#: The same shape under the names of ASGI and of Litestar.
AnyScope = Scope | LitestarScope

_CALLER = "makola.hub.actor"
_MOST_ID = 2**63 - 1


class Door:
    """Turns the credentials of a request into an actor who may use this API.

    Args:
        credentials: who may call.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def actor(self, scope: AnyScope, permission: Permission | None) -> Actor:
        """Return who sent a request.

        Args:
            scope: the request's.
            permission: what the route needs; None where it is open to everybody who may use the API.

        Raises:
            NotAuthenticatedError: there is no valid Bearer token.
            HubError: the token stands for no user, or the organisation has no credit account.
            PermissionDeniedError: the actor does not hold `permission`.
        """
        actor = (await self._credentials.bearer(cast("Scope", scope))).actor
        if actor.user_id is None:
            raise HubError("no_user", "This API needs an API client that stands for a user; this one stands for none.")
        if not actor.has_credit_account:
            raise HubError("no_credit_account", "Your organisation has no credit account, and the Hub API needs one.")
        if permission is not None:
            actor.require(permission)
        return actor

    async def guard(self, connection: ASGIConnection[object, object, object, State], handler: BaseRouteHandler) -> None:
        """Let a request pass, or refuse it; for Litestar.

        The option `permission` of a route names what it needs; `public=True` opens it to everybody.
        """
        if handler.opt.get("public"):
            return
        connection.scope["state"][_CALLER] = await self.actor(connection.scope, handler.opt.get("permission"))
        if any(isinstance(value, int) and not 0 < value <= _MOST_ID
               for value in connection.scope["path_params"].values()):
            raise HubError("not_found", "There is no such resource.")


def actor_of(scope: AnyScope) -> Actor:
    """Return the actor whom the door has let in."""
    actor = scope["state"][_CALLER]
    if not isinstance(actor, Actor):
        raise TypeError("the request has not passed the door")
    return actor
