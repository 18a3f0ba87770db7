"""The page without a browser: every code of the documents, forms that are not ours, hostile texts, frames, pictures."""

import asyncio
import base64
import io
import re
from collections.abc import Awaitable, Callable
from html import unescape
from uuid import UUID

import asyncpg
import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from makola.api.unity.payment_codes import code_of
from makola.core.checkout.types import Failure
from makola.kit.database import Database
from makola.web.checkout.language import LANGUAGES, choose_language
from makola.web.checkout.pictures import Pictures
from makola.web.checkout.words import ENGLISH, ENGLISH_FAILURES, FRENCH, FRENCH_DETAILS, FRENCH_FAILURES
from tests.web.checkout.shop import Shop

ENGLISH_HEADERS = {"Accept-Language": "en"}


async def _form(shop: Shop, url: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    page = (await shop.client.get(url, headers=ENGLISH_HEADERS)).text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


async def _pay(shop: Shop, url: str, network: str, /, **changed: str) -> httpx.Response:
    fields = await _form(shop, url) | {"method": "momo", "number": shop.numbers[network]} | changed
    return await shop.client.post(url + "/pay", data=fields, headers=ENGLISH_HEADERS)


async def _shown(shop: Shop, url: str, words: str, language: str = "en") -> None:
    """Wait until the page says something."""
    async with asyncio.timeout(30):
        while words not in (page := unescape((await shop.client.get(url, headers={"Accept-Language": language})).text)):
            assert "<h1" in page
            await asyncio.sleep(0.05)


State = Callable[[Shop], Awaitable[object]]


def _wallet(network: str, **changed: object) -> State:
    return lambda shop: shop.wallet(network, **changed)


def _off(network: str) -> State:
    return lambda shop: shop.client.patch(f"/sandbox/handsets/{shop.numbers[network]}", json={"state": "off"})


#: The code of the documents, the network, what is the matter, and the PIN with which the payment is approved, if it is.
CODES: list[tuple[str, str, State, str]] = [
    ("2050", "MTN", _wallet("MTN", balance=1), "1234"),
    ("2051", "MTN", _wallet("MTN", registered=False), ""),
    ("2100", "MTN", _off("MTN"), ""),
    ("2101", "Airtel", _wallet("Airtel", registered=True), "4321"),
    ("2102", "Airtel", _wallet("Airtel", balance=1), "1234"),
    ("2103", "Airtel", _wallet("Airtel", registered=False), ""),
    ("2152", "Tigo", _wallet("Tigo", registered=False), ""),
    ("2153", "Tigo", _wallet("Tigo", limit_per_payment=10), ""),
    ("2154", "Tigo", _wallet("Tigo", limit_per_day=10), ""),
    ("2201", "Vodafone", _wallet("Vodafone", registered=False), ""),
]


FAILURES: dict[str, Failure] = {code_of(failure): failure for failure in Failure}


@pytest.mark.parametrize(("code", "network", "prepare", "pin"), CODES)
async def test_every_code_is_reached_through_the_page(
        shop: Shop, code: str, network: str, prepare: State, pin: str) -> None:
    await prepare(shop)
    url = await shop.sell()
    assert (await _pay(shop, url, network)).status_code == 303
    if pin:
        assert (await shop.approve(network, pin))["state"] == "failed"
    await _shown(shop, url, ENGLISH_FAILURES[FAILURES[code]])
    await _shown(shop, url, FRENCH_FAILURES[FAILURES[code]], "fr")
    await shop.refill()
    assert (await _pay(shop, url, network)).status_code == 303  # another try of the same checkout
    await shop.approve(network)
    await _shown(shop, url, "Demonstration shop has received GHS")


async def test_a_form_of_another_site_is_refused(shop: Shop) -> None:
    url, other = await shop.sell(), await shop.sell()
    fields = await _form(shop, url) | {"method": "momo", "number": shop.numbers["MTN"]}
    strange = await shop.client.post(url + "/pay", data=fields, headers={"Origin": "https://evil.example"})
    for refused in (
            strange, await shop.client.post(url + "/pay", data=fields | {"token": "forged"}),
            await shop.client.post(url + "/pay", data=fields | {"token": (await _form(shop, other))["token"]}),
            await shop.client.post(url + "/pay", data={"method": "momo", "number": shop.numbers["MTN"]}),
            await shop.client.post(url + "/cancel", data={})):
        assert refused.status_code == 403
    assert await shop.prompts("MTN") == []
    assert "How do you want to pay?" in (await shop.client.get(url, headers=ENGLISH_HEADERS)).text


@pytest.mark.parametrize(("fields", "words"), [
    ({"number": ""}, ENGLISH["error_number"]), ({"number": "12"}, ENGLISH["error_number"]),
    ({"number": "+447700900123"}, ENGLISH["error_number"]), ({"number": "0" * 30}, ENGLISH["error_number"]),
    ({"number": "0302000000"}, ENGLISH["error_network"]), ({"number": "0281234567"}, ENGLISH["error_network"]),
    ({"method": ""}, ENGLISH["error_method"]), ({"method": "gold"}, ENGLISH["error_method"]),
])
async def test_what_cannot_be_used_is_said_and_kept_in_the_form(
        shop: Shop, fields: dict[str, str], words: str) -> None:
    url = await shop.sell()
    answer = await _pay(shop, url, "MTN", **fields)
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    if number := fields.get("number"):
        assert f'value="{number}"' in answer.text


async def test_a_number_that_moved_to_another_network(shop: Shop) -> None:
    url = await shop.sell()
    answer = await _pay(shop, url, "MTN", network="tigo-gh")
    assert answer.status_code == 303
    await _shown(shop, url, ENGLISH_FAILURES[Failure.TIGO_NOT_REGISTERED])  # this wallet is still at MTN


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


async def test_texts_of_the_merchant_stay_texts(shop: Shop) -> None:
    url = await shop.sell(items=[{"name": HOSTILE, "quantity": 1, "unitPrice": 50, "description": HOSTILE}],
                          description=HOSTILE, returnUrl="https://shop.example/?a=\"><script>alert(1)</script>")
    answer = await shop.client.get(url)
    for dangerous in ("<script>alert", "<img src=x", '"><script'):
        assert dangerous not in answer.text
    assert "{{7*7}}" in answer.text


@pytest.mark.parametrize("sign", ["\u202e", "\u202a", "\u2066", "\u2069"])
async def test_signs_that_turn_text_round_are_refused(shop: Shop, sign: str) -> None:
    refused = await shop.client.post(
        "/v2/pos/onlinecheckout/items/initiate", auth=shop.server.world.merchant.pair, json={
            "items": [{"name": f"Book {sign}00.05", "quantity": 1, "unitPrice": 50}], "totalAmount": 50,
            "description": "Books", "callbackUrl": f"{shop.server.url}/callbacks/receiver",
            "returnUrl": f"{shop.server.url}/docs", "clientReference": "turned",
            "merchantAccountNumber": shop.server.world.merchant_account_number})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "items[0].name"


async def test_names_stand_by_themselves(shop: Shop) -> None:
    """A name in Arabic or Hebrew turns nothing but itself round."""
    page = (await shop.client.get(await shop.sell(items=[
        {"name": "\u05e1\u05e4\u05e8", "quantity": 2, "unitPrice": 25}]))).text
    assert "<bdi>\u05e1\u05e4\u05e8</bdi>" in page


@pytest.mark.parametrize("path", ["/pay", "/cancel"])
async def test_a_form_that_is_too_large_is_answered_with_a_page(shop: Shop, path: str) -> None:
    url = await shop.sell()
    fields = await _form(shop, url) | {"method": "momo", "number": "0" * 20_000}
    answer = await shop.client.post(url + path, data=fields, headers=ENGLISH_HEADERS)
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert unescape(ENGLISH["error_form"]) in unescape(answer.text)
    assert await shop.prompts("MTN") == []


#: In a character set that does not exist, in none, and cut off.
PARTS = [b'token"\r\nContent-Type: text/plain; charset=none\r\n\r\nx', b'token"\r\n\r\n\xff', b"token"]


@pytest.mark.parametrize("part", PARTS)
async def test_a_form_that_cannot_be_read_is_answered_with_a_page(shop: Shop, part: bytes) -> None:
    url = await shop.sell()
    body = b'--x\r\nContent-Disposition: form-data; name="' + part + b"\r\n--x--\r\n"
    headers = ENGLISH_HEADERS | {"Content-Type": "multipart/form-data; boundary=x"}
    for path in ("/pay", "/cancel"):
        answer = await shop.client.post(url + path, content=body, headers=headers)
        assert answer.status_code == 403
        assert unescape(ENGLISH["error_form"]) in unescape(answer.text)
    door = await shop.client.post(url + "/pay", data=await _form(shop, url) | {"method": "card"})
    card = re.search(r"/sandbox/cards/\w+", door.text)
    assert card is not None
    for path in ("", "/code", "/cancel"):
        assert (await shop.client.post(card[0] + path, content=body, headers=headers)).status_code < 500


@pytest.mark.parametrize("origin", ["http://[", "https://[x]", "nonsense", "://"])
async def test_an_origin_that_is_none_is_another_site(shop: Shop, origin: str) -> None:
    url = await shop.sell()
    fields = await _form(shop, url) | {"method": "card"}
    assert (await shop.client.post(url + "/pay", data=fields, headers={"Origin": origin})).status_code == 403
    card = re.search(r"/sandbox/cards/\w+", (await shop.client.post(url + "/pay", data=fields)).text)
    assert card is not None
    refused = await shop.client.post(card[0], data={"number": "4242424242424242"}, headers={"Origin": origin})
    assert refused.status_code == 403


async def test_what_nobody_could_say_leads_back_to_the_shop(shop: Shop) -> None:
    url = await shop.sell()
    await _pay(shop, url, "MTN")
    connection = await asyncpg.connect(shop.server.database_url())
    await connection.execute("UPDATE checkout.transaction SET state = 'undecided', due_at = NULL"
                             " WHERE checkout_id = $1", UUID(url.rpartition("/")[2]))
    await connection.close()
    page = (await shop.client.get(url, headers=ENGLISH_HEADERS)).text
    assert unescape(ENGLISH["checking"]) in unescape(page)
    assert f'<a class="main" href="{shop.server.url}/docs">' in page


async def test_headers_frames_and_other_sites(shop: Shop) -> None:
    url = await shop.sell(returnUrl="https://shop.example/done", cancellationUrl="https://www.shop.example:8443/x")
    page, framed = await shop.client.get(url), await shop.client.get(url + "/direct")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "x-frame-options" not in framed.headers
    assert ("frame-ancestors 'self' https://shop.example https://www.shop.example:8443"
            in framed.headers["content-security-policy"])
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', page.text + framed.text)
    assert [each for each in addresses if "//" in each and "shop.example" not in each] == []
    assert "set-cookie" not in page.headers
    for wrong in ("/checkout/nonsense", "/checkout/00000000-0000-4000-8000-000000000000", "/checkout/%00"):
        missing = await shop.client.get(wrong)
        assert missing.status_code == 404, wrong
        assert missing.headers["content-type"].startswith("text/html")


async def test_a_logo_is_fetched_by_us_made_anew_and_square(shop: Shop) -> None:
    asked: list[str] = []
    picture = io.BytesIO()
    Image.new("RGB", (300, 100), "red").save(picture, "JPEG", comment=b"secret comment")

    async def logo(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=b"<svg/>" if "svg" in request.path else picture.getvalue(), content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{name}", logo)
    async with TestServer(app, host="127.0.0.1") as there:
        address = str(there.make_url("/logo.jpg"))
        url = await shop.sell(merchantBusinessLogoUrl=address, items=[
            {"name": "A book", "quantity": 1, "unitPrice": 50, "itemImageUrl": str(there.make_url("/evil.svg"))}])
        page = (await shop.client.get(url)).text
        assert str(there.port) not in page  # never linked to
        path = re.search(r'src="(/checkout/[^"]*/picture/0)"', page)
        assert path is not None
        answers = [await shop.client.get(path[1]) for _ in range(3)]
        assert (await shop.client.get(path[1][:-1] + "1")).status_code == 404  # no picture that we read
        assert (await shop.client.get(path[1][:-1] + "7")).status_code == 404
    assert {answer.headers["content-type"] for answer in answers} == {"image/png"}
    with Image.open(io.BytesIO(answers[0].content)) as shown:
        assert (shown.format, shown.size) == ("PNG", (160, 160))
    database = await Database.connect(shop.server.database_url())
    assert await Pictures(database).get(address) == answers[0].content  # as in another process
    await database.close()
    assert b"secret" not in answers[0].content
    assert asked == ["/logo.jpg", "/evil.svg"]


async def test_a_provider_is_not_asked_at_every_load(shop: Shop) -> None:
    """The customer can load the address to which card providers come back as often as it likes."""
    url = await shop.sell()
    await shop.client.post(url + "/pay", data=await _form(shop, url) | {"method": "card"})
    for _ in range(8):
        assert (await shop.client.get(url + "/back")).status_code == 303
    database = await Database.connect(shop.server.database_url())
    asked = await database.fetchval(
        "SELECT poll_count FROM checkout.transaction WHERE checkout_id = $1", UUID(url.rpartition("/")[2]))
    await database.close()
    assert 1 <= asked <= 3  # the request itself, the first load, and one more where this took longer than the pause


async def test_no_card_number_is_kept_anywhere(shop: Shop) -> None:
    """The number of a test card, a real-looking one that is refused, dates and codes: not in a table, not in a log."""
    url = await shop.sell()
    fields = await _form(shop, url) | {"method": "card"}
    door = await shop.client.post(url + "/pay", data=fields)
    bank = re.search(r'url=([^"]*/sandbox/cards/\w+)"', door.text)
    assert bank is not None
    refused = await shop.client.post(bank[1], data={"number": "4539 5787 6362 1486", "expiry": "11/33", "cvc": "907"})
    assert refused.status_code == 422
    assert "4539" not in refused.text
    paid = await shop.client.post(bank[1], data={"number": "4242424242424242", "expiry": "11/33", "cvc": "907"})
    assert paid.status_code == 303
    assert paid.headers["location"].endswith("/back")
    again = await shop.client.post(bank[1], data={"number": "4000000000000002"})
    assert again.status_code == 303  # what is settled stays
    await shop.client.get(paid.headers["location"])
    await _shown(shop, url, "Card ending in 4242")
    kept = await _everything(shop) + shop.server.errors
    squeezed = re.sub(r"[ \-]", "", kept)
    for number in ("4242424242424242", "4539578763621486", "424242424242", "453957"):
        assert number not in squeezed
        assert base64.b64encode(number.encode()).decode().rstrip("=") not in kept
    assert "11/33" not in kept


async def _everything(shop: Shop) -> str:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(shop.server.database_url())
    tables = await connection.fetch("""
        SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')""")
    found = [row["text"] for table in tables for row in await connection.fetch(
        f"SELECT t::text AS text FROM {table['name']} t")]
    await connection.close()
    assert len(found) > 100
    return "\n".join(found)


def test_both_languages_say_everything() -> None:
    holes = re.compile(r"\{(\w+)\}")
    assert ENGLISH.keys() == FRENCH.keys()
    for key, text in ENGLISH.items():
        assert set(holes.findall(text)) == set(holes.findall(FRENCH[key])), key
    assert ENGLISH_FAILURES.keys() == FRENCH_FAILURES.keys()
    assert all(FRENCH_DETAILS.values())


@pytest.mark.parametrize(("asked", "accepted", "code"), [
    ("", "", "en"), ("", "fr", "fr"), ("", "fr-CI,fr;q=0.9,en;q=0.8", "fr"), ("", "en;q=0.5, fr;q=0.7", "fr"),
    ("", "de, *;q=0.1", "en"), ("", "fr;q=0, en;q=0.1", "en"), ("", "fr;q=x,en;q=0.5", "en"), ("fr", "en", "fr"),
    ("en", "fr", "en"), ("xx", "fr", "fr"), ("", ";;,=,q", "en"), ("", "FR-fr", "fr"),
])
def test_the_language(asked: str, accepted: str, code: str) -> None:
    assert choose_language(asked, accepted).code == code


@pytest.mark.parametrize(("units", "english", "french"), [
    (0, "GHS 0.00", "0,00 GHS"), (5_000, "GHS 0.50", "0,50 GHS"), (12_345_678_900, "GHS 1,234,567.89",
                                                                        "1 234 567,89 GHS"),
    (12_345, "GHS 1.2345", "1,2345 GHS"),
])
def test_amounts(units: int, english: str, french: str) -> None:
    def plain(text: str) -> str:
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    assert plain(LANGUAGES["en"].amount(units, "GHS")) == english
    assert plain(LANGUAGES["fr"].amount(units, "GHS")) == french
