"""The grants of the token endpoint that a person has agreed to: a code, and what follows it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from makola.api.oauth.context import OAuthContext
from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.checks.resource import check_resources
from makola.core.oauth.errors import InvalidRequestError, UsedTwiceError
from makola.core.oauth.openid.id_token import make_id_token
from makola.core.oauth.service import Exchanged, redeem_code, refresh
from makola.core.oauth.types import Lifetimes, NewToken
from makola.kit.database import Database
from makola.kit.sealing import Sealer

_Service = Callable[[Database, OAuthClient, Mapping[str, str], Lifetimes, Sealer], Awaitable[Exchanged]]


class Grants:
    """Exchanges codes and refresh tokens."""

    def __init__(self, context: OAuthContext) -> None:
        self._context = context

    async def code(self, client: OAuthClient, values: Mapping[str, str]) -> NewToken:
        """Exchange a code; see `service.grants.redeem_code`."""
        self._check(values, "code")
        return await self._exchange(redeem_code, client, values)

    async def refresh_token(self, client: OAuthClient, values: Mapping[str, str]) -> NewToken:
        """Exchange a refresh token; see `service.grants.refresh`."""
        self._check(values, "refresh_token")
        return await self._exchange(refresh, client, values)

    def _check(self, values: Mapping[str, str], needed: str) -> None:
        if not values.get(needed):
            raise InvalidRequestError(f"The parameter {needed} is missing.", field=needed)
        if "resource" in values:
            check_resources([values["resource"]], self._context.issuer)

    async def _exchange(self, service: _Service, client: OAuthClient, values: Mapping[str, str]) -> NewToken:
        context = self._context
        try:
            exchanged = await service(context.database, client, values, context.lifetimes, context.sealer)
        except UsedTwiceError:
            context.credentials.forget_application(client.application_id)
            raise
        return await self._with_id_token(client, exchanged)

    async def _with_id_token(self, client: OAuthClient, exchanged: Exchanged) -> NewToken:
        token, context = exchanged.token, self._context
        if "openid" not in (token.scopes or ()):
            return token
        id_token = await make_id_token(
            context.database, context.keys, exchanged.grant, client, issuer=context.issuer,
            algorithm=context.id_token_algorithm, lifetime_s=context.lifetimes.id_token_s,
            access_token=token.access_token, nonce=exchanged.nonce)
        return replace(token, id_token=id_token)
