"""The grants of the token endpoint that a person has agreed to: a code, and what follows it."""

from collections.abc import Mapping
from dataclasses import replace

from makola.api.oauth.context import OAuthContext
from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.checks.resource import check_resources
from makola.core.oauth.errors import InvalidRequestError, UsedTwiceError
from makola.core.oauth.openid.id_token import make_id_token
from makola.core.oauth.service import Exchanged, redeem_code, refresh
from makola.core.oauth.types import NewToken


class Grants:
    """Exchanges codes and refresh tokens."""

    def __init__(self, context: OAuthContext) -> None:
        self._context = context

    async def code(self, client: OAuthClient, values: Mapping[str, str]) -> NewToken:
        """Exchange a code; see `service.grants.redeem_code`."""
        self._check(values, "code")
        context = self._context
        try:
            exchanged = await redeem_code(context.database, client, values, context.lifetimes, context.sealer)
        except UsedTwiceError:
            context.credentials.forget_application(client.application_id)
            raise
        return await self._with_id_token(client, exchanged)

    async def refresh_token(self, client: OAuthClient, values: Mapping[str, str]) -> NewToken:
        """Exchange a refresh token; see `service.grants.refresh`."""
        self._check(values, "refresh_token")
        context = self._context
        try:
            exchanged = await refresh(context.database, client, values, context.lifetimes, context.sealer)
        except UsedTwiceError:
            context.credentials.forget_application(client.application_id)
            raise
        return await self._with_id_token(client, exchanged)

    def _check(self, values: Mapping[str, str], needed: str) -> None:
        if not values.get(needed):
            raise InvalidRequestError(f"The parameter {needed} is missing.", field=needed)
        if "resource" in values:
            check_resources([values["resource"]], self._context.issuer)

    async def _with_id_token(self, client: OAuthClient, exchanged: Exchanged) -> NewToken:
        token, context = exchanged.token, self._context
        if "openid" not in (token.scopes or ()):
            return token
        id_token = await make_id_token(
            context.database, context.keys, exchanged.grant, client, issuer=context.issuer,
            algorithm=context.id_token_algorithm, lifetime_s=context.lifetimes.id_token_s,
            access_token=token.access_token, nonce=exchanged.nonce)
        return replace(token, id_token=id_token)
