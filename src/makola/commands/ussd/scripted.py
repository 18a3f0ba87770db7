"""Running scripted sessions: what is expected against what the screen shows."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from makola.commands.ussd.player import Player
from makola.commands.ussd.script import Script, Statement, Verb
from makola.commands.ussd.terminal import describe_failure


@dataclass(frozen=True, slots=True)
class Difference:
    """The first statement that did not hold, with what it says about the screen."""

    line: int
    detail: str


def run_script(script: Script, player: Player) -> Difference | None:
    """Play every session of a script; stop at the first difference.

    Returns:
        What differed; None when everything was as expected.
    """
    for statement in script.statements:
        detail = _RUN[statement.verb](player, statement)
        if detail:
            return Difference(statement.line, detail)
    if player.is_open:
        player.cancel()
    return None


def same_text(shown: str) -> str:
    """Return a text as it is compared: no screen shows the spaces at the end of a line."""
    return "\n".join(line.rstrip() for line in shown.replace("\r\n", "\n").split("\n")).rstrip("\n")


def _dial(player: Player, statement: Statement) -> str:
    player.dial(statement.text)
    return ""


def _needs_open(act: Callable[[Player, str], object]) -> Callable[[Player, Statement], str]:
    def run(player: Player, statement: Statement) -> str:
        if not player.is_open:
            return f"{statement.verb}: the session has ended{_why(player)}\n{_screen(player)}"
        act(player, statement.text)
        return ""

    return run


def _expect(player: Player, statement: Statement) -> str:
    wanted, shown = same_text(statement.text), same_text(_text(player))
    if wanted == shown:
        return ""
    lines = difflib.ndiff(wanted.split("\n"), shown.split("\n"))
    return f"the screen is not as expected{_why(player)} (- expected, + shown)\n" + _indented(
        "\n".join(line for line in lines if not line.startswith("?")))


def _contains(player: Player, statement: Statement) -> str:
    if statement.text in _text(player):
        return ""
    return f"the screen does not contain {statement.text!r}{_why(player)}\n{_screen(player)}"


def _matches(player: Player, statement: Statement) -> str:
    if re.search(statement.text, _text(player), re.MULTILINE):
        return ""
    return f"the screen does not match {statement.text!r}{_why(player)}\n{_screen(player)}"


def _masked(player: Player, _statement: Statement) -> str:
    return "" if player.hides_input else f"the next answer is not masked: MaskNextRoute is not set\n{_screen(player)}"


def _open(player: Player, _statement: Statement) -> str:
    return "" if player.is_open else f"the session has ended{_why(player)}\n{_screen(player)}"


def _ended(player: Player, _statement: Statement) -> str:
    if player.failure is not None:
        return f"the session was not ended by the application{_why(player)}\n{_screen(player)}"
    return "" if not player.is_open else f"the session goes on\n{_screen(player)}"


def _error(player: Player, statement: Statement) -> str:
    code = None if player.failure is None else str(player.failure.code)
    if code == statement.text.upper():
        return ""
    return f"expected error {statement.text.upper()}, there was {code or 'none'}{_why(player)}\n{_screen(player)}"


_RUN: dict[Verb, Callable[[Player, Statement], str]] = {
    Verb.DIAL: _dial,
    Verb.SEND: _needs_open(lambda player, text: player.answer(text)),
    Verb.CANCEL: _needs_open(lambda player, _text: player.cancel()),
    Verb.TIMEOUT: _needs_open(lambda player, _text: player.time_out()),
    Verb.EXPECT: _expect,
    Verb.CONTAINS: _contains,
    Verb.MATCHES: _matches,
    Verb.MASKED: _masked,
    Verb.OPEN: _open,
    Verb.ENDED: _ended,
    Verb.ERROR: _error,
}


def _text(player: Player) -> str:
    return "" if player.screen is None else player.screen.text


def _screen(player: Player) -> str:
    return _indented(f"the screen:\n{_indented(_text(player))}")


def _why(player: Player) -> str:
    """Return why there is an error, where there is one: an expectation seldom fails for another reason."""
    why = describe_failure(player)
    return f"; {why}" if why else ""


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))
