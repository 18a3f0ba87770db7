"""Each status of the seed is reached by the way that docs/reference/message-states.md states."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makola.connectors.sandbox import HandsetState
from makola.connectors.sandbox.types import REFUSALS
from makola.core.billing.service import set_tariff, top_up
from makola.core.billing.types import SMS
from makola.core.ledger import service as ledger
from makola.core.ledger.types import Leg
from makola.core.messaging.do_not_contact import add_to_list
from makola.core.messaging.types import STATUS_NAMES, MessageStatus
from tests.unity.hub import CREDIT, Hub, Tenant, ahead, eventually, new_number, running_hub

_DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "message-states.md"
_ROW = re.compile(r"^\| ([A-Z][^|]*?) \| (\d+) \| [^|]+ \| [^|]+ \| (yes|no) \|$", re.MULTILINE)
_Way = Callable[[Hub, Tenant], Awaitable[str]]
_WAYS: dict[MessageStatus, list[_Way]] = {}


def _into(*statuses: MessageStatus) -> Callable[[_Way], _Way]:
    def note(way: _Way) -> _Way:
        for status in statuses:
            _WAYS.setdefault(status, []).append(way)
        return way

    return note


def test_the_document_has_exactly_the_statuses_of_the_code() -> None:
    rows = {name: (int(stored), final == "yes") for name, stored, final in _ROW.findall(_DOCUMENT.read_text())}
    assert rows == {name: (int(status), status.is_final) for status, name in STATUS_NAMES.items()}


def test_the_names_are_the_seed_s() -> None:
    assert set(STATUS_NAMES.values()) == {
        "Rejected", "Submitted", "Delivered", "Buffered", "Accepted", "Undeliverable", "Deleted", "Expired",
        "Received", "Unknown", "Error", "Buffered Locally", "Scheduled", "Sent", "Expired Locally", "Out of Credit",
        "SMSC Invalid", "Blacklisted", "Unrouteable", "Exceeded Limited", "Invalid Source Address",
        "Invalid Destination Address", "Invalid Message Length", "Invalid Time", "Invalid Message ID",
        "Invalid Account ID/Number"}


@settings(deadline=None)
@given(st.lists(st.sampled_from(MessageStatus)))
def test_whatever_is_reported_states_only_move_forward(reported: list[MessageStatus]) -> None:
    status = MessageStatus.SENT
    for later in reported:
        if status.may_become(later):
            assert later > status
            assert not status.is_final
            status = later
    finals = [later for later in reported if later.is_final]
    assert status == (finals[0] if finals else max([MessageStatus.SENT, *reported]))


# -- each way in: returns the id of a message that has, or soon has, the status ------------------------------------

async def _scheduled(hub: Hub, tenant: Tenant) -> str:
    return await tenant.sent(Time=ahead(days=1))


async def _come_due(hub: Hub, message_id: str) -> None:
    await hub.database.execute("UPDATE messaging.message SET due_at = now(), time = now() WHERE id = $1",
                               UUID(message_id))


async def _to_handset(hub: Hub, tenant: Tenant, **changes: object) -> str:
    number = new_number()
    await hub.handsets.create(number=number)
    await hub.handsets.change(number, **changes)  # type: ignore[arg-type] # the fields of a handset
    return await tenant.sent(to=number)


_into(MessageStatus.SCHEDULED)(_scheduled)


@_into(MessageStatus.BUFFERED_LOCALLY)
async def _throttled(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant, deferral=True)


@_into(MessageStatus.BUFFERED)
async def _off(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant, state=HandsetState.OFF)


@_into(MessageStatus.UNKNOWN)
async def _reported_unknown(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant, receipt_status=MessageStatus.UNKNOWN)


@_into(MessageStatus.DELIVERED)
async def _on(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant)


@_into(MessageStatus.UNDELIVERABLE)
async def _unknown_subscriber(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant, state=HandsetState.UNKNOWN)


@_into(MessageStatus.REJECTED)
async def _blocked(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant, state=HandsetState.BLOCKED)


@_into(MessageStatus.EXCEEDED_LIMITED)
async def _full(hub: Hub, tenant: Tenant) -> str:
    return await _to_handset(hub, tenant, state=HandsetState.FULL)


@_into(MessageStatus.EXPIRED)
async def _off_for_too_long(hub: Hub, tenant: Tenant) -> str:
    message_id = await _off(hub, tenant)
    await tenant.reaches(message_id, "Buffered")
    await hub.database.execute(
        "UPDATE sandbox.submission SET expires_at = now(), due_at = now() WHERE message_id = $1", UUID(message_id))
    return message_id


@_into(MessageStatus.EXPIRED_LOCALLY)
async def _throttled_for_too_long(hub: Hub, tenant: Tenant) -> str:
    message_id = await _throttled(hub, tenant)
    await tenant.reaches(message_id, "Buffered Locally")
    await hub.database.execute("UPDATE messaging.message SET valid_until = now(), due_at = now() WHERE id = $1",
                               UUID(message_id))
    return message_id


@_into(MessageStatus.DELETED)
async def _cancelled(hub: Hub, tenant: Tenant) -> str:
    message_id = await _scheduled(hub, tenant)
    assert (await tenant.client.delete(f"/v1/messages/{message_id}")).outcome == (200, 0)
    return message_id


@_into(MessageStatus.OUT_OF_CREDIT)
async def _poor_when_due(hub: Hub, tenant: Tenant) -> str:
    message_id = await _scheduled(hub, tenant)
    async with hub.database.transaction() as connection:
        (account,) = await ledger.accounts_of(connection, [tenant.organisation_id], "messaging")
        (world,) = [each for each in await ledger.accounts_of(connection, [0], "world") if each.currency == "CREDIT"]
        await ledger.transfer(connection, Leg(account.account_id, world.account_id, account.balance_units),
                              kind="test", reference=uuid4())
    await _come_due(hub, message_id)
    return message_id


@_into(MessageStatus.SMSC_INVALID)
async def _disconnected_when_due(hub: Hub, tenant: Tenant) -> str:
    message_id = await _scheduled(hub, tenant)
    await hub.database.execute("UPDATE messaging.message SET network_id = '23401' WHERE id = $1", UUID(message_id))
    async with hub.database.transaction() as connection:
        await set_tariff(connection, tenant.organisation_id, SMS, "234", currency="CREDIT", price_units=CREDIT)
    await _come_due(hub, message_id)
    return message_id


@_into(MessageStatus.BLACKLISTED)
async def _listed_when_due(hub: Hub, tenant: Tenant) -> str:
    number = new_number()
    message_id = await tenant.sent(to=number, Time=ahead(days=1))
    async with hub.database.transaction() as connection:
        await add_to_list(connection, hub.platform_id, number)
    await _come_due(hub, message_id)
    return message_id


@_into(MessageStatus.UNROUTEABLE)
async def _without_price_when_due(hub: Hub, tenant: Tenant) -> str:
    message_id = await _scheduled(hub, tenant)
    await hub.database.execute("DELETE FROM billing.tariff WHERE organisation_id = $1", tenant.organisation_id)
    await _come_due(hub, message_id)
    return message_id


@_into(MessageStatus.RECEIVED)
async def _inbound(hub: Hub, tenant: Tenant) -> str:
    number, code = new_number(), str(uuid4().int)[:8]
    await hub.database.execute("INSERT INTO numbering.short_code VALUES ($1, $2)", code, tenant.organisation_id)
    await hub.handsets.create(number=number)
    await hub.handsets.send(number, recipient=code, content="Hello from a handset")

    async def received() -> list[dict[str, object]]:
        listed: list[dict[str, object]] = (await tenant.client.get("/v1/messages?direction=in")).json["Messages"]
        return listed

    (message,) = await eventually(received)
    assert (message["From"], message["To"], message["Rate"]) == (number, code, 0)
    return str(message["MessageId"])


@pytest.mark.parametrize("status", sorted(_WAYS), ids=lambda status: status.name)
async def test_the_stated_way_leads_to_the_status(hub: Hub, status: MessageStatus) -> None:
    for way in _WAYS[status]:
        tenant = await hub.tenant()
        message_id = await way(hub, tenant)
        message = await tenant.reaches(message_id, STATUS_NAMES[status])
        if status is not MessageStatus.RECEIVED:
            await _is_charged_rightly(tenant, message, status)


async def _is_charged_rightly(tenant: Tenant, message: dict[str, object], status: MessageStatus) -> None:
    """Paid since it was sent; reserved while that is open; neither when it was never sent."""
    (_, held), = (await tenant.footprint()).balances
    transfers = await tenant.database.fetchval(
        "SELECT coalesce(sum(amount), 0)::bigint FROM ledger.transfer WHERE reference = $1",
        UUID(str(message["MessageId"])))
    never_sent = status in {
        MessageStatus.SCHEDULED, MessageStatus.EXPIRED_LOCALLY, MessageStatus.DELETED, MessageStatus.OUT_OF_CREDIT,
        MessageStatus.SMSC_INVALID, MessageStatus.BLACKLISTED, MessageStatus.UNROUTEABLE,
        MessageStatus.INVALID_ACCOUNT, MessageStatus.INVALID_SOURCE_ADDRESS}
    if status is MessageStatus.BUFFERED_LOCALLY:
        assert (held, transfers, message["Rate"]) == (CREDIT, 0, 1)
    elif never_sent:
        assert (held, transfers, message["Rate"]) == (0, 0, 0)
    else:
        assert (held, transfers, message["Rate"]) == (0, CREDIT, 1)


@pytest.mark.parametrize("refusal", sorted(REFUSALS), ids=lambda status: status.name)
async def test_what_the_operator_refuses_ends_so_and_is_not_charged(hub: Hub, tenant: Tenant,
                                                                    refusal: MessageStatus) -> None:
    before = await tenant.footprint()
    message_id = await _to_handset(hub, tenant, refusal=refusal)
    message = await tenant.reaches(message_id, STATUS_NAMES[refusal])
    assert message["Detail"]
    assert message["Rate"] == 0
    after = await tenant.footprint()
    assert (after.balances, after.transfers) == (before.balances, before.transfers)


async def test_every_status_has_a_test_here() -> None:
    by_other_tests = {MessageStatus.ACCEPTED, MessageStatus.SUBMITTED, MessageStatus.SENT,
                      MessageStatus.INVALID_ACCOUNT}
    assert set(_WAYS) | REFUSALS | by_other_tests == set(MessageStatus)


async def test_accepted_submitted_sent(hub: Hub, tenant: Tenant) -> None:
    """The operator's own table is locked, so that its answer to the submission is long in coming."""
    async with hub.database.transaction() as connection:
        await connection.execute("LOCK TABLE sandbox.submission IN ACCESS EXCLUSIVE MODE")
        submitted = await tenant.sent()
        message = await tenant.reaches(submitted, "Submitted")
        assert message["Rate"] == 1
        assert (await tenant.balances())[tenant.organisation_id] == (1_000 * CREDIT, CREDIT)
    await tenant.reaches(submitted, "Delivered")
    await hub.handsets.change_operator(delivery_delay_ms=60_000)
    try:
        await tenant.reaches(await tenant.sent(), "Sent")
    finally:
        await hub.handsets.change_operator(delivery_delay_ms=0)


