"""What the pages of people work with."""

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.datastructures import State

from makola.core.identity.passkeys import RelyingParty
from makola.core.identity.passwords import Passwords
from makola.core.identity.second_factor import Authenticators
from makola.core.identity.sessions import Browser, NewSession, SessionPolicy, csrf_token, find_session
from makola.core.identity.sign_in import SignIn
from makola.core.organisations.acting import load_acting
from makola.core.organisations.queries import find_organisation
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.loopback import is_loopback_host
from makola.kit.origins import is_origin_of
from makola.kit.secret_texts import new_secret_text
from makola.web.people.cookies import BROWSER, SESSION, Cookies
from makola.web.people.devices import device_of
from makola.web.people.signed_in import ForgedFormError, SignedIn

_Request = Request[object, object, State]


@dataclass(frozen=True, slots=True)
class PeopleServices:
    """Services and settings, made once.

    Attributes:
        demo_file: where the demonstration world's users and passwords are; empty where there is none.
        invitation_lifetime_s: how long an invitation can be accepted.
    """

    database: Database
    sign_in: SignIn
    passwords: Passwords
    authenticators: Authenticators
    policy: SessionPolicy
    cookies: Cookies
    public_url: str
    invitation_lifetime_s: int
    demo_file: str = ""

    async def viewer_of(self, request: _Request) -> SignedIn | None:
        """Return who a request's session cookie stands for; None where that person may not act (any more)."""
        token = self.cookies.read(request, SESSION)
        found = await find_session(self.database, token, self.policy) if token else None
        if found is None:
            return None
        session, user = found
        actor = await load_acting(self.database, user.user_id, session.organisation_id)
        if actor is None:
            return None
        async with self.database.connection() as connection:
            organisation = await find_organisation(connection, session.organisation_id)
        return SignedIn(session, user, actor, organisation.name if organisation is not None else "")

    def is_fresh(self, viewer: SignedIn) -> bool:
        """Say whether a person showed who they are so lately that they need not be asked again."""
        return (now() - viewer.session.auth_time).total_seconds() < self.policy.fresh_s

    def browser_of(self, request: _Request) -> Browser:
        """Return where a request came from, as a trusted proxy says or as the connection does."""
        return Browser(request.client.host if request.client is not None else "",
                       device_of(request.headers.get("user-agent", "")))

    def keep(self, request: _Request, response: Response[str], session: NewSession) -> None:
        """Give a browser its session."""
        self.cookies.write(request, response, SESSION, session.token, max_age_s=self.policy.lifetime_s)

    # -- before anybody is signed in -------------------------------------------------------------------------

    def browser_token(self, request: _Request) -> str:
        """Return the secret of a browser; a new one where it has none, which `keep_browser` then sets."""
        found = request.scope["state"].get(BROWSER) or self.cookies.read(request, BROWSER)
        request.scope["state"][BROWSER] = found = found or new_secret_text()
        return str(found)

    def keep_browser(self, request: _Request, response: Response[str]) -> None:
        """Give a browser its secret, where it had none."""
        if self.cookies.read(request, BROWSER) != self.browser_token(request):
            self.cookies.write(request, response, BROWSER, self.browser_token(request))

    def form_token(self, request: _Request) -> str:
        """Return what a form of this browser brings along."""
        return csrf_token(self.browser_token(request))

    def check_form(self, request: _Request, given: str) -> None:
        """Refuse a form that this browser was not given, or that another site sent.

        Raises:
            ForgedFormError: so it is.
        """
        self.check_origin(request)
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.form_token(request).encode()):
            raise ForgedFormError

    def check_origin(self, request: _Request) -> None:
        """Refuse what a browser says that another site sent.

        Raises:
            ForgedFormError: so it is.
        """
        origin = request.headers.get("origin")
        own = (request.headers.get("host", ""), urlsplit(self.public_url).netloc)
        if origin is not None and not is_origin_of(origin, *own):
            raise ForgedFormError
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise ForgedFormError

    # -- passkeys --------------------------------------------------------------------------------------------

    def relying_party(self, request: _Request) -> RelyingParty | None:
        """Return who we are to an authenticator; None under an address, for which there are no passkeys.

        An installation that is known by a loopback address is also `localhost` to the browser beside it.
        """
        public = urlsplit(self.public_url)
        if is_loopback_host(public.hostname):
            port = f":{public.port}" if public.port is not None else ""
            at_localhost = (request.headers.get("host", "").partition(":")[0] == "localhost")
            return RelyingParty("localhost", (f"{public.scheme}://localhost{port}",)) if at_localhost else None
        name = public.hostname or ""
        try:
            ip_address(name)
        except ValueError:
            return RelyingParty(name, (f"{public.scheme}://{public.netloc}",))
        return None
