"""Whatever is changed through the API is written down: an entry of the audit log for every operation that changes."""

import re

import pytest

from tests.hub.test_document import _DEEDS_OF_THE_TOP, _NEVER_DONE_HERE
from tests.hub.test_idor import OPERATIONS, Operation
from tests.hub.things import FACTORIES, PRIVATE, SHARED, body_of
from tests.hub.world import Hub

#: A reseller's own baskets and orders, whose history says who did what; the entries of `/audit_log` are administration.
_WITH_A_HISTORY = {"create_basket", "change_basket", "delete_basket", "order_basket", "create_order", "cancel_order",
                   "resubmit_order"}
_CHANGING = [each for each in OPERATIONS if each.method != "GET" and each.operation_id not in
             _NEVER_DONE_HERE | _WITH_A_HISTORY and each.parameters not in SHARED]


@pytest.mark.parametrize("operation", _CHANGING, ids=lambda each: each.operation_id)
async def test_every_change_has_an_entry(shop_hub: Hub, operation: Operation) -> None:
    path = operation.path
    if operation.parameters:
        owner = shop_hub["c" if operation.parameters in PRIVATE else "d"]
        for name, value in (await FACTORIES[operation.parameters](shop_hub, owner)).items():
            path = path.replace("{" + name + "}", value)
    assert not re.search(r"\{", path)
    body = await body_of(operation.operation_id, shop_hub, shop_hub["d"]) if operation.has_body else None
    # What is as it is wanted already is no change.
    if operation.operation_id == "move_organisation":
        path = f"/organisations/{shop_hub['e'].id}/move"
    if operation.operation_id == "change_user_permissions":
        body = {"permissions": [{"permission": "user:view"}]}
    if path.endswith("/resume"):
        assert (await shop_hub.call("c", "POST", path.replace("/resume", "/suspend"))).status_code == 200
    before = await shop_hub.database.fetchval("SELECT coalesce(max(id), 0) FROM organisations.audit_entry")
    doer = "platform" if operation.operation_id in _DEEDS_OF_THE_TOP else "c"
    answer = await shop_hub.call(doer, operation.method, path, json=body)
    assert answer.status_code < 300, answer.text
    rows = await shop_hub.database.fetch(
        "SELECT user_id, action FROM organisations.audit_entry WHERE id > $1 ORDER BY id", before)
    await shop_hub.call("platform", "POST", f"/organisations/{shop_hub['d'].id}/resume")
    await shop_hub.call("platform", "POST", f"/organisations/{shop_hub['e'].id}/move",
                        json={"parent": shop_hub["d"].id})
    assert rows, "nothing is written down"
    assert rows[0]["user_id"] == shop_hub[doer].user_id
    assert re.fullmatch(r"[a-z_]+:[a-z_]+", rows[0]["action"])
