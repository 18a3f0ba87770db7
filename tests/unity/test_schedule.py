"""Schedules: changed and cancelled until the moment of sending, and never both cancelled and sent."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makola.connectors.sandbox.types import HandsetState
from makola.core.billing.service import set_tariff
from makola.core.billing.types import SMS
from makola.core.messaging.types import MessageStatus
from tests.unity.hub import CREDIT, Hub, Tenant, ahead, eventually, new_number

_METHODS = [("PUT", 200), ("POST", 201)]


async def _reschedule(tenant: Tenant, message_id: str, method: str, time: object) -> tuple[int, object]:
    reply = await tenant.client.send_json(method, f"/v1/messages/{message_id}", {"Time": time})
    return reply.outcome


async def test_a_scheduled_message_costs_nothing_until_it_goes_out(hub: Hub, tenant: Tenant) -> None:
    number, time = new_number(), ahead(days=200)
    reply = await tenant.send("Later", to=number, Time=time, RegisteredDelivery=True)
    assert (reply.outcome, reply.json["Rate"], reply.json["NetworkId"]) == ((201, 0), 0, "62001")
    message = await tenant.message(reply.json["MessageId"])
    assert (message["Status"], message["Time"], message["Rate"], message["Units"]) == ("Scheduled", time, 0, 1)
    footprint = await tenant.footprint()
    assert (footprint.holds, footprint.transfers) == (0, 0)
    assert await _reschedule(tenant, reply.json["MessageId"], "PUT", ahead(seconds=-1)) == (200, 0)
    message = await tenant.reaches(reply.json["MessageId"], "Delivered")
    assert message["Rate"] == 1
    assert await hub.on_handset(number) == ["Later"]
    assert (await tenant.footprint()).transfers == 1


async def test_it_goes_out_at_its_time_and_not_before(hub: Hub, tenant: Tenant) -> None:
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    message_id = await tenant.sent(Time=f"{due:%Y-%m-%d %H:%M:%S}")
    assert message_id not in await hub.submitted([message_id])
    await tenant.reaches(message_id, "Delivered")
    accepted_at = await hub.database.fetchval("SELECT accepted_at FROM sandbox.submission WHERE message_id = $1",
                                              UUID(message_id))
    assert timedelta(0) <= accepted_at - due < timedelta(seconds=2)


@pytest.mark.parametrize(("method", "status"), _METHODS)
async def test_reschedule(tenant: Tenant, method: str, status: int) -> None:
    message_id = await tenant.sent(Time=ahead(days=1), ClientReference="1234")
    later = ahead(days=3)
    reply = await tenant.client.send_json(method, f"/v1/messages/{message_id}", {"time": later, "Content": "ignored"})
    assert reply.outcome == (status, 0)
    assert reply.json == {"Status": 0, "MessageId": message_id, "Rate": 0, "NetworkId": "62001",
                          "ClientReference": "1234"}
    message = await tenant.message(message_id)
    assert (message["Time"], message["Status"], message["Content"]) == (later, "Scheduled", "Hello")
    row = await tenant.database.fetchrow("SELECT * FROM messaging.message WHERE id = $1", UUID(message_id))
    assert row is not None
    assert row["due_at"] == row["time"]
    assert row["valid_until"] - row["time"] == timedelta(days=2)


@pytest.mark.parametrize(("method", "status"), _METHODS)
async def test_reschedule_by_a_form_and_by_the_query(tenant: Tenant, method: str, status: int) -> None:
    message_id = await tenant.sent(Time=ahead(days=1))
    form = await tenant.client.form(method, f"/v1/messages/{message_id}/", Time=ahead(days=2))
    query = await tenant.client.request(method, f"/v1/messages/{message_id}?Time={ahead(days=3).replace(' ', '+')}")
    assert (form.outcome, query.outcome) == ((status, 0), (status, 0))


@pytest.mark.parametrize(("method", "_"), _METHODS)
@pytest.mark.parametrize(("time", "sub_code"), [
    (None, 5), ("", 5), ("soon", 5), ("2013-08-09 05:00:00", 5), ("2199-01-01 00:00", 5), (["now"], 5)])
async def test_a_time_that_cannot_be_leaves_the_old_one(tenant: Tenant, method: str, _: int, time: object,
                                                        sub_code: int) -> None:
    before = ahead(days=1)
    message_id = await tenant.sent(Time=before)
    assert await _reschedule(tenant, message_id, method, time) == (400, sub_code)
    message = await tenant.message(message_id)
    assert (message["Time"], message["Status"]) == (before, "Scheduled")


@pytest.mark.parametrize(("later", "outcome"), [
    ({"days": 365}, (201, 0)), ({"days": 365.9}, (201, 0)), ({"days": 366.1}, (400, 5)), ({"days": 3_660}, (400, 5)),
    ({"minutes": -4}, (201, 0)), ({"minutes": -6}, (400, 5))])
async def test_up_to_a_year_ahead(tenant: Tenant, later: dict[str, float], outcome: tuple[int, int]) -> None:
    assert (await tenant.send(Time=ahead(**later))).outcome == outcome
    message_id = await tenant.sent(Time=ahead(days=1))
    expected = (200, 0) if outcome == (201, 0) else outcome
    assert await _reschedule(tenant, message_id, "PUT", ahead(**later)) == expected


async def test_cancel_and_cancel_again(hub: Hub, tenant: Tenant) -> None:
    message_id = await tenant.sent(Time=ahead(days=1))
    for _ in range(2):
        reply = await tenant.client.delete(f"/v1/messages/{message_id}")
        assert reply.status == 200
        assert reply.json == {"Status": 0}
    message = await tenant.message(message_id)
    assert (message["Status"], message["Rate"]) == ("Deleted", 0)
    for pending in ("true", "false"):  # it waits no more, and was never sent
        assert (await tenant.client.get(f"/v1/messages?pending={pending}")).json["Count"] == 0
    for method, _ in _METHODS:
        assert await _reschedule(tenant, message_id, method, ahead(days=2)) == (400, 7)
    assert (await tenant.footprint()).holds == 0


async def test_what_has_gone_out_is_neither_cancelled_nor_rescheduled(tenant: Tenant) -> None:
    message_id = await tenant.sent()
    await tenant.reaches(message_id, "Delivered")
    reply = await tenant.client.delete(f"/v1/messages/{message_id}")
    assert reply.outcome == (400, 7)
    assert "Delivered" in reply.json["Detail"]
    for method, _ in _METHODS:
        assert await _reschedule(tenant, message_id, method, ahead(days=2)) == (400, 7)


async def test_what_the_operator_deleted_went_out_and_is_not_cancelled(hub: Hub, tenant: Tenant) -> None:
    number = new_number()
    await hub.handsets.create(number=number)
    await hub.handsets.change(number, receipt_status=MessageStatus.DELETED)
    message_id = await tenant.sent(to=number)
    await tenant.reaches(message_id, "Deleted")
    assert (await tenant.client.delete(f"/v1/messages/{message_id}")).outcome == (400, 7)


async def test_the_price_is_that_of_the_day_on_which_it_goes_out(hub: Hub, tenant: Tenant) -> None:
    message_id = await tenant.sent("x" * 161, Time=ahead(days=1))
    async with hub.database.transaction() as connection:
        await set_tariff(connection, tenant.organisation_id, SMS, "620", currency="CREDIT", price_units=3 * CREDIT)
    await _reschedule(tenant, message_id, "PUT", ahead(seconds=-1))
    assert (await tenant.reaches(message_id, "Delivered"))["Rate"] == 6
    assert (await tenant.footprint()).balances == (((1_000 - 6) * CREDIT, 0),)


async def test_of_several_that_are_due_the_earlier_get_the_last_credit(hub: Hub) -> None:
    tenant = await hub.tenant(credits_=2)
    ids = [await tenant.sent(f"{number}", Time=ahead(days=1)) for number in range(4)]
    async with hub.database.transaction() as connection:
        for number, message_id in enumerate(ids):
            await connection.execute(
                "UPDATE messaging.message SET due_at = now() - interval '1 s' * $2::int WHERE id = $1",
                UUID(message_id), 10 - number)
    ended = [(await tenant.reaches(message_id, status))["Rate"] for message_id, status in zip(
        ids, ["Delivered", "Delivered", "Out of Credit", "Out of Credit"], strict=True)]
    assert ended == [1, 1, 0, 0]
    assert (await tenant.footprint()).balances == ((0, 0),)


async def test_a_report_is_written_for_what_ends_at_its_time(hub: Hub) -> None:
    tenant = await hub.tenant(credits_=1)
    await tenant.client.put("/v1/account/settings", DeliveryReportNotificationUrl="http://127.0.0.1:9/reports")
    message_id = await tenant.sent(Time=ahead(days=1), RegisteredDelivery=True)
    await tenant.reaches(await tenant.sent(), "Delivered")
    await _reschedule(tenant, message_id, "PUT", ahead(seconds=-1))
    await tenant.reaches(message_id, "Out of Credit")
    queries = await hub.database.fetch("SELECT query FROM callbacks.delivery WHERE organisation_id = $1",
                                       tenant.organisation_id)
    assert len(queries) == 1
    assert "Status=Out" in queries[0]["query"]


@pytest.mark.parametrize("seed", range(4))
async def test_a_cancel_that_says_0_is_never_followed_by_a_message(hub: Hub, tenant: Tenant, seed: int) -> None:
    """Sixty cancels around the moment at which sixty messages are due."""
    chance = random.Random(seed)
    ids = [await tenant.sent(f"{number}", Time=ahead(days=1)) for number in range(60)]
    due = datetime.now(UTC) + timedelta(seconds=0.3)
    await hub.database.execute("UPDATE messaging.message SET due_at = $2 WHERE id = ANY($1::uuid[])",
                               [UUID(message_id) for message_id in ids], due)

    async def cancel(message_id: str) -> bool:
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() + chance.uniform(-0.05, 0.3)))
        reply = await tenant.client.delete(f"/v1/messages/{message_id}")
        assert reply.outcome in {(200, 0), (400, 7)}
        return reply.status == 200

    cancelled = dict(zip(ids, await asyncio.gather(*map(cancel, ids)), strict=True))
    for message_id, is_cancelled in cancelled.items():
        await tenant.reaches(message_id, "Deleted" if is_cancelled else "Delivered")
    went_out = await hub.submitted(ids)
    assert went_out == {message_id for message_id, is_cancelled in cancelled.items() if not is_cancelled}
    assert (await tenant.footprint()).balances == (((1_000 - len(went_out)) * CREDIT, 0),)


async def test_cancel_reschedule_and_the_moment_of_sending_at_once(hub: Hub, tenant: Tenant) -> None:
    """However they fall, each message is either cancelled, or waits for its new time, or went out once."""
    ids = [await tenant.sent(f"{number}", Time=ahead(days=1)) for number in range(60)]
    due = datetime.now(UTC) + timedelta(seconds=0.3)
    await hub.database.execute("UPDATE messaging.message SET due_at = $2 WHERE id = ANY($1::uuid[])",
                               [UUID(message_id) for message_id in ids], due)
    later = ahead(days=2)

    async def struggle(number: int, message_id: str) -> tuple[bool, bool]:
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() + number * 0.004 - 0.03))
        cancelled, moved = await asyncio.gather(
            tenant.client.delete(f"/v1/messages/{message_id}"), _reschedule(tenant, message_id, "PUT", later))
        return cancelled.status == 200, moved == (200, 0)

    results = await asyncio.gather(*(struggle(number, message_id) for number, message_id in enumerate(ids)))
    for message_id, (cancelled, moved) in zip(ids, results, strict=True):
        expected = "Deleted" if cancelled else "Scheduled" if moved else "Delivered"
        await tenant.reaches(message_id, expected)
    went_out = await hub.submitted(ids)
    assert went_out == {message_id for message_id, result in zip(ids, results, strict=True) if not any(result)}


async def test_a_handset_that_is_off_when_it_is_due_gets_it_later(hub: Hub, tenant: Tenant) -> None:
    number = new_number()
    await hub.handsets.create(number=number)
    await hub.handsets.change(number, state=HandsetState.OFF)
    message_id = await tenant.sent(to=number, Time=ahead(days=1))
    await _reschedule(tenant, message_id, "POST", ahead(seconds=-1))
    await tenant.reaches(message_id, "Buffered")
    await hub.handsets.change(number, state=HandsetState.ON)

    async def is_there() -> list[str]:
        return await hub.on_handset(number)

    assert await eventually(is_there) == ["Hello"]
