"""Masked texts and PINs are nowhere: not in the database, a log, an error, a page or an answer that is kept."""


from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog
from aiohttp import web

from makola.core.ussd.ports import Push, PushKind
from makola.core.ussd.service.services import remove_service
from makola.core.ussd.store.reading import find_left
from makola.core.ussd.types import MASKED
from makola.kit.clock import now
from makola.kit.database import Database
from tests.ussd.application import Application
from tests.ussd.stage import MOBILE, Stage, text_of

_PIN = "7391504826"
_HIDDEN = "Your one-time word is zanzibar"


async def dump(database: Database) -> str:
    """Return every row of every table, as text."""
    tables = await database.fetch(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'")
    rows = []
    for table in tables:
        rows += [str(row[0]) for row in await database.fetch(f"SELECT t::text FROM {table['name']} AS t")]
    return "\n".join(rows)


def _bank(application: Application) -> None:
    """Answer in every way in which a PIN could find its way back."""
    application.menu(
        {"Type": "Response", "Message": "PIN?", "MaskNextRoute": True},
        {"Type": "Response", "Message": f"{_PIN} is right. More?", "ClientState": f"pin={_PIN}"},
        {"Type": "Response", "Message": _HIDDEN, "Mask": True, "ClientState": "NzM5MTUwNDgyNg=="},
        {"Type": "Response", "Message": _HIDDEN * 10, "Mask": True},
        {"Type": "Release", "Message": "Thank you"})


async def test_of_a_whole_session_nothing_masked_is_kept(stage: Stage, application: Application,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    _bank(application)
    phone = stage.phone()
    assert (await phone.dial()).screen.hides_input
    assert text_of(await phone.type(_PIN)) == f"{_PIN} is right. More?"
    assert text_of(await phone.type("1")) == _HIDDEN
    page = await phone.type("2")
    assert text_of(page).startswith(_HIDDEN)
    assert text_of(await phone.type("00")) != text_of(page)
    assert text_of(await phone.type("3")) == "Thank you"
    assert [request["Message"] for request in application.requests] == ["*714#", _PIN, "1", "2", "3"]
    assert [request["ClientState"] for request in application.requests][2:4] == [f"pin={_PIN}", "NzM5MTUwNDgyNg=="]
    kept = await dump(stage.database)
    assert "PIN?" in kept
    for secret in (_PIN, "zanzibar", "NzM5MTUwNDgyNg=="):
        assert secret not in kept
        assert secret not in str(capsys.readouterr())
    (history,) = await stage.sessions()
    assert [step.input for step in history.steps] == ["*714#", MASKED, "1", "2", "00", "3"]
    assert [step.screen for step in history.steps] == [
        "PIN?", f"{MASKED} is right. More?", MASKED, MASKED, MASKED, "Thank you"]


@pytest.mark.parametrize("answer", [
    web.Response(status=500, text=f"Traceback: bad pin {_PIN}"), b"{'pin': '" + _PIN.encode() + b"'}",
    b'{"Message": "' + _HIDDEN.encode() + b'", "Mask": true', {"Message": _HIDDEN, "mask": True},
])
async def test_an_error_after_a_pin_shows_its_owner_no_body(stage: Stage, application: Application,
                                                            answer: object) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True}, answer)  # type: ignore[arg-type]
    phone = stage.phone()
    await phone.dial()
    assert (await phone.type(_PIN)).screen.error == "UUE"
    (failure,) = await stage.failures()
    assert failure.body == ""
    kept = await dump(stage.database)
    assert _PIN not in kept
    assert "zanzibar" not in kept


async def test_a_masked_text_is_repeated_from_memory_and_never_from_disk(stage: Stage,
                                                                         application: Application) -> None:
    application.menu({"Type": "Response", "Message": _HIDDEN, "Mask": True})
    phone = stage.phone()
    await phone.dial()
    assert text_of(await phone.again(PushKind.DIAL, dialled="*714#")) == _HIDDEN
    phone.gateway = stage.restarted()
    assert (await phone.again(PushKind.DIAL, dialled="*714#")).screen.error == "ST"
    assert MASKED not in str(application.requests)


