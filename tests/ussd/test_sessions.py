"""Sessions as applications and subscribers see them."""

import asyncio
from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

import pytest
from aiohttp import web

from makola.core.ussd.ports import Push, PushKind
from makola.core.ussd.service.services import remove_service
from makola.core.ussd.store.reading import find_left
from makola.core.ussd.store.writing import purge
from makola.core.ussd.types import EndReason, LongText, OperatorError, StepKind
from makola.kit.clock import now
from tests.ussd.application import Answer, Application, Request
from tests.ussd.stage import MOBILE, Side, Stage, text_of

_KEYS = ["Mobile", "SessionId", "ServiceCode", "Type", "Message", "Operator", "Sequence", "ClientState"]


async def test_the_banking_example_of_the_document_runs_word_for_word(stage: Stage, application: Application) -> None:
    application.menu(
        b'{"Type": "Response", "Message" : "Enter your pin", "ClientState": "2017-03-30", "MaskNextRoute": true  }',
        b'{\n "Message": "Dear Customer \\n1. Account Balance \\n2. Mini Statement",\n "Type": "Response", \n'
        b' "MaskNextRoute": true, \n}',
        b'{ "Message": "Your account balance is GHS 53,743", "Type": "Release", "Mask": true, \n}')
    phone = stage.phone(operator="vodafone")
    first = await phone.dial("*714#")
    second = await phone.type("1234")
    third = await phone.type("1")
    assert [text_of(reply) for reply in (first, second, third)] == [
        "Enter your pin", "Dear Customer \n1. Account Balance \n2. Mini Statement",
        "Your account balance is GHS 53,743"]
    assert [reply.screen.ends for reply in (first, second, third)] == [False, False, True]
    assert [list(request) for request in application.requests] == [_KEYS] * 3
    session_id = first.session_id
    assert session_id is not None
    assert application.requests == [
        {"Mobile": MOBILE[1:], "SessionId": session_id.hex, "ServiceCode": "714", "Type": kind, "Message": message,
         "Operator": "vodafone", "Sequence": sequence, "ClientState": state}
        for kind, message, sequence, state in (
            ("Initiation", "*714#", 1, None), ("Response", "1234", 2, "2017-03-30"), ("Response", "1", 3, None))]


async def test_a_client_state_lives_for_one_hop(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "a", "ClientState": "one"}, {"Type": "Response", "Message": "b"},
                     {"Type": "Response", "Message": "c"})
    phone = stage.phone()
    await phone.dial()
    await phone.type("x")
    await phone.type("y")
    assert [request["ClientState"] for request in application.requests] == [None, "one", None]


async def test_a_long_code_reaches_the_service_with_the_longest_match_whole(stage: Stage,
                                                                            application: Application) -> None:
    await stage.add("714*23")
    await stage.phone().dial("*714*23*1#")
    await stage.phone().dial("*714*2#")
    assert [(request["ServiceCode"], request["Message"]) for request in application.requests] == [
        ("714*23", "*714*23*1#"), ("714", "*714*2#")]


async def test_a_subscriber_who_cancels_is_told_to_the_application(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "Menu", "ClientState": "kept"})
    phone = stage.phone()
    await phone.dial()
    reply = await phone.cancel()
    assert reply.screen.ends
    told = await application.wait_for("Release")
    assert (told["Message"], told["Sequence"], told["ClientState"]) == ("", 2, "kept")
    await stage.gateway.stop()
    (history,) = await stage.sessions()
    assert history.session.end_reason is EndReason.SUBSCRIBER
    assert [step.kind for step in history.steps] == [StepKind.INITIATION, StepKind.RELEASE]
    assert history.steps[1].screen == "Noted"  # logged, not shown


