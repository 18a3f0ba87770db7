"""What comes next for a request that was checked: sign in, be asked, or go on at once."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from makola.core.identity.types import SignInSession
from makola.core.oauth.authorization.request import AuthorizationRequest, RedirectedError
from makola.core.oauth.errors import ConsentRequiredError, LoginRequiredError
from makola.core.oauth.service.consents import has_consented, last_grant
from makola.kit.database import Database


class SignIn(enum.Enum):
    """Whether the person has to show who they are."""

    NOT_NEEDED = "not needed"
    NEEDED = "needed"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing has to be asked: this was agreed to before, or nobody is asked."""

    organisation_id: int
    scopes: frozenset[str]


def sign_in_needed(request: AuthorizationRequest, session: SignInSession | None, *, asked_at: datetime,
                   at: datetime) -> SignIn:
    """Say whether the person has to sign in, or to sign in again.

    Args:
        request: with its `prompt` and `max_age`.
        session: of the browser, if any.
        asked_at: when the request came; whoever has shown who they are since then has done so for it.
        at: now.

    Raises:
        RedirectedError: it would be needed, and `prompt=none` forbids it.
    """
    needed = SignIn.NOT_NEEDED
    if session is None:
        needed = SignIn.NEEDED
    elif session.auth_time < asked_at and (
            _wants_sign_in(request)
            or (request.max_age_s is not None and session.auth_time < at - timedelta(seconds=request.max_age_s))):
        needed = SignIn.AGAIN
    if needed is not SignIn.NOT_NEEDED and "none" in request.prompt:
        raise RedirectedError(LoginRequiredError("Nobody is signed in, or not freshly enough."), request.target)
    return needed


def _wants_sign_in(request: AuthorizationRequest) -> bool:
    """Say whether the request asks for it: the consent page offers another account, and not everybody sees it."""
    return "login" in request.prompt or ("select_account" in request.prompt and request.client.skips_consent)


async def known_answer(database: Database, request: AuthorizationRequest, session: SignInSession) -> Known | None:
    """Return what needs no question; None when the person has to be asked.

    Raises:
        RedirectedError: the person would have to be asked, and `prompt=none` forbids it.
    """
    found = await _known(database, request, session)
    if found is None and "none" in request.prompt:
        raise RedirectedError(ConsentRequiredError("The person has to be asked."), request.target)
    return found


async def _known(database: Database, request: AuthorizationRequest, session: SignInSession) -> Known | None:
    client = request.client
    if client.skips_consent:
        return Known(session.organisation_id, request.scopes)
    if request.prompt & {"consent", "select_account"} or not _is_surely_itself(request):
        return None
    last = await last_grant(database, user_id=session.user_id, application_id=client.application_id)
    if not request.scopes:  # document, "scope": the same scopes as last time, as long as a token of then is valid
        return Known(last.organisation_id, last.scopes) if last and last.scopes <= client.allowed_scopes else None
    for organisation_id in dict.fromkeys([session.organisation_id, *([last.organisation_id] if last else [])]):
        if await has_consented(database, user_id=session.user_id, organisation_id=organisation_id,
                               application_id=client.application_id, scopes=request.scopes):
            return Known(organisation_id, request.scopes)
    return None


def _is_surely_itself(request: AuthorizationRequest) -> bool:
    """Say whether whoever gets the answer is surely the application that was agreed to.

    Any program of a machine can take a loopback address or a scheme of its own (RFC 8252 section 8.6): without a
    secret it is nobody in particular, and the person is asked each time.
    """
    return request.client.is_confidential or request.target.redirect_uri.startswith("https://")
