"""Sessions that timed out, and go on or begin again."""

import asyncio

from tests.ussd.application import Application
from tests.ussd.stage import Stage, text_of


async def _say_nothing(stage: Stage, application: Application) -> None:
    """Wait until the session has timed out, and the application knows."""
    await asyncio.sleep(0.06)
    await stage.expire()
    await application.wait_for("Timeout")


async def test_a_session_that_timed_out_can_be_resumed_where_the_service_allows(stage: Stage,
                                                                                application: Application) -> None:
    await stage.change(resume_s=600)
    stage.restarted(subscriber_timeout_s=0.05)
    application.menu({"Type": "Response", "Message": "Amount?", "ClientState": "buy"},
                     {"Type": "Release", "Message": "Bought"})
    phone = stage.phone()
    first = await phone.dial()
    await _say_nothing(stage, application)
    await stage.gateway.stop()
    phone.gateway = stage.restarted()
    offered = await phone.dial()
    assert text_of(offered) == "Continue where you left off?\n1. Continue\n2. Start again"
    phone.gateway = stage.restarted()  # the offer itself survives
    resumed = await phone.type("1")
    assert (text_of(resumed), resumed.session_id) == ("Amount?", first.session_id)
    assert text_of(await phone.type("20")) == "Bought"
    asked = application.of_type("Response")
    assert [(request["SessionId"], request["Sequence"], request["Message"], request["ClientState"])
            for request in asked] == [(first.session_id.hex if first.session_id else "", 3, "20", "buy")]


async def test_or_begun_again(stage: Stage, application: Application) -> None:
    await stage.change(resume_s=600)
    stage.restarted(subscriber_timeout_s=0.05)
    application.menu({"Type": "Response", "Message": "Amount?"}, {"Type": "Response", "Message": "Anew"})
    phone = stage.phone()
    first = await phone.dial()
    await _say_nothing(stage, application)
    await stage.gateway.stop()
    phone.gateway = stage.restarted()
    await phone.dial("*714*5#")
    anew = await phone.type("2")
    assert text_of(anew) == "Anew"
    assert anew.session_id != first.session_id
    assert application.requests[-1]["Message"] == "*714*5#"
    assert application.requests[-1]["Sequence"] == 1


async def test_a_session_that_timed_out_is_not_resumed_otherwise(stage: Stage, application: Application) -> None:
    stage.restarted(subscriber_timeout_s=0.05)
    application.menu({"Type": "Response", "Message": "one"}, {"Type": "Response", "Message": "two"})
    phone = stage.phone()
    await phone.dial()
    await _say_nothing(stage, application)
    assert text_of(await phone.dial()) == "two"
