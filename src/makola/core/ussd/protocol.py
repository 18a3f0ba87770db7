"""Requests and answers as they are written (seed, "USSD Push Request"). Pure: no I/O, no clock.

What is sent is exactly the document's; what comes back is read with tolerance, because applications of many ages and
languages answer: names and types in any case, a comma too many (the document's own examples have one), line breaks
inside texts, a byte order mark, unknown fields.
"""

import json
import math
import re
from decimal import Decimal, InvalidOperation

import msgspec

from makola.core.ussd.screens import is_displayable
from makola.core.ussd.types import AnswerType, CartItem, ErrorCode, Failure, UssdAnswer, UssdRequest
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

CONTENT_TYPE = "application/json"
#: An answer is read up to here.
MOST_ANSWER_BYTES = 65_536
MOST_CLIENT_STATE = 100
_EXCERPT_CHARACTERS = 500
_MOST_PRICE_UNITS = 10**15
_MOST_QUANTITY = 1_000_000
_MOST_DIGITS = 32

#: The answers that say that there is no application at this URL.
_NOT_THERE = frozenset({404, 410})

_GZIP = b"\x1f\x8b"
_TYPES = {answer_type.lower(): answer_type for answer_type in AnswerType}
_TRUE = frozenset({"true", "yes", "1", "on"})
# A comma before a closing bracket, outside of texts: texts are matched first, and kept. A text that never ends is
# matched to the end of all: otherwise every quotation mark in it would begin another search through what follows.
_SPARE_COMMA = re.compile(r'("(?:[^"\\]|\\.)*"?)|,(?=\s*[}\]])', re.DOTALL)
_MASK_WORD = re.compile(rb"mask", re.IGNORECASE)


class _Wire(msgspec.Struct):
    """The eight keys in their order; one client reads them by position."""

    Mobile: str
    SessionId: str
    ServiceCode: str
    Type: str
    Message: str
    Operator: str
    Sequence: int
    ClientState: str | None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


class UnreadableAnswerError(Exception):
    """What the application answered cannot be used; the text is for the application's owner."""


def encode_request(request: UssdRequest) -> bytes:
    """Write a request."""
    return _encoder.encode(_Wire(
        request.mobile, request.session_id, request.service_code, request.type.value, request.message,
        request.operator, request.sequence, request.client_state))


def judge_answer(status: int, body: bytes, *, cut: bool = False, private: bool = False) -> UssdAnswer | Failure:
    """Return what an HTTP answer means.

    Args:
        status: the HTTP status.
        body: as it came, at most `MOST_ANSWER_BYTES`.
        cut: whether more came.
        private: what the application was sent was masked, so that nothing of its answer may be kept on an error.
    """
    if 200 <= status < 300 and not cut:
        try:
            return parse_answer(body)
        except UnreadableAnswerError as error:
            return Failure(ErrorCode.UUE, str(error), status, excerpt_of(body, private=private))
    excerpt = excerpt_of(body, private=private)
    if status in _NOT_THERE:
        return Failure(ErrorCode.URNF, f"The application answered {status}: there is nothing at its URL.", status,
                       excerpt)
    if cut:
        return Failure(ErrorCode.UUE, f"The answer is longer than {MOST_ANSWER_BYTES} bytes.", status, excerpt)
    hint = " Redirections are not followed." if 300 <= status < 400 else ""
    return Failure(ErrorCode.UUE, f"The application answered {status}.{hint}", status, excerpt)


def parse_answer(body: bytes) -> UssdAnswer:
    """Read an answer.

    Raises:
        UnreadableAnswerError: not a JSON object, no known Type, or a field that cannot be used.
    """
    fields = {name.lower(): value for name, value in _object(body).items() if value is not None}
    answer_type = _type(fields)
    return UssdAnswer(
        answer_type, _message(fields), _client_state(fields), _flag(fields, "mask"), _flag(fields, "masknextroute"),
        _item(fields) if answer_type is AnswerType.ADD_TO_CART else None)


