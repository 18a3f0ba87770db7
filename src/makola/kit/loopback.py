"""This machine, as an URL names it."""

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def is_loopback_host(host: str | None) -> bool:
    """Say whether the host of an URL, in lower case and without brackets, is this machine (RFC 8252 section 7.3)."""
    return host in _LOOPBACK_HOSTS