async def test_accepted_where_nobody_sends(database_url: str, tmp_path: Path) -> None:
    async with running_hub(database_url, tmp_path, worker=False) as serving:
        tenant = await serving.tenant()
        message_id = await tenant.sent()
        assert (await tenant.message(message_id))["Status"] == "Accepted"
        assert (await tenant.balances())[tenant.organisation_id] == (1_000 * CREDIT, CREDIT)
        async with running_hub(database_url, tmp_path, world=False):  # the process that sends comes later
            await tenant.reaches(message_id, "Delivered")


@pytest.mark.parametrize("tier", [1, 2])
async def test_invalid_account_when_due(hub: Hub, tier: int) -> None:
    tenant = await hub.tenant(prices=(1, 1))
    message_id = await tenant.sent(Time=ahead(days=1))
    suspend = "UPDATE organisations.organisation SET suspended_at = {} WHERE id = $1"
    await hub.database.execute(suspend.format("now()"), tenant.chain[tier])
    await _come_due(hub, message_id)

    async def has_ended() -> bool:
        return bool(await hub.database.fetchval("SELECT status >= 20 FROM messaging.message WHERE id = $1",
                                                UUID(message_id)))

    await eventually(has_ended)
    await hub.database.execute(suspend.format("NULL"), tenant.chain[tier])
    message = await tenant.message(message_id)
    assert (message["Status"], message["Rate"]) == ("Invalid Account ID/Number", 0)
    assert (await tenant.footprint()).holds == 0


