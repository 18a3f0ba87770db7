"""Scopes: every one of the document's table, what they require, and that each endpoint asks for its own."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.api.common.asgi import Answer
from makola.api.unity.app import UnityApp
from makola.api.unity.endpoint import Endpoint
from makola.commands.scopes_page import hub_operations, scopes_page
from makola.core.applications.scopes import ALL_SCOPES, SCOPES, by_category, with_implied
from makola.core.applications.types import AnswerCasing, Application, Caller
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.wiring.unity import UNITY_ENDPOINTS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "scopes.md"

#: The table of the document, "Unity API OAuth Scopes".
DOCUMENTED = """
account.balance account.details account.invoices account.settings account.topup campaigns.assignkeyword
campaigns.create campaigns.delete campaigns.edit campaigns.read campaigns.setdefaultemail campaigns.setdefaultreply
campaigns.setforwardtomobile campaigns.setforwardtosmpp contacts.create contacts.delete contacts.edit contacts.read
groups.create groups.delete groups.edit groups.read keywords.delete keywords.edit keywords.read messages.read
messages.send msgtemplate.delete msgtemplate.create msgtemplate.edit msgtemplate.read numberplans.create
numberplans.delete numberplans.edit numberplans.read offline_access senderids.create senderids.delete senderids.edit
senderids.read
"""

#: Open to everybody who may use the Hub API at all, or asked about within the handler.
WITHOUT_PERMISSION = {
    "GET /api/v1/whoami", "GET /api/v1/country_codes", "GET /api/v1/permissions", "PATCH /api/v1/users/{user_id}",
    "GET /api/v1/users/{user_id}/permissions",
    "DELETE /api/v1/emulations/current", "DELETE /api/v1/emulations/{emulation_id}", "GET /api/v1/directory",
    "GET /api/v1/directory/{published}"}

names = st.lists(st.sampled_from(sorted(ALL_SCOPES)), max_size=8)


def test_every_documented_scope_is_there_and_no_other_says_so() -> None:
    assert [name for name, scope in SCOPES.items() if scope.is_documented] == DOCUMENTED.split()
    assert {str(permission) for permission in Permission} <= ALL_SCOPES
    for scope in SCOPES.values():
        assert scope.words == scope.words.strip() != ""
        assert set(scope.implies) <= ALL_SCOPES - {scope.name}


@given(names, names)
def test_what_is_implied(first: list[str], second: list[str]) -> None:
    found = with_implied(first)
    assert set(first) <= found <= ALL_SCOPES
    assert with_implied(found) == found
    assert with_implied([*first, *second]) == found | with_implied(second)
    assert all(set(SCOPES[name].implies) <= found for name in found)


@given(names)
def test_every_scope_is_under_one_category(wanted: list[str]) -> None:
    grouped = by_category([*wanted, "no.such.scope"])
    assert sorted(scope.name for _, scopes in grouped for scope in scopes) == sorted(set(wanted))
    assert all(scope.category == category for category, scopes in grouped for scope in scopes)


def test_sending_does_not_imply_reading() -> None:
    assert with_implied(["messages.send"]) == {"messages.send"}


@pytest.mark.parametrize("endpoint", UNITY_ENDPOINTS, ids=lambda each: f"{each.method} {each.mounts[0]}{each.path}")
async def test_every_unity_endpoint_asks_for_its_scope(endpoint: Endpoint) -> None:
    assert endpoint.scope in SCOPES
    without, alone = ALL_SCOPES - {endpoint.scope}, frozenset({endpoint.scope})
    for mount in endpoint.mounts:
        path = re.sub(r"\{[^}]*\}", "5", f"{f'/{mount}' if mount else ''}{endpoint.path}")
        refused = await call(endpoint, path, without)
        assert refused.status_code == 403
        assert endpoint.scope in refused.text
        assert (await call(endpoint, path, alone)).status_code == 299
        assert (await call(endpoint, path, None)).status_code == 299  # Basic: all the account's rights


def test_whoever_may_send_money_may_not_say_where_accounts_pay_out() -> None:
    scopes = {f"{each.method} {each.path.partition('{account_number}')[2]}": each.scope for each in UNITY_ENDPOINTS
              if each.path.startswith("/merchantaccount/merchants")}
    assert [name for name, scope in scopes.items() if scope == "merchants.edit"] == [
        "POST ", "PUT ", "POST /documents"]
    assert [name for name, scope in scopes.items() if scope == "payments.send"] == [
        "POST /send/mobilemoney", "POST /payouts"]
    assert "merchants.edit" not in with_implied(["payments.send", "payments.receive", "payments.refund"])


def test_every_hub_endpoint_names_a_permission_or_is_open_on_purpose() -> None:
    operations = list(hub_operations())
    named = {f"{method} {path}": permission for path, method, permission in operations}
    assert len(operations) > 60
    assert {name for name, permission in named.items() if not permission} <= WITHOUT_PERMISSION
    assert {permission for permission in named.values() if permission} <= ALL_SCOPES


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == scopes_page(), (
        "write it anew: ./dev makola application scopes --markdown > docs/reference/scopes.md")


class _Everybody:
    """Credentials that are always right, with the scopes that the test wants."""

    def __init__(self, scopes: frozenset[str] | None) -> None:
        self.scopes = scopes

    async def caller(self, _scope: object, _query: Mapping[str, object]) -> Caller:
        return Caller(Actor(2, (1, 2), 1, self.scopes, "GH", "GMT"),
                      Application(1, 2, "Test", "c", AnswerCasing.PASCAL, False))


async def _answer(_context: object, _request: object) -> Answer:
    return Answer(299, msgspec.json.encode({}))


async def call(endpoint: Endpoint, path: str, scopes: frozenset[str] | None) -> httpx.Response:
    nothing: Any = None
    credentials: Any = _Everybody(scopes)
    app: Any = UnityApp(nothing, credentials, [replace(endpoint, handler=_answer)], max_body_bytes=1000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://unity.test") as http:
        return await http.request(endpoint.method, path, json={} if endpoint.reads_body else None)