def excerpt_of(body: bytes, *, private: bool) -> str:
    """Return the beginning of an answer for the application's owner; empty where it may hold something masked."""
    if private or _MASK_WORD.search(body):
        return ""
    text = body[:4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace")[:_EXCERPT_CHARACTERS]
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _object(body: bytes) -> dict[str, object]:
    try:
        decoded = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = _decoded_leniently(body)
    if not isinstance(decoded, dict):
        raise UnreadableAnswerError("The answer is not a JSON object.")
    return decoded


def _decoded_leniently(body: bytes) -> object:
    if body.startswith(_GZIP):
        raise UnreadableAnswerError("The answer is compressed, which it was not asked to be.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableAnswerError("The answer is not UTF-8.") from error
    if not text.strip():
        raise UnreadableAnswerError("The answer is empty.")
    try:
        return json.loads(_SPARE_COMMA.sub(lambda match: match[1] or "", text), strict=False,
                          parse_float=_finite, parse_constant=_finite)
    except json.JSONDecodeError as error:
        raise UnreadableAnswerError(
            f"The answer is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise UnreadableAnswerError("The answer is nested too deeply.") from None
    except ValueError:  # Python reads no integer of more than 4300 digits
        raise UnreadableAnswerError("The answer has a number that is too long.") from None


def _finite(written: str) -> float:
    """Read a number; JSON has none that is infinite, and what is none at all (NaN) would be shown as it stands."""
    number = float(written)
    if not math.isfinite(number):
        raise UnreadableAnswerError("The answer has a number that is none, or too large.")
    return number


def _type(fields: dict[str, object]) -> AnswerType:
    given = fields.get("type")
    if not isinstance(given, str):
        raise UnreadableAnswerError("The answer has no Type.")
    answer_type = _TYPES.get(given.strip().lower())
    if answer_type is None:
        raise UnreadableAnswerError("The answer's Type is not Response, Release or AddToCart.")
    return answer_type


def _message(fields: dict[str, object]) -> str:
    message = fields.get("message", "")
    if isinstance(message, bool) or not isinstance(message, str | int | float):
        raise UnreadableAnswerError("The answer's Message is not a text.")
    text = str(message)
    if not is_displayable(text):
        raise UnreadableAnswerError("The answer's Message has a character that no screen can show.")
    return text


def _client_state(fields: dict[str, object]) -> str | None:
    state = fields.get("clientstate")
    if state is None:
        return None
    try:
        text = state if isinstance(state, str) else msgspec.json.encode(state).decode()
    except (UnicodeEncodeError, RecursionError):  # read leniently, but it cannot be written again
        raise UnreadableAnswerError("The answer's ClientState has a value that cannot be kept.") from None
    if len(text) > MOST_CLIENT_STATE:
        raise UnreadableAnswerError(
            f"The answer's ClientState has {len(text)} characters; at most {MOST_CLIENT_STATE} are kept.")
    if not is_displayable(text):
        raise UnreadableAnswerError("The answer's ClientState has a character that cannot be kept.")
    return text


def _flag(fields: dict[str, object], name: str) -> bool:
    value = fields.get(name, False)
    if isinstance(value, str):
        return value.strip().lower() in _TRUE
    return bool(value)


def _item(fields: dict[str, object]) -> CartItem:
    given = fields.get("item")
    if not isinstance(given, dict):
        raise UnreadableAnswerError("An answer of Type AddToCart needs an Item.")
    item = {str(name).lower(): value for name, value in given.items()}
    name, quantity, price = item.get("itemname"), item.get("qty", 1), item.get("price")
    if not isinstance(name, str) or not name.strip() or not is_displayable(name):
        raise UnreadableAnswerError("The Item has no ItemName.")
    return CartItem(name.strip()[:200], _quantity(quantity), _price_units(price))


def _quantity(given: object) -> int:
    number = _decimal(given)
    if number is None or number != number.to_integral_value() or not 1 <= number <= _MOST_QUANTITY:
        raise UnreadableAnswerError("The Item's Qty is not a whole number above zero.")
    return int(number)


def _price_units(given: object) -> int:
    number = _decimal(given)
    if number is None or not 0 < number * UNITS_PER_CURRENCY_UNIT <= _MOST_PRICE_UNITS \
            or (units := number * UNITS_PER_CURRENCY_UNIT) != units.to_integral_value():
        raise UnreadableAnswerError("The Item's Price is not an amount above zero with at most four decimals.")
    return int(units)


def _decimal(given: object) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str) or len(str(given)) > _MOST_DIGITS:
        return None
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS else None
