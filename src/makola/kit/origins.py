"""The Origin header (RFC 6454): whether a page of ours sent a request."""

_SCHEMES = frozenset({"http", "https"})


def is_origin_of(origin: str, *hosts: str) -> bool:
    """Say whether an origin, as a browser names it, is at one of these hosts.

    The text is compared, not parsed: what is no origin, such as `null` or `http://[`, is at no host.

    Args:
        origin: the value of the header.
        hosts: each a name or an address, with the port unless it is the scheme's own; an empty one is none.
    """
    scheme, _, host = origin.lower().partition("://")
    return scheme in _SCHEMES and host != "" and host in {each.lower() for each in hosts}
