"""Several processes on one database, and operators that number their pushes anew in each session."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from makola.core.ussd.ports import Push, PushKind
from makola.core.ussd.store.reading import find_session
from makola.kit.database import Database, Record
from tests.ussd.application import Application
from tests.ussd.stage import MOBILE, Stage, text_of


async def test_a_resumed_session_takes_pushes_that_are_numbered_anew(stage: Stage, application: Application) -> None:
    await stage.change(resume_s=600)
    application.menu({"Type": "Response", "Message": "Menu"}, {"Type": "Response", "Message": "Amount?"},
                     {"Type": "Response", "Message": "Sure?"}, {"Type": "Response", "Message": "Done"})

    async def push(session: str, *joined: str) -> str:
        return text_of(await stage.gateway.push(Push(
            "test", session, str(len(joined)), PushKind.UNSAID, MOBILE, "MTN", "*714#", "*".join(joined), joined)))

    stage.restarted(subscriber_timeout_s=0.2)
    assert [await push("one"), await push("one", "5"), await push("one", "5", "6")] == ["Menu", "Amount?", "Sure?"]
    await asyncio.sleep(0.21)
    await stage.expire()
    await application.wait_for("Timeout")
    await stage.gateway.stop()
    stage.restarted()
    assert (await push("two")).startswith("Continue where you left off?")
    assert await push("two", "1") == "Sure?"
    stage.restarted()
    assert await push("two", "1") == "Sure?"
    assert await push("two", "1", "7") == "Done"
    assert [request["Message"] for request in application.of_type("Response")] == ["5", "6", "7"]


async def test_an_id_that_was_used_anew_in_another_process_is_the_new_session(stage: Stage,
                                                                              application: Application) -> None:
    application.menu({"Type": "Response", "Message": "old"}, {"Type": "Response", "Message": "new"},
                     {"Type": "Response", "Message": "more"})
    one = stage.phone()
    await one.dial()
    await one.cancel()
    await application.wait_for("Release")
    await stage.gateway.stop()
    knows_the_old, other = stage.gateway, stage.restarted()
    one.gateway = other
    assert text_of(await one.push(PushKind.DIAL, dialled="*714#")) == "new"
    one.gateway = knows_the_old
    assert text_of(await one.type("1")) == "more"
    await knows_the_old.stop()


async def test_a_session_that_was_read_back_holds_up_nobodys_time_out(stage: Stage, application: Application) -> None:
    application.script = lambda _: {"Type": "Response", "Message": "Menu"}
    other, gateway = stage.restarted(subscriber_timeout_s=0.5), stage.restarted(subscriber_timeout_s=0.5)
    first, later = stage.phone(), stage.phone("+233244000002")
    await first.dial()
    await asyncio.sleep(0.3)
    later.gateway = other
    await later.dial()
    later.gateway = gateway
    await asyncio.sleep(0.01)
    await later.again(PushKind.DIAL, dialled="*714#")
    await asyncio.sleep(0.21)
    assert [live.mobile for live in gateway.sessions.due()] == [first.mobile]
    await asyncio.sleep(0.3)
    assert len(gateway.sessions.due()) == 2
    await other.stop()


async def test_pages_are_the_same_in_another_process_whatever_is_in_them(stage: Stage,
                                                                          application: Application) -> None:
    application.menu({"Type": "Response", "Message": "\n".join("a" * 80 + "\x1e" + "b" * 80 for _ in range(3))})
    phone = stage.phone()
    await phone.dial()
    saved = stage.gateway.sessions.get(("test", phone.session))
    assert saved is not None
    assert saved.session is not None
    phone.gateway = stage.restarted()
    pages = saved.session.pages
    shown = [text_of(await phone.type("00")) for _ in pages]
    assert shown == [page.replace("\x1e", " ") for page in pages]


class Interrupted(Database):
    """Something happens right after the first statement."""

    sql = ""

    async def _interrupt(self) -> None:
        sql, self.sql = self.sql, ""
        if sql:
            await super().execute(sql)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Record]:
        """Run a statement."""
        rows = await super().fetch(sql, *arguments)
        await self._interrupt()
        return rows

    async def fetchrow(self, sql: str, *arguments: object) -> Record | None:
        """Run a statement."""
        row = await super().fetchrow(sql, *arguments)
        await self._interrupt()
        return row


async def test_a_session_is_read_as_it_was_at_one_moment(stage: Stage, application: Application) -> None:
    phone = stage.phone()
    reply = await phone.dial()
    assert isinstance(reply.session_id, UUID)
    await stage.database.execute("UPDATE ussd.session SET ended_at = NULL")
    await stage.database.execute("UPDATE ussd.step SET answered_at = NULL")
    database = Interrupted(stage.database.connections, stage.database.url)
    database.sql = ("WITH s AS (UPDATE ussd.session SET ended_at = now())"
                    " UPDATE ussd.step SET answered_at = now()")
    saved = await find_session(database, "test", phone.session)
    assert saved is not None
    assert (saved.ended_at is None) == (saved.steps[-1].answered_at is None)


async def test_an_application_has_the_time_that_is_set_wherever_its_session_is_looked_for(stage: Stage) -> None:
    phone = stage.phone()
    await phone.dial()
    await stage.database.execute("UPDATE ussd.session SET ended_at = NULL")
    await stage.database.execute("UPDATE ussd.step SET answered_at = NULL, asked_at = now() - interval '20 seconds'")
    phone.gateway = stage.restarted(application_timeout_s=30)
    with pytest.raises(TimeoutError):  # it waits for whoever asks
        await asyncio.wait_for(phone.type("1"), 0.3)
    phone.gateway = stage.restarted(application_timeout_s=7)
    assert (await phone.type("1")).screen.error == "ST"
