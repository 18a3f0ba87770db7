"""For which server."""

from collections.abc import Sequence

from makola.core.oauth.errors import InvalidTargetError


def check_resources(resources: Sequence[str], issuer: str) -> tuple[str, ...]:
    """Every resource is this server or a part of it (RFC 8707): there are no tokens for others here."""
    for resource in resources:
        if resource.rstrip("/") != issuer.rstrip("/") and not resource.startswith(issuer.rstrip("/") + "/"):
            raise InvalidTargetError("The resource is not one of this server.", field="resource")
    return tuple(resources)
