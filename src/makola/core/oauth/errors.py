"""What the OAuth server refuses, with the codes of RFC 6749 (4.1.2.1, 5.2) and of OpenID Connect Core 3.1.2.6."""

from makola.kit.errors import DomainError


class OAuthError(DomainError):
    """A request that the OAuth server refuses."""


class InvalidRequestError(OAuthError):
    """A parameter is missing, there twice, or not possible."""

    code = "invalid_request"


class InvalidClientError(OAuthError):
    """The client is unknown or suspended, or did not show that it is itself."""

    code = "invalid_client"


class InvalidRedirectUriError(OAuthError):
    """The user may not be sent there: this is said on a page of ours, never by a redirect."""

    code = "invalid_request"


class InvalidGrantError(OAuthError):
    """The code or the refresh token is wrong, expired, used, revoked, or another client's."""

    code = "invalid_grant"


class UsedTwiceError(InvalidGrantError):
    """A code or a refresh token came a second time: everything that its authorization gave out has just ended."""


class UnauthorizedClientError(OAuthError):
    """This client may not use this flow."""

    code = "unauthorized_client"


class UnsupportedResponseTypeError(OAuthError):
    """There is no such response type."""

    code = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """A scope that does not exist, or that this client may not have, was asked for."""

    code = "invalid_scope"


class InvalidTargetError(OAuthError):
    """The resource asked for is not ours (RFC 8707)."""

    code = "invalid_target"


class AccessDeniedError(OAuthError):
    """The person said no, or may not grant what is asked for."""

    code = "access_denied"


class LoginRequiredError(OAuthError):
    """`prompt=none`, and nobody is signed in, or not freshly enough."""

    code = "login_required"


class ConsentRequiredError(OAuthError):
    """`prompt=none`, and the person has to be asked."""

    code = "consent_required"


class RequestNotSupportedError(OAuthError):
    """Request objects are not taken (OpenID Connect Core, section 6)."""

    code = "request_not_supported"


class RequestUriNotSupportedError(OAuthError):
    """Request objects by reference are not taken."""

    code = "request_uri_not_supported"


class StaleRequestError(OAuthError):
    """The page is too old, or was opened by another session: the application has to start again."""

    code = "stale_request"


class TooManyFailuresError(OAuthError):
    """The client failed to show that it is itself, again and again; it has to wait.

    Args:
        detail: one sentence for the person who made the request.
        retry_after_s: how long.
    """

    code = "temporarily_unavailable"

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
