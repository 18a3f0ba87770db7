"""People: who may sign in and for how long, the pages for it, and who hears that a session ended."""

from collections.abc import Callable, Sequence

from litestar import Router
from litestar.datastructures import State

from makola.core.identity import workers
from makola.core.identity.passwords import Passwords
from makola.core.identity.ports import SessionObserver
from makola.core.identity.second_factor import Authenticators
from makola.core.identity.sessions import SessionPolicy
from makola.core.identity.sign_in import SignIn
from makola.core.identity.types import User
from makola.core.organisations.queries import find_place
from makola.kit.database import Connection, Database
from makola.settings import Settings
from makola.web.pages import Pages
from makola.web.people.cookies import Cookies
from makola.web.people.router import people_pages
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import STATE_NAME
from makola.wiring.parts import Parts
from makola.wiring.sealing import sealer

__all__ = ["admits", "pages", "password_hasher", "people_services", "start_worker", "state"]

_DEMO_FILE = "demo.json"


async def admits(database: Database | Connection, user: User) -> bool:
    """Say whether a person's organisation, and every tier above it, may act."""
    return await find_place(database, user.organisation_id) is not None


def password_hasher(settings: Settings) -> Passwords:
    """Return what makes and checks password hashes."""
    return Passwords(memory_kib=settings.password_memory_kib, passes=settings.password_passes,
                     at_once=settings.password_hashes_at_once)


def session_policy(settings: Settings) -> SessionPolicy:
    """Return how long sessions last."""
    return SessionPolicy(settings.session_idle_s, settings.session_lifetime_s, settings.session_fresh_s)


def people_services(parts: Parts) -> PeopleServices:
    """Return what the pages of people work with."""
    settings = parts.settings
    passwords, policy = password_hasher(settings), session_policy(settings)
    authenticators = Authenticators(sealer(settings))
    public_url = (settings.public_url or "").rstrip("/")
    return PeopleServices(
        parts.database, SignIn(parts.database, passwords, authenticators, policy, admits), passwords, authenticators,
        policy, Cookies(public_url), public_url, settings.invitation_lifetime_s,
        str(settings.data_directory / _DEMO_FILE) if settings.demo else "")


def pages(services: PeopleServices) -> Callable[[Pages], Router]:
    """Return what makes the pages."""
    return people_pages(services)


def state(services: PeopleServices) -> State:
    """Return the application's state, from which every page learns who is signed in."""
    return State({STATE_NAME: services})


def start_worker(parts: Parts, observers: Sequence[SessionObserver]) -> None:
    """Tell the observers of ended sessions, and forget what is over."""
    workers.run_in(parts.background, parts.database, session_policy(parts.settings), observers,
                   parts.wake_ups.on(workers.CHANNEL))
