"""What the consent page says: who asks, for whom, and what for."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from makola.core.applications.scopes import SCOPES, by_category
from makola.core.applications.types import ApplicationKind, OAuthClient
from makola.core.oauth.authorization.request import AuthorizationRequest
from makola.core.oauth.rights import may_grant
from makola.core.oauth.service.consents import scopes_agreed_to
from makola.core.organisations.acting import AdministrableOrganisation, list_administrable
from makola.core.organisations.queries import find_organisation
from makola.kit.database import Database
from makola.kit.loopback import is_loopback_host
from makola.web.people.signed_in import SignedIn


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A scope in plain words; `because` names what it comes with, where the application did not ask for it itself."""

    name: str
    words: str
    because: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class ConsentView:
    """Everything on the page.

    Attributes:
        asker: who stands behind the application.
        destination: where the person is sent afterwards, as they know it.
        groups: the scopes under their categories.
        organisations: for which the person may let it act; empty when they may not let it act at all.
        had_before: whether the person let it in before, with less.
    """

    client: OAuthClient
    asker: str
    is_reviewed: bool
    destination: str
    groups: list[tuple[str, list[ScopeLine]]]
    organisations: list[AdministrableOrganisation]
    had_before: bool


async def consent_view(database: Database, request: AuthorizationRequest, viewer: SignedIn) -> ConsentView:
    """Collect what the page says."""
    client = request.client
    async with database.connection() as connection:
        owner = await find_organisation(connection, client.organisation_id)
        organisations = await list_administrable(connection, viewer.actor)
        known = await scopes_agreed_to(connection, user_id=viewer.user.user_id, application_id=client.application_id)
    if not may_grant(viewer.actor, request.scopes):
        organisations = []
    elif viewer.session.organisation_id not in {each.organisation_id for each in organisations}:
        # Too many to list them all: whoever wants another one switches to it first.
        organisations.insert(0, AdministrableOrganisation(viewer.session.organisation_id, viewer.organisation_name, 0))
    is_reviewed = client.kind is ApplicationKind.PARTNER
    # What nobody has reviewed names no publisher of its own choosing: anybody could call himself a bank.
    asker = (client.publisher.name if is_reviewed else "") or (owner.name if owner is not None else "")
    return ConsentView(
        client, asker, is_reviewed, destination_of(request.target.redirect_uri),
        _groups(request, known), organisations, bool(known))


def destination_of(redirect_uri: str) -> str:
    """Return what people recognise of a redirect URI: the host, or that it is a program on their own machine."""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in {"http", "https"}:
        return f"the app that opens {parts.scheme}: links"
    if is_loopback_host(parts.hostname):
        return f"a program on this computer ({parts.netloc})"
    return parts.netloc


def _groups(request: AuthorizationRequest, known: frozenset[str]) -> list[tuple[str, list[ScopeLine]]]:
    because: dict[str, str] = {}
    for name, scope in SCOPES.items():
        if name in request.scopes:
            for implied in frozenset(scope.implies) - request.asked:
                because.setdefault(implied, scope.words)
    return [(category, [ScopeLine(each.name, each.words, because.get(each.name, ""),
                                  bool(known) and each.name not in known) for each in group])
            for category, group in by_category(request.scopes)]
