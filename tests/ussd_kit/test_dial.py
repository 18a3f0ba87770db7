"""`makola ussd dial`: a session in a pipe, against any URL."""

import base64
import json
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.cli.processes import environment
from tests.ussd_kit.applications import Application, Request, application, says
from tests.ussd_kit.conftest import Kit

KEYS = ["Mobile", "SessionId", "ServiceCode", "Type", "Message", "Operator", "Sequence", "ClientState"]


def test_the_documents_banking_session_through_a_pipe(kit: Kit, bank: Application) -> None:
    before = len(bank.requests)
    done = kit("dial", "*711#", "--url", bank.url, "--mobile", "+233262183777", "--operator", "vodafone",
               answers="1234\n1\n")

    assert done.stdout == ("Enter your pin\n> ****\nDear Customer \n1. Account Balance \n2. Mini Statement\n> ****\n"
                           "Your account balance is GHS 53,743\n")
    assert (done.returncode, done.stderr) == (0, "")
    asked = bank.asked[before:]
    assert [list(each) for each in asked] == [KEYS] * 3
    session_id = asked[0]["SessionId"]
    assert len(session_id) == 32
    assert int(session_id, 16)
    first, second, third = ({"Mobile": "233262183777", "SessionId": session_id, "ServiceCode": "711",
                             "Operator": "vodafone", **rest} for rest in (
        {"Type": "Initiation", "Message": "*711#", "Sequence": 1, "ClientState": None},
        {"Type": "Response", "Message": "1234", "Sequence": 2, "ClientState": "2017-03-30"},
        {"Type": "Response", "Message": "1", "Sequence": 3, "ClientState": None}))
    assert asked == [first, second, third]


def test_answers_that_run_out_hang_up(kit: Kit, bank: Application) -> None:
    before = len(bank.requests)
    done = kit("dial", "*711#", "--url", bank.url, answers="1234\n")

    assert done.returncode == 3
    assert "the answers ran out" in done.stderr
    last = bank.asked[before:][-1]
    assert (last["Type"], last["Message"], last["Sequence"]) == ("Release", "", 3)


@pytest.mark.parametrize(("answer", "code", "cause"), [
    ((200, b"Hello"), "UUE", "not valid JSON"),
    ((200, b"[]"), "UUE", "not a JSON object"),
    ((200, b'{"Message": "x"}'), "UUE", "no Type"),
    ((500, b"oops"), "UUE", "answered 500"),
    ((404, b""), "URNF", "nothing at its URL"),
])
def test_errors_are_the_documents(kit: Kit, answer: tuple[int, bytes], code: str, cause: str) -> None:
    with application(lambda _request: answer) as broken:
        done = kit("dial", "*711#", "--url", broken.url)

    assert done.returncode == 1
    assert done.stdout.startswith(f"{code}: Your ")
    assert cause in done.stderr
    assert len(broken.requests) == 1, "one attempt for each input"


def test_an_application_cannot_command_the_terminal(kit: Kit) -> None:
    text = "\x1b]0;owned\x07\x1b[2Jred\x9b2J"
    with application(lambda _request: json.dumps({"Type": "Release", "Message": text}).encode()) as hostile:
        done = kit("dial", "*711#", "--url", hostile.url)
    assert done.stdout == "\ufffd]0;owned\ufffd\ufffd[2Jred\ufffd2J\n"
    with application(lambda _request: b"no JSON \x1b[2J") as hostile:
        done = kit("dial", "*711#", "--url", hostile.url, "-v")
    assert "no JSON \ufffd[2J" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_an_address_with_letters_beyond_ascii_is_called(kit: Kit, bank: Application) -> None:
    done = kit("dial", "*711#", "--url", f"{bank.url}/ä b", answers="1234\n1\n")
    assert (done.returncode, done.stderr) == (0, "")


def test_nobody_listens(kit: Kit) -> None:
    done = kit("dial", "*711#", "--url", "http://127.0.0.1:9/ussd")
    assert (done.returncode, done.stdout[:5]) == (1, "URNF:")
    assert "Connection refused" in done.stderr


def test_an_application_that_answers_in_drops_is_too_slow_all_the_same(kit: Kit) -> None:
    hold = threading.Event()

    def slow(_request: Request) -> bytes:
        hold.wait(60)
        return says("late")

    with application(slow) as running:
        started = time.monotonic()
        done = kit("dial", "*711#", "--url", running.url, "--timeout", "0.3")
        hold.set()

    assert (done.returncode, done.stdout[:4]) == (1, "UUT:")
    assert time.monotonic() - started < 30


