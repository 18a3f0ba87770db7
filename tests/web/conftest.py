"""The pages beside a running operator, and a browser to look at them."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from makola.kit.database import Database
from makola.web import ApiDocument, create_web_router
from tests.places import is_memory_roomy
from tests.sandbox.operator_app import RunningOperator, running_operator
from tests.serving import Serving, serving

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
              "--disable-background-networking", "--disable-component-update", "--disable-sync"]
#: How long a page may take to become what a test expects: a busy machine takes its time, a quiet one never waits.
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)

#: A document with something of everything, some of it hostile.
DOCUMENT: dict[str, object] = {
    "openapi": "3.1.0",
    "info": {"title": "Trial <API>", "version": "7", "description": "First.\n\nSecond with `code`."},
    "servers": [{"url": "/v1"}],
    "security": [{"basic": []}],
    "tags": [{"name": "Messages", "description": "<img src=x onerror=alert(1)>"}, {"name": "Nothing"}],
    "paths": {
        "/messages": {
            "post": {
                "operationId": "send", "tags": ["Messages"], "summary": "Send", "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                "responses": {"201": {"description": "Taken.", "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}},
            },
            "get": {"tags": ["Messages"], "summary": "List", "parameters": [
                {"name": "direction", "in": "query", "example": "in & out", "schema": {
                    "type": "string", "enum": ["in", "out"]}}], "responses": {"200": {"description": "Some."}}},
        },
        "/messages/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "delete": {"summary": "Cancel", "security": [{"bearer": []}], "deprecated": True,
                       "responses": {"default": {"description": "It's gone."}}},
        },
    },
    "components": {
        "securitySchemes": {"basic": {"type": "http", "scheme": "basic"},
                            "bearer": {"type": "http", "scheme": "bearer"}},
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "example": "a/b",
                              "schema": {"type": "string"}}},
        "schemas": {
            "New": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {
                "Content": {"type": "string", "maxLength": 1530, "examples": ["It's </script> here"]},
                "Time": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}}}]},
            "Base": {"type": "object", "required": ["To"], "properties": {
                "To": {"type": "string", "description": "Who <b>gets</b> it."}}},
            "Tree": {"type": "object", "properties": {
                "Name": {"type": "string"},
                "Children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        },
    },
}


def documents() -> list[ApiDocument]:
    """The APIs that the trial pages document."""
    return [ApiDocument("trial", "Trial <API>", "Everything & more.", "/v1/openapi.json", lambda: DOCUMENT)]


@asynccontextmanager
async def serve_bench(database: Database, port: int = 0) -> AsyncIterator[RunningOperator]:
    """Serve an operator with the pages."""
    async with running_operator(database, routes=[create_web_router(documents())], port=port) as running:
        yield running


@pytest_asyncio.fixture
async def bench(database: Database) -> AsyncIterator[RunningOperator]:
    """A running operator with the pages."""
    async with serve_bench(database) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for every test that looks at pages."""
    if os.environ.get("MAKOLA_TEST_SKIP_BROWSER") == "1":
        pytest.skip("MAKOLA_TEST_SKIP_BROWSER is 1")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=_ARGUMENTS,
            ignore_default_args=["--disable-dev-shm-usage"] if is_memory_roomy() else None)
        yield launched
        await launched.close()


@asynccontextmanager
async def visit(browser: Browser, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """A page of that size; anything that the browser complains about, but a refused request, fails the test."""
    complaints: list[str] = []
    context = await browser.new_context(
        viewport=ViewportSize(width=width, height=height), is_mobile=width < 500, has_touch=width < 500,
        reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield page
    await context.close()
    assert [line for line in complaints if not line.startswith("Failed to load resource")] == []


@pytest.fixture(scope="package")
def server() -> Iterator[Serving]:
    """A whole server, on which a subscriber who says nothing for a while has timed out: longer than a test looks."""
    with serving(ussd_subscriber_timeout_s="12", log_level="warning") as running:
        yield running
