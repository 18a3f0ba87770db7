"""Whoever wrote a stored text cannot command the terminal of whoever looks at it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from socket import socket
from uuid import UUID

import httpx

from makola.commands.visible import visible
from makola.core.callbacks.service import enqueue
from makola.core.callbacks.signatures import new_secret, signature_headers
from makola.core.callbacks.types import NewCallback
from makola.kit.database import Database
from tests.cli.conftest import RunHere

#: Clears the screen, goes back to the beginning of the line, turns the text round.
_HOSTILE = "\x1b[2J\r\u202eend"
_SHOWN = "\\x1b[2J\\r\\u202eend"

_SPOIL = (
    "UPDATE organisations.organisation SET name = name || $1",
    "UPDATE applications.application SET name = name || $1",
    "UPDATE checkout.merchant_account SET name = name || $1",
    "UPDATE ussd.service SET url = url || $1",
    "UPDATE callbacks.delivery SET event = event || $1, detail = $1",
    "INSERT INTO ussd.failure (organisation_id, service_code, code, cause, body, at)"
    " VALUES (1, '714', 'ISB', $1, '', now())",
    "INSERT INTO checkout.difference (provider, day, kind, subject, provider_reference, detail, found_at)"
    " VALUES ('sandbox', '2026-01-01', 'amount', 'x', 'y', $1, now())",
)


async def _spoil(url: str) -> UUID:
    database = await Database.connect(url, min_size=1, max_size=1)
    try:
        async with database.transaction() as connection:
            [delivery_id] = await enqueue(connection, [NewCallback(1, "message.report", "GET", "http://a.example/")])
            for statement in _SPOIL:
                await connection.execute(statement.replace("$1", "$1::text"), _HOSTILE)
    finally:
        await database.close()
    return delivery_id


def _checked(output: str) -> None:
    assert _SHOWN in output
    assert not [each for each in output if not (each.isprintable() or each == "\n")]


def test_stored_text_is_shown_with_its_control_characters_made_visible(run_here: RunHere, database_url: str) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url}

    def run(*arguments: str) -> str:
        done = run_here(*arguments, variables=here)
        assert done.code == 0, done.errors
        return done.output

    run("organisation", "create", "Platform")
    client_id = run("application", "create", "Ledger", "--organisation", "1", "--kind", "public",
                    "-p", "redirect_uris=https://a.example/cb").split()[2]
    number = run("merchant", "create", "1", "--name", "Shoes").split()[0]
    run("ussd-service", "add", "714", "1", "--url", "http://127.0.0.1/ussd", "--set", "callback_allow_private=true")
    delivery_id = asyncio.run(_spoil(database_url))
    for arguments in (("organisation", "list"), ("application", "list", "--organisation", "1"),
                      ("application", "show", client_id), ("merchant", "list"), ("merchant", "show", number),
                      ("ussd-service", "list"), ("ussd-service", "errors"), ("callbacks", "list"),
                      ("callbacks", "show", delivery_id.hex), ("payments", "differences")):
        _checked(run(*arguments))


def test_a_refusal_and_a_bad_row_are_shown_so_too(run_here: RunHere, database_url: str, tmp_path: Path) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url}
    refused = run_here("organisation", "create", "Platform", "--set", f"{_HOSTILE}=1", variables=here)
    assert refused.code == 2
    assert not [each for each in refused.errors if not (each.isprintable() or each == "\n")]
    file = tmp_path / "products.jsonl"
    file.write_text('{"product_code": "A", "name": "a", "x\\u001b[2J\\r\\u202eend": 1}\n')
    _checked(run_here("import", "products", str(file), "--dry-run", variables=here).output)


def test_the_receiver_for_trials_shows_what_it_gets_and_knows_either_signature() -> None:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    old, new = new_secret(), new_secret()
    process = subprocess.Popen(
        [sys.executable, "-m", "makola", "callbacks", "listen", str(port), "--secret", old], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert str(port) in process.stdout.readline()
        body = f"a{_HOSTILE}".encode()
        headers = signature_headers(new, "1", 1_700_000_000, body, previous_secret=old)
        for sent in (headers, headers | {"webhook-signature": headers["webhook-signature"].split(" ")[0]}):
            answer = httpx.post(f"http://127.0.0.1:{port}/report", content=body, headers=sent)
            assert answer.status_code == 200
        shown = [process.stdout.readline() for _ in range(6)]
    finally:
        process.kill()
        process.communicate()
    assert shown[1] == f"  body       a{_SHOWN}\n"
    assert [line.split()[-1] for line in (shown[2], shown[5])] == ["valid", "WRONG"]


def test_only_what_cannot_be_printed_is_changed() -> None:
    assert visible("Zoë 'п' ñ 你好 €") == "Zoë 'п' ñ 你好 €"
    assert visible(_HOSTILE) == _SHOWN
