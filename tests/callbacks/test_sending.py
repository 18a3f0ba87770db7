"""What a receiver sees, and what its answer does."""

import json
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from aiohttp import web
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from makola.core.callbacks.queries import get_delivery, list_deliveries
from makola.core.callbacks.service import endpoint_saved, replay
from makola.core.callbacks.signing_secrets import signing_secret
from makola.core.callbacks.types import CallbackPolicy, DeliveryHistory, DeliveryState
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy
from tests.callbacks.receivers import (
    PARAMETERS,
    QUICK,
    Respond,
    Seen,
    callback,
    eventually,
    hang,
    ok,
    receiver,
    send,
    settled,
    states,
    status,
    working,
)


async def _history(database: Database, webhook_id: str) -> DeliveryHistory:
    return await get_delivery(database, UUID(webhook_id), organisation_id=None)


async def _attempted(database: Database, webhook_id: str, times: int) -> DeliveryHistory:
    async def done() -> bool:
        return len((await _history(database, webhook_id)).attempts) >= times

    await eventually(done)
    return await _history(database, webhook_id)


async def test_a_post_carries_its_parameters_twice_and_a_signature(database: Database) -> None:
    async with receiver() as server, working(database):
        [webhook_id] = await send(database, callback(server.url + "?key=a%2fb&To=own"))
        await settled(database)
    [seen] = server.seen
    assert seen.method == "POST"
    assert seen.target.startswith("/report?key=a%2fb&To=own&From=Makola&")
    assert parse_qsl(seen.query) == [("key", "a/b"), ("To", "own"), *PARAMETERS]
    assert seen.headers["content-type"] == "application/json"
    assert json.loads(seen.body) == dict(PARAMETERS)
    assert seen.webhook_id == webhook_id
    secret = await signing_secret(database, 1)
    assert Webhook(secret).verify(seen.body, seen.headers) == dict(PARAMETERS)
    history = await _history(database, webhook_id)
    assert history.delivery.state is DeliveryState.DELIVERED
    assert history.delivery.finished_at is not None
    [attempt] = history.attempts
    assert (attempt.number, attempt.status, attempt.error, attempt.answer) == (1, 200, "", "thank you")
    assert attempt.duration_ms >= 0


async def test_a_get_signs_its_query(database: Database) -> None:
    async with receiver() as server, working(database):
        await send(database, callback(server.url + "?key=1", method="GET"))
        await settled(database)
    [seen] = server.seen
    assert (seen.method, seen.body) == ("GET", b"")
    assert "content-type" not in seen.headers
    assert parse_qsl(seen.query) == [("key", "1"), *PARAMETERS]
    Webhook(await signing_secret(database, 1)).verify(seen.query, seen.headers, json_parse=False)


async def test_each_organisation_signs_with_its_own_secret(database: Database) -> None:
    async with receiver() as server, working(database):
        await send(database, *(callback(server.url, organisation_id=one) for one in (1, 2, 1)))
        await settled(database)
    secrets = [await signing_secret(database, one) for one in (1, 2)]

    def signed_by(secret: str) -> int:
        return sum(Webhook(secret).sign(seen.webhook_id, datetime.fromtimestamp(
            int(seen.headers["webhook-timestamp"]), UTC), seen.body.decode())
            == seen.headers["webhook-signature"] for seen in server.seen)

    assert [signed_by(secret) for secret in secrets] == [2, 1]


async def test_a_failure_is_tried_again_under_the_same_id(database: Database) -> None:
    async with receiver(status(500)) as server, working(database):
        [webhook_id] = await send(database, callback(server.url))
        await eventually(lambda: len(server.seen) == 2)
        server.respond = ok
        await settled(database)
    assert {seen.webhook_id for seen in server.seen} == {webhook_id}
    for seen in server.seen:  # each attempt has a signature of its own
        Webhook(await signing_secret(database, 1)).verify(seen.body, seen.headers)
    history = await _history(database, webhook_id)
    assert history.delivery.state is DeliveryState.DELIVERED
    assert [(one.number, one.status, one.answer) for one in history.attempts] == [
        (1, 500, "answer 500"), (2, 500, "answer 500"), (3, 200, "thank you")]


async def test_after_the_last_attempt_it_has_failed(database: Database) -> None:
    codes = [301, 302, 307, 400, 404, 500]

    async def by_path(seen: Seen) -> web.Response:
        code = int(parse_qsl(seen.query)[0][1])
        return await status(code, Location=elsewhere.url)(seen)

    async with receiver() as elsewhere, receiver(by_path) as server, working(database):
        ids = await send(database, *(callback(f"{server.url}?code={code}") for code in codes))
        await settled(database)
    assert elsewhere.seen == []  # a redirect is not followed
    assert len(server.seen) == 3 * len(codes)
    for webhook_id, code in zip(ids, codes, strict=True):
        history = await _history(database, webhook_id)
        assert history.delivery.state is DeliveryState.FAILED
        assert history.delivery.detail == f"the receiver answered {code}"
        assert [one.status for one in history.attempts] == [code] * 3


async def test_the_time_between_attempts_is_the_schedules(database: Database) -> None:
    async with receiver(status(503)) as server, working(database, CallbackPolicy()):
        [webhook_id] = await send(database, callback(server.url))
        for number, delay_s in enumerate([5, 300, 1800], start=1):
            history = await _attempted(database, webhook_id, number)
            attempt = history.attempts[-1]
            wait_s = (history.delivery.due_at - attempt.started_at).total_seconds()
            assert delay_s * 0.8 <= wait_s <= delay_s * 1.2 + 10
            assert history.delivery.state is DeliveryState.PENDING
            await database.execute("UPDATE callbacks.delivery SET due_at = now()")
            await database.execute("NOTIFY callbacks")


