"""The root of every error that a use case may answer with."""

from typing import ClassVar


class DomainError(Exception):
    """A request that the domain refuses, with a stable code.

    An API family turns `code` into its own status and body; the core knows neither.

    Args:
        detail: one sentence for the person who made the request.
        field: the input that is at fault, in the core's (snake_case) words; empty when none is.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
