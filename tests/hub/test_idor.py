"""Who reaches what: every route of the document, for each relation in the tree.

The administrator of `c` asks for what belongs to `c` itself, its parent, an ancestor, a sibling, a child, a descendant
and a stranger. What stands outside the subtree must answer exactly like what does not exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from makola.api.hub.app import HubApp
from makola.api.hub.context import HubContext
from tests.hub.things import FACTORIES, NOT_OF_THE_ROOT, PRIVATE, SHARED, body_of
from tests.hub.world import Hub

RELATIONS = {"self": "c", "parent": "b", "ancestor": "a", "sibling": "c2", "child": "d", "descendant": "e",
             "stranger": "stranger", "root": "platform"}
WITHIN = ("self", "child", "descendant")
REACHED = {200, 201, 202, 204}

#: What is refused within the subtree too, and why.
REFUSED_WITHIN: Mapping[tuple[str, str], int] = {
    ("change_credit", "self"): 403,            # credit is given by those above
    ("suspend_organisation", "self"): 403,     # nobody suspends, resumes or moves himself
    ("resume_organisation", "self"): 403,
    ("move_organisation", "self"): 403,
    ("start_emulation", "self"): 403,          # only downwards
    ("resubmit_order", "self"): 409,           # the order is as it should be
    ("resubmit_order", "child"): 409,
    ("resubmit_order", "descendant"): 409,
    **{(deed, relation): 403  # the organisation at the top fulfils, nobody in between
       for deed in ("accept_order", "put_order_aside", "ship_order", "complete_order", "fail_order")
       for relation in ("self", "child", "descendant")},
    **{(operation, relation): status for relation in ("self", "child", "descendant") for operation, status in (
        ("suspend_application", 403),          # by the platform's owner only
        ("resume_application", 403),
        ("change_application_roles", 400),     # of trusted applications only
        ("unpublish_application", 400))},      # it is not published
}


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    operation_id: str
    method: str
    path: str
    parameters: frozenset[str]
    has_body: bool
    is_list: bool
    filters: tuple[str, ...]


def operations() -> Iterator[Operation]:
    """Every operation that needs a token."""
    nothing: Any = None
    app = HubApp(HubContext(nothing, nothing, 1))
    paths = app.document["paths"]
    assert isinstance(paths, dict)
    for path, item in paths.items():
        for method, each in item.items():
            if each.get("security") != []:
                parameters = each.get("parameters", ())
                names = {parameter["name"]: parameter["in"] for parameter in parameters}
                ids = tuple(parameter["name"] for parameter in parameters
                            if parameter["schema"].get("items", {}).get("type") == "integer")
                yield Operation(each["operationId"], method.upper(), path.removeprefix("/api/v1"),
                                frozenset(name for name, place in names.items() if place == "path"),
                                "requestBody" in each, names.get("per_page") == "query", ids)


OPERATIONS = list(operations())
WITH_PATH = [each for each in OPERATIONS if each.parameters and each.parameters not in SHARED]
#: Those without parameters in the path, whose body names an organisation or a user.
WITH_BODY = [each for each in OPERATIONS if each.has_body and not each.parameters
             and each.operation_id in {"create_api_client", "create_application", "start_emulation",
                                       "create_organisation", "create_role", "create_user"}]


async def reach(hub: Hub, operation: Operation, word: str) -> int:
    tier = hub[word]
    path = operation.path
    if operation.parameters:
        for name, value in (await FACTORIES[operation.parameters](hub, tier)).items():
            path = path.replace("{" + name + "}", value)
    body = await body_of(operation.operation_id, hub, tier) if operation.has_body else None
    answer = await hub.call("c", operation.method, path, json=body)
    if answer.status_code == 404:
        nothing = await hub.call("c", operation.method, "/organisations/4611686018427387904")
        assert answer.json().keys() - {"errors"} == nothing.json().keys()
        assert tier.name not in answer.text
    return answer.status_code


@pytest.mark.parametrize("operation", [*WITH_PATH, *WITH_BODY], ids=lambda each: each.operation_id)
async def test_what_is_outside_does_not_exist(shop_hub: Hub, operation: Operation) -> None:
    within = ("self",) if operation.parameters in PRIVATE else WITHIN
    outside = {relation: await reach(shop_hub, operation, word) for relation, word in RELATIONS.items()
               if relation not in within and not (relation == "root" and operation.parameters in NOT_OF_THE_ROOT)}
    assert outside == dict.fromkeys(outside, 404)


@pytest.mark.parametrize("operation", [*WITH_PATH, *WITH_BODY], ids=lambda each: each.operation_id)
async def test_what_is_within_can_be_reached(shop_hub: Hub, operation: Operation) -> None:
    for relation in ("self",) if operation.parameters in PRIVATE else WITHIN:
        status = await reach(shop_hub, operation, RELATIONS[relation])
        await shop_hub.call("platform", "POST", f"/organisations/{shop_hub[RELATIONS[relation]].id}/resume")
        expected = REFUSED_WITHIN.get((operation.operation_id, relation))
        if operation.operation_id == "move_organisation" and relation == "child":
            assert status == 200  # it is there already
        elif expected is not None:
            assert status == expected, relation
        else:
            assert status in REACHED, relation


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.is_list and not each.parameters],
                         ids=lambda each: each.operation_id)
async def test_no_list_tells_of_what_is_outside(shop_hub: Hub, operation: Operation) -> None:
    for parameters, factory in FACTORIES.items():
        for word in RELATIONS.values():
            if word == "platform" and parameters in NOT_OF_THE_ROOT:
                continue
            await factory(shop_hub, shop_hub[word])
    outside = [shop_hub[word] for relation, word in RELATIONS.items() if relation not in WITHIN]
    queries = ["", *(f"?{name}={number}" for name in operation.filters for tier in outside
                     for number in (tier.id, tier.user_id))]
    for query in queries:
        answer = await shop_hub.get("c", f"{operation.path}{query}")
        if query and answer.status_code == 400:
            unknown = await shop_hub.get("c", f"{operation.path}{query.partition('=')[0]}=4611686018427387904")
            assert (unknown.status_code, unknown.json()["title"]) == (400, answer.json()["title"])
            continue
        assert answer.status_code == 200
        for tier in outside:
            assert f"{tier.word}!" not in answer.text
            assert tier.client.application.client_id not in answer.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.operation_id)
async def test_no_route_answers_without_a_token_or_without_the_permission(shop_hub: Hub,
                                                                          operation: Operation) -> None:
    path = operation.path
    for name in operation.parameters:
        path = path.replace("{" + name + "}", "1")
    nobody = await shop_hub.call(None, operation.method, path)
    assert nobody.status_code == 401
    paths = shop_hub.app.document["paths"]
    assert isinstance(paths, dict)
    described = paths[f"/api/v1{operation.path}"][operation.method.lower()]
    if "x-permission" in described:
        _, token = await shop_hub.user_of("c", email=f"{operation.operation_id}@x.example")
        refused = await shop_hub.call(None, operation.method, path, token=token)
        assert refused.status_code == 403
        assert described["x-permission"] in refused.json()["detail"]


def test_every_path_is_in_the_matrix() -> None:
    known: set[frozenset[str]] = {*FACTORIES, *SHARED, frozenset()}
    assert {each.parameters for each in OPERATIONS} <= known