async def test_retry_after_is_honoured(database: Database) -> None:
    in_ten_minutes = f"{datetime.now(UTC) + timedelta(seconds=600):%a, %d %b %Y %H:%M:%S GMT}"
    expected_s = {"600": 600, in_ten_minutes: 600, "0": 5, "nonsense": 5, "99999999": 86400}

    async def asks(seen: Seen) -> web.Response:
        return await status(429, Retry_After=parse_qsl(seen.query)[0][1])(seen)

    async with receiver(asks) as server, working(database, CallbackPolicy()):
        ids = await send(database, *(callback(f"{server.url}?{urlencode({'after': text})}") for text in expected_s))
        for webhook_id, wait_s in zip(ids, expected_s.values(), strict=True):
            history = await _attempted(database, webhook_id, 1)
            waits_s = (history.delivery.due_at - history.attempts[0].started_at).total_seconds()
            least_s = 4 if wait_s == 5 else wait_s - 30
            assert least_s <= waits_s <= wait_s + 30


async def test_gone_stops_everything_to_that_url_until_it_is_saved_again(database: Database) -> None:
    async with receiver(status(410)) as server, working(database):
        await send(database, *(callback(server.url) for _ in range(20)), callback(server.url, organisation_id=2))
        await settled(database)
        assert await states(database) == {"gone": 21}
        assert len(server.seen) < 21  # most were closed unsent
        before = len(server.seen)
        server.respond = ok
        await send(database, callback(server.url))
        assert (await states(database))["not_sent"] == 1
        async with database.transaction() as connection:
            await endpoint_saved(connection, 1, server.url)
        await send(database, callback(server.url))
        await settled(database)
        assert len(server.seen) == before + 1
    newest = (await list_deliveries(database, organisation_id=1))[0]
    assert newest.state is DeliveryState.DELIVERED


async def test_the_answer_is_kept_in_part(database: Database) -> None:
    async def long(_seen: Seen) -> web.Response:
        return web.Response(body=b"\0\xff" + b"a" * 10_000_000)

    async with receiver(long) as server, working(database):
        [webhook_id] = await send(database, callback(server.url))
        await settled(database)
    [attempt] = (await _history(database, webhook_id)).attempts
    assert attempt.answer == "\ufffd\ufffd" + "a" * 1022


async def test_no_answer_is_an_attempt_with_a_reason(database: Database) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    policy = CallbackPolicy(retry_delays_s=(), timeout_s=0.2)
    async with receiver(hang) as server, working(database, policy):
        refused, silent = await send(database, callback(f"http://127.0.0.1:{port}/"), callback(server.url))
        await settled(database)
    for webhook_id, error in ((refused, "no connection: Connection refused"),
                              (silent, "no complete answer within 0.2 s")):
        history = await _history(database, webhook_id)
        assert history.delivery.state is DeliveryState.FAILED
        assert history.delivery.detail == error
        assert [(one.status, one.error, one.answer) for one in history.attempts] == [(None, error, "")]


async def test_a_local_address_is_not_called(database: Database) -> None:
    async with receiver() as server, working(database, addresses=AddressPolicy()):
        [webhook_id] = await send(database, callback(server.url))
        await settled(database)
    assert server.seen == []
    history = await _history(database, webhook_id)
    assert history.delivery.state is DeliveryState.FAILED
    assert "not permitted" in history.delivery.detail


async def test_a_replay_is_the_same_callback_with_further_attempts(database: Database) -> None:
    responses: dict[str, Respond] = {"delivered": ok, "failed": status(500), "gone": status(410)}
    async with working(database):
        for organisation_id, (before, respond) in enumerate(responses.items(), start=1):
            async with receiver(respond) as server:
                [webhook_id] = await send(database, callback(server.url, organisation_id=organisation_id))
                await settled(database)
                attempts = len(server.seen)
                assert (await _history(database, webhook_id)).delivery.state == before
                server.respond = ok
                await replay(database, UUID(webhook_id), organisation_id=organisation_id)
                await settled(database)
            assert len(server.seen) == attempts + 1
            assert {seen.webhook_id for seen in server.seen} == {webhook_id}
            assert len({seen.body for seen in server.seen}) == 1
            history = await _history(database, webhook_id)
            assert history.delivery.state is DeliveryState.DELIVERED
            assert [one.number for one in history.attempts] == list(range(1, attempts + 2))


async def test_a_replay_has_the_whole_schedule_before_it(database: Database) -> None:
    async with receiver(status(500)) as server, working(database):
        [webhook_id] = await send(database, callback(server.url))
        await settled(database)
        await replay(database, UUID(webhook_id), organisation_id=None)
        await settled(database)
    assert len(server.seen) == 2 * (len(QUICK.retry_delays_s) + 1)


async def test_no_log_holds_what_is_secret(database: Database) -> None:
    with capture_logs() as logs:
        async with receiver(status(500)) as server, working(database):
            await send(database, callback(server.url + "?token=s3cret", parameters=(("access_token", "s3cret"),)))
            await send(database, callback("http://user:s3cret@127.0.0.1/"))
            await settled(database)
    assert any(line["event"] == "callback_given_up" for line in logs)
    assert "s3cret" not in str(logs)
    assert await signing_secret(database, 1) not in str(logs)
