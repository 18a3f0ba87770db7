"""People and applications of a running server, for standard OAuth clients: who signs in, agrees, and is sent back."""

import asyncio
from dataclasses import replace
from html import unescape
from re import DOTALL, findall, search
from urllib.parse import parse_qs, urljoin, urlsplit

import msgspec
import requests

from makola.core.applications.registration import register
from makola.core.applications.types import ApplicationKind, Draft, Listing, NewlyRegistered, OAuthSettings
from makola.core.organisations.actors import find_platform_actor
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy
from tests.serving import Serving

CALLBACK = "http://127.0.0.1/callback"
#: Where the client says that it listens: the port of a loopback address is free (RFC 8252 section 7.3).
LISTENING = "http://127.0.0.1:49152/callback"
BYE = "http://127.0.0.1/bye"
SCOPES = frozenset({"openid", "profile", "email", "account.balance", "messages.send"})


def make_application(server: Serving, kind: ApplicationKind = ApplicationKind.PARTNER,
                     **settings: object) -> NewlyRegistered:
    """Make an application in a running server; a partner application is one that was reviewed."""
    oauth = replace(OAuthSettings(redirect_uris=(CALLBACK,), post_logout_redirect_uris=(BYE,), requested_scopes=SCOPES),
                    **settings)  # type: ignore[arg-type] # names and values of OAuthSettings

    async def make() -> NewlyRegistered:
        database = await Database.connect(server.database_url(), min_size=1, max_size=1)
        try:
            async with database.transaction() as connection:
                platform = await find_platform_actor(connection)
                assert platform is not None
                made = await register(
                    connection, platform,
                    ApplicationKind.PUBLIC if kind is ApplicationKind.PARTNER else kind,
                    Draft("Standard client", oauth=oauth, listing=Listing(offline_access=True)),
                    AddressPolicy(allow_private=True))
                await connection.execute("UPDATE applications.application SET kind = $2 WHERE client_id = $1",
                                         made.application.client_id, str(kind))
        finally:
            await database.close()
        return made

    return asyncio.run(make())


class Person:
    """The merchant in a browser that follows redirects until they leave the server."""

    def __init__(self, server: Serving, word: str = "merchant") -> None:
        users = msgspec.json.decode((server.data_directory / "demo.json").read_bytes())["users"]
        self.email, self.password = str(users[word]["email"]), str(users[word]["password"])
        self._server = server
        self._http = requests.Session()

    def visit(self, address: str) -> str:
        """Go to an address, sign in and agree where asked; return the address outside to which one is sent."""
        answer = self._get(address)
        for _ in range(8):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["location"])
                if urlsplit(target).netloc != urlsplit(self._server.url).netloc:
                    return target
                answer = self._get(target)
            elif "<h1>Sign in" in answer.text or "Show that it is you" in answer.text:
                answer = self._send(answer, "/sign-in", {"email": self.email, "password": self.password})
            elif 'action="/oauth/consent"' in answer.text:
                answer = self._send(answer, "/oauth/consent", {"decision": "allow"})
            elif (onward := search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)) is not None:
                answer = self._get(urljoin(answer.url, unescape(onward[1])))
            else:
                raise AssertionError(f"{answer.status_code}: {answer.text}")
        raise AssertionError("too many steps")

    def is_signed_in(self) -> bool:
        """Say whether the browser has a session."""
        return not self._get(f"{self._server.url}/account/security").is_redirect

    def _get(self, address: str) -> requests.Response:
        return self._http.get(address, allow_redirects=False, timeout=30)

    def _send(self, page: requests.Response, path: str, fields: dict[str, str]) -> requests.Response:
        form = search(rf'<form method="post" action="{path}".*?</form>', page.text, DOTALL)
        assert form is not None, page.text
        hidden = {name: unescape(value)
                  for name, value in findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])}
        return self._http.post(urljoin(page.url, path), data=hidden | fields, allow_redirects=False, timeout=30)


def query_of(address: str) -> dict[str, str]:
    """Return the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
