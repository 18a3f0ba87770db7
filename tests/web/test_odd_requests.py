"""Requests that no browser sends: each gets the page's own refusal, never a failure of the server."""

import httpx
import pytest

from tests.serving import Serving

#: In a character set that does not exist, in one that gives no text, not in the one meant, and cut off.
PARTS = [b'a"\r\nContent-Type: text/plain; charset=none\r\n\r\nx',
         b'a"\r\nContent-Type: text/plain; charset=undefined\r\n\r\nx',
         b'a"\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-', b'a"\r\n\r\n\xff', b"a"]
FORMS = ["/sign-in", "/oauth/logout", "/oauth/logout/confirm"]


@pytest.mark.parametrize("part", PARTS)
async def test_a_form_that_cannot_be_read_is_answered_with_a_page(server: Serving, part: bytes) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="' + part + b"\r\n--x--\r\n"
    async with httpx.AsyncClient(base_url=server.url) as client:
        for path in FORMS:
            answer = await client.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
            assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8"), path
            assert "This form could not be read" in answer.text


async def test_a_form_that_is_too_large_is_answered_with_a_page(server: Serving) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        for body in ({"email": "a" * 300_000}, {f"n{n}": "a" * 99 for n in range(3_000)}):
            for path in FORMS:
                answer = await client.post(path, data=body)
                assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8"), path
                assert "larger than can be taken" in answer.text
            answer = await client.post("/oauth", data=body, headers={"Accept": "text/html"})
            assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")


@pytest.mark.parametrize("origin", ["http://[", "https://[x]", "nonsense", "://"])
async def test_an_origin_that_is_none_is_another_site(server: Serving, origin: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers={"Origin": origin}) as client:
        assert (await client.post("/sign-in", data={"email": "a"})).status_code == 403
        assert (await client.post(f"/callbacks/{'0' * 32}/replay")).status_code == 403
        assert (await client.post("/ussd/services", json={"code": "*1#", "url": ""})).status_code == 403
        assert (await client.post("/sandbox/handsets", json={})).status_code == 403


@pytest.mark.parametrize(("path", "status"), [("/applications", 303), ("/docs/unity", 200)])
async def test_a_host_whose_port_is_none_is_not_looked_at(server: Serving, path: str, status: int) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers={"Host": "shop.example:port"}) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers.get("location", "") == ("/sign-in?next=/applications" if status == 303 else "")
