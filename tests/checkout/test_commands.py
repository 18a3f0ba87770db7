"""`makola merchant …` and `makola payments …` as a person of the platform uses them."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner

from makola.commands.merchant import merchant
from makola.commands.payments import payments
from makola.kit.database import Database
from makola.kit.errors import DomainError
from tests.checkout.world import World, make_world

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


class Terminal:
    """A person at a terminal."""

    def __init__(self, url: str, data: Path, account: str, organisation_id: int) -> None:
        self.account = account
        self.organisation_id = organisation_id
        self._options = ["--set", f"database_url={url}", "--data", str(data)]
        self._url = url

    def run(self, group: click.Group, *words: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(group, [*words, *self._options], catch_exceptions=False)
        assert result.exit_code == exit_code, result.output
        return result.output

    def query(self, sql: str, *values: object) -> object:
        async def ask() -> object:
            database = await Database.connect(self._url, min_size=1, max_size=1)
            try:
                return await database.fetchval(sql, *values)
            finally:
                await database.close()

        return asyncio.run(ask())


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Iterator[Terminal]:
    """Commands run their own event loop, so the world is made in another."""
    async def make() -> World:
        database = await Database.connect(database_url, min_size=1, max_size=4)
        try:
            return await make_world(database)
        finally:
            await database.close()

    world = asyncio.run(make())
    yield Terminal(database_url, tmp_path, world.account.number, world.actor.organisation_id)


def test_a_merchant_account_from_its_making_to_its_suspension(terminal: Terminal, tmp_path: Path) -> None:
    made = terminal.run(merchant, "create", str(terminal.organisation_id), "--name", "Shoes")
    match = re.match(r"(HM\d{10})  pending", made)
    assert match is not None, made
    number = match[1]
    assert "active" in terminal.run(merchant, "activate", number)
    terminal.run(merchant, "sweep", number, "--channel", "mtn-gh", "--wallet", "0244123456", "--name", "Ama")
    with pytest.raises(DomainError):
        terminal.run(merchant, "review", number, "--approve")
    file = tmp_path / "certificate.pdf"
    file.write_bytes(PDF)
    terminal.run(merchant, "document", number, str(file), "--kind", "certificate_of_incorporation")
    assert "rejected" in terminal.run(merchant, "review", number, "--reject", "--reason", "It cannot be read.")
    terminal.run(merchant, "document", number, str(file), "--kind", "certificate_of_incorporation")
    assert "verification approved" in terminal.run(merchant, "review", number, "--approve")
    shown = terminal.run(merchant, "show", number)
    assert "+233244123456" in shown
    assert "certificate.pdf" in shown
    terminal.run(merchant, "fees", number, "--channel", "card", "--percent", "2.9", "--fixed", "0.5")
    assert terminal.query("SELECT rate_ppm FROM checkout.fee_tariff WHERE channel = 'card'") == 29_000
    assert "It sold nothing." in terminal.run(merchant, "suspend", number, "--reason", "It sold nothing.")
    listed = terminal.run(merchant, "list")
    assert {terminal.account, number} == set(re.findall(r"HM\d{10}", listed))
    assert terminal.query("SELECT count(*) FROM organisations.audit_entry WHERE subject = $1",
                          f"merchant_account:{number}") == 6


def test_differences_are_found_shown_and_resolved(terminal: Terminal) -> None:
    today = datetime.now(UTC).date().isoformat()
    agreed = terminal.run(payments, "reconcile", "--day", today, "--demo")
    assert "0 differences" in agreed
    transaction_id = uuid4()
    terminal.query(
        "INSERT INTO checkout.transaction (id, kind, state, merchant_account_id, organisation_id, application_id,"
        " provider, channel, number, name, amount_units, charges_units, currency, reason, client_reference,"
        " callback_url, secondary_callback_url, created_at)"
        " VALUES ($1, 'send', 'undecided', 1, 1, 0, 'sandbox', 'mtn-gh', '', '', 10000, 0, 'GHS', '', '', '', '',"
        " now())",
        transaction_id)
    found = terminal.run(payments, "reconcile", "--day", today, "--demo", exit_code=1)
    assert "undecided" in found
    listed = terminal.run(payments, "differences")
    assert str(transaction_id) in listed
    terminal.run(payments, "resolve", listed.split()[0], "--note", "They say that it failed.")
    assert terminal.run(payments, "differences") == "There are none.\n"
    assert "They say that it failed." in terminal.run(payments, "differences", "--all")
    assert "It is failed." in terminal.run(payments, "decide", str(transaction_id), "--failed")
    assert terminal.run(payments, "list", terminal.account).count("\n") == 1