def test_long_texts_are_paged_or_refused_as_on_the_server(kit: Kit) -> None:
    text = "\n".join(f"{number}. A line of a long menu" for number in range(1, 15))
    with application(lambda _request: says(text, "Release")) as running:
        paged = kit("dial", "*711#", "--url", running.url, answers="00\n00\n")
        refused = kit("dial", "*711#", "--url", running.url, "--long-text", "refuse")

    assert paged.returncode == 0
    assert "14. A line of a long menu" in paged.stdout
    assert "00. More" in paged.stdout
    assert len(running.requests) == 2, "pages are turned without asking the application"
    assert (refused.returncode, refused.stdout[:4]) == (1, "UUE:")


def test_verbose_shows_what_went_over_the_wire_on_standard_error(kit: Kit, bank: Application) -> None:
    done = kit("dial", "*711#", "--url", bank.url, "-v", answers="1234\n1\n")
    sent = [json.loads(line.removeprefix("  -> ")) for line in done.stderr.splitlines() if line.startswith("  -> ")]
    assert [each["Sequence"] for each in sent] == [1, 2, 3]
    assert "<- 200 in" in done.stderr


def test_requests_are_signed_with_the_services_secret(kit: Kit, bank: Application) -> None:
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
    before = len(bank.requests)
    kit("dial", "*711#", "--url", bank.url, "--secret", secret, answers="1234\n1\n")
    for body, headers in zip(bank.requests[before:], bank.headers[before:], strict=True):
        Webhook(secret).verify(body, headers)
    assert len({each["webhook-id"] for each in bank.headers[before:]}) == 3


@pytest.mark.parametrize("arguments", [
    ("dial", "*711#", "--url", "http://localhost/", "--secret", "whsec_short"),
    ("dial", "711", "--url", "http://localhost/"), ("dial", "*711#", "--url", "ftp://localhost/"), ("dial", "*711#"),
    ("dial", "*711#", "--url", "http://localhost:port/"), ("play", "no-such-file"),
    ("dial", "*711#", "--url", "http://two..dots/"), ("dial", "*711#", "--url", "http://two words/"),
])
def test_wrong_use_ends_with_2(kit: Kit, arguments: tuple[str, ...]) -> None:
    done = kit(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_person_at_a_terminal_sees_frames_and_types_a_pin_unseen(bank: Application, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
            [sys.executable, "-m", "makola", "ussd", "dial", "*711#", "--url", bank.url], cwd=tmp_path,
            env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        seen = _until(ours, "Enter your pin", "> ")
        os.write(ours, b"1234\n")
        seen += _until(ours, "2. Mini Statement", "> ")
        os.write(ours, b"1\n")
        seen += _until(ours, "Ended by the application after 3 requests.")
        assert process.wait(10) == 0
    os.close(ours)
    assert "│ Your account balance is GHS 53,743" in seen
    assert "1234" not in seen


def test_a_person_who_says_nothing_times_out(tmp_path: Path) -> None:
    with application(lambda _request: says("Enter your pin")) as running:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
                [sys.executable, "-m", "makola", "ussd", "dial", "*711#", "--url", running.url, "--patience", "0.2"],
                cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs,
                start_new_session=True) as process:
            os.close(theirs)
            seen = _until(ours, "The subscriber took too long.")
            assert process.wait(10) == 1
        os.close(ours)
    assert "ST: The application took too long" in seen
    assert [(each["Type"], each["Message"]) for each in running.asked] == [("Initiation", "*711#"), ("Timeout", "")]


def test_the_kit_imports_neither_the_server_nor_the_database() -> None:
    script = ("import sys; from makola.cli import makola; makola.get_command(None, 'ussd');"
              "print([name for name in ('asyncpg', 'sqlalchemy', 'litestar', 'aiohttp') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, env=environment(), check=True)
    assert done.stdout == "[]\n"


def _until(terminal: int, *texts: str) -> str:
    """Read from a terminal until it has said all of these, in this order."""
    seen = ""
    deadline = time.monotonic() + 30
    while True:
        assert time.monotonic() < deadline, seen
        try:
            seen += os.read(terminal, 4096).decode("utf-8", "replace")
        except OSError:  # the other side has ended
            assert _in_order(seen, texts), seen
            return seen
        if _in_order(seen, texts):
            return seen


def _in_order(seen: str, texts: tuple[str, ...]) -> bool:
    at = 0
    for text in texts:
        at = seen.find(text, at)
        if at < 0:
            return False
        at += len(text)
    return True
