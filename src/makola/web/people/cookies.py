"""Cookies of the pages: out of reach of scripts and of other sites; over https also of other hosts and plain http."""

from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie, State

SESSION = "makola_session"
#: Not of a session: ties forms and what is under way to one browser before anybody is signed in.
BROWSER = "makola_browser"
#: A sign-in that waits for its second factor.
WAITING = "makola_waiting"

_Request = Request[object, object, State]


class Cookies:
    """Reads and writes cookies by their plain names.

    Args:
        public_url: the address of this installation; under https every cookie is `__Host-` and `Secure`.
    """

    def __init__(self, public_url: str) -> None:
        self._is_https = urlsplit(public_url).scheme == "https"

    def is_secure(self, request: _Request) -> bool:
        """Say whether a request came over https, directly or as a trusted proxy says."""
        return self._is_https or request.scope["scheme"] == "https"

    def read(self, request: _Request, name: str) -> str:
        """Return a cookie's value; empty when there is none."""
        return request.cookies.get(self._name(request, name), "")

    def write(self, request: _Request, response: Response[object] | Response[str], name: str, value: str, *,
              max_age_s: int | None = None) -> None:
        """Set a cookie; without `max_age_s` it ends with the browser."""
        response.set_cookie(Cookie(self._name(request, name), value=value, path="/", max_age=max_age_s, httponly=True,
                                   secure=self.is_secure(request), samesite="lax"))

    def remove(self, request: _Request, response: Response[object] | Response[str], name: str) -> None:
        """Take a cookie away."""
        self.write(request, response, name, "", max_age_s=0)

    def _name(self, request: _Request, name: str) -> str:
        return f"__Host-{name}" if self.is_secure(request) else name