async def test_a_handset_that_is_switched_on_gets_what_waited(hub: Hub, tenant: Tenant) -> None:
    number = new_number()
    await hub.handsets.create(number=number)
    await hub.handsets.change(number, state=HandsetState.OFF)
    message_id = await tenant.sent("You were off", to=number)
    await tenant.reaches(message_id, "Buffered")
    await hub.handsets.change(number, state=HandsetState.ON)
    await tenant.reaches(message_id, "Delivered")
    assert await hub.on_handset(number) == ["You were off"]


async def test_a_throttled_message_goes_out_in_the_end_and_is_paid_once(hub: Hub, tenant: Tenant) -> None:
    number = new_number()
    await hub.handsets.create(number=number)
    await hub.handsets.change(number, deferral=True)
    message_id = await tenant.sent(to=number)
    await tenant.reaches(message_id, "Buffered Locally")
    # Tried for days already: more often than a smallint counts.
    await hub.database.execute("UPDATE messaging.message SET attempt_count = 32767, due_at = now() WHERE id = $1",
                               UUID(message_id))
    await hub.handsets.change(number, deferral=False)
    await tenant.reaches(message_id, "Delivered")
    assert (await tenant.footprint()).transfers == 1


async def test_a_top_up_makes_the_next_message_possible(hub: Hub) -> None:
    tenant = await hub.tenant(credits_=0)
    assert (await tenant.send()).outcome == (402, 402)
    async with hub.database.transaction() as connection:
        await top_up(connection, tenant.organisation_id, currency="CREDIT", amount_units=CREDIT, reference=uuid4())
    assert (await tenant.send()).outcome == (201, 0)
