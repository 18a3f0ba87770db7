"""`smsghjs` from npm, with nothing changed but the base URL."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from tests.clients.conftest import eventually
from tests.serving import Client, Serving

pytestmark = pytest.mark.skipif(
    os.environ.get("MAKOLA_TEST_SKIP_NODE") == "1", reason="MAKOLA_TEST_SKIP_NODE is set: there is no Node.js")

_DRIVER = Path(__file__).with_name("node") / "client.js"
_TIME = "%Y-%m-%d %H:%M:%S"

Body = dict[str, object]


class Result(msgspec.Struct):
    """What the client gave to its callback. `status` and `message` are those of its error; None without one."""

    status: int | None
    message: str | None
    body: Body | None


class Smsgh:
    """The client in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def call(self, method: str, *arguments: object) -> Result:
        """Call a method of `sms.messaging`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Result)

    def done(self, method: str, *arguments: object) -> Body:
        """Call a method that must succeed; return what it answers."""
        result = self.call(method, *arguments)
        assert result.message is None, result
        assert result.body is not None
        return result.body

    def refused(self, method: str, *arguments: object) -> tuple[int | None, object]:
        """Call a method that must fail; return the HTTP status and the sub-code."""
        result = self.call(method, *arguments)
        assert result.message is not None, result
        assert result.body is not None
        assert isinstance(result.body["Detail"], str)
        return result.status, result.body["Status"]


@contextmanager
def _smsgh(server: Serving, client: Client, version: str = "v3") -> Iterator[Smsgh]:
    node = shutil.which("node") or shutil.which("nodejs")
    assert node is not None, "Node.js is missing; ./dev test installs it, or says that these tests are skipped"
    variables = {"BASE_URL": server.url, "CLIENT_ID": client.client_id, "CLIENT_SECRET": client.client_secret,
                 "API_VERSION": version, "PATH": os.environ["PATH"]}
    with subprocess.Popen([node, "--no-deprecation", str(_DRIVER)], env=variables, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        yield Smsgh(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.fixture
def smsgh(server: Serving) -> Iterator[Smsgh]:
    """The client with the merchant's credentials."""
    with _smsgh(server, server.world.merchant) as client:
        yield client


@pytest.fixture
def handset(server: Serving) -> str:
    """A phone that is on, without the plus sign: the client adds it."""
    return server.world.handsets[1].removeprefix("+")


def _ahead(**duration: float) -> str:
    return (datetime.now(UTC) + timedelta(**duration)).strftime(_TIME)


@pytest.mark.parametrize("version", ["v1", "v3"])
def test_message_is_sent_and_read_back(server: Serving, handset: str, version: str) -> None:
    with _smsgh(server, server.world.merchant, version) as smsgh:
        answer = smsgh.done("send", {"from": "SMSGHJS", "to": handset, "content": "Hello World",
                                     "registeredDelivery": True, "clientReference": "1234"})
        assert answer == {"Status": 0, "MessageId": answer["MessageId"], "Rate": 1, "NetworkId": "62002",
                          "ClientReference": "1234"}
        message = eventually(lambda: smsgh.done("getMessage", answer["MessageId"]),
                             lambda found: found["Status"] == "Delivered")
        assert (message["From"], message["To"], message["Content"], message["RegisteredDelivery"]) == (
            "SMSGHJS", f"+{handset}", "Hello World", True)


def test_quick_messages_are_listed(smsgh: Smsgh, handset: str) -> None:
    sent = [smsgh.done("sendQuickMessage", "Me", handset, f"{number}")["MessageId"] for number in range(2)]
    page = smsgh.done("queryMessage", {"index": 0, "limit": 1000, "direction": "out"})
    messages = page["Messages"]
    assert isinstance(messages, list)
    assert [message["MessageId"] for message in messages if message["MessageId"] in sent] == sent
    assert (page["Count"], page["TotalPages"], page["Index"], page["Limit"]) == (len(messages), 1, 0, 1000)


def test_scheduled_message_is_rescheduled_and_cancelled(smsgh: Smsgh, handset: str) -> None:
    answer = smsgh.done("sendScheduledMessage", {"from": "Me", "to": handset, "content": "Later",
                                                 "time": _ahead(hours=1)})
    message_id = answer["MessageId"]
    assert (answer["Status"], answer["Rate"]) == (0, 0)
    another_time = _ahead(hours=2)
    assert smsgh.done("rescheduleMessage", message_id, another_time)["Status"] == 0
    message = smsgh.done("getMessage", message_id)
    assert (message["Status"], message["Time"]) == ("Scheduled", another_time)
    pending = smsgh.done("queryMessage", {"pending": True})["Messages"]
    assert isinstance(pending, list)
    assert message_id in {each["MessageId"] for each in pending}
    assert smsgh.done("cancel", message_id) == {"Status": 0}
    assert smsgh.done("getMessage", message_id)["Status"] == "Deleted"


@pytest.mark.parametrize(("change", "sub_code"), [
    ({"to": "233123"}, 1), ({"from": "much too long a sender"}, 2), ({"content": "x" * 1600}, 3),
    ({"to": "12015550123"}, 4), ({"time": "2014-01-01 10:00:00"}, 5), ({"content": ""}, 6), ({"udh": "050003"}, 7),
    ({"type": 9}, 8)])
def test_message_that_cannot_be_is_refused(smsgh: Smsgh, handset: str, change: Body, sub_code: int) -> None:
    message = {"from": "Me", "to": handset, "content": "Hello", **change}
    assert smsgh.refused("send", message) == (400, sub_code)


def test_other_refusals(server: Serving, smsgh: Smsgh, handset: str) -> None:
    hello = {"from": "Me", "to": handset, "content": "Hello"}
    unknown = uuid4().hex
    assert smsgh.refused("send", {**hello, "to": server.world.do_not_contact}) == (403, 403)
    assert smsgh.refused("getMessage", unknown) == (404, 404)
    assert smsgh.refused("rescheduleMessage", unknown, _ahead(hours=1)) == (404, 404)
    assert smsgh.refused("cancel", unknown) == (404, 404)
    sent = smsgh.done("send", hello)["MessageId"]
    assert smsgh.refused("cancel", sent) == (400, 7)
    with _smsgh(server, server.world.penniless) as penniless:
        assert penniless.refused("send", hello) == (402, 402)
    with _smsgh(server, Client("nobody", "nothing", 0)) as nobody:
        assert nobody.refused("send", hello) == (401, 401)
