"""`makola keys`: the pair of signing keys is made, listed and rotated."""

from pathlib import Path

from tests.cli.conftest import RunHere


def test_keys_are_rotated_and_listed(run_here: RunHere, database_url: str, tmp_path: Path) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url, "MAKOLA_DATA_DIRECTORY": str(tmp_path / "data")}
    assert run_here("keys", "list", variables=here).output == ""
    assert run_here("keys", "rotate", variables=here).output.startswith("The new keys sign from ")
    first = [line.split() for line in run_here("keys", "list", variables=here).output.splitlines()]
    assert sorted(words[1] for words in first) == ["ES256", "RS256"]
    assert (tmp_path / "data" / "sealing.key").stat().st_mode & 0o777 == 0o600
    run_here("keys", "rotate", variables=here)
    both = run_here("keys", "list", variables=here).output
    assert len(both.splitlines()) == 4
    assert both.count("published until") == 2
    run_here("keys", "rotate", "--now", variables=here)
    last = run_here("keys", "list", variables=here).output.splitlines()
    assert len(last) == 2
    assert not {line.split()[0] for line in last} & {words[0] for words in first}


def test_a_sealing_key_that_is_none_is_said_in_one_line(run_here: RunHere, database_url: str) -> None:
    wrong = run_here("keys", "rotate", variables={"MAKOLA_DATABASE_URL": database_url, "MAKOLA_SEALING_KEY": "short"})
    assert wrong.code == 2
    assert "sealing_key" in wrong.errors
