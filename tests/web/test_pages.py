"""The pages without a browser: what they say, their headers, what they never contain."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import AsyncTestClient

from makola.web import create_web_router, markdown
from makola.web.openapi_reference import Operation, Reference, read_reference
from tests.web.conftest import DOCUMENT, documents

PAGES = ["/", "/handset", "/docs", "/docs/trial"]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with AsyncTestClient(Litestar([create_web_router(documents())], openapi_config=None)) as opened:
        yield opened


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_has_strict_headers_and_nothing_inline(
        client: "AsyncTestClient[Litestar]", path: str) -> None:
    page = await client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin"
    elements = _Elements()
    elements.feed(page.text)
    for tag, attributes in elements.found:
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    for address in re.findall(r'(?:src|href)="(/[^"#]*)"', page.text):
        if address != "/v1/openapi.json":
            assert (await client.get(address)).status_code == 200, address


async def test_static_files_are_kept_for_ever_under_their_version_only(
        client: "AsyncTestClient[Litestar]") -> None:
    found = re.search(r'/static/([0-9a-f]+)/handset/main\.js', (await client.get("/handset")).text)
    assert found is not None
    script = await client.get(found[0])
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    old = await client.get("/static/0000/handset/main.js")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    for path in ("/static/0000/none.js", "/static/0000/%2e%2e/pages.py", "/static/0000//etc/passwd",
                 "/static/0000/handset"):
        assert (await client.get(path)).status_code == 404, path


async def test_a_document_that_is_not_there_is_missing_politely(client: "AsyncTestClient[Litestar]") -> None:
    page = await client.get("/docs/nothing")
    assert page.status_code == 404
    assert "There is no such page" in page.text


async def test_without_the_virtual_operator_there_is_no_handset() -> None:
    async with AsyncTestClient(Litestar([create_web_router(handset=False)], openapi_config=None)) as client:
        assert (await client.get("/handset")).status_code == 404
        assert "/handset" not in (await client.get("/")).text


async def test_the_reference_shows_the_document_and_escapes_it(client: "AsyncTestClient[Litestar]") -> None:
    page = (await client.get("/docs/trial")).text
    assert "Trial &lt;API&gt;" in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "Who &lt;b&gt;gets&lt;/b&gt; it." in page
    assert "<code>code</code>" in page
    assert page.count('class="operation"') == 3
    assert "http://testserver.local/v1/messages" in page


def _operations(reference: Reference) -> list[Operation]:
    return [operation for group in reference.groups for operation in group.operations]


def test_operations_come_in_their_order_with_fields_and_a_curl_line() -> None:
    reference = read_reference(DOCUMENT, "http://here")
    assert [group.name for group in reference.groups] == ["Messages", "Operations"]
    send, listing, cancel = _operations(reference)
    assert send.body is not None
    assert [(field.name, field.type, field.required) for field in send.body.fields] == [
        ("To", "string", True), ("Content", "string", False), ("Time", "string (date-time) or null", False)]
    assert send.body.fields[1].notes == ("at most 1530 characters",)
    assert send.curl.startswith("curl http://here/v1/messages \\\n  -u CLIENT_ID:CLIENT_SECRET \\\n")
    assert "'\"'\"'s </script> here" in send.curl  # the shell's way to write a quotation mark inside a quotation
    assert listing.curl.splitlines()[0] == "curl 'http://here/v1/messages?direction=in%20%26%20out' \\"
    assert cancel.curl == ("curl http://here/v1/messages/a%2Fb \\\n  -X DELETE \\\n"
                           "  -H 'Authorization: Bearer TOKEN'")
    assert cancel.deprecated


def test_a_schema_that_holds_itself_ends() -> None:
    answer = _operations(read_reference(DOCUMENT, ""))[0].answers[0]
    assert answer.body is not None
    assert [(field.name, field.depth) for field in answer.body.fields] == [("Name", 0), ("Children", 0)]


@pytest.mark.parametrize("document", [{}, {"paths": {"/a": {"get": {}}}}, {"paths": []}, {"info": None}, {
    "paths": {"/a": {"get": {"parameters": [{"$ref": "#/nowhere"}], "responses": {"200": {"content": {}}}}}}}])
def test_a_document_that_lacks_things_is_shown_without_them(document: dict[str, object]) -> None:
    assert read_reference(document, "http://here").title == "API"


@pytest.mark.parametrize(("text", "html"), [
    ("a\nb\n\nc", "<p>a b</p><p>c</p>"),
    ("- one\n* two", "<ul><li>one</li><li>two</li></ul>"),
    ("`<b>` **bold**", "<p><code>&lt;b&gt;</code> <strong>bold</strong></p>"),
    ("[here](/docs) [there](https://x.y) [bad](javascript:alert(1)) [rel](//evil)",
     '<p><a href="/docs">here</a> <a href="https://x.y">there</a> [bad](javascript:alert(1)) [rel](//evil)</p>'),
    ("x\n```json\n{\"<a>\": 1}\n```\ny", "<p>x</p><pre><code>{&#34;&lt;a&gt;&#34;: 1}</code></pre><p>y</p>"),
])
def test_markdown(text: str, html: str) -> None:
    assert markdown.render(text) == html


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert [name for name, _ in attrs] in ([], ["href"])
        assert all(value is not None and re.match(r"https?://|/(?!/)|#", value) for _, value in attrs)


@given(st.text(alphabet=st.sampled_from("<>&\"'`*[]()-\n #/abjhtps:=")) | st.text())
def test_markdown_makes_nothing_but_its_own_tags(text: str) -> None:
    parser = _Tags()
    parser.feed(str(markdown.render(text)))
    assert parser.found <= {"p", "ul", "li", "code", "pre", "strong", "a"}
