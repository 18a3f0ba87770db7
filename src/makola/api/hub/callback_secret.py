"""The secret that signs the callbacks of one's own organisation."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from makola.api.hub.reading import from_optional_body
from makola.core.callbacks import signing_secrets
from makola.core.callbacks.types import SigningSecret
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Callbacks"]


class CallbackSecret(msgspec.Struct):
    """What signs every callback of the organisation, those of the Unity API too."""

    secret: Annotated[str, Meta(description="`whsec_…`, as Standard Webhooks libraries take it.")]
    created_at: datetime
    previous_ends_at: Annotated[datetime | None, Meta(
        description="Until when every callback carries a signature of the secret before this one too.")]


class CallbackSecretRotation(msgspec.Struct, forbid_unknown_fields=True):
    """For how long callbacks carry a signature of the present secret too."""

    overlap_s: Annotated[int, Meta(ge=0, le=signing_secrets.MOST_OVERLAP_S)] = signing_secrets.USUAL_OVERLAP_S


@get("/callback_secret", tags=_TAGS, opt={"permission": Permission.ORGANISATION_CHANGE})
async def get_callback_secret(actor: NamedDependency[Actor],
                              database: NamedDependency[Database]) -> Response[CallbackSecret]:
    """Get the secret that signs callbacks (ours)."""
    async with database.transaction() as connection:
        return _written(await signing_secrets.load_signing_secret(connection, actor))


@post("/callback_secret/rotate", status_code=200, dependencies={"sent": from_optional_body(CallbackSecretRotation)},
      tags=_TAGS, opt={"permission": Permission.ORGANISATION_CHANGE})
async def rotate_callback_secret(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                 sent: NamedDependency[CallbackSecretRotation]) -> Response[CallbackSecret]:
    """Sign callbacks with a new secret (ours).

    For `overlap_s` seconds, a day if not said, every callback carries two signatures, the new secret's and the present
    one's. One that was left from a rotation before signs nothing any more.
    """
    async with database.transaction() as connection:
        return _written(await signing_secrets.rotate_signing_secret(connection, actor, sent.overlap_s))


def _written(each: SigningSecret) -> Response[CallbackSecret]:
    return Response(CallbackSecret(each.secret, each.created_at, each.previous_until),
                    headers={"Cache-Control": "no-store"})


route_handlers = [get_callback_secret, rotate_callback_secret]
