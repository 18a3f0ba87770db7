"""Answers and document agree: every answer of a walk through the API is checked against what the document says."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import jsonschema_rs
import pytest

from tests.hub.test_idor import OPERATIONS, Operation
from tests.hub.things import FACTORIES, PRIVATE, SHARED, body_of
from tests.hub.world import Hub

#: Nobody here has the token of an emulation (see test_emulation), or an order that needs attention or was accepted
#: (tests/ordering).
_NEVER_DONE_HERE = {"end_current_emulation", "resubmit_order", "ship_order", "complete_order"}
_DEEDS_OF_THE_TOP = {"accept_order", "put_order_aside", "fail_order"}
#: For the platform's owner, or for what he has published (tests/applications).
_NEVER_DONE_HERE |= {"suspend_application", "resume_application", "change_application_roles", "unpublish_application",
                     "get_directory_entry", "list_submissions", "get_submission", "approve_submission",
                     "reject_submission"}


class Checker:
    """Checks answers against an OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._patterns = [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + r"\Z"), path)
                          for path in sorted(document["paths"], key=lambda path: path.count("{"))]

    def check(self, answer: httpx.Response) -> None:
        path = next(path for pattern, path in self._patterns if pattern.match(answer.request.url.path))
        operation = self._document["paths"][path][answer.request.method.lower()]
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{answer.request.method} {path} does not say: {answer.status_code}"
        if "content" not in described:
            assert answer.content == b""
            return
        [(media_type, content)] = described["content"].items()
        assert answer.headers["content-type"].partition(";")[0] == media_type
        jsonschema_rs.Draft202012Validator(
            {"components": self._document["components"], **content["schema"]}, validate_formats=True,
        ).validate(answer.json())


async def answers_of(hub: Hub, operation: Operation) -> list[httpx.Response]:
    path = operation.path
    if operation.parameters in SHARED:
        path = re.sub(r"\{[^}]*\}", "1", path)
    elif operation.parameters:
        owner = hub["c" if operation.parameters in PRIVATE else "d"]
        for name, value in (await FACTORIES[operation.parameters](hub, owner)).items():
            path = path.replace("{" + name + "}", value)
    body = await body_of(operation.operation_id, hub, hub["d"]) if operation.has_body else None
    doer = "platform" if operation.operation_id in _DEEDS_OF_THE_TOP else "c"
    answers = [await hub.call(doer, operation.method, path, json=body),
               await hub.call(None, operation.method, path)]
    if operation.has_body:
        answers += [await hub.call("c", operation.method, path, content=content) for content in (
            b"{", b"[]", b'{"nonsense": 1}', b'{"name": 5}')]
        plain = {"Content-Type": "text/plain"}
        answers.append(await hub.call("c", operation.method, path, content=b"x", headers=plain))
        answers.append(await hub.call("c", operation.method, path, content=b"x" * 200_000))
    if operation.is_list:
        answers += [await hub.call("platform", "GET", path),
                    await hub.call("c", "GET", f"{path}?per_page=0"), await hub.call("c", "GET", f"{path}?page=2")]
    if operation.parameters:
        answers.append(await hub.call("c2", operation.method, path, json=body))
    return answers


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.operation_id)
async def test_answers_are_as_the_document_says(shop_hub: Hub, operation: Operation) -> None:
    checker = Checker(shop_hub.app.document)
    answers = await answers_of(shop_hub, operation)
    await shop_hub.call("platform", "POST", f"/organisations/{shop_hub['d'].id}/resume")
    for answer in answers:
        checker.check(answer)
    assert answers[0].status_code < 300 or operation.operation_id in _NEVER_DONE_HERE, answers[0].text


def test_the_checker_finds_a_difference() -> None:
    checker = Checker({"paths": {"/a/{id}": {"get": {"responses": {"200": {"content": {"application/json": {
        "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Each"}}}}}}}}},
        "components": {"schemas": {"Each": {"type": "object", "required": ["id"]}}}})
    request = httpx.Request("GET", "http://hub.test/a/5")
    checker.check(httpx.Response(200, json=[{"id": 1}], request=request))
    for wrong in (httpx.Response(200, json=[{}], request=request), httpx.Response(201, json=[], request=request)):
        with pytest.raises(Exception, match=r"required|does not say"):
            checker.check(wrong)
