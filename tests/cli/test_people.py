"""`makola user`, `makola api-client` and `makola credit`: from an empty database to the first token."""

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
