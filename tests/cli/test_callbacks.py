"""`makola callbacks`: the secret that signs, and its rotation."""

import re

from tests.cli.conftest import RunHere


def test_the_operator_rotates_the_secret_that_signs(run_here: RunHere, database_url: str) -> None:
    here = {"MAKOLA_DATABASE_URL": database_url}
    run_here("organisation", "create", "Platform", variables=here)
    first = run_here("callbacks", "secret", "1", variables=here).output
    assert re.fullmatch(r"whsec_\S+\n", first)
    rotated = run_here("callbacks", "rotate-secret", "1", variables=here)
    assert re.fullmatch(r"whsec_\S+\n", rotated.output)
    assert rotated.output != first
    assert rotated.errors.startswith("Callbacks are signed with both until ")
    assert run_here("callbacks", "secret", "1", variables=here).output == rotated.output
    at_once = run_here("callbacks", "rotate-secret", "1", "--overlap", "0", variables=here)
    assert (at_once.code, at_once.errors) == (0, "")
    assert run_here("callbacks", "rotate-secret", "7", variables=here).code == 2
    assert run_here("callbacks", "rotate-secret", "1", "--overlap", "604801", variables=here).code == 2
