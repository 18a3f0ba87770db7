"""Who may assign a code, who may map it, who sees its sessions: over the API, the command line and the core."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from click.testing import CliRunner

from makola.cli import makola
from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.core.ussd.errors import CodeNotOwnedError, CodeTakenError, InvalidServiceError, UnknownServiceError
from makola.core.ussd.queries import list_services, list_sessions
from makola.core.ussd.service.services import add_service, change_service, remove_service
from makola.core.ussd.service_table import CHANNEL, ServiceTable
from makola.core.ussd.types import Service
from makola.kit.database import WakeUps
from makola.kit.errors import DomainError
from makola.kit.outgoing import InvalidUrlError
from tests.serving import Serving, serving
from tests.ussd.application import Application
from tests.ussd.stage import Stage


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    """A running server."""
    with serving() as running:
        yield running


async def _stranger(stage: Stage) -> Actor:
    """Return somebody beside the merchant."""
    async with stage.database.transaction() as connection:
        other = await create_organisation(connection, stage.reseller_id, name="Another")
    return replace(stage.merchant, organisation_id=other.organisation_id, chain=other.chain)


async def _add(stage: Stage, actor: Actor, code: str, owner_id: int, **given: object) -> Service:
    async with stage.database.transaction() as connection:
        service = Service(0, code, owner_id, "", stage.application.url)
        return await add_service(connection, actor, replace(service, **given), allow_private=True)  # type: ignore[arg-type]


async def test_the_platform_assigns_codes_and_owners_their_sub_codes(stage: Stage) -> None:
    owner_id, stranger = stage.merchant.organisation_id, await _stranger(stage)
    assert (await _add(stage, stage.platform, "*715#", stranger.organisation_id)).code == "715"
    assert (await _add(stage, stage.merchant, "714*23", owner_id)).code == "714*23"
    for actor, code, owner, refusal in (
            (stage.merchant, "716", owner_id, CodeNotOwnedError),
            (stranger, "714*9", stranger.organisation_id, CodeNotOwnedError),
            (stage.merchant, "715*1", owner_id, CodeNotOwnedError),
            (stage.merchant, "714*24", stranger.organisation_id, UnknownOrganisationError),
            (stage.platform, "714", owner_id, CodeTakenError),
            (stage.platform, "71a", owner_id, InvalidServiceError),
            (stage.platform, "", owner_id, InvalidServiceError)):
        with pytest.raises(refusal):
            await _add(stage, actor, code, owner)


@pytest.mark.parametrize(("given", "refusal", "field"), [
    ({"url": "ftp://x"}, InvalidUrlError, "url"), ({"fulfilment_url": "nonsense"}, InvalidUrlError, "fulfilment_url"),
    ({"resume_s": -1}, InvalidServiceError, "resume_s"), ({"secret": "short"}, InvalidServiceError, "secret"),
    ({"operators": ("",)}, InvalidServiceError, "operators"), ({"name": "n" * 201}, InvalidServiceError, "name")])
async def test_values_that_cannot_be_are_refused(stage: Stage, given: dict[str, object], refusal: type[DomainError],
                                                 field: str) -> None:
    with pytest.raises(refusal) as raised:
        await _add(stage, stage.merchant, "714*23", stage.merchant.organisation_id, **given)
    assert raised.value.field == field


async def test_a_private_address_is_refused_where_it_is_not_allowed(stage: Stage) -> None:
    async with stage.database.transaction() as connection:
        with pytest.raises(InvalidUrlError):
            await change_service(connection, stage.merchant, stage.service, allow_private=False)


async def test_a_stranger_neither_sees_nor_changes_anything(stage: Stage) -> None:
    stranger = await _stranger(stage)
    await stage.phone().dial()
    async with stage.database.transaction() as connection:
        with pytest.raises(UnknownServiceError):
            await change_service(connection, stranger, stage.service, allow_private=True)
        with pytest.raises(UnknownServiceError):
            await remove_service(connection, stranger, stage.service.service_id)
    for organisation_id, seen in ((stranger.organisation_id, 0), (stage.merchant.organisation_id, 1),
                                  (stage.reseller_id, 1), (stage.platform.organisation_id, 1)):
        assert len(await list_sessions(stage.database, organisation_ids=[organisation_id])) == seen
        assert len(await list_services(stage.database, organisation_ids=[organisation_id])) == seen


async def test_a_change_is_seen_while_everything_runs(stage: Stage, application: Application) -> None:
    table, wake_ups = ServiceTable(stage.database), WakeUps(stage.database.url)
    await table.refresh()
    woken = wake_ups.on(CHANNEL)
    wake_ups.start(())
    async with asyncio.timeout(30):
        await woken.wait()  # it listens
        woken.clear()
        added = await _add(stage, stage.platform, "720", stage.merchant.organisation_id)
        await woken.wait()
        await table.refresh()
        assert table.match("*720*1#") == replace(added, chain=stage.merchant.chain)
        woken.clear()
        async with stage.database.transaction() as connection:
            await remove_service(connection, stage.platform, added.service_id)
        await woken.wait()
        await table.refresh()
    assert table.match("*720#") is None
    await wake_ups.stop()


async def test_the_api_administers_services_and_shows_sessions_and_errors(server: Serving,
                                                                          application: Application) -> None:
    number = server.world.handsets[0]
    async with httpx.AsyncClient(base_url=f"{server.url}/v1/ussd", auth=server.world.merchant.pair) as owner, \
            httpx.AsyncClient(base_url=f"{server.url}/sandbox/handsets/{number}") as handset:
        refused = await owner.post("/services", json={"Code": "799", "Url": application.url})
        assert (refused.status_code, refused.json()["Status"]) == (403, 403)
        created = await owner.post("/services", json={
            "code": "*711*77#", "Name": "Mine", "Url": application.url, "Operators": "MTN, Vodafone",
            "ResumeSeconds": 60, "Secret": "whsec_" + "c2VjcmV0" * 6})
        assert created.status_code == 201
        service = created.json()
        assert {key: service[key] for key in ("Code", "Name", "Operators", "ResumeSeconds", "SignsRequests")} == {
            "Code": "711*77", "Name": "Mine", "Operators": ["MTN", "Vodafone"], "ResumeSeconds": 60,
            "SignsRequests": True}
        assert "c2VjcmV0" not in created.text
        again = await owner.post("/services", json={"Code": "711*77", "Url": application.url})
        assert again.status_code == 409
        application.menu({"Type": "Response", "Message": "Hello"}, b"nonsense")
        async with asyncio.timeout(30):
            while True:
                dialled = (await handset.post("/ussd", json={"input": "*711*77#"})).json()
                if dialled["text"] == "Hello":  # the change has come through
                    break
        failed = (await handset.post("/ussd", json={"session": dialled["session"], "input": "1"})).json()
        assert failed["text"].startswith("UUE: ")
        sessions = (await owner.get("/sessions", params={"ServiceId": service["Id"], "Limit": 1})).json()
        assert [(each["SessionId"], each["Error"], each["EndedBy"], each["Steps"])
                for each in sessions["SessionList"]] == [(dialled["session_id"], "UUE", "Error", 2)]
        log = (await owner.get(f"/sessions/{dialled['session_id']}")).json()
        assert [(step["Kind"], step["Message"], step["Screen"]) for step in log["StepList"]] == [
            ("Initiation", "*711*77#", "Hello"), ("Response", "1", failed["text"])]
        failures = (await owner.get("/failures", params={"ServiceId": service["Id"]})).json()
        assert failures["LastDay"] == {"UUE": 1}
        assert [(each["Code"], each["Answer"], each["HttpStatus"]) for each in failures["FailureList"]] == [
            ("UUE", "nonsense", 200)]
        changed = await owner.put(f"/services/{service['Id']}", json={"Enabled": "No", "LongText": "refuse"})
        assert [changed.json()[key] for key in ("Enabled", "LongText", "Url")] == [False, "refuse", application.url]
        wrong = await owner.put(f"/services/{service['Id']}", json={"LongText": "shout"})
        assert (wrong.status_code, wrong.json()["Status"]) == (400, 8)
        assert (await owner.delete(f"/services/{service['Id']}")).status_code == 200
        assert (await owner.get(f"/services/{service['Id']}")).status_code == 404
        assert (await owner.get("/sessions/nonsense")).status_code == 404
    async with httpx.AsyncClient(base_url=f"{server.url}/v1/ussd", auth=server.world.penniless.pair) as other:
        assert (await other.get(f"/sessions/{dialled['session_id']}")).status_code == 404
        codes = [each["Code"] for each in (await other.get("/services")).json()["ServiceList"]]
        assert "711" not in codes


def test_the_command_line_administers_services(server: Serving) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(makola, [
            "ussd-service", *arguments, "--set", f"database_url={server.database_url()}", "--demo"])
        assert result.exit_code == 0, result.output
        return result.output

    owner_id = server.world.merchant.organisation
    assert run("add", "730", str(owner_id), "--url", "http://127.0.0.1:9/x", "--operators", "MTN,Tigo") == (
        f"*730#  organisation {owner_id}  http://127.0.0.1:9/x  only MTN, Tigo\n")
    assert "switched off" in run("change", "730", "--disabled", "--operators", "")
    assert "*730#" in run("list")
    assert run("errors", "730") == "In the last 24 hours: none\n"
    assert run("remove", "730") == "730 is nobody's.\n"
    assert "*730#" not in run("list")
