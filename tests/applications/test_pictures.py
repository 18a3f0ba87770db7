"""Pictures by URL: fetched by us once, made safe, and served from our own copy."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from makola.core.applications.registration import change
from makola.core.pictures.service import find_pictures, key_of, want
from makola.core.pictures.types import FetchPolicy, PictureState
from makola.core.pictures.workers import PictureFetcher
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from makola.kit.pictures import MOST_BYTES, UnusablePictureError, make_safe
from tests.applications.world import LISTING, Desk
from tests.oauth.world import PRIVATE_ALLOWED


def picture(kind: str = "PNG", size: tuple[int, int] = (128, 96), *, secret: str = "") -> bytes:
    written = io.BytesIO()
    information = PngImagePlugin.PngInfo()
    if secret:
        information.add_text("Comment", secret)
    options = {"pnginfo": information} if kind == "PNG" else {"comment": secret.encode()} if kind == "JPEG" else {}
    Image.new("RGB", size, (200, 30, 40)).save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_written_anew_with_nothing_but_its_pixels(kind: str) -> None:
    made = make_safe(picture(kind, secret="<script>secret</script>") + b"<script>tail</script>")
    assert (made.width_px, made.height_px) == (128, 96)
    assert b"script" not in made.png
    with Image.open(io.BytesIO(made.png)) as opened:
        assert (opened.format, opened.size, opened.info) == ("PNG", (128, 96), {})
        red, green, _, alpha = opened.getpixel((5, 5))  # type: ignore[misc]
    assert red > 180
    assert green < 60
    assert alpha == 255


def test_a_large_picture_is_made_smaller() -> None:
    made = make_safe(picture(size=(2000, 1000)))
    assert (made.width_px, made.height_px) == (2000, 1000)
    with Image.open(io.BytesIO(made.png)) as opened:
        assert opened.size == (512, 256)


@pytest.mark.parametrize("content", [
    b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:60], picture("BMP"), picture("TIFF"),
    b"x" * (MOST_BYTES + 1), picture(size=(5000, 10))], ids=range(8))
def test_what_is_no_usable_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UnusablePictureError):
        make_safe(content)


@given(st.binary(max_size=40), st.integers(0, 300),
       st.sampled_from([picture(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP")]))
def test_a_broken_picture_is_refused_or_read_and_nothing_else(noise: bytes, at: int, whole: bytes) -> None:
    try:
        made = make_safe(whole[:at] + noise + whole[at + len(noise):])
    except UnusablePictureError:
        return
    assert made.png.startswith(b"\x89PNG")


class Host:
    """A server of pictures."""

    def __init__(self) -> None:
        self.answers: dict[str, web.Response] = {}
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        given = self.answers[request.path]
        return web.Response(status=given.status, body=given.body, content_type=given.content_type,
                            headers={"Location": "/good.png"} if given.status == 302 else {})


@asynccontextmanager
async def host() -> AsyncIterator[Host]:
    made = Host()
    app = web.Application()
    app.router.add_get("/{name}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    made.url = f"http://127.0.0.1:{port}"
    yield made
    await runner.cleanup()


async def fetch(database: Database, policy: AddressPolicy, *urls: str) -> dict[str, PictureState]:
    async with database.transaction() as connection:
        await want(connection, urls)
    async with OutgoingHttp(policy) as http:
        while await PictureFetcher(database, http, FetchPolicy(timeout_s=2)).fetch_due():
            pass
    return {url: each.state for url, each in (await find_pictures(database, urls)).items()}


async def test_pictures_are_fetched_checked_and_kept(database: Database) -> None:
    async with host() as pictures:
        pictures.answers = {
            "/good.png": web.Response(body=picture(), content_type="image/png"),
            "/lies.png": web.Response(body=picture("JPEG"), content_type="image/png"),
            "/page.png": web.Response(body=b"<html>", content_type="text/html"),
            "/vector.svg": web.Response(body=b"<svg/>", content_type="image/svg+xml"),
            "/hidden.png": web.Response(body=b"<script>", content_type="image/png"),
            "/moved.png": web.Response(status=302), "/none.png": web.Response(status=404),
            "/large.png": web.Response(body=picture() + b"x" * MOST_BYTES, content_type="image/png"),
            "/later.png": web.Response(status=503)}
        urls = [pictures.url + path for path in pictures.answers]
        states = await fetch(database, PRIVATE_ALLOWED, *urls)
        assert {url.rpartition("/")[2]: state.value for url, state in states.items()} == {
            "good.png": "ready", "lies.png": "ready", "page.png": "failed", "vector.svg": "failed",
            "hidden.png": "failed", "moved.png": "failed", "none.png": "failed", "large.png": "failed",
            "later.png": "wanted"}
        before = len(pictures.asked)
        await fetch(database, PRIVATE_ALLOWED, urls[0])
        assert len(pictures.asked) == before  # there is a copy already
        pictures.answers["/none.png"] = web.Response(body=picture(), content_type="image/png")
        again = await fetch(database, PRIVATE_ALLOWED, f"{pictures.url}/none.png")
        assert list(again.values()) == [PictureState.READY]
        blocked = await fetch(database, AddressPolicy(), f"{pictures.url}/good.png?again")
        assert list(blocked.values()) == [PictureState.WANTED]
        assert len(pictures.asked) == before + 1  # nothing was sent to a private address


async def test_a_picture_that_no_page_shows_any_more_is_forgotten(database: Database) -> None:
    async with host() as pictures:
        pictures.answers = {f"/{name}.png": web.Response(body=picture(), content_type="image/png")
                            for name in ("shown", "forgotten")}
        shown, forgotten = (f"{pictures.url}/{name}.png" for name in ("shown", "forgotten"))
        await fetch(database, PRIVATE_ALLOWED, shown, forgotten)
        await database.execute("UPDATE pictures.picture SET asked_at = now() - interval '31 days', due_at = now()")
        await find_pictures(database, [shown])
        assert list(await fetch(database, PRIVATE_ALLOWED)) == []
        assert [row["url"] for row in await database.fetch("SELECT url FROM pictures.picture")] == [shown]
        assert pictures.asked.count("/shown.png") == 2  # fetched anew
        assert pictures.asked.count("/forgotten.png") == 1


async def test_a_page_shows_our_copy_and_names_no_other_server(desk: Desk) -> None:
    made = await desk.complete(name="With a picture")
    client_id = made.application.client_id
    async with host() as pictures:
        pictures.answers["/icon.png"] = web.Response(body=picture(size=(64, 64)), content_type="image/png")
        url = f"{pictures.url}/icon.png"
        async with desk.world.database.transaction() as connection:
            await change(connection, desk.world.platform, client_id, lambda draft: replace(
                draft, listing=replace(LISTING, small_icon_url=url)), PRIVATE_ALLOWED)
        await fetch(desk.world.database, PRIVATE_ALLOWED)
    esi, root = await desk.browser("esi"), await desk.browser("root")
    assert "at least 100 by 100 are asked for" in (await esi.get(f"/applications/{client_id}")).text
    await esi.post(f"/applications/{client_id}/submit")
    submission = (await root.get("/review")).text.partition('href="/review/')[2].partition('"')[0]
    await root.post(f"/review/{submission}/approve")
    page = await root.get("/directory")
    assert f'src="/pictures/{key_of(url)}"' in page.text
    assert pictures.url not in page.text
    copy = await root.get(f"/pictures/{key_of(url)}")
    assert (copy.status_code, copy.headers["content-type"]) == (200, "image/png")
    assert copy.headers["x-content-type-options"] == "nosniff"
    assert copy.content.startswith(b"\x89PNG")
    for key in ("0" * 64, "x", "z" * 64):
        assert (await root.get(f"/pictures/{key}")).status_code == 404