async def test_a_subscriber_who_is_silent_times_out_and_both_sides_are_told(stage: Stage,
                                                                            application: Application) -> None:
    side = Side()
    stage.restarted(side=side, subscriber_timeout_s=0.05)
    application.menu({"Type": "Response", "Message": "Menu", "ClientState": "kept"})
    phone = stage.phone()
    await phone.dial()
    await asyncio.sleep(0.06)
    await stage.expire()
    told = await application.wait_for("Timeout")
    assert (told["Message"], told["Sequence"], told["ClientState"]) == ("", 2, "kept")
    ((session, mobile, screen),) = side.shown
    assert (session, mobile, screen.ends) == (phone.session, MOBILE, True)
    assert screen.text.startswith("ST: The application took too long to respond.")
    late = await phone.type("1")
    assert late.screen.error == "ST"
    await stage.gateway.stop()
    assert {(failure.code, failure.cause) for failure in await stage.failures()} == {
        ("ST", "The subscriber answered a session that had timed out."),
        ("ST", "The subscriber did not answer within 0.05 s.")}
    assert len(application.requests) == 2


@pytest.mark.parametrize(("how", "code", "cause"), [
    ("silence", "ST", "The subscriber did not answer within 0.05 s."),
    ("the operator", "SERVICE UNAVAILABLE", "The operator reported this error."),
    ("removal", "NOAPP", "The service was removed in mid-session."),
])
async def test_an_error_is_counted_when_the_session_ends_and_the_answer_added_later(
        stage: Stage, application: Application, how: str, code: str, cause: str) -> None:
    may_answer = asyncio.Event()

    async def answer(request: Request) -> Answer:
        if request["Type"] != "Timeout" and request["Type"] != "Release":
            return {"Type": "Response", "Message": "Menu"}
        await may_answer.wait()
        return web.Response(status=500, text="Oops")

    application.script = answer
    stage.restarted(subscriber_timeout_s=0.05 if how == "silence" else 60)
    phone = stage.phone()
    await phone.dial()
    if how == "silence":
        await asyncio.sleep(0.06)
        await stage.expire()
    elif how == "the operator":
        await stage.gateway.report("test", phone.session, OperatorError.SERVICE_UNAVAILABLE)
    else:
        async with stage.database.transaction() as connection:
            await remove_service(connection, stage.merchant, stage.service.service_id)
        await stage.services.refresh()
        await phone.type("1")
    (counted,) = await stage.failures()  # should the process die now, the owner knows of it
    assert (counted.code, counted.cause, counted.status) == (code, cause, None)
    (history,) = await stage.sessions()
    assert (history.session.error, counted.session_id) == (code, history.session.session_id)
    may_answer.set()
    await stage.gateway.stop()
    (answered,) = await stage.failures()
    assert (answered.failure_id, answered.at) == (counted.failure_id, counted.at)
    assert (answered.code, answered.cause, answered.status, answered.body) == (
        code, f"{cause} The application answered 500.", 500, "Oops")
    (history,) = await stage.sessions()
    assert (history.steps[1].error, history.steps[1].cause, history.steps[1].status) == (code, answered.cause, 500)


async def test_an_answer_that_comes_after_the_time_but_before_the_clock_is_late_too(stage: Stage,
                                                                                  application: Application) -> None:
    stage.restarted(subscriber_timeout_s=0.02)
    application.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Response", "Message": "never"})
    phone = stage.phone()
    await phone.dial()
    await asyncio.sleep(0.03)
    assert (await phone.type("1")).screen.error == "ST"
    await application.wait_for("Timeout")
    assert application.of_type("Response") == []


@pytest.mark.parametrize("again", ["dial", "type"])
async def test_a_repeated_push_is_answered_from_the_stored_answer(stage: Stage, application: Application,
                                                                  again: str) -> None:
    application.menu({"Type": "Response", "Message": "first"}, {"Type": "Response", "Message": "second"})
    phone = stage.phone()
    first = await phone.dial()
    if again == "dial":
        repeated = await phone.again(PushKind.DIAL, dialled="*714#")
        assert repeated == first
    else:
        second = await phone.type("1")
        assert await phone.again(PushKind.INPUT, text="1") == second
    assert len(application.requests) == len({request["Sequence"] for request in application.requests})


async def test_repeats_that_come_while_the_application_thinks_wait_for_its_one_answer(stage: Stage,
                                                                                      application: Application) -> None:
    async def slow(_: object) -> dict[str, object]:
        await asyncio.sleep(0.1)
        return {"Type": "Response", "Message": "slow"}

    application.script = slow
    push = Push("test", uuid4().hex, "1", PushKind.DIAL, MOBILE, "MTN", "*714#")
    replies = await asyncio.gather(*(stage.gateway.push(push) for _ in range(5)))
    assert {text_of(reply) for reply in replies} == {"slow"}
    assert len(application.requests) == 1


