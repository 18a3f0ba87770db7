"""USSD applications for tests: small HTTP servers that remember what they were asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]
Reply = Callable[[Request], "bytes | tuple[int, bytes]"]

#: The document's own answers ("More Examples"), byte for byte: two of them have a comma too many.
ASK_PIN = (b'{\n    "Type": "Response",\n    "Message" : "Enter your pin",\n    "ClientState": "2017-03-30",\n'
           b'    "MaskNextRoute": true  \n}')
MENU = (b'{\n    "Message": "Dear Customer \\n1. Account Balance \\n2. Mini Statement",\n    "Type": "Response", \n'
        b'    "MaskNextRoute": true, \n} ')
BALANCE = (b'{\n    "Message": "Your account balance is GHS 53,743",\n    "Type": "Release", \n'
           b'    "Mask": true, \n}')


class Application:
    """One that runs. `requests` are the bodies as they came, `headers` their headers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[bytes] = []
        self.headers: list[dict[str, str]] = []

    @property
    def asked(self) -> list[Request]:
        """The requests, read."""
        return [json.loads(each) for each in self.requests]

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[Request]:
        """Wait until so many requests have come."""
        deadline = time.monotonic() + timeout_s
        while len(self.requests) < count:
            assert time.monotonic() < deadline, self.requests
            time.sleep(0.01)
        return self.asked


@contextmanager
def application(reply: Reply) -> Iterator[Application]:
    """Run an application on loopback that answers with what `reply` returns: a body, or a status and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            running.requests.append(body)
            running.headers.append({name.lower(): value for name, value in self.headers.items()})
            given = reply(json.loads(body))
            status, content = given if isinstance(given, tuple) else (200, given)
            with suppress(ConnectionError):  # who asked may have lost patience
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in http.server
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Application(f"http://127.0.0.1:{server.server_port}/ussd")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def banking(request: Request) -> bytes:
    """Answer as the banking example of the document does."""
    if request["Type"] in {"Release", "Timeout"}:
        return b"{}"
    if request["Sequence"] == 1:
        return ASK_PIN
    if request["Sequence"] == 2:
        return MENU
    return BALANCE


def says(message: str, type_: str = "Response", **more: object) -> bytes:
    """Write an answer."""
    return json.dumps({"Type": type_, "Message": message, **more}).encode()
