"""`makola user`, `makola api-client` and `makola credit`: from an empty database to the first token."""

import asyncio
import io
import re

import argon2
import asyncpg
import pytest

from tests.cli.conftest import RunHere


def test_from_nothing_to_an_api_client(run_here: RunHere, database_url: str) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url}
    nothing = run_here("user", "create", "Ama", "ama@example.com", "--root", variables=here)
    assert (nothing.code, "makola organisation create" in nothing.errors) == (2, True)
    run_here("organisation", "create", "Platform", variables=here)
    made = run_here("user", "create", "Ama", "ama@example.com", "--admin", "--root", variables=here)
    assert made.output == "User 1 is made.\n"
    client = run_here("api-client", "create", "First", "--user", "1", variables=here)
    assert [line.split()[:2] for line in client.output.splitlines()] == [["client", "id"], ["client", "secret"]]
    run_here("organisation", "create", "Shop", "--parent", "1", variables=here)
    assert run_here("credit", "set", "2", "GBP", "1000.5", variables=here).output == (
        "Credit limit of organisation 2: 1000.5 GBP\n")
    taken = run_here("user", "create", "Kofi", "AMA@example.com", "--organisation", "2", variables=here)
    assert (taken.code, taken.errors) == (2, "makola: email: This e-mail address is taken.\n")
    assert run_here("user", "create", "Kofi", "kofi@example.com", "--organisation", "2", "--root",
                    variables=here).code == 2
    assert run_here("credit", "set", "1", "GBP", "5", variables=here).code == 2


def test_a_person_gets_a_password_an_invitation_and_a_way_back_in(
        run_here: RunHere, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url, "MAKOLA_PUBLIC_URL": "https://makola.example",
            "MAKOLA_PASSWORD_MEMORY_KIB": "64", "MAKOLA_PASSWORD_PASSES": "1"}
    run_here("organisation", "create", "Platform", variables=here)
    monkeypatch.setattr("sys.stdin", io.StringIO("seven green bicycles\r\nnot this\n"))
    made = run_here("user", "create", "Ama", "ama@example.com", "--root", "--password-stdin", variables=here)
    assert made.output == "User 1 is made.\n"
    assert _matches(database_url, "ama@example.com", "seven green bicycles")
    generated = run_here("user", "create", "Kofi", "kofi@example.com", "--generate", variables=here).output.split()[-1]
    assert _matches(database_url, "kofi@example.com", generated)
    again = run_here("user", "set-password", "KOFI@example.com", "--generate", variables=here).output.split()[-1]
    assert again != generated
    assert _matches(database_url, "kofi@example.com", again)

    for arguments, standard_input in ((("create", "X", "x@example.com", "--password-stdin"), "short\n"),
                                      (("create", "X", "x@example.com", "--password-stdin"), ""),
                                      (("create", "X", "x@example.com", "--password-stdin", "--generate"), "x"),
                                      (("set-password", "kofi@example.com"), ""),
                                      (("set-password", "nobody@example.com", "--generate"), ""),
                                      (("invite", "ama@example.com"), ""),
                                      (("reset-password", "nobody@example.com"), "")):
        monkeypatch.setattr("sys.stdin", io.StringIO(standard_input))
        assert run_here("user", *arguments, variables=here).code == 2

    first = run_here("user", "invite", "esi@example.com", "--admin", variables=here).output
    second = run_here("user", "invite", "esi@example.com", variables=here).output
    reset = run_here("user", "reset-password", "ama@example.com", "--remove-second-factor", variables=here).output
    for output, page in ((first, "invitation"), (second, "invitation"), (reset, "reset")):
        assert re.match(rf"https://makola\.example/{page}/[\w-]{{43}}\nIt works once, until [\d-]+ [\d:]+ UTC\.\n\Z",
                        output)
    assert first != second


def _matches(database_url: str, email: str, password: str) -> bool:
    async def stored() -> str:
        connection = await asyncpg.connect(database_url)
        try:
            found: str = await connection.fetchval(
                'SELECT password_hash FROM identity."user" WHERE email = $1', email)
            return found
        finally:
            await connection.close()

    try:
        return argon2.PasswordHasher().verify(asyncio.run(stored()), password)
    except argon2.exceptions.VerificationError:
        return False