async def test_an_old_push_gets_its_own_answer_again(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "first"}, {"Type": "Response", "Message": "second"})
    phone = stage.phone()
    await phone.dial()
    await phone.type("1")
    old = Push("test", phone.session, "1", PushKind.DIAL, MOBILE, "MTN", "*714#")
    assert text_of(await stage.gateway.push(old)) == "first"
    assert len(application.requests) == 2


async def test_an_ended_session_of_another_process_is_not_begun_again_by_a_repeat(stage: Stage,
                                                                                  application: Application) -> None:
    phone = stage.phone()
    first = await phone.dial()  # ends at once
    stage.restarted()
    phone.gateway = stage.gateway
    repeated = await phone.again(PushKind.DIAL, dialled="*714#")
    assert (text_of(repeated), repeated.session_id) == (text_of(first), first.session_id)
    assert len(application.requests) == 1


async def test_an_operator_may_use_its_id_anew(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "one"}, {"Type": "Response", "Message": "two"})
    first = await stage.gateway.push(Push("test", "same", "1", PushKind.DIAL, MOBILE, "MTN", "*714#"))
    second = await stage.gateway.push(Push("test", "same", "2", PushKind.DIAL, MOBILE, "MTN", "*714#"))
    assert first.session_id != second.session_id
    await application.wait_for("Release")  # the first one is over
    assert (text_of(first), text_of(second)) == ("one", "two")


async def test_nobody_gets_into_somebody_elses_session(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "Balance of the first"}, {"Type": "Response", "Message": "no"})
    phone = stage.phone()
    await phone.dial()
    stranger = Push("test", phone.session, "2", PushKind.INPUT, "+233200000001", "Vodafone", "", "1")
    assert (await stage.gateway.push(stranger)).screen.error == "ST"
    repeat = Push("test", phone.session, "1", PushKind.DIAL, "+233200000001", "Vodafone", "*714#")
    assert "first" not in text_of(await stage.gateway.push(repeat))


class TestLongTexts:
    lines: ClassVar = [f"{number}. Choice number {number}" for number in range(1, 21)]

    async def test_are_paged_and_the_application_is_not_asked_for_a_page(self, stage: Stage,
                                                                         application: Application) -> None:
        application.menu({"Type": "Response", "Message": "\n".join(self.lines), "ClientState": "s"},
                         {"Type": "Release", "Message": "Chosen"})
        phone = stage.phone()
        pages = [text_of(await phone.dial())]
        while pages[-1].endswith("\n00. More"):
            assert len(pages[-1]) <= 182
            pages.append(text_of(await phone.type("00")))
        assert "\n".join(page.removesuffix("\n00. More") for page in pages) == "\n".join(self.lines)
        assert text_of(await phone.type("7")) == "Chosen"
        assert [(request["Sequence"], request["Message"], request["ClientState"])
                for request in application.requests] == [(1, "*714#", None), (2, "7", "s")]

    async def test_can_be_answered_before_their_last_page(self, stage: Stage, application: Application) -> None:
        application.menu({"Type": "Response", "Message": "\n".join(self.lines)}, {"Type": "Release", "Message": "ok"})
        phone = stage.phone()
        await phone.dial()
        assert text_of(await phone.type("2")) == "ok"

    async def test_of_a_release_end_the_session_with_their_last_page(self, stage: Stage,
                                                                     application: Application) -> None:
        application.menu({"Type": "Release", "Message": "\n".join(self.lines)})
        phone = stage.phone()
        replies = [await phone.dial()]
        while not replies[-1].screen.ends:
            replies.append(await phone.type("00"))
        assert len(replies) > 2
        assert len(application.requests) == 1
        (history,) = await stage.sessions()
        assert history.session.end_reason is EndReason.APPLICATION

    async def test_survive_a_restart_between_pages(self, stage: Stage, application: Application) -> None:
        application.menu({"Type": "Response", "Message": "\n".join(self.lines)})
        phone = stage.phone()
        await phone.dial()
        phone.gateway = stage.restarted()
        assert "Choice number 10" in text_of(await phone.type("00"))

    async def test_are_refused_where_the_service_says_so(self, stage: Stage, application: Application) -> None:
        await stage.change(long_text=LongText.REFUSE)
        application.menu({"Type": "Response", "Message": "x" * 183})
        assert (await stage.phone().dial()).screen.error == "UUE"
        assert (await stage.failures())[0].cause == (
            "The answer's Message takes 183 septets and this service refuses more than 182.")
        application.menu({"Type": "Response", "Message": "ж" * 92})
        assert (await stage.phone().dial()).screen.error == "UUE"
        application.menu({"Type": "Response", "Message": "ж" * 91})
        reply = await stage.phone().dial()
        assert (reply.encoding, len(text_of(reply))) == ("ucs2", 91)
        application.menu({"Type": "Response", "Message": "€" * 91})
        assert (await stage.phone().dial()).encoding == "gsm7"


