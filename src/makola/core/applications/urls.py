"""Which URLs an application may have: each is checked when its owner saves it.

A callback is compared exactly and a browser is sent there (RFC 9700 section 2.1), so it has nothing in it that two
programs could read differently: no fragment, no wildcard, no user name, no dot segments.
"""

import re

from makola.core.applications.errors import InvalidApplicationError
from makola.kit.loopback import is_loopback_host
from makola.kit.outgoing import AddressPolicy, InvalidUrlError, parse_url
from makola.kit.outgoing.urls import OutgoingUrl, check_url

MOST_CHARACTERS = 2000
MOST_CALLBACKS = 20

#: What RFC 3986 allows in an URL, without the fragment; `*` is legal there, and refused as a wildcard.
_LEGAL = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()+,;=%\[\]]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)


def check_callback(uri: str, *, field: str) -> str:
    """Return an URL that browsers may be sent to: https, or http on the loopback interface (RFC 8252 section 7.3).

    Raises:
        InvalidApplicationError: it is anything else; it names `field`.
    """
    parsed = _parsed(uri, field)
    if parsed.scheme != "https" and not is_loopback_host(parsed.host):
        raise InvalidApplicationError("A callback begins with https://; http:// is for this machine alone"
                                      " (localhost, 127.0.0.1, [::1]).", field=field)
    if _DOT_SEGMENT.search(parsed.path):
        raise InvalidApplicationError("A callback has no . or .. in its path.", field=field)
    return uri


def check_fetched(uri: str, policy: AddressPolicy, *, field: str) -> str:
    """Return an URL that we fetch ourselves; empty stays empty.

    It is https; or http to a private address or a name, where private addresses are allowed: a name on a laptop or
    in a container's network is private more often than not, and cannot be told from another before it is resolved.

    Raises:
        InvalidApplicationError: it is anything else, or points to an address that the policy does not permit.
    """
    if not uri:
        return uri
    parsed = _parsed(uri, field)
    if parsed.scheme != "https" and not (policy.allow_private and _may_be_private(parsed)):
        raise InvalidApplicationError("This URL must begin with https://.", field=field)
    try:
        check_url(uri, policy=policy, field=field)
    except InvalidUrlError as error:
        raise InvalidApplicationError(f"This URL {error.detail}.", field=field) from error
    return uri


def check_page(uri: str, *, field: str) -> str:
    """Return an URL of a page that people are shown as a link: https or http; empty stays empty.

    Raises:
        InvalidApplicationError: it is anything else.
    """
    if uri:
        _parsed(uri, field)
    return uri


def _parsed(uri: str, field: str) -> OutgoingUrl:
    if len(uri) > MOST_CHARACTERS:
        raise InvalidApplicationError(f"An URL has at most {MOST_CHARACTERS} characters.", field=field)
    if "#" in uri:
        raise InvalidApplicationError("This URL cannot have a fragment (#).", field=field)
    if "*" in uri:
        raise InvalidApplicationError("Wildcards (*) are not possible: an URL is compared exactly.", field=field)
    if not _LEGAL.fullmatch(uri) or _BAD_ESCAPE.search(uri):
        raise InvalidApplicationError("This is not an URL of ASCII characters; encode others with %.", field=field)
    try:
        return parse_url(uri, field=field)
    except InvalidUrlError as error:
        raise InvalidApplicationError(f"This URL {error.detail}.", field=field) from error


def _may_be_private(parsed: OutgoingUrl) -> bool:
    return parsed.address is None or not AddressPolicy().permits(parsed.address)
