"""The Unity API's errors: the core's codes as HTTP statuses and sub-codes (seed, "Response Code")."""

import msgspec

from makola.api.common.asgi import Answer
from makola.core.applications.types import AnswerCasing
from makola.kit.errors import DomainError

#: Core code -> HTTP status and sub-code. Where the seed has no sub-code, the HTTP status stands in its place (ours).
#: docs/reference/response-codes.md explains each row.
TABLE: dict[str, tuple[int, int]] = {
    "malformed": (400, 100),
    "invalid_phone_number": (400, 1),
    "invalid_sender": (400, 2),
    "message_too_long": (400, 3),
    "unrouteable": (400, 4),
    "invalid_time": (400, 5),
    "invalid_content": (400, 6),
    "content_rejected": (400, 6),
    "parameter_not_allowed": (400, 7),
    "invalid_parameter": (400, 8),
    "invalid_setting": (400, 8),
    "invalid_url": (400, 8),
    "not_authenticated": (401, 401),
    "out_of_credit": (402, 402),
    "do_not_contact": (403, 403),
    "scope_missing": (403, 403),
    "unknown_message": (404, 404),
    "unknown_organisation": (404, 404),
    "unknown_service": (404, 404),
    "unknown_session": (404, 404),
    "code_not_owned": (403, 403),
    "code_taken": (409, 409),
    "no_such_resource": (404, 404),
    "method_not_allowed": (405, 405),
    "request_key_reused": (409, 409),
    "body_too_large": (413, 413),
    "accept_failed": (500, 500),
    "failed": (500, 500),
    "no_gateway": (502, 502),
    "accept_queue_full": (503, 503),
}

#: The core's field names as this family writes them, where Pascal case alone does not do it.
_FIELDS = {
    "sender": "From",
    "recipient": "To",
    "kind": "Type",
    "flash": "FlashMessage",
    "idempotency_key": "Idempotency-Key",
    "delivery_report_url": "DeliveryReportNotificationUrl",
    "delivery_report_method": "DeliveryReportNotificationMethod",
}


class ErrorAnswer(msgspec.Struct, rename="pascal"):
    """Every error of the Unity API."""

    status: int
    detail: str


class ErrorAnswerCamel(msgspec.Struct, rename="camel"):
    """The same from the endpoints that answer in the application's casing, where that is `camel`."""

    status: int
    status_description: str


class UnityError(DomainError):
    """A refusal that this family makes itself, before the core is asked."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail, field=field)
        self.own_code = code


def field_name(field: str) -> str:
    """Return a core field as this family writes it."""
    return _FIELDS.get(field) or "".join(word.capitalize() for word in field.split("_"))


def answer_to(error: DomainError, casing: AnswerCasing = AnswerCasing.PASCAL) -> Answer:
    """Return the answer to a refused request."""
    code = error.own_code if isinstance(error, UnityError) else error.code
    status, sub_code = TABLE.get(code, (400, 8))
    detail = f"{field_name(error.field)}: {error.detail}" if error.field else error.detail
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if status == 401:
        headers = ((b"www-authenticate", b'Basic realm="Makola", charset="UTF-8"'),)
    elif status == 503:
        headers = ((b"retry-after", b"1"),)
    in_casing = ErrorAnswerCamel if casing is AnswerCasing.CAMEL else ErrorAnswer
    return Answer(status, msgspec.json.encode(in_casing(sub_code, detail)), headers)
