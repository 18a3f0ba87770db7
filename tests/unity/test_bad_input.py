"""Whatever is sent, the answer is JSON with the right sub-code, and what is refused leaves nothing behind."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unity.hub import Hub, Tenant

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_CODE_OF = {"From": 2, "To": 1, "Content": 6, "Udh": 8, "Time": 5, "ClientReference": 8, "BillingInfo": 8, "Type": 8,
            "RegisteredDelivery": 8, "FlashMessage": 8}
_TEXTS = ["From", "To", "Content", "Udh", "Time", "ClientReference", "BillingInfo"]


def _good(**values: object) -> dict[str, object]:
    return {"From": "Makola", "To": "+233241234567", "Content": "Hello"} | values


@pytest.mark.parametrize("field", _TEXTS)
@pytest.mark.parametrize("text", ["\0", "a\0b", "Hello\0"])
async def test_a_nul_in_any_text(refused: Tenant, field: str, text: str) -> None:
    before = await refused.footprint()
    values = _good(**{field: text}) | ({"Type": 1} if field == "Udh" else {})
    if field == "Udh":
        values["Content"] = "00"
    for reply in (await refused.client.post("/v1/messages", **values), await refused.client.form(
            "POST", "/v1/messages", **values), await refused.client.get("/v1/messages/send", **values)):
        assert reply.outcome == (400, _CODE_OF[field]), reply.body
    assert await refused.footprint() == before


@pytest.mark.parametrize(("added", "named"), [
    ('"To": "+233241234568"', "To"), ('"Content": "Hello"', "Content"), ('"Ignored": 1, "Ignored": 1', "Ignored"),
    ('"Ignored": {"a": 1, "a": 2}', "a")])
async def test_a_field_that_is_there_twice(refused: Tenant, added: str, named: str) -> None:
    """Readers of JSON differ in which one counts (RFC 8259 section 4): nobody is charged for the other one."""
    before = await refused.footprint()
    body = f"{json.dumps(_good())[:-1]}, {added}}}".encode()
    reply = await refused.client.request("POST", "/v1/messages", body, _JSON)
    assert reply.outcome == (400, 100)
    assert reply.json["Detail"] == f"{named}: This field is there twice."
    assert await refused.footprint() == before


async def test_a_field_that_is_spelled_in_two_ways_has_one_value(refused: Tenant, busy: Tenant) -> None:
    before = await refused.footprint()
    reply = await refused.client.request("POST", "/v1/messages", json.dumps(_good(content="Other")).encode(), _JSON)
    assert reply.outcome == (400, 100)
    assert reply.json["Detail"].endswith("This field is there twice, with two values.")
    assert await refused.footprint() == before
    for same in ({"to": _good()["To"]}, {"to": None}, {"to": ""}):
        reply = await busy.client.request("POST", "/v1/messages", json.dumps(_good() | same).encode(), _JSON)
        assert reply.status == 201, reply.json


@pytest.mark.parametrize("field", [*_TEXTS, "Type", "RegisteredDelivery", "Ignored"])
@pytest.mark.parametrize("surrogate", [r"\ud800", r"x\udfffy", r"\udc00\ud800"])
async def test_half_a_surrogate_pair_in_any_text(busy: Tenant, field: str, surrogate: str) -> None:
    before = await busy.footprint()
    body = json.dumps(_good(**{field: "MARK"})).replace("MARK", surrogate).encode()
    reply = await busy.client.request("POST", "/v1/messages", body, _JSON)
    assert reply.status == 400
    assert reply.json["Status"] in {100, _CODE_OF.get(field)}
    assert (await busy.footprint()).messages == before.messages


async def test_both_halves_of_a_surrogate_pair_are_a_character(busy: Tenant) -> None:
    body = json.dumps(_good()).replace("Hello", r"\ud83d\ude00").encode()
    reply = await busy.client.request("POST", "/v1/messages", body, _JSON)
    assert (await busy.message(reply.json["MessageId"]))["Content"] == "😀"


@pytest.mark.parametrize("field", sorted(_CODE_OF))
@pytest.mark.parametrize("value", [["x"], {"x": 1}, [], {}, 1.5, -1, [[["x"]]]])
async def test_the_wrong_type_for_each_field(refused: Tenant, field: str, value: object) -> None:
    before = await refused.footprint()
    reply = await refused.client.post("/v1/messages", **_good(**{field: value}))
    if value == -1 and field in {"ClientReference", "BillingInfo", "Content"}:
        assert reply.outcome == (201, 0)  # a number stands for its digits
        await refused.reaches(reply.json["MessageId"], "Delivered")
        return
    if field == "Udh" and value == -1:
        assert reply.outcome == (400, 7)
        return
    assert reply.outcome == (400, _CODE_OF[field]), reply.body
    assert reply.json["Detail"].startswith(field)
    assert await refused.footprint() == before


@pytest.mark.parametrize("field", [*sorted(_CODE_OF), "Ignored"])
@pytest.mark.parametrize("number", ["1" * 30, "1" * 5_000, "-" + "9" * 400, "1e400", "1e-400", "-0", "1E5", "0.1e1",
                                    "9223372036854775808", "NaN", "Infinity", "01"])
async def test_numbers_that_are_too_large_or_none(busy: Tenant, field: str, number: str) -> None:
    body = json.dumps(_good(**{field: "MARK"})).replace('"MARK"', number).encode()
    reply = await busy.client.request("POST", "/v1/messages", body, _JSON)
    assert reply.status in {201, 400}, reply.body
    if reply.status == 400:
        assert reply.json["Status"] in {100, 3, 7, _CODE_OF.get(field)}


@pytest.mark.parametrize("depth", [10, 100, 300, 600, 900, 1_000, 3_000, 100_000])
@pytest.mark.parametrize("field", ["Content", "RegisteredDelivery", "Type", "Ignored"])
@pytest.mark.parametrize("keyed", [False, True])
async def test_deep_nesting(tenant: Tenant, depth: int, field: str, keyed: bool) -> None:
    before = await tenant.footprint()
    client = tenant.client.with_headers(idempotency_key=f"{depth}{field}") if keyed else tenant.client
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        nested = opening * depth + "1" + closing * depth
        body = json.dumps(_good(**{field: "MARK"})).replace('"MARK"', nested).encode()
        reply = await client.request("POST", "/v1/messages", body, _JSON)
        if field == "Ignored" and reply.status in {201, 409}:
            continue
        assert reply.status == 400, reply.body
        assert reply.json["Status"] in {100, _CODE_OF.get(field)}
    if field != "Ignored":
        assert await tenant.footprint() == before


@pytest.mark.parametrize("body", [
    json.dumps(_good()).encode()[:length] for length in range(1, len(json.dumps(_good())), 7)])
async def test_truncated_json(refused: Tenant, body: bytes) -> None:
    assert (await refused.client.request("POST", "/v1/messages", body, _JSON)).outcome == (400, 100)


@pytest.mark.parametrize("body", [
    b"%", b"%zz=1", b"&&&&", b"=", b"From", b"From=%FF", b"From=%ED%A0%80", b"From=%C0%80", b"\x80", b"a=1&" * 300,
    b"\xef\xbb\xbfFrom=x"])
async def test_odd_forms(refused: Tenant, body: bytes) -> None:
    reply = await refused.client.request("POST", "/v1/messages", body, _FORM)
    assert reply.status == 400
    assert reply.json["Status"] in {100, 1, 2}


@pytest.mark.parametrize("query", [
    "From=%FF", "To=%ED%A0%80", "a=1&" * 300, "%00=1&From=x", "Content=%C3%28", "=&=&=", "From=" + "x" * 50_000])
async def test_odd_queries(refused: Tenant, query: str) -> None:
    reply = await refused.client.request("GET", f"/v1/messages/send?{query}")
    assert reply.status == 400
    assert reply.json["Status"] in {100, 1, 2}


@pytest.mark.parametrize("target", ["/v1/messages/\0", "/v1/\0", "/v1/messages/%F0%9F%98%80", "/v1/" + "x" * 20_000,
                                    "/v1/messages/" + "0" * 20_000, "/v1/../v1/messages", "/v1/messages/{message_id}"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_odd_paths(refused: Tenant, method: str, target: str) -> None:
    reply = await refused.client.request(method, quote(target, safe="/%"), b'{"Time": "2030-01-01 00:00"}', _JSON)
    assert reply.outcome in {(404, 404), (400, 5)}


@pytest.mark.parametrize(("name", "value"), [
    ("DeliveryReportNotificationUrl", "ftp://example.com"), ("DeliveryReportNotificationUrl", "http://"),
    ("DeliveryReportNotificationUrl", "http://a\0b"), ("DeliveryReportNotificationUrl", "javascript:alert(1)"),
    ("DeliveryReportNotificationUrl", "x" * 5_000), ("DeliveryReportNotificationMethod", "PATCH"),
    ("CountryCode", "Ghana"), ("CountryCode", "G\0"), ("CountryCode", ["GH"]), ("TimeZone", 5),
    ("EmailInvoiceReminders", "perhaps"), ("SmsMaintenance", [True])])
async def test_settings_that_cannot_be(refused: Tenant, name: str, value: object) -> None:
    before = (await refused.client.get("/v1/account/settings")).body
    for method in ("PUT", "POST"):
        reply = await refused.client.send_json(method, "/v1/account/settings", {name: value, "TimeZone": "Asia/Tokyo"}
                                              if name != "TimeZone" else {name: value})
        assert reply.outcome == (400, 8), reply.body
        assert reply.json["Detail"].lower().startswith(name.lower())
    assert (await refused.client.get("/v1/account/settings")).body == before


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30) | st.sampled_from(["true", "+233241234567", "0241234567", "2030-01-01 10:00", "00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2), max_leaves=4)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*_CODE_OF, "from", "to", "Nonsense"]), _anything), st.booleans())
async def test_anything_in_any_field(tenant: Tenant, changes: dict[str, object], whole: bool) -> None:
    before = await tenant.footprint()
    reply = await tenant.client.send_json("POST", "/v1/messages", _good(**changes) if whole else changes)
    assert reply.status in {201, 400, 402}, reply.body
    after = await tenant.footprint()
    if reply.status == 201:
        assert after.messages == before.messages + 1
        assert (await tenant.message(reply.json["MessageId"]))["Units"] >= 1
    else:
        assert (after.messages, after.keys, after.holds) == (before.messages, before.keys, before.holds)


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_answered(hub: Hub, tenant: Tenant) -> None:
    sent: list[object] = []
    pieces: list[dict[str, object]] = [
        {"type": "http.request", "body": b'{"From": "Makola", "To": "+23324', "more_body": True},
        {"type": "http.disconnect"}]

    async def receive() -> dict[str, object]:
        return pieces.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    before = await tenant.footprint()
    assert hub.runtime.asgi is not None
    await hub.runtime.asgi({
        "type": "http", "method": "POST", "path": "/v1/messages", "query_string": b"", "scheme": "http",
        "headers": [*tenant.client._headers(_JSON, None)]}, receive, send)
    assert sent == []
    assert await tenant.footprint() == before
