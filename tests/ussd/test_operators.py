"""Operators that push over HTTP: both ready descriptions on the wire, and who is let in."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import httpx
import pytest
import pytest_asyncio

from makola.connectors.http_ussd import OperatorsFileError, read_operators
from makola.connectors.sandbox.wallet_types import FIRST_PIN
from tests.serving import Serving, serving
from tests.ussd.application import Application, answering

_SECRET = "a-secret-of-the-operator"
_FILE = f"""
[at]
description = "africas_talking"
secret = "{_SECRET}"

[aggregator]
description = "json"
secret = "{_SECRET}"
secret_header = "X-Operator-Secret"
operator = "Vodafone"
country = "GH"
fields = {{ session_id = "sid", answer_session_id = "sid", answer_text = "message" }}

[elsewhere]
secret = "{_SECRET}"
addresses = ["192.0.2.0/24"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A running server with three operators."""
    file = tmp_path_factory.mktemp("operators") / "operators.toml"
    file.write_text(_FILE)
    with serving(ussd_operators_file=str(file), log_level="info") as running:
        yield running


@pytest_asyncio.fixture
async def mapped(server: Serving, application: Application) -> Application:
    """An application behind `*711#`."""
    credentials = {"Authorization": aiohttp.encode_basic_auth(*server.world.merchant.pair)}
    async with aiohttp.ClientSession(headers=credentials) as session:
        answer = await session.get(f"{server.url}/v1/ussd/services")
        (service,) = [each for each in (await answer.json())["ServiceList"] if each["Code"] == "711"]
        changed = await session.put(f"{server.url}/v1/ussd/services/{service['Id']}", json={"Url": application.url})
        assert changed.status == 200
    await application.until_asked(server.url, server.world.handsets[0], "*711#")
    return application


def _form(session: str, text: str) -> dict[str, str]:
    return {"sessionId": session, "phoneNumber": "+254711123456", "networkCode": "63902", "serviceCode": "*711#",
            "text": text}


async def test_a_form_with_joined_text_is_answered_con_and_end(server: Serving, mapped: Application) -> None:
    mapped.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True, "ClientState": "s"},
                {"Type": "Response", "Message": "Say"}, {"Type": "Release", "Message": "Bye, Ümit"})
    session = uuid4().hex
    async with httpx.AsyncClient(base_url=f"{server.url}/operators/ussd/at") as operator:
        answers = [await operator.post(f"/{_SECRET}", data=_form(session, text))
                   for text in ("", "73915", "73915", "73915*a*b")]
    assert [answer.text for answer in answers] == ["CON PIN?", "CON Say", "CON Say", "END Bye, Ümit"]
    assert {answer.headers["content-type"] for answer in answers} == {"text/plain; charset=utf-8"}
    assert [(request["Type"], request["Message"], request["Operator"], request["Mobile"], request["ClientState"])
            for request in mapped.requests] == [
        ("Initiation", "*711#", "Safaricom", "254711123456", None),
        ("Response", "73915", "Safaricom", "254711123456", "s"),
        ("Response", "a*b", "Safaricom", "254711123456", None)]
    assert "73915" not in server.errors


async def test_a_long_code_of_a_form_is_dialled_whole(server: Serving, mapped: Application) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/operators/ussd/at") as operator:
        await operator.post(f"/{_SECRET}", data=_form(uuid4().hex, "23*1"))
    assert mapped.requests[0]["Message"] == "*711*23*1#"


async def test_json_pushes_have_types_and_ids_of_their_own(server: Serving, mapped: Application) -> None:
    mapped.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Response", "Message": "More"})
    session = uuid4().hex

    def push(number: int, kind: str, text: str = "") -> dict[str, object]:
        return {"sid": session, "requestId": number, "type": kind, "msisdn": "0244123456", "serviceCode": "*711#",
                "text": text}

    async with httpx.AsyncClient(base_url=server.url, headers={"X-Operator-Secret": _SECRET}) as operator:
        answers = [await operator.post("/operators/ussd/aggregator", json=body) for body in (
            push(1, "begin"), push(2, "continue", "1"), push(2, "continue", "1"), push(3, "end"))]
    assert [answer.json() for answer in answers] == [
        {"sid": session, "action": "continue", "message": "Menu"},
        *[{"sid": session, "action": "continue", "message": "More"}] * 2,
        {"sid": session, "action": "end", "message": ""}]
    await mapped.wait_for("Release")
    assert [(request["Type"], request["Operator"], request["Mobile"]) for request in mapped.requests] == [
        (kind, "Vodafone", "233244123456") for kind in ("Initiation", "Response", "Release")]


@pytest.mark.parametrize(("path", "headers"), [
    ("at/wrong-secret-of-somebody", {}), ("at", {}), ("nobody/" + _SECRET, {}), ("aggregator/" + _SECRET, {}),
    ("aggregator", {"X-Operator-Secret": "wrong"}), ("elsewhere/" + _SECRET, {}), ("", {}), ("at/x/y", {})])
async def test_whoever_is_not_the_operator_finds_nothing(server: Serving, path: str, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=server.url) as stranger:
        answer = await stranger.post(f"/operators/ussd/{path}", data=_form("x", ""), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_push_that_cannot_be_read_says_why(server: Serving) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers={"X-Operator-Secret": _SECRET}) as operator:
        answers = [await operator.post("/operators/ussd/aggregator", content=body) for body in (
            b"", b"[]", b'{"sid": "x", "type": "begin"}', b'{"sid": "x", "type": "jump", "msisdn": "0244123456"}',
            b'{"sid": "x", "type": "begin", "msisdn": "12"}')]
        wrong_method = await operator.get("/operators/ussd/aggregator")
    assert [(answer.status_code, answer.json()["detail"]) for answer in answers] == [
        (400, "the body is not JSON"), (400, "the body is not a JSON object"), (400, "msisdn is missing"),
        (400, "type is none of begin, initiation, start, continue, response, input, end, release, cancel, timeout"),
        (400, "msisdn is not a telephone number")]
    assert wrong_method.status_code == 405


@pytest.mark.parametrize(("content", "cause"), [
    ("[a]\nsecret = 'short'", "a secret has at least 16 characters"),
    (f"[a]\nsecret = '{_SECRET}'\ndescription = 'soap'", "no description 'soap'"),
    (f"[a]\nsecret = '{_SECRET}'\nsecert = 1", "secert"),
    (f"[a]\nsecret = '{_SECRET}'\nfields = {{ mobil = 'x' }}", "mobil"),
    (f"[a]\nsecret = '{_SECRET}'\naddresses = ['nowhere']", "nowhere"), ("[a", "not valid TOML"), ("a = 1", "[a]")])
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, content: str, cause: str) -> None:
    file = tmp_path / "operators.toml"
    file.write_text(content)
    with pytest.raises(OperatorsFileError, match=cause.replace("[", r"\[")):
        read_operators(file)


async def test_a_handset_dials_over_the_sandbox(server: Serving, mapped: Application) -> None:
    mapped.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True}, {"Type": "Response", "Message": "Ok"})
    number = server.world.handsets[0]
    async with httpx.AsyncClient(base_url=f"{server.url}/sandbox/handsets/{number}") as handset:
        dialled = (await handset.post("/ussd", json={"input": "*711#"})).json()
        answered = (await handset.post("/ussd", json={"session": dialled["session"], "input": "1234"})).json()
        cancelled = await handset.delete("/ussd")
        again = await handset.delete("/ussd")
        other = await handset.post("/ussd", json={"session": "another", "input": "1"})
    assert (dialled["text"], dialled["open"], dialled["masked"]) == ("PIN?", True, True)
    assert (answered["text"], answered["open"], answered["masked"]) == ("Ok", True, False)
    assert answered["session_id"] == mapped.requests[0]["SessionId"]
    assert [cancelled.status_code, again.status_code, other.status_code] == [204, 204, 409]
    await mapped.wait_for("Release")
    assert len(mapped.of_type("Release")) == 1


async def test_the_operators_own_errors(server: Serving, mapped: Application) -> None:
    mapped.script = lambda _: {"Type": "Response", "Message": "Menu"}
    number = server.world.handsets[1]
    shown = []
    async with httpx.AsyncClient(base_url=f"{server.url}/sandbox") as sandbox:
        async def dial(code: str = "*711#") -> None:
            shown.append((await sandbox.post(f"/handsets/{number}/ussd", json={"input": code})).json()["text"])

        await dial("711")
        for change, back in (({"deferral": True}, {"deferral": False}), ({"state": "full"}, {"state": "on"}),
                             ({"refusal": "rejected"}, {"refusal": None})):
            await sandbox.patch(f"/handsets/{number}", json=change)
            await dial()
            await sandbox.patch(f"/handsets/{number}", json=back)
        await sandbox.patch("/operator", json={"available": False})
        await dial()
        await sandbox.patch("/operator", json={"available": True})
    assert shown == ["REQUEST FAILS", "ERROR WAP", "UNABLE TO DISPLAY USSD", "ERROR AT WASP E150",
                     "SERVICE UNAVAILABLE"]
    async with httpx.AsyncClient(base_url=server.url, auth=server.world.merchant.pair) as owner:
        failures = (await owner.get("/v1/ussd/failures")).json()["FailureList"]
    begun, not_begun = (f"The operator reported this error{when}." for when in ("", " when the code was dialled"))
    assert [(failure["Code"], failure["Cause"], failure["SessionId"] is not None) for failure in failures[:4]] == [
        ("SERVICE UNAVAILABLE", not_begun, False), ("ERROR AT WASP E150", begun, True),
        ("UNABLE TO DISPLAY USSD", begun, True), ("ERROR WAP", not_begun, False)]
    async with httpx.AsyncClient(base_url=server.url) as anybody:
        page = (await anybody.get("/ussd")).text  # in the demonstration world: the platform's own errors too
    assert "<b>REQUEST FAILS</b>" in page


@pytest.mark.parametrize("query", ["sessions?mobile=%00", "sessions?error=%00", "failures?code=%00"])
async def test_nothing_that_holds_a_nul_is_looked_for(server: Serving, query: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, auth=server.world.merchant.pair) as owner:
        answer = await owner.get(f"/v1/ussd/{query}")
    assert (answer.status_code, answer.json()["Status"]) == (400, 8)


async def test_an_operator_that_goes_down_in_mid_session_ends_it(server: Serving, mapped: Application) -> None:
    mapped.script = lambda _: {"Type": "Response", "Message": "Menu"}
    number = server.world.handsets[1]
    async with httpx.AsyncClient(base_url=f"{server.url}/sandbox") as sandbox:
        dialled = (await sandbox.post(f"/handsets/{number}/ussd", json={"input": "*711#"})).json()
        await sandbox.patch("/operator", json={"available": False})
        shown = await sandbox.post(f"/handsets/{number}/ussd", json={"session": dialled["session"], "input": "1"})
        await sandbox.patch("/operator", json={"available": True})
    assert (shown.json()["text"], shown.json()["open"]) == ("SERVICE UNAVAILABLE", False)
    await mapped.wait_for("Release")
    async with httpx.AsyncClient(base_url=server.url, auth=server.world.merchant.pair) as owner:
        session = (await owner.get(f"/v1/ussd/sessions/{dialled['session_id']}")).json()
    assert "SERVICE UNAVAILABLE" in json.dumps(session)


async def test_a_payment_inside_a_session_is_approved_on_the_phone_and_told_to_the_owner(
        server: Serving, application: Application) -> None:
    number = server.world.handsets[0]
    async with answering() as shop, \
            httpx.AsyncClient(base_url=f"{server.url}/v1/ussd", auth=server.world.merchant.pair) as owner, \
            httpx.AsyncClient(base_url=f"{server.url}/sandbox/handsets/{number}") as handset:
        listed = (await owner.get("/services")).json()["ServiceList"]
        (service,) = [each for each in listed if each["Code"] == "711"]
        # Both at once: when the application is asked, the other address has come through as well.
        await owner.put(f"/services/{service['Id']}", json={"Url": application.url, "FulfilmentUrl": shop.url})
        await application.until_asked(server.url, number, "*711#")
        application.menu({"Type": "AddToCart", "Message": "Pay", "Item": {"ItemName": "Bag", "Qty": 2, "Price": 10.5}})
        dialled = (await handset.post("/ussd", json={"input": "*711#"})).json()
        assert (dialled["text"], dialled["open"]) == ("You will be asked to approve 21.00 for Bag.", False)
        prompts = (await handset.get("/prompts")).json()["prompts"]
        approved = await handset.post(f"/prompts/{prompts[-1]['id']}", json={"pin": FIRST_PIN})
        assert approved.status_code == 200, approved.text
        async with asyncio.timeout(30):
            outcome = await shop.wait_for_any()
    assert (outcome["ResponseCode"], outcome["Data"]["ClientReference"]) == ("0000", dialled["session_id"])
