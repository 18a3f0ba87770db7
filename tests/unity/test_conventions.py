"""The conventions that decide interoperability: paths, names, bodies, values, credentials, answers."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makola.api.unity import values
from makola.api.unity.errors import UnityError
from makola.core.applications.types import AnswerCasing
from makola.core.messaging.routing import set_route
from tests.unity.asgi_client import Client
from tests.unity.hub import Hub, Tenant, ahead, eventually, new_number

_FORM = "application/x-www-form-urlencoded"
_SEND_ANSWER = ["Status", "MessageId", "Rate", "NetworkId"]
_MESSAGE = ["MessageId", "Type", "From", "To", "Content", "Direction", "Time", "UpdateTime", "NetworkId", "Units",
            "Rate", "Status", "ClientReference", "RegisteredDelivery", "FlashMessage", "Udh", "BillingInfo"]


@pytest.mark.parametrize("target", [
    "/v1/messages", "/v1/messages/", "//v1//messages", "/v1//messages//", "/v3/messages", "/v3//messages/send/",
    "/v1/messages/send", "/v1/Messages/SEND", "///v3/messages"])
async def test_slashes_and_mount_points(busy: Tenant, target: str) -> None:
    reply = await busy.client.post(target, From="Makola", To=new_number(), Content="Hello")
    assert reply.outcome == (201, 0)
    version = re.search(r"v[13]", target)
    assert version is not None
    assert reply.headers["location"] == f"http://hub.test/{version[0]}/messages/{reply.json['MessageId']}"


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
async def test_the_quick_send_is_under_all_three_versions(tenant: Tenant, version: str) -> None:
    reply = await tenant.client.get(f"/{version}/messages/send/", From="Makola", To=new_number(), Content="Hello")
    assert reply.outcome == (200, 0)
    assert "location" not in reply.headers


async def test_a_location_can_be_followed(tenant: Tenant) -> None:
    reply = await tenant.send()
    target = reply.headers["location"].removeprefix("http://hub.test")
    assert (await tenant.client.get(target)).json["MessageId"] == reply.json["MessageId"]


@pytest.mark.parametrize("names", [
    ("From", "To", "Content", "ClientReference"), ("from", "to", "content", "clientreference"),
    ("FROM", "TO", "CONTENT", "CLIENTREFERENCE"), ("fRoM", "tO", "cOnTeNt", "clientReference")])
@pytest.mark.parametrize("way", ["json", "form", "url"])
async def test_names_are_read_in_any_case(busy: Tenant, way: str, names: tuple[str, str, str, str]) -> None:
    number = new_number()
    given_values = dict(zip(names, ("Makola", number, "Any case", "ref"), strict=True))
    if way == "json":
        reply = await busy.client.send_json("POST", "/v1/messages", given_values)
    elif way == "form":
        reply = await busy.client.form("POST", "/v1/messages", **given_values)
    else:
        reply = await busy.client.get("/v1/messages/send", **given_values)
    message = await busy.message(reply.json["MessageId"])
    assert (message["From"], message["To"], message["Content"], message["ClientReference"]) == (
        "Makola", number, "Any case", "ref")


@pytest.mark.parametrize("names", [("ClientId", "ClientSecret"), ("ClientID", "ClientSecret"),
                                   ("clientid", "clientsecret"), ("CLIENTID", "CLIENTSECRET")])
async def test_credentials_in_the_url_on_every_endpoint(tenant: Tenant, names: tuple[str, str]) -> None:
    anonymous = Client(tenant.client.asgi)
    query = f"?{names[0]}={tenant.client.client_id}&{names[1]}={tenant.client.client_secret}"
    good = {"From": "Makola", "To": new_number(), "Content": "Hello", "Time": ahead(days=30)}
    sent = await anonymous.send_json("POST", f"/v1/messages{query}", good)
    assert sent.outcome == (201, 0)
    target = f"/v1/messages/{sent.json['MessageId']}{query}"
    assert (await anonymous.get(target)).status == 200
    assert (await anonymous.get(f"/v1/messages{query}&pending=true")).json["Count"] == 1
    assert (await anonymous.put(target, Time=ahead(days=29))).outcome == (200, 0)
    assert (await anonymous.post(target, Time=ahead(days=29))).outcome == (201, 0)
    assert (await anonymous.delete(target)).outcome == (200, 0)
    assert (await anonymous.get(f"/v1/account/settings{query}")).status == 200
    assert tenant.client.client_secret.encode() not in sent.body


async def test_the_scheme_of_the_credentials_is_read_in_any_case(tenant: Tenant) -> None:
    headers = dict(tenant.client._headers(None, None))
    basic = headers[b"authorization"].decode()
    for scheme in ("Basic", "basic", "BASIC"):
        client = replace(tenant.client, authorization=basic.replace("Basic", scheme))
        assert (await client.get("/v1/messages")).status == 200


async def test_wrong_credentials_in_the_header_are_not_saved_by_good_ones_in_the_url(tenant: Tenant) -> None:
    client = replace(tenant.client, in_url=True, authorization="Basic eDp5")
    assert (await client.get("/v1/messages")).outcome == (401, 401)


async def test_unknown_null_and_read_only_fields_are_ignored(tenant: Tenant) -> None:
    number = new_number()
    reply = await tenant.client.post(
        "/v1/messages", From="Makola", To=number, Content="Hello", Udh=None, Time=None, Type=None, FlashMessage=None,
        ClientReference=None, RegisteredDelivery=None, BillingInfo=None, MessageId="0" * 32, Status="Delivered",
        Rate=0, Units=99, NetworkId="0", Direction="in", UpdateTime="2013-01-01 00:00:00", Nonsense={"a": [1, None]})
    assert reply.outcome == (201, 0)
    message = await tenant.message(reply.json["MessageId"])
    assert message["MessageId"] != "0" * 32
    assert {name: message[name] for name in ("Rate", "Units", "NetworkId", "Direction", "Type", "Udh")} == {
        "Rate": 1, "Units": 1, "NetworkId": "62001", "Direction": "out", "Type": 0, "Udh": ""}


async def test_what_a_client_read_can_be_sent_again(tenant: Tenant) -> None:
    """A client that fills its own object from an answer and posts it whole is understood."""
    message = await tenant.message(await tenant.sent("Hello", ClientReference="once"))
    again = await tenant.client.send_json("POST", "/v1/messages", message | {"Time": ""})
    assert again.outcome == (201, 0)
    assert again.json["MessageId"] != message["MessageId"]


@pytest.mark.parametrize(("word", "other"), [
    ("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("1", "0"), ("Yes", "No"), ("yes", "no"), (True, False),
    (1, 0), ("true", ""), ("true", None)])
async def test_yes_and_no_in_every_way(busy: Tenant, word: object, other: object) -> None:
    reply = await busy.send(RegisteredDelivery=word, FlashMessage=other)
    message = await busy.message(reply.json["MessageId"])
    assert (message["RegisteredDelivery"], message["FlashMessage"]) == (True, False)


@pytest.mark.parametrize(("written", "read"), [
    ("%2B233241234567", "+233241234567"), ("+233241234567", "+233241234567"), ("%20233241234567", "+233241234567"),
    ("233241234567", "+233241234567"), ("0241234567", "+233241234567"), ("00233241234567", "+233241234567"),
    ("024%20123%204567", "+233241234567"), ("%2B233-24-123-4567", "+233241234567"), ("+233 24 123", None)])
async def test_recipients_as_they_come_in_a_query_and_a_form(busy: Tenant, written: str, read: str | None) -> None:
    values_ = f"From=Makola&Content=x&To={written}"
    quick = await busy.client.request("GET", f"/v1/messages/send?{values_}".replace(" ", "%20"))
    form = await busy.client.request("POST", "/v1/messages", values_.encode(), _FORM)
    for reply in (quick, form):
        if read is None:
            assert reply.outcome == (400, 1)
        else:
            assert (await busy.message(reply.json["MessageId"]))["To"] == read


async def test_a_sender_s_plus_sign_survives_a_query(tenant: Tenant) -> None:
    reply = await tenant.client.request(
        "GET", f"/v1/messages/send?From=+233201234567&Content=x&To={new_number().replace('+', '%2B')}")
    assert (await tenant.message(reply.json["MessageId"]))["From"] == "+233201234567"


async def test_a_national_number_is_read_by_the_account_s_country(hub: Hub) -> None:
    tenant = await hub.tenant(network_id="*")
    assert (await tenant.send(to="773-409-4910")).outcome == (400, 1)
    assert (await tenant.send(to="+17734094910")).outcome == (400, 4)
    async with hub.database.transaction() as connection:
        await set_route(connection, "310", "sandbox")

    async def is_routed() -> bool:
        return (await tenant.send(to="+17734094910")).outcome == (201, 0)

    await eventually(is_routed)
    assert (await tenant.client.put("/v1/account/settings", CountryCode="us")).json["CountryCode"] == "US"
    reply = await tenant.send(to="773-409-4910")
    assert reply.outcome == (201, 0), reply.body
    message = await tenant.message(reply.json["MessageId"])
    assert (message["To"], message["NetworkId"]) == ("+17734094910", "310")
    assert (await tenant.send(to="0241234567")).outcome == (400, 1)


async def test_ids_dashed_or_not_and_in_any_case(tenant: Tenant) -> None:
    message_id = await tenant.sent()
    assert re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", message_id)
    dashed = "-".join((message_id[:8], message_id[8:12], message_id[12:16], message_id[16:20], message_id[20:]))
    for written in (message_id, dashed, message_id.upper(), dashed.upper()):
        assert (await tenant.message(written))["MessageId"] == message_id


@pytest.mark.parametrize("body", [b"To=nonsense&From=&limit=0", b"\xff\xff", b"{", b"x" * 2_000_000])
async def test_a_body_on_a_get_or_a_delete_is_ignored(tenant: Tenant, body: bytes) -> None:
    sent = await tenant.sent(Time=ahead(days=30))
    assert (await tenant.client.request("GET", f"/v1/messages/{sent}", body, _FORM)).status == 200
    assert (await tenant.client.request("GET", "/v1/messages?limit=7", body, _FORM)).json["Limit"] == 7
    assert (await tenant.client.request("DELETE", f"/v1/messages/{sent}", body, _FORM)).outcome == (200, 0)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
                                          "text/json", "application/vnd.api+json", None])
async def test_content_types_that_are_json(busy: Tenant, content_type: str | None) -> None:
    body = json.dumps({"From": "Makola", "To": new_number(), "Content": "Hello"}).encode()
    assert (await busy.client.request("POST", "/v1/messages", body, content_type)).outcome == (201, 0)


@pytest.mark.parametrize("content_type", [_FORM, f"{_FORM}; charset=UTF-8", None])
async def test_content_types_that_are_forms(busy: Tenant, content_type: str | None) -> None:
    body = f"From=Makola&To={new_number()}&Content=caf%C3%A9+%26+more&Content=last&nothing&=".encode()
    reply = await busy.client.request("POST", "/v1/messages", body, content_type)
    assert (await busy.message(reply.json["MessageId"]))["Content"] == "last"


@pytest.mark.parametrize("text", ["plain", "a+b=c&d", "% 100%", "Größe €", "日本語", "👩‍👩‍👧",
                                  "line\nbreak\ttab", "  spaces  "])
async def test_content_survives_every_way_in(busy: Tenant, text: str) -> None:
    good = {"From": "Makola", "To": new_number(), "Content": text}
    for reply in (await busy.client.post("/v1/messages", **good),
                  await busy.client.get("/v1/messages/send", **good),
                  await busy.client.form("POST", "/v1/messages/send", **good)):
        assert (await busy.message(reply.json["MessageId"]))["Content"] == text


async def test_numbers_where_texts_are_wanted(tenant: Tenant) -> None:
    reply = await tenant.client.post("/v1/messages", From=1400, To=233241234567, Content=42, ClientReference=1234)
    message = await tenant.message(reply.json["MessageId"])
    assert (message["From"], message["To"], message["Content"], message["ClientReference"]) == (
        "1400", "+233241234567", "42", "1234")
    assert reply.json["ClientReference"] == "1234"


async def test_the_keys_of_a_send_answer(tenant: Tenant) -> None:
    without = await tenant.send()
    assert list(without.json) == _SEND_ANSWER
    with_reference = await tenant.send(ClientReference="1234")
    assert list(with_reference.json) == [*_SEND_ANSWER, "ClientReference"]
    assert with_reference.json | {"MessageId": ""} == {
        "Status": 0, "MessageId": "", "Rate": 1, "NetworkId": "62001", "ClientReference": "1234"}
    assert '"Rate":1,' in with_reference.body.decode()


async def test_the_keys_of_a_message_are_the_reference_s_and_detail(tenant: Tenant) -> None:
    message_id = await tenant.sent(
        "68656C6C6F", Type=1, Udh="06050415811581", ClientReference="ref", BillingInfo="cost centre",
        RegisteredDelivery=True)
    message = await tenant.reaches(message_id, "Delivered")
    assert list(message) == [*_MESSAGE, "Detail"]
    expected: dict[str, Any] = {
        "MessageId": message_id, "Type": 1, "From": "Makola", "Content": "68656C6C6F", "Direction": "out",
        "NetworkId": "62001", "Units": 1, "Rate": 1, "Status": "Delivered", "ClientReference": "ref",
        "RegisteredDelivery": True, "FlashMessage": False, "Udh": "06050415811581", "BillingInfo": "cost centre"}
    assert {name: message[name] for name in expected} == expected
    for name in ("Time", "UpdateTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", message[name])


async def test_the_keys_of_a_list(tenant: Tenant) -> None:
    await tenant.sent()
    page = (await tenant.client.get("/v1/messages")).json
    assert list(page) == ["Messages", "Count", "TotalPages", "Index", "Limit"]
    assert list(page["Messages"][0]) == [*_MESSAGE, "Detail"]


async def test_the_keys_of_the_settings(tenant: Tenant) -> None:
    before = (await tenant.client.get("/v1/account/settings")).json
    assert before["AccountId"] == str(tenant.organisation_id)
    changed = await tenant.client.put("/v1/account/settings", emailDailySummary="Yes", TimeZone=None)
    assert changed.json == before | {"EmailDailySummary": True}
    assert (await tenant.client.get("/v3/account/settings/")).json == changed.json


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_delivery_report_has_the_seed_s_event_data(hub: Hub, method: str) -> None:
    tenant = await hub.tenant()
    chosen = await tenant.client.post("/v1/account/settings", DeliveryReportNotificationMethod=method.lower(),
                                      DeliveryReportNotificationUrl="http://127.0.0.1:9/reports")
    assert chosen.json["DeliveryReportNotificationMethod"] == method
    number = new_number()
    wanted = await tenant.sent(to=number, RegisteredDelivery=True, ClientReference="a&b")
    for message_id in (wanted, await tenant.sent(), await tenant.sent(RegisteredDelivery="No")):
        await tenant.reaches(message_id, "Delivered")
    (row,) = await hub.database.fetch(
        "SELECT method, query, subject_id FROM callbacks.delivery WHERE organisation_id = $1", tenant.organisation_id)
    assert (row["method"], row["subject_id"].hex) == (method, wanted)
    assert parse_qsl(row["query"]) == [("From", "Makola"), ("To", number), ("MessageId", wanted),
                                       ("ClientReference", "a&b"), ("Status", "Delivered")]


async def test_units_and_rate_follow_the_segments(hub: Hub) -> None:
    tenant = await hub.tenant(prices=(0.25,))
    reply = await tenant.send("x" * 161)
    assert reply.json["Rate"] == 0.5
    message = await tenant.message(reply.json["MessageId"])
    assert (message["Units"], message["Rate"]) == (2, 0.5)


async def test_camel_casing_for_answers_and_refusals_of_a_send(hub: Hub) -> None:
    tenant = await hub.tenant(casing=AnswerCasing.CAMEL)
    good = {"From": "Makola", "To": new_number(), "Content": "Hello", "ClientReference": "1234"}
    for reply in (await tenant.client.post("/v1/messages", **good),
                  await tenant.client.get("/v1/messages/send", **good),
                  await tenant.client.post("/v1/messages/send", **good)):
        assert list(reply.json) == [
            "rate", "messageId", "status", "networkId", "clientReference", "statusDescription"]
        assert reply.json["status"] == 0
    for refused in (await tenant.client.post("/v1/messages", **good | {"To": "x"}),
                    await tenant.client.get("/v1/messages/send", **good | {"To": "x"})):
        assert refused.status == 400
        assert list(refused.json) == ["status", "statusDescription"]
        assert refused.json["status"] == 1
    malformed = await tenant.client.request("POST", "/v1/messages", b"{", "application/json")
    assert malformed.json["status"] == 100
    message_id = (await tenant.client.post("/v1/messages", **good)).json["messageId"]
    assert list((await tenant.client.get(f"/v1/messages/{message_id}")).json) == [*_MESSAGE, "Detail"]


async def test_answers_outside_the_family_are_json_too(tenant: Tenant) -> None:
    for target in ("/nothing", "/v9/messages"):
        reply = await tenant.client.request("GET", target)
        assert reply.status == 404
        assert reply.json


@settings(deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)))
def test_no_value_breaks_a_reader(value: object) -> None:
    """Each reader answers with its type, or refuses; nothing else happens whatever JSON can say."""
    read = {"x": value}
    for reader, kind in (
            (lambda: values.text(read, "x", field="x"), str),
            (lambda: values.boolean(read, "x", field="x"), bool),
            (lambda: values.integer(read, "x", field="x", default=0, least=0, most=2), int),
            (lambda: values.time(read, "x", field="x", zone="GMT") or "", object)):
        try:
            assert isinstance(reader(), kind)
        except UnityError as refusal:
            assert refusal.detail


