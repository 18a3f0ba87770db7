"""Callbacks are written in the caller's transaction, and never make it fail."""

import asyncio
import json
from uuid import UUID

import pytest

from makola.core.callbacks.queries import get_delivery, list_deliveries
from makola.core.callbacks.service import CHANNEL, endpoint_saved, enqueue
from makola.core.callbacks.signing_secrets import signing_secret
from makola.core.callbacks.types import DeliveryState, NewCallback
from makola.kit.database import Database, WakeUps
from makola.kit.ids import new_id
from tests.callbacks.receivers import PARAMETERS, callback, send, states

URL = "https://example.com/report?key=1"


async def test_what_is_stored(database: Database) -> None:
    subject_id = new_id()
    [webhook_id] = await send(database, NewCallback(
        organisation_id=7, application_id=8, event="message.report", method="POST", url=URL, parameters=PARAMETERS,
        subject_id=subject_id))
    history = await get_delivery(database, UUID(webhook_id), organisation_id=7)
    stored = history.delivery
    assert history.attempts == ()
    assert (stored.organisation_id, stored.application_id, stored.event, stored.subject_id) == (
        7, 8, "message.report", subject_id)
    assert (stored.method, stored.url, stored.content_type) == ("POST", URL, "application/json")
    assert stored.query == "From=Makola&To=%2B233241234567&Status=Delivered%20%26%20read"
    assert stored.body is not None
    assert json.loads(stored.body) == dict(PARAMETERS)
    assert (stored.state, stored.detail, stored.attempt_count, stored.finished_at) == (
        DeliveryState.PENDING, "", 0, None)
    assert "key" not in repr(stored)


async def test_a_get_has_no_body_and_a_given_body_is_kept(database: Database) -> None:
    get, post = await send(database, callback(URL, method="GET"), NewCallback(
        organisation_id=1, event="payment", method="POST", url=URL, body=b"<x/>", content_type="text/xml"))
    stored = (await get_delivery(database, UUID(get), organisation_id=None)).delivery
    assert (stored.body, stored.content_type) == (None, "")
    stored = (await get_delivery(database, UUID(post), organisation_id=None)).delivery
    assert (stored.body, stored.content_type, stored.query) == (b"<x/>", "text/xml", "")


async def test_nothing_is_left_of_a_transaction_that_fails(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await enqueue(connection, [callback(URL)])
            raise ZeroDivisionError
    assert await states(database) == {}


async def test_an_empty_batch_is_nothing(database: Database) -> None:
    assert await send(database) == []


async def test_the_workers_are_woken_at_the_commit(database: Database) -> None:
    wake_ups = WakeUps(database.url)
    woken = wake_ups.on(CHANNEL)
    wake_ups.start([CHANNEL])
    try:
        await asyncio.wait_for(woken.wait(), 30)  # said once when listening begins
        woken.clear()
        async with database.transaction() as connection:
            await enqueue(connection, [callback(URL), callback(URL)])
            await asyncio.sleep(0.05)
            assert not woken.is_set()
        await asyncio.wait_for(woken.wait(), 30)
    finally:
        await wake_ups.stop()


async def test_a_url_that_cannot_be_called_is_recorded_and_harms_nobody(database: Database) -> None:
    unusable = ["", "ftp://example.com/", "http://127.1/", "nonsense", "http://a/\0",
                "http://user:secret@example.com/", "https://example.com/" + "é" * 3000]
    await send(database, callback(URL), *map(callback, unusable), callback(URL))
    assert await states(database) == {"pending": 2, "not_sent": len(unusable)}
    for refused in await list_deliveries(database, organisation_id=1):
        if refused.state is DeliveryState.NOT_SENT:
            assert refused.detail.startswith("the URL ")
            assert refused.finished_at is not None


async def test_an_odd_url_that_can_be_called_is_stored(database: Database) -> None:
    await send(database, callback("https://a/\ud800 "))
    assert await states(database) == {"pending": 1}


async def test_odd_parameters_are_stored(database: Database) -> None:
    await send(database, callback(URL, parameters=(("Text", "\0\ud800 é\U0001f600\r\n"), ("", ""))))
    [stored] = await list_deliveries(database, organisation_id=1)
    assert stored.query == "Text=%00%3F%20%C3%A9%F0%9F%98%80%0D%0A&="


async def test_nothing_is_queued_for_a_disabled_endpoint_until_it_is_saved_again(database: Database) -> None:
    await database.execute("INSERT INTO callbacks.endpoint (organisation_id, url, reason) VALUES (1, $1, 'gone')", URL)
    await send(database, callback(URL), callback(URL + "2"), callback(URL, organisation_id=2))
    of_one = await list_deliveries(database, organisation_id=1)
    assert sorted((one.url, one.state.value, one.detail) for one in of_one) == [
        (URL, "not_sent", "gone"), (URL + "2", "pending", "")]
    assert [one.state for one in await list_deliveries(database, organisation_id=2)] == [DeliveryState.PENDING]
    async with database.transaction() as connection:
        await endpoint_saved(connection, 1, URL)
    await send(database, callback(URL))
    newest = (await list_deliveries(database, organisation_id=1, limit=1))[0]
    assert newest.state is DeliveryState.PENDING


async def test_a_secret_is_made_once_however_many_ask(database: Database) -> None:
    asked = await asyncio.gather(*(signing_secret(database, 1) for _ in range(8)))
    assert len(set(asked)) == 1
    assert await signing_secret(database, 1) == asked[0]
    assert await signing_secret(database, 2) != asked[0]
