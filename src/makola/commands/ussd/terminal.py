"""A session in the terminal: screens on standard output, answers from standard input, one on a line."""

import getpass
import json
import re
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import click

from makola.commands.ussd.player import Exchange, Player
from makola.core.ussd.types import MASKED, SUBSCRIBER_TIMEOUT_S, EndReason, Screen

_WIDTH = 34
#: C0 but tabulator and line ends, DEL and C1 (ECMA-48): no phone has them, and a terminal obeys them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
ENDED, FAILED, ANSWERS_RAN_OUT = 0, 1, 3


class _TooLateError(Exception):
    """The subscriber did not answer in time."""


def play(player: Player, code: str, *, patience_s: float = SUBSCRIBER_TIMEOUT_S) -> int:
    """Play one session; return the exit code.

    Args:
        player: the phone.
        code: what is dialled first.
        patience_s: how long a person at the terminal may take for an answer; a pipe may take as long as it likes.
    """
    typed: str | None = code
    show(player.dial(code))
    while player.is_open:
        try:
            typed = _read(player.hides_input, patience_s)
        except _TooLateError:
            click.echo()
            show(player.time_out())
            break
        if typed is None:
            player.cancel()
            break
        if not sys.stdin.isatty():  # a pipe shows no answers by itself: the transcript is to be read like a dialogue
            click.echo(f"> {MASKED if player.hides_input else typed}")
        show(player.answer(typed))
    return _sum_up(player, ran_out=typed is None)


def show(screen: Screen) -> None:
    """Write a screen: framed for a person, plain for a program."""
    text = harmless(screen.text)
    if not sys.stdout.isatty():
        click.echo(text)
        return
    lines = [piece for line in text.splitlines() or [""] for piece in textwrap.wrap(line, _WIDTH) or [""]]
    click.echo(f"╭{'─' * (_WIDTH + 2)}╮")
    for line in lines:
        click.echo(f"│ {line:<{_WIDTH}} │")
    click.echo(f"╰{'─' * (_WIDTH + 2)}╯")


def harmless(text: str) -> str:
    """Return a text of an application without what could command the terminal: escape sequences, and the like."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def watcher(*, bodies: bool) -> Callable[[Exchange], None]:
    """Return what writes every exchange to standard error, where `bodies` asks for it."""

    def watch(exchange: Exchange) -> None:
        if not bodies:
            return
        click.echo(f"  -> {_without_secrets(exchange.request)}", err=True)
        if exchange.answer is None:
            cause = exchange.failure.cause if exchange.failure is not None else ""
            click.echo(f"  <- {cause}", err=True)
            return
        body = harmless(exchange.answer.body.decode("utf-8", "replace"))
        click.echo(f"  <- {exchange.answer.status} in {exchange.answer.duration_s * 1000:.0f} ms: {body}", err=True)

    return watch


def describe_failure(player: Player) -> str:
    """Return why the session failed, as one would tell its author."""
    failure = player.failure
    if failure is None:
        return ""
    body = f"\n  it answered: {harmless(failure.body)}" if failure.body else ""
    return f"{failure.code}: {failure.cause}{body}"


def _sum_up(player: Player, *, ran_out: bool) -> int:
    steps = f"{player.steps} {'request' if player.steps == 1 else 'requests'}"
    if player.failure is not None:
        click.echo(f"makola: {describe_failure(player)}", err=True)
        return FAILED
    if ran_out:
        click.echo(f"makola: the answers ran out and the application still waited; it was told Release ({steps})",
                   err=True)
        return ANSWERS_RAN_OUT
    if sys.stdout.isatty() and player.end_reason is EndReason.APPLICATION:
        click.echo(f"Ended by the application after {steps}.", err=True)
    return ENDED


def _read(hidden: bool, patience_s: float) -> str | None:
    """Read one answer; None at the end of the input."""
    if not sys.stdin.isatty():
        try:
            line = sys.stdin.readline().encode().decode()  # where the locale is C, other bytes come as surrogates
        except UnicodeError as error:
            raise click.UsageError("the answers on standard input are not UTF-8") from error
        return line.rstrip("\r\n") if line else None
    with _patience(patience_s):
        try:
            return getpass.getpass("> ") if hidden else input("> ")
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return None


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Raise `_TooLateError` after so long, where the system has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def too_late(_number: int, _frame: FrameType | None) -> NoReturn:
        raise _TooLateError

    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _without_secrets(request: bytes) -> str:
    """Return a request on one line, spaced for reading."""
    return json.dumps(json.loads(request), ensure_ascii=False)
