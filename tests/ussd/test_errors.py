"""The document's table of errors, all of it: shown, counted, and explained to the owner (seed, "USSD Error Codes")."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from aiohttp import web

from makola.core.billing.service import set_tariff
from makola.core.ussd.errors import HandoverUnavailableError
from makola.core.ussd.ports import CartOrder, HandedOver
from makola.core.ussd.queries import list_failures
from makola.core.ussd.service.services import remove_service
from makola.core.ussd.store import writing
from makola.core.ussd.types import SESSION_TARIFF, STEP_TARIFF, CartItem, EndReason, ErrorCode
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from tests.ussd.application import Answer, Application
from tests.ussd.stage import CREDIT, UNIT, Stage, text_of

_DOCUMENTED = {
    "URNF": "Your setup is not complete. Please raise a Ticket on your account or email support@hubtel.com for"
            " assistance.",
    "UUT": "Our attempt to reach your application URL has timed out. Optimize your application and ensure that it is"
           " responding to requests within 7 seconds.",
    "ST": "The application took too long to respond. Either the app is too slow, or the subscriber took too long to"
          " respond to the USSD prompt.",
    "UUE": "Your application is not responding with a valid JSON response. Check to see if your JSON response is"
           " valid.",
    "NOCR": "Your service is currently unavailable because you are out of credit on your Unity account. Top up your"
            " account here.",
    "NOAPP": "Your application is not yet mapped to any USSD Service Code. You can map your app URL here.",
    "CSP": "Hubtel is unable to forward your request to our upstream provider for onward processing. Contact"
           " support@hubtel.com for assistance.",
}


async def _check(stage: Stage, code: str, cause: str, *, status: int | None = None, body: str = "",
                 dialled: str = "*714#") -> None:
    """Dial, and check what the subscriber and the owner see."""
    reply = await stage.phone().dial(dialled)
    assert (text_of(reply), reply.screen.ends, reply.screen.error) == (f"{code}: {_DOCUMENTED[code]}", True, code)
    (failure,) = await stage.failures()
    assert (failure.code, failure.cause, failure.status, failure.body) == (code, cause, status, body)
    assert await stage.counted() == {code: 1}
    if reply.session_id is not None:
        (history,) = await stage.sessions()
        assert (history.session.error, history.session.end_reason) == (code, EndReason.ERROR)
        assert failure.session_id == history.session.session_id


def test_the_wording_can_be_the_platforms_own() -> None:
    wording = Wording("Kejetia", "help@kejetia.example")
    assert wording.text(ErrorCode.CSP).startswith("CSP: Kejetia is unable")
    assert "email help@kejetia.example for" in wording.text(ErrorCode.URNF)
    assert all(len(wording.text(code)) <= 182 for code in ErrorCode)


@pytest.mark.parametrize(("answer", "cause", "body"), [
    (b"Hello", "The answer is not valid JSON: Expecting value at line 1, column 1.", "Hello"),
    (b"", "The answer is empty.", ""),
    (b"[1]", "The answer is not a JSON object.", "[1]"),
    (b'{"Message": "x"}', "The answer has no Type.", '{"Message": "x"}'),
    (b'{"Type": "Restart"}', "The answer's Type is not Response, Release or AddToCart.", '{"Type": "Restart"}'),
    (b'{"Type": "Release", "Message": ["a"]}', "The answer's Message is not a text.",
     '{"Type": "Release", "Message": ["a"]}'),
    (b"\xff\xfe", "The answer is not UTF-8.", "��"),
])
async def test_uue_no_valid_json(stage: Stage, application: Application, answer: bytes, cause: str,
                                 body: str) -> None:
    application.menu(answer)
    await _check(stage, "UUE", cause, status=200, body=body)


async def test_uue_a_state_that_is_too_long(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "x", "ClientState": "s" * 101})
    reply = await stage.phone().dial()
    assert reply.screen.error == "UUE"
    assert (await stage.failures())[0].cause == (
        "The answer's ClientState has 101 characters; at most 100 are kept.")


@pytest.mark.parametrize(("status", "cause"), [
    (500, "The application answered 500."), (302, "The application answered 302. Redirections are not followed.")])
async def test_uue_another_status(stage: Stage, application: Application, status: int, cause: str) -> None:
    application.script = lambda _: web.Response(status=status, text="Oops", headers={"Location": "/elsewhere"})
    await _check(stage, "UUE", cause, status=status, body="Oops")


async def test_urnf_nothing_at_the_url(stage: Stage, application: Application) -> None:
    application.script = lambda _: web.Response(status=404, text="no")
    await _check(stage, "URNF", "The application answered 404: there is nothing at its URL.", status=404, body="no")


async def test_urnf_nobody_listens(stage: Stage) -> None:
    await stage.change(url="http://127.0.0.1:1/ussd")
    await _check(stage, "URNF", "No connection: Connection refused.")


async def test_urnf_a_tier_without_a_tariff(stage: Stage) -> None:
    await stage.database.execute("DELETE FROM billing.tariff WHERE organisation_id = $1", stage.reseller_id)
    await _check(stage, "URNF", "A tier of the organisation has no tariff for USSD.")


async def test_urnf_a_suspended_organisation(stage: Stage) -> None:
    await stage.database.execute(
        "UPDATE organisations.organisation SET suspended_at = now() WHERE id = $1", stage.reseller_id)
    await stage.services.refresh()
    await _check(stage, "URNF", "The organisation, or one above it, is suspended.")


async def test_uut_the_application_hangs(stage: Stage, application: Application) -> None:
    async def hang(_: object) -> Answer:
        await asyncio.sleep(1)
        return b""

    application.script = hang
    stage.restarted(application_timeout_s=0.05)
    await _check(stage, "UUT", "No complete answer within 0.05 s.")


async def test_st_too_many_wait_for_the_application_already(stage: Stage, application: Application) -> None:
    waiting = asyncio.Event()

    async def wait(_: object) -> Answer:
        await waiting.wait()
        return {"Type": "Release", "Message": "at last"}

    application.script = wait
    stage.restarted(in_flight_limit=1)
    first = asyncio.create_task(stage.phone("+233200000001").dial())
    await application.wait_for("Initiation")
    second = await stage.phone().dial()
    waiting.set()
    assert text_of(await first) == "at last"
    assert text_of(second) == f"ST: {_DOCUMENTED['ST']}"
    assert (await stage.failures())[0].cause == "1 requests are waiting for this application already."


@pytest.mark.parametrize(("changes", "operator", "cause"), [
    ({"url": ""}, "MTN", "No application is mapped to the service."),
    ({"enabled": False}, "MTN", "The service is switched off."),
    ({"operators": ("Vodafone",)}, "MTN", "The service is not open to subscribers of MTN."),
])
async def test_noapp(stage: Stage, changes: dict[str, object], operator: str, cause: str) -> None:
    await stage.change(**changes)
    await _check(stage, "NOAPP", cause)
    reply = await stage.phone(operator=operator).dial()
    assert reply.session_id is None


async def test_noapp_a_code_that_is_nobodys_is_the_platforms_to_see(stage: Stage) -> None:
    reply = await stage.phone().dial("*999*1#")
    assert text_of(reply) == f"NOAPP: {_DOCUMENTED['NOAPP']}"
    assert await stage.failures() == []
    (failure,) = await list_failures(stage.database, organisation_ids=[stage.platform.organisation_id])
    assert failure.cause == "No service has the code *999*1#."


@pytest.mark.parametrize("poor", ["the owner", "the reseller"])
async def test_nocr(stage: Stage, application: Application, poor: str) -> None:
    owner_id = stage.merchant.organisation_id if poor == "the owner" else stage.reseller_id
    await stage.database.execute("UPDATE ledger.account SET balance = 0 WHERE owner_id = $1", owner_id)
    before = await _balances(stage)
    await _check(stage, "NOCR", "An account on the chain of tiers has no credit left.")
    assert application.requests == []
    assert await _balances(stage) == before


async def test_sessions_cost_every_tier_and_steps_where_they_have_a_tariff(stage: Stage,
                                                                           application: Application) -> None:
    application.menu({"Type": "Response", "Message": "1"}, {"Type": "Response", "Message": "2"},
                     {"Type": "Release", "Message": "3"})
    before = await _balances(stage)
    phone = stage.phone()
    for _ in ("dial", "type", "type"):
        await (phone.dial() if _ == "dial" else phone.type("1"))
    spent = {owner: before[owner] - balance for owner, balance in (await _balances(stage)).items()}
    root = stage.platform.organisation_id
    assert spent == {stage.merchant.organisation_id: UNIT, stage.reseller_id: UNIT // 2 - UNIT, root: -(UNIT // 2)}
    async with stage.database.transaction() as connection:
        for owner_id, price in ((stage.reseller_id, 1_000), (stage.merchant.organisation_id, 2_000)):
            await set_tariff(connection, owner_id, STEP_TARIFF, "62001", currency=CREDIT, price_units=price)
    stage.restarted()
    application.menu({"Type": "Response", "Message": "1"}, {"Type": "Response", "Message": "2"},
                     {"Type": "Release", "Message": "3"})
    before, phone = await _balances(stage), stage.phone()
    await phone.dial()
    await phone.type("1")
    await phone.type("1")
    after = await _balances(stage)
    assert before[stage.merchant.organisation_id] - after[stage.merchant.organisation_id] == UNIT + 3 * 2_000
    assert after[root] - before[root] == UNIT // 2 + 3 * 1_000
    assert sum(after.values()) == sum(before.values())


async def test_the_last_credit_goes_to_one_session(stage: Stage, application: Application) -> None:
    application.script = lambda _: {"Type": "Response", "Message": "Menu"}
    await stage.database.execute("UPDATE ledger.account SET balance = $2 WHERE owner_id = $1",
                                 stage.merchant.organisation_id, 3 * UNIT)
    replies = await asyncio.gather(*(stage.phone(f"+2332440000{number:02d}").dial() for number in range(10)))
    assert sorted(text_of(reply)[:4] for reply in replies) == ["Menu"] * 3 + ["NOCR"] * 7
    assert len(application.requests) == 3
    assert (await _balances(stage))[stage.merchant.organisation_id] == 0


async def test_no_credit_in_mid_session_ends_it(stage: Stage, application: Application) -> None:
    async with stage.database.transaction() as connection:
        for owner_id in (stage.reseller_id, stage.merchant.organisation_id):
            await set_tariff(connection, owner_id, STEP_TARIFF, "*", currency=CREDIT, price_units=UNIT)
            await set_tariff(connection, owner_id, SESSION_TARIFF, "*", currency=CREDIT, price_units=0)
    stage.restarted()
    await stage.database.execute("UPDATE ledger.account SET balance = $2 WHERE owner_id = $1",
                                 stage.merchant.organisation_id, UNIT)
    application.script = lambda _: {"Type": "Response", "Message": "Menu", "ClientState": "menu"}
    phone = stage.phone()
    assert text_of(await phone.dial()) == "Menu"
    assert text_of(await phone.type("1")) == f"NOCR: {_DOCUMENTED['NOCR']}"
    assert (await phone.type("1")).screen.error == "ST"
    assert [failure.code for failure in await stage.failures()] == ["NOCR"]
    told = await application.wait_for("Timeout")
    assert (told["Sequence"], told["ClientState"]) == (2, "menu"), "the application is told, and not what was typed"
    assert application.of_type("Response") == []


async def test_noapp_a_service_that_is_removed_in_mid_session(stage: Stage, application: Application) -> None:
    application.script = lambda _: {"Type": "Response", "Message": "Menu"}
    phone, left = stage.phone(), stage.phone(mobile="+233244123457")
    await phone.dial()
    await left.dial()
    async with stage.database.transaction() as connection:
        await remove_service(connection, stage.merchant, stage.service.service_id)
    await stage.services.refresh()
    assert text_of(await phone.type("1")) == f"NOAPP: {_DOCUMENTED['NOAPP']}"
    assert application.of_type("Response") == []
    closed, _ = sorted(await stage.sessions(), key=lambda history: history.session.ended_at is None)
    assert (closed.session.error, closed.session.end_reason) == ("NOAPP", EndReason.ERROR)
    # Nobody types anything in the other one, whose process has died.
    await writing.end_orphans(stage.database, begun_before=now() + timedelta(seconds=1), limit=10)
    assert all(history.session.error == "NOAPP" for history in await stage.sessions())


async def test_csp_more_sessions_than_a_process_holds(stage: Stage, application: Application) -> None:
    application.script = lambda _: {"Type": "Response", "Message": "Menu"}
    stage.restarted(sessions_at_most=1)
    phone, other = stage.phone(), stage.phone(mobile="+233244123457")
    assert text_of(await phone.dial()) == "Menu"
    assert text_of(await other.dial()) == f"CSP: {_DOCUMENTED['CSP']}"
    assert text_of(await phone.type("1")) == "Menu"


async def test_csp_a_payment_without_a_checkout(stage: Stage, application: Application) -> None:
    application.menu({"Type": "AddToCart", "Message": "Pay", "Item": {"ItemName": "Bag", "Qty": 2, "Price": 10.5}})
    await _check(stage, "CSP", "Payments inside a session need the online checkout, which is not set up.", status=200)


@dataclass
class _Checkout:
    """A checkout that does as it is told."""

    outcome: Callable[[CartOrder], HandedOver]

    async def hand_over(self, order: CartOrder) -> HandedOver:
        return self.outcome(order)


async def test_a_payment_is_handed_over_and_ends_the_session(stage: Stage, application: Application) -> None:
    orders: list[CartOrder] = []

    def take(order: CartOrder) -> HandedOver:
        orders.append(order)
        return HandedOver(UUID(int=1), "Approve the payment on your phone.")

    stage.restarted(handover=_Checkout(take))
    application.menu({"Type": "AddToCart", "Message": "Pay", "Item": {"ItemName": "Bag", "Qty": "2", "Price": "10.50"}})
    reply = await stage.phone().dial()
    assert (text_of(reply), reply.screen.ends) == ("Approve the payment on your phone.", True)
    assert [(order.session_id, order.item, order.organisation_id, order.mobile) for order in orders] == [
        (reply.session_id, CartItem("Bag", 2, 105_000), stage.merchant.organisation_id, "+233244123456")]


async def test_csp_a_checkout_that_refuses(stage: Stage, application: Application) -> None:
    def refuse(_: CartOrder) -> HandedOver:
        raise HandoverUnavailableError("The merchant account is not verified.")

    stage.restarted(handover=_Checkout(refuse))
    application.menu({"Type": "AddToCart", "Message": "Pay", "Item": {"ItemName": "Bag", "Qty": 1, "Price": 1}})
    await _check(stage, "CSP", "The merchant account is not verified.", status=200)


async def test_csp_a_database_that_does_not_take_the_step(stage: Stage, application: Application) -> None:
    await stage.database.execute("ALTER TABLE ussd.step ADD CONSTRAINT broken CHECK (false) NOT VALID")
    reply = await stage.phone().dial()
    assert text_of(reply) == f"CSP: {_DOCUMENTED['CSP']}"
    assert application.requests == []
    await stage.database.execute("ALTER TABLE ussd.step DROP CONSTRAINT broken")
    assert text_of(await stage.phone().dial()) == "Bye"


async def test_st_an_application_whose_gateway_died_is_not_asked_again(stage: Stage,
                                                                       application: Application) -> None:
    application.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Response", "Message": "lost"})
    phone = stage.phone()
    await phone.dial()
    await phone.type("1")
    await stage.database.execute(  # what SIGKILL leaves of a step that was under way
        "UPDATE ussd.step SET answered_at = NULL, screen = NULL, asked_at = now() - interval '20 s'"
        " WHERE position = 2")
    phone.gateway = stage.restarted()
    reply = await phone.type("2")
    assert text_of(reply) == f"ST: {_DOCUMENTED['ST']}"
    assert (await stage.failures())[0].cause == "The gateway was stopped while it waited for the application."
    told = await application.wait_for("Timeout")
    assert told["Sequence"] == 3
    assert len(application.of_type("Response")) == 1


async def test_st_a_session_from_before_the_database_broke_down_ends(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Response", "Message": "not asked"})
    phone, other = stage.phone(), stage.phone(mobile="+233244123457")
    await phone.dial()
    await stage.database.execute("DELETE FROM ussd.continuity")  # what a breakdown leaves of an unlogged table
    phone.gateway = stage.restarted()
    assert text_of(await phone.type("1")) == f"ST: {_DOCUMENTED['ST']}"
    assert application.of_type("Response") == []
    assert (await application.wait_for("Timeout"))["Sequence"] == 2
    await phone.gateway.stop()
    assert (await stage.failures())[0].cause == (
        "The database broke down; what the application was asked last is not known.")
    # What begins after it goes on in any process, at once.
    application.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Release", "Message": "Bye"})
    await other.dial()
    other.gateway = stage.restarted()
    assert text_of(await other.type("1")) == "Bye"


@pytest.mark.parametrize(("broke_down", "fast_s", "shown"), [("before", -10, "Bye"), ("after", 10, "ST")])
async def test_clocks_of_processes_do_not_say_what_was_before_a_breakdown(
        stage: Stage, application: Application, broke_down: str, fast_s: int, shown: str) -> None:
    application.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Release", "Message": "Bye"})
    phone = stage.phone()
    if broke_down == "before":
        await stage.database.execute("UPDATE ussd.continuity SET since = clock_timestamp()")
    await phone.dial()
    if broke_down == "after":
        await stage.database.execute("UPDATE ussd.continuity SET since = clock_timestamp()")
    await stage.database.execute(  # as a process would have written whose clock is that much fast
        "UPDATE ussd.step SET asked_at = asked_at + $1, answered_at = answered_at + $1", timedelta(seconds=fast_s))
    phone.gateway = stage.restarted()
    assert text_of(await phone.type("1")).partition(":")[0] == shown
    await stage.database.execute("UPDATE ussd.continuity SET since = 'epoch'")


async def test_csp_a_step_that_the_database_has_lost_is_not_shown(stage: Stage, application: Application) -> None:
    async def lose(_request: dict[str, object]) -> dict[str, object]:
        await stage.database.execute("DELETE FROM ussd.step")
        return {"Type": "Response", "Message": "Menu"}

    application.script = lose
    assert text_of(await stage.phone().dial()) == f"CSP: {_DOCUMENTED['CSP']}"


async def _balances(stage: Stage) -> dict[int, int]:
    rows = await stage.database.fetch(
        "SELECT owner_id, balance FROM ledger.account WHERE purpose = 'messaging'")
    return {row["owner_id"]: row["balance"] for row in rows}
