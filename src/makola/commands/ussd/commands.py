"""The commands of the kit."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from makola.commands.ussd import terminal
from makola.commands.ussd.player import Player, Target
from makola.commands.ussd.script import Script, ScriptError, parse_script
from makola.commands.ussd.scripted import Difference, run_script
from makola.commands.ussd.transport import check_url
from makola.core.ussd import codes
from makola.core.ussd.types import APPLICATION_TIMEOUT_S, SUBSCRIBER_TIMEOUT_S, LongText

_MOBILE = "+233244123456"
_OPERATOR = "MTN"
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}", re.ASCII)


@click.group()
def ussd() -> None:
    """Play USSD sessions against an application: no server and no database are needed."""


def _checked_url(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            check_url(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return value


def _checked_secret(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value and not _SECRET.fullmatch(value):
        raise click.BadParameter("a secret is whsec_ and a key in Base64")
    return value


def _with_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say against what it plays, and as whom."""
    options = (
        click.option("--mobile", metavar="NUMBER", help=f"The subscriber's number; {_MOBILE} where none is given."),
        click.option("--operator", metavar="NAME", help=f"The subscriber's network; {_OPERATOR} where none is given."),
        click.option("--service-code", metavar="CODE", help="What the application is told; by default the first number"
                                                            " of what is dialled."),
        click.option("--timeout", "timeout_s", metavar="SECONDS", type=click.FloatRange(min=0.001),
                     default=APPLICATION_TIMEOUT_S, show_default=True, help="Time the application has for an answer."),
        click.option("--long-text", type=click.Choice([each.value for each in LongText]), default=LongText.PAGE.value,
                     show_default=True, help="What becomes of a text that is longer than a screen."),
        click.option("--secret", metavar="WHSEC", default="", callback=_checked_secret,
                     help="Sign the requests with this secret of the service (whsec_…)."),
        click.option("-v", "--verbose", is_flag=True, help="Write requests and answers to standard error."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@ussd.command("dial")
@click.argument("code")
@click.option("--url", metavar="URL", required=True, callback=_checked_url, help="The application.")
@click.option("--patience", "patience_s", metavar="SECONDS", type=click.FloatRange(min=0.001),
              default=SUBSCRIBER_TIMEOUT_S, show_default=True, help="Time that you have for an answer.")
@_with_target
def dial(code: str, url: str, patience_s: float, mobile: str | None, operator: str | None, service_code: str | None,
         timeout_s: float, long_text: str, secret: str, verbose: bool) -> None:
    """Dial CODE, such as '*714#', and answer from standard input, one line for each screen.

    Ends with 0 when the application ended the session, 1 with an error's screen, 2 for a wrong use, and 3 when the
    answers ran out while the application waited for one.
    """
    if not (codes.parts_of(code) and code.endswith("#")):
        raise click.BadParameter(f"{code!r} is no USSD code: it begins with * and ends with #", param_hint="CODE")
    target = Target(url, mobile or _MOBILE, operator or _OPERATOR, service_code, timeout_s, LongText(long_text),
                    secret)
    sys.exit(terminal.play(Player(target, terminal.watcher(bodies=verbose)), code, patience_s=patience_s))


@ussd.command("play")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", metavar="URL", callback=_checked_url, help="The application, whatever the files say.")
@_with_target
def play(files: tuple[Path, ...], url: str | None, mobile: str | None, operator: str | None, service_code: str | None,
         timeout_s: float, long_text: str, secret: str, verbose: bool) -> None:
    """Play the scripted sessions in FILES and compare every screen.

    Ends with 0 when everything was as expected, 1 when something was not, 2 for a file that cannot be read.
    """
    scripts = [(file, _read(file)) for file in files]
    failed = 0
    for file, script in scripts:
        said = {"url": url, "mobile": mobile, "operator": operator, "service-code": service_code}
        known = {**script.settings, **{name: value for name, value in said.items() if value is not None}}
        target = Target(_url_of(file, known), known.get("mobile", _MOBILE), known.get("operator", _OPERATOR),
                        known.get("service-code"), timeout_s, LongText(long_text), secret)
        started = time.monotonic()
        difference = run_script(script, Player(target, terminal.watcher(bodies=verbose)))
        failed += _report(file, script, difference, time.monotonic() - started)
    if len(scripts) > 1:
        click.echo(f"{len(scripts) - failed} of {len(scripts)} files as expected")
    sys.exit(terminal.FAILED if failed else terminal.ENDED)


def _read(file: Path) -> Script:
    try:
        return parse_script(file.read_text("utf-8-sig"))
    except ScriptError as error:
        raise click.UsageError(f"{file}:{error.line}: {error.detail}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file}: not UTF-8") from error


def _url_of(file: Path, known: dict[str, str]) -> str:
    url = known.get("url")
    if url is None:
        raise click.UsageError(f"{file}: no url; give it in the file or with --url")
    try:
        check_url(url)
    except ValueError as error:
        raise click.UsageError(f"{file}: {error}") from error
    return url


def _report(file: Path, script: Script, difference: Difference | None, duration_s: float) -> int:
    if difference is None:
        click.echo(f"ok      {file}  {len(script.statements)} statements, {duration_s:.2f} s")
        return 0
    click.echo(f"FAILED  {file}:{difference.line}: {terminal.harmless(difference.detail)}")
    return 1
