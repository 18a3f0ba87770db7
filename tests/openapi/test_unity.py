"""Schemathesis against a running server: whatever is sent, the answer is one that the document names."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import requests
import schemathesis
from schemathesis import APIOperation, Case, checks
from schemathesis.config import CacheConfig

from makola.core.messaging.types import MessageKind
from tests.openapi.unity_document import DOCUMENT, Json, child
from tests.serving import Client, Serving

AnyCase: TypeAlias = Case[APIOperation[Any, Any, Any, Any]]

_CHECKS = [
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance, checks.unsupported_method,
    checks.allow_header_conformance, checks.ignored_auth,
]
#: What a schema cannot say of a message: a letter in the sender, a length in segments, hex digits in a binary
#: message, fields that do not go together.
_BEYOND_SCHEMAS = {2, 3, 6, 7, 8}

unity = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config(cache=CacheConfig(enabled=False)))
unity.config.generation.update(max_examples=10, deterministic=True, no_shrink=True, database="none")


def test_document_is_what_the_server_gives_out(server: Serving) -> None:
    answer = requests.get(f"{server.url}/v1/openapi.json", timeout=30)
    assert answer.json() == DOCUMENT
    assert answer.headers["content-type"] == "application/json"


@unity.include(path_regex="/messages").parametrize()
def test_messages(case: AnyCase, server: Serving) -> None:
    client = server.world.merchant
    if _is_valid(case):
        _fill_in(case, server, client)
    response = case.call_and_validate(base_url=server.url, checks=_CHECKS, auth=client.pair)
    if _is_valid(case) and response.status_code == 400:
        assert response.json()["Status"] in _BEYOND_SCHEMAS, response.json()


@unity.include(path_regex="/account").parametrize()
def test_account(case: AnyCase, server: Serving) -> None:
    # An account that cannot send: the addresses that are saved here are never called.
    client = server.world.penniless
    if _is_valid(case) and "account_id" in case.path_parameters:
        case.path_parameters["account_id"] = str(client.organisation)
    response = case.call_and_validate(base_url=server.url, checks=_CHECKS, auth=client.pair)
    if _is_valid(case) and case.body:
        assert response.status_code == 200 or response.json()["Status"] == 8


def _is_valid(case: AnyCase) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _fill_in(case: AnyCase, server: Serving, client: Client) -> None:
    """Put in what the schema leaves open and the server knows: numbers that exist, times ahead, ids of messages."""
    known: dict[str, Json] = {"To": server.world.handsets[0], "Time": _ahead(), "start": _ahead(), "end": _ahead()}
    for values in (case.query, case.body):
        if isinstance(values, dict):
            values.update({name: value for name, value in known.items() if name in values})
            if values.get("Type") != MessageKind.BINARY:
                values.pop("Udh", None)
    if "message_id" in case.path_parameters:
        case.path_parameters["message_id"] = _schedule(server, client)


def _schedule(server: Serving, client: Client) -> str:
    answer = requests.post(f"{server.url}/v1/messages", auth=client.pair, timeout=30, json={
        "From": "Makola", "To": server.world.handsets[0], "Content": "Later", "Time": _ahead()})
    return str(child(answer.json())["MessageId"])


def _ahead() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%d %H:%M:%S")


@unity.include(path_regex="/merchantaccount|/onlinecheckout|/items|/transactions").parametrize()
def test_payments(case: AnyCase, server: Serving) -> None:
    if _is_valid(case) and "account_number" in case.path_parameters:
        case.path_parameters["account_number"] = server.world.merchant_account_number
    if isinstance(case.body, dict):
        case.body.update({name: server.world.merchant_account_number for name in case.body
                          if name == "merchantAccountNumber"})
    case.call_and_validate(base_url=server.url, checks=_CHECKS, auth=server.world.merchant.pair)
