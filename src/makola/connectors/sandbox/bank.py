"""A small bank behind a service code of the demonstration world, so that there is something to dial at once.

It is an application like any other: the gateway asks it over HTTP. It remembers nothing; where a subscriber stands is
in the ClientState.
"""

from http import HTTPStatus

import msgspec
from litestar import Request, Response, Router, post
from litestar.datastructures import State

BANK_PATH = "/sandbox/bank"
_BODY_BYTES_AT_MOST = 8_192
_PIN_DIGITS = 4

_MENU = "Dear Customer\n1. Account Balance\n2. Mini Statement\n3. A long text"
_STATEMENT = ("Mini Statement\nMON Market stall -42.00\nTUE Airtime -5.00\nWED Salary +1,900.00\nTHU Trotro -7.50\n"
              "FRI Waakye -18.00\nSAT Church -50.00\nSUN Interest +0.43")
_LONG = ("This text does not fit on one screen of 182 characters. Your hub cuts it into pages, each of which ends with"
         " how to see the next one, and turns them without asking the application again. A service can also be set to"
         " refuse such a text: then the subscriber sees the error UUE instead of the first page.")

_Request = Request[object, object, State]


class _Asked(msgspec.Struct, rename="pascal"):
    """What of the eight keys this bank looks at."""

    type: str
    message: str
    client_state: str | None = None


class _Answer(msgspec.Struct, rename="pascal", omit_defaults=True):
    """What it answers."""

    type: str
    message: str
    client_state: str | None = None
    mask: bool = False
    mask_next_route: bool = False


def create_bank_router() -> Router:
    """Return the bank's one route."""
    return Router(path=BANK_PATH, route_handlers=[_bank], include_in_schema=False,
                  request_max_body_size=_BODY_BYTES_AT_MOST)


@post("/", status_code=200)
async def _bank(request: _Request) -> Response[bytes]:
    """Take one step of a session."""
    try:
        asked = msgspec.json.decode(await request.body(), type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Response(b"", status_code=HTTPStatus.BAD_REQUEST)
    return Response(msgspec.json.encode(reply(asked.type, asked.message, asked.client_state)),
                    media_type="application/json")


def reply(request_type: str, message: str, client_state: str | None) -> _Answer:
    """Return the bank's answer to one step."""
    if request_type == "Initiation":
        return _ask_pin("Welcome to the demonstration bank.\nEnter your PIN (any four digits)")
    if request_type != "Response":
        return _Answer("Release", "")
    if client_state == "pin":
        if not (len(message) == _PIN_DIGITS and message.isascii() and message.isdecimal()):
            return _ask_pin("A PIN has four digits.\nEnter your PIN")
        return _Answer("Response", _MENU, "menu")
    choices = {
        "1": _Answer("Release", "Your account balance is GHS 53,743", mask=True),
        "2": _Answer("Release", _STATEMENT),
        "3": _Answer("Release", _LONG),
    }
    return choices.get(message.strip(), _Answer("Response", f"There is no choice {message.strip()[:8]!r}.\n{_MENU}",
                                                "menu"))


def _ask_pin(text: str) -> _Answer:
    return _Answer("Response", text, "pin", mask_next_route=True)
