"""USSD on a handset over HTTP: dial, answer, cancel. The answer waits for the application, up to ten seconds."""

import msgspec
from litestar import delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from makola.connectors.sandbox.http_parts import SandboxRequest, read_body
from makola.connectors.sandbox.ussd import HandsetScreen, SandboxUssd


class UssdInput(msgspec.Struct, forbid_unknown_fields=True):
    """The body that dials, or that answers where it names a session.

    `push` makes a repeat recognisable: the same session and push again is answered with the same screen.
    """

    input: str
    session: str | None = None
    push: str = ""


class UssdScreen(msgspec.Struct):
    """What the handset shows. `masked`: what is typed now is a secret. `session_id`: as the application knows it."""

    session: str
    text: str
    open: bool
    masked: bool
    session_id: str | None


@post("/handsets/{number:str}/ussd", status_code=200)
async def use_ussd(ussd: NamedDependency[SandboxUssd], request: SandboxRequest, number: FromPath[str]) -> UssdScreen:
    """Dial a code, or answer the session that is open."""
    body = await read_body(request, UssdInput)
    if body.session is None:
        return view_screen(await ussd.dial(number, body.input, push_id=body.push))
    return view_screen(await ussd.answer(number, body.session, body.input, push_id=body.push))


@delete("/handsets/{number:str}/ussd")
async def cancel_ussd(ussd: NamedDependency[SandboxUssd], number: FromPath[str]) -> None:
    """Cancel the session that is open."""
    await ussd.cancel(number)


def view_screen(screen: HandsetScreen) -> UssdScreen:
    """Return a screen as it is written."""
    return UssdScreen(screen.session, screen.text, screen.is_open, screen.hides_input,
                      screen.session_id.hex if screen.session_id else None)


ROUTES: tuple[ControllerRouterHandler, ...] = (use_ussd, cancel_ussd)
