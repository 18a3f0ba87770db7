"""`makola application …`: from a first secret to the directory, without a browser."""

import re

import pytest

from tests.cli.conftest import RunHere


def test_the_life_of_an_application(run_here: RunHere, database_url: str) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url}

    def application(*arguments: str) -> str:
        done = run_here("application", *arguments, variables=here)
        assert done.code == 0, done.errors
        return done.output

    run_here("organisation", "create", "Platform", variables=here)
    run_here("organisation", "create", "Maker", "--parent", "1", variables=here)
    private = application("create", "Shop", "--organisation", "2", "--camel")
    assert re.fullmatch(r"client id      [-0-9a-f]{36}\nclient secret  [-\w]{43}\n", private)
    made = application(
        "create", "Ledger", "--organisation", "2", "--kind", "public", "-p", "redirect_uris=https://a.example/cb",
        "-p", "requested_scopes=messages.read contacts.edit", "-p", "category=Finance")
    client_id = made.split()[2]
    missing = run_here("application", "submit", client_id, variables=here)
    assert (missing.code, "access URL" in missing.errors) == (2, True)
    for wrong in ("\N{SUPERSCRIPT TWO}", "9" * 30, "soon"):
        refused = run_here("application", "change", client_id, "-p", f"access_token_lifetime_s={wrong}", variables=here)
        assert (refused.code, "access_token_lifetime_s is a number of seconds" in refused.errors) == (2, True)
    application("change", client_id, "-p", "access_url=https://a.example/", "-p", "short_description=Books.",
                "-p", "terms_url=https://a.example/t", "-p", "privacy_url=https://a.example/p",
                "-p", "publisher_name=Ledger Ltd", "-p", "publisher_email=a@a.example", "-p", "offline_access=yes")
    assert application("submit", client_id) == "Submission 1 waits for a review.\n"
    assert "Ledger  (Ledger Ltd)" in application("reviews")
    assert application("approve", "1") == "Ledger is in the directory.\n"
    shown = application("show", client_id)
    for words in ("partner", "contacts.edit", "submission 1               approved", "secret "):
        assert words in shown
    rotated = application("rotate", client_id, "--overlap", "60")
    assert re.fullmatch(r"client secret  [-\w]{43}\n", rotated)
    secrets = re.findall(r"secret (\d+)", application("show", client_id))
    assert len(secrets) == 2
    application("revoke-secret", client_id, secrets[-1])
    assert len(re.findall(r"secret (\d+)", application("show", client_id))) == 1
    application("suspend", client_id, "--reason", "Spam.")
    assert "suspended" in application("list", "--organisation", "2")
    application("resume", client_id)
    application("unpublish", client_id)
    application("close", client_id, "--yes")
    assert client_id not in application("list", "--organisation", "2")
    refused = run_here("application", "change", client_id, "-p", "name=Again", variables=here)
    assert (refused.code, refused.errors) == (2, "makola: This application was closed.\n")


def test_a_trusted_application_and_its_roles(run_here: RunHere, database_url: str) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url}
    run_here("organisation", "create", "Platform", variables=here)
    made = run_here("application", "create", "Portal", "--organisation", "1", "--kind", "trusted", "-p",
                    "installed_by_default=yes", "-p", "access_token_lifetime_s=600", variables=here)
    client_id = made.output.split()[2]
    assert run_here("application", "roles", client_id, "cashier=Takes money.", "manager", variables=here).code == 0
    for wrong in ("nonsense=1", "installed_by_default=maybe", "access_token_lifetime_s=long", "name"):
        assert run_here("application", "change", client_id, "-p", wrong, variables=here).code == 2
    assert "messages.send" in run_here("application", "scopes").output


def test_every_application_is_listed_however_many_there_are(
        run_here: RunHere, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makola.commands.applications._PAGE", 2)
    here = {"MAKOLA_DATABASE_URL": database_url}
    run_here("organisation", "create", "Platform", variables=here)
    assert run_here("application", "list", "--organisation", "1", variables=here).output == ""
    for number in range(5):
        run_here("application", "create", f"Shop {number}", "--organisation", "1", variables=here)
        listed = run_here("application", "list", "--organisation", "1", variables=here).output.splitlines()
        assert [line.split("  ")[-1] for line in listed] == [f"Shop {each}" for each in range(number + 1)]
