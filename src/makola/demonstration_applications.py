"""Applications of the demonstration world: a public one, a partner that is in the directory, and a trusted one."""

from makola.core.applications.published_roles import publish_roles
from makola.core.applications.registration import register
from makola.core.applications.review import approve, submit
from makola.core.applications.types import ApplicationKind, Draft, Listing, NewlyRegistered, OAuthSettings, Publisher
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.types import Actor
from makola.kit.database import Connection
from makola.kit.outgoing import AddressPolicy

#: On this machine alone; the port of the first is free (RFC 8252 section 7.3).
REDIRECT_URIS = ("http://127.0.0.1/callback", "http://localhost:3000/callback")
_POLICY = AddressPolicy(allow_private=True)
_OPENID = frozenset({"openid", "profile", "email"})

_PARTNER = Listing(
    access_url="https://ledger.example.com/", category="Accounting",
    short_description="Books for **small shops**: every message and every payment in its place.",
    long_description="## What it does\n\n- reads your messages and your balance, and nothing else\n"
                     "- keeps working while you are away\n\nIt is a demonstration: *nobody* publishes it.",
    marketing_url="https://ledger.example.com/tour", terms_url="https://ledger.example.com/terms",
    privacy_url="https://ledger.example.com/privacy", offline_access=True,
    publisher=Publisher("Demonstration publisher", "https://ledger.example.com/", "books@ledger.example.com",
                        "1 Example Road\nAccra"))


async def create_demonstration_applications(connection: Connection, organisation_id: int,
                                            receiver_url: str) -> dict[str, dict[str, object]]:
    """Make the three; return their credentials for `demo.json`, by their kinds.

    Args:
        connection: an open transaction in which the root of the tree exists.
        organisation_id: who owns the public and the partner application.
        receiver_url: takes the callbacks of deauthorization and installation.
    """
    actor = await find_platform_actor(connection)
    if actor is None:
        raise LookupError("the root of the tree is made first")
    made = {"public": await _public(connection, actor, organisation_id, receiver_url),
            "partner": await _partner(connection, actor, organisation_id, receiver_url),
            "trusted": await _trusted(connection, actor, receiver_url)}
    return {kind: _described(each) for kind, each in made.items()}


def _described(made: NewlyRegistered) -> dict[str, object]:
    application = made.application
    return {"client_id": application.client_id, "client_secret": made.client_secret,
            "organisation": application.organisation_id, "name": application.name,
            "redirect_uris": list(REDIRECT_URIS),
            "scope": " ".join(sorted(application.draft.oauth.requested_scopes))}


async def _public(connection: Connection, actor: Actor, organisation_id: int, receiver_url: str) -> NewlyRegistered:
    oauth = OAuthSettings(REDIRECT_URIS, REDIRECT_URIS, _OPENID | {"messages.send", "contacts.edit", "account.balance"},
                          deauthorization_uri=receiver_url)
    return await register(connection, actor, ApplicationKind.PUBLIC, Draft("Demonstration messenger", oauth=oauth),
                          _POLICY, organisation_id=organisation_id)


async def _partner(connection: Connection, actor: Actor, organisation_id: int, receiver_url: str) -> NewlyRegistered:
    oauth = OAuthSettings(REDIRECT_URIS, REDIRECT_URIS, _OPENID | {"messages.read", "account.balance"},
                          deauthorization_uri=receiver_url)
    made = await register(connection, actor, ApplicationKind.PUBLIC,
                          Draft("Demonstration ledger", oauth=oauth, listing=_PARTNER), _POLICY,
                          organisation_id=organisation_id)
    submission = await submit(connection, actor, made.application.client_id)
    await approve(connection, actor, submission.submission_id)
    return made


async def _trusted(connection: Connection, actor: Actor, receiver_url: str) -> NewlyRegistered:
    oauth = OAuthSettings(REDIRECT_URIS, REDIRECT_URIS, _OPENID | {"account.details"},
                          authorization_uri=receiver_url, installed_by_default=True)
    made = await register(connection, actor, ApplicationKind.TRUSTED, Draft(
        "Demonstration portal", oauth=oauth, listing=Listing(
            access_url="https://portal.example.com/", short_description="The platform's own portal.",
            publisher=Publisher("Makola platform"))), _POLICY)
    await publish_roles(connection, actor, made.application.client_id,
                        [("cashier", "Takes payments."), ("manager", "Sees everything.")])
    return made
