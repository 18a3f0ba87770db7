"""Where there is no page, and where one fails: a person gets a page, a program JSON, the operator the reason."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from litestar import Litestar, get
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.testing import AsyncTestClient
from structlog.testing import capture_logs

from makola.web import failures

_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@get("/broken")
async def _broken() -> None:
    raise RuntimeError("a secret of the inside")


@get("/away")
async def _away() -> None:
    raise asyncpg.InterfaceError("the pool is closed")


@get("/large")
async def _large() -> None:
    raise RequestEntityTooLarge


@pytest_asyncio.fixture
async def client() -> AsyncIterator[AsyncTestClient[Litestar]]:
    app = Litestar([_broken, _away, _large], openapi_config=None, logging_config=None,
                   exception_handlers={404: failures.missing, 413: failures.too_large, 500: failures.failed})
    async with AsyncTestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/broken", 500), ("/away", 503),
                                              ("/large", 413)])
async def test_a_person_gets_a_page_and_a_program_json(
        client: "AsyncTestClient[Litestar]", path: str, status: int) -> None:
    page = await client.get(path, headers=_BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["status_code"]) == (status, status)
    assert "secret" not in page.text + answer.text


async def test_the_operator_is_told_what_failed(client: "AsyncTestClient[Litestar]") -> None:
    with capture_logs() as logs:
        await client.get("/broken")
    (line,) = [line for line in logs if line["event"] == "request_failed"]
    assert (line["route"], str(line["exc_info"])) == ("/broken", "a secret of the inside")