async def test_what_was_masked_and_is_lost_ends_the_session_after_a_restart(stage: Stage,
                                                                            application: Application) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True},
                     {"Type": "Response", "Message": "Amount?", "ClientState": f"pin={_PIN}"})
    phone = stage.phone()
    await phone.dial()
    await phone.type(_PIN)
    phone.gateway = stage.restarted()
    assert (await phone.type("20")).screen.error == "ST"
    told = await application.wait_for("Timeout")
    assert told["ClientState"] is None
    await stage.gateway.stop()
    assert "masked and not kept" in (await stage.failures())[0].cause


async def test_a_session_without_a_state_goes_on_after_a_restart_and_its_next_pin_stays_masked(
        stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True},
                     {"Type": "Response", "Message": "Amount?"})
    phone = stage.phone()
    await phone.dial()
    phone.gateway = stage.restarted()
    assert text_of(await phone.type(_PIN)) == "Amount?"
    assert _PIN not in await dump(stage.database)


async def test_an_operator_that_sends_everything_joined_tells_the_database_no_pin(stage: Stage,
                                                                                  application: Application) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True},
                     {"Type": "Response", "Message": "Amount?"}, {"Type": "Release", "Message": "Done"})

    async def push(*joined: str) -> str:
        return text_of(await stage.gateway.push(Push(
            "test", "one", str(len(joined)), PushKind.UNSAID, MOBILE, "MTN", "*714#", "*".join(joined), joined)))

    assert [await push(), await push(_PIN), await push(_PIN), await push(_PIN, "20")] == [
        "PIN?", "Amount?", "Amount?", "Done"]
    assert [request["Message"] for request in application.requests] == ["*714#", _PIN, "20"]
    assert _PIN not in await dump(stage.database)


async def test_a_joined_pin_of_a_session_whose_service_was_removed_is_not_dialled(stage: Stage,
                                                                                  application: Application) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True})

    async def push(*joined: str) -> str:
        return text_of(await stage.gateway.push(Push(
            "test", "one", str(len(joined)), PushKind.UNSAID, MOBILE, "MTN",
            f"*{'*'.join(('714', *joined))}#", "*".join(joined), joined)))

    assert await push() == "PIN?"
    async with stage.database.transaction() as connection:
        await remove_service(connection, stage.merchant, stage.service.service_id)
    await stage.services.refresh()
    stage.restarted()

    assert (await push(_PIN)).startswith("ST: ")
    assert _PIN not in await dump(stage.database)
    later = now() + timedelta(hours=1)
    assert await find_left(stage.database, asked_before=later, shown_before=later, limit=1) == [], \
        "nobody can end it, and it must not stand before others"


async def test_a_pin_typed_with_spaces_is_known_again_without_them(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True},
                     {"Type": "Release", "Message": f"{_PIN} is wrong"})
    phone = stage.phone()
    await phone.dial()
    assert text_of(await phone.type(f" {_PIN} ")) == f"{_PIN} is wrong"
    assert _PIN not in await dump(stage.database)


async def test_what_the_application_says_to_a_release_after_a_pin_is_not_kept(stage: Stage,
                                                                              application: Application) -> None:
    answers: Iterator[dict[str, object]] = iter([{"Type": "Response", "Message": "PIN?", "MaskNextRoute": True},
                    {"Type": "Response", "Message": "More?", "ClientState": _PIN},
                    {"Type": "Release", "Message": f"Forgetting {_PIN}"}])
    application.script = lambda _: next(answers)
    phone = stage.phone()
    await phone.dial()
    await phone.type(_PIN)
    await phone.cancel()
    assert (await application.wait_for("Release"))["ClientState"] == _PIN
    await stage.gateway.stop()
    assert _PIN not in await dump(stage.database)


async def test_a_failing_database_does_not_log_what_was_typed(stage: Stage, application: Application) -> None:
    application.menu({"Type": "Response", "Message": "PIN?", "MaskNextRoute": True})
    phone = stage.phone()
    await phone.dial()
    await stage.database.execute("ALTER TABLE ussd.step ADD CONSTRAINT broken CHECK (false) NOT VALID")
    with structlog.testing.capture_logs() as logged:
        assert (await phone.type(_PIN)).screen.error == "CSP"
    assert logged
    assert _PIN not in str(logged)
    assert "PIN?" not in str(logged)