async def test_a_session_goes_on_in_another_process(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "a", "ClientState": "s1"},
                     {"Type": "Response", "Message": "b", "ClientState": "s2"}, {"Type": "Release", "Message": "c"})
    phone = stage.phone()
    await phone.dial()
    before, phone.gateway = stage.gateway, stage.restarted()
    assert text_of(await phone.type("1")) == "b"
    phone.gateway = before  # which has seen less
    assert text_of(await phone.type("2")) == "c"
    assert [(request["Sequence"], request["ClientState"]) for request in application.requests] == [
        (1, None), (2, "s1"), (3, "s2")]


async def test_what_an_operator_reports_ends_the_session(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "Menu"})
    phone = stage.phone()
    await phone.dial()
    await stage.gateway.report("test", phone.session, OperatorError.UNABLE_TO_DISPLAY)
    await application.wait_for("Release")
    await stage.gateway.stop()
    assert (await stage.failures())[0].code == "UNABLE TO DISPLAY USSD"
    (history,) = await stage.sessions()
    assert (history.session.end_reason, history.session.error) == (EndReason.ERROR, "UNABLE TO DISPLAY USSD")


async def test_requests_are_signed_where_the_service_has_a_secret(stage: Stage, application: Application) -> None:
    from standardwebhooks import Webhook

    secret = "whsec_" + "c2VjcmV0" * 6
    await stage.change(secret=secret)
    await stage.phone().dial()
    headers = {name.lower(): value for name, value in application.headers[0].items()}
    Webhook(secret).verify(application.raw[0], headers)


async def test_the_log_forgets_what_is_old_and_keeps_what_is_open(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Release", "Message": "old"}, {"Type": "Response", "Message": "open"},
                     b"wrong", {"Type": "Release", "Message": "new"})
    for mobile in ("+233200000001", "+233200000002", "+233200000003"):
        await stage.phone(mobile).dial()
    await stage.database.execute("UPDATE ussd.session SET started_at = started_at - interval '2 days'")
    await stage.database.execute("UPDATE ussd.failure SET at = at - interval '2 days'")
    await stage.phone().dial()
    assert await purge(stage.database, now() - timedelta(days=1), 100) == 3  # two sessions and an error
    assert [history.steps[0].screen for history in await stage.sessions()] == ["new", "open"]
    assert await stage.failures() == []
    assert await stage.database.fetchval("SELECT count(*) FROM ussd.step") == 2
    assert await purge(stage.database, now() - timedelta(days=1), 100) == 0


async def test_a_session_that_a_dead_process_left_is_found_and_ended(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "Menu", "ClientState": "s"})
    await stage.phone().dial()
    await stage.database.execute("UPDATE ussd.step SET asked_at = now() - interval '90 s',"
                                 " answered_at = now() - interval '90 s'")
    await stage.database.execute("UPDATE ussd.session SET started_at = now() - interval '90 s'")
    gateway = stage.restarted()
    left = await find_left(stage.database, asked_before=now() - timedelta(seconds=10),
                           shown_before=now() - timedelta(seconds=65), limit=10)
    assert len(left) == 1
    await gateway.take_over(*left[0])
    told = await application.wait_for("Timeout")
    assert (told["Sequence"], told["ClientState"]) == (2, "s")
    await gateway.stop()
    (history,) = await stage.sessions()
    assert history.session.end_reason is EndReason.TIMEOUT
    assert await stage.counted() == {"ST": 1}
