"""`makola callbacks listen`: a receiver for trials, which prints what arrives and checks its signature."""

import hmac
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import click

from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.commands.visible import say
from makola.core.callbacks.signatures import signature_headers
from makola.core.callbacks.signing_secrets import signing_secret
from makola.server import StartError
from makola.settings import Loaded

_LONGEST_BODY = 1_048_576


class _Receiver(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    secret: str | None = None

    def do_GET(self) -> None:
        """Take a callback sent with GET."""
        self._take(b"")

    def do_POST(self) -> None:
        """Take a callback sent with POST."""
        length = self.headers.get("content-length", "0")
        self._take(self.rfile.read(min(int(length) if length.isdigit() else 0, _LONGEST_BODY)))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in http.server
        """Say nothing by ourselves."""

    def _take(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
        say(f"{self.command} {self.path}")
        if body:
            say(f"  body       {body.decode('utf-8', 'replace')}")
        say(f"  webhook-id {self.headers.get('webhook-id', 'none')}  signature {self._signature(body)}")
        sys.stdout.flush()

    def _signature(self, body: bytes) -> str:
        if self.secret is None:
            return "not checked (give --organisation or --secret)"
        webhook_id, timestamp = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        if not (webhook_id.isascii() and timestamp.isdigit()):
            return "missing"
        content = body if self.command == "POST" else self.path.partition("?")[2].encode()
        expected = signature_headers(self.secret, webhook_id, int(timestamp), content)["webhook-signature"]
        given = self.headers.get("webhook-signature", "").split(" ")
        return "valid" if any(hmac.compare_digest(expected, one) for one in given) else "WRONG"


@click.command("listen")
@click.argument("on_port", metavar="PORT", type=click.IntRange(1, 65535))
@click.option("--secret", help="whsec_…, to check signatures with.")
@click.option("--organisation", "organisation_id", type=int, help="Check signatures with this organisation's secret.")
@with_settings
def listen(loaded: Loaded, on_port: int, secret: str | None, organisation_id: int | None) -> None:
    """Receive callbacks on http://localhost:PORT and print them, until Ctrl-C."""
    if secret is None and organisation_id is not None:
        secret = in_session(loaded, partial(signing_secret, organisation_id=organisation_id))
    handler = type("_Receiver", (_Receiver,), {"secret": secret})
    try:
        server = HTTPServer(("127.0.0.1", on_port), handler)
    except OSError as error:
        raise StartError(f"cannot listen on port {on_port}: {error.strerror}") from error
    click.echo(f"Listening on http://localhost:{on_port}/ (any path). Stop with Ctrl-C.")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("")
