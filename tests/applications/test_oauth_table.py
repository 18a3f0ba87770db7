"""docs/security/oauth.md names what exists, and every section of RFC 9700 that recommends something."""

import re
from pathlib import Path

from tests.applications.world import Desk
from tests.oauth.world import code_request

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security" / "oauth.md").read_text()
SECTIONS = {"2.1", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6", *(f"4.{n}" for n in range(1, 18))}


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 60
    for file, name in named:
        assert re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file}::{name}"


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:api|core|kit|web|wiring)/[\w/.]+|settings\.py)`", PAGE)
    assert len(named) > 40
    assert [each for each in named if not (ROOT / "src" / "makola" / each).is_file()] == []


def test_every_recommendation_has_a_row_with_a_place_and_a_test() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines()
            if re.match(r"\| \d", line)]
    assert {row[0].strip("| ") for row in rows} == SECTIONS
    for row in rows:
        assert "`tests/" in row[-1], row[:2]
        assert ".py`" in " ".join(row[1:-1]), row[:2]


async def test_the_authorization_page_cannot_be_read_by_another_site(desk: Desk) -> None:
    made, ama = await desk.world.application(), await desk.world.visitor()
    _, request = code_request(made)
    for path in ("/oauth", "/oauth/token", "/.well-known/openid-configuration"):
        origin = {"Origin": "https://evil.example"}
        asked = await ama.http.get(path, params=request, headers=origin)
        before = await ama.http.options(path, headers=origin | {"Access-Control-Request-Method": "GET"})
        for answer in (asked, before):
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed is None or (path != "/oauth" and allowed == "*")
            assert "access-control-allow-credentials" not in answer.headers
