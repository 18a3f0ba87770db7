"""The names under which a browser may reach what needs no credentials.

A page of another site can point a name of its own at our address and then read us as if we were that site (DNS
rebinding). An address in the Host header cannot be pointed elsewhere, and neither can `localhost` (RFC 6761
section 6.3); any other name must be the one that this installation is known by.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from makola.api.common.asgi import Answer

NOT_OURS = Answer(421, b'{"error": "other_host", "detail": "This server is not known under the name in the Host header.'
                       b' Set public_url to the address that you use."}')


class OwnNames:
    """Says which Host headers are ours.

    Args:
        public_url: the address of this installation.
    """

    def __init__(self, public_url: str) -> None:
        self._public_name = urlsplit(public_url).hostname or ""

    def include(self, host: bytes | None) -> bool:
        """Return True for an address, `localhost`, or the name of this installation, whatever the port."""
        try:
            name = urlsplit(f"//{(host or b'').decode('latin-1')}").hostname or ""
        except ValueError:
            return False
        if name in {self._public_name, "localhost"} or name.endswith(".localhost"):
            return bool(name)
        try:
            ip_address(name)
        except ValueError:
            return False
        return True
