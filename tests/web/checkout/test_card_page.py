"""The virtual card provider's page: its languages, and what is sent to it that is no form of its own."""

import re
from html import unescape

import pytest

from makola.connectors.sandbox import card_words
from tests.web.checkout.shop import Shop

_MULTIPART = "multipart/form-data; boundary=b"


async def _bank(shop: Shop) -> str:
    """Begin a payment by card; return the address of the provider's page."""
    url = await shop.sell()
    page = (await shop.client.get(url)).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    door = await shop.client.post(url + "/pay", data=fields | {"method": "card"})
    bank = re.search(r'url=([^"]*/sandbox/cards/\w+)"', door.text)
    assert bank is not None
    return bank[1]


async def test_the_card_page_speaks_the_languages_of_the_page(shop: Shop) -> None:
    assert card_words.ENGLISH.keys() == card_words.FRENCH.keys()
    bank = await _bank(shop)
    french = await shop.client.get(bank, headers={"Accept-Language": "de, fr;q=0.9, en;q=0.5"})
    assert '<html lang="fr">' in french.text
    assert card_words.FRENCH["tests_lead"] in unescape(french.text)
    assert "50,00\u00a0GHS" in french.text
    english = await shop.client.get(bank + "?lang=en", headers={"Accept-Language": "fr"})
    assert f'action="/sandbox/cards/{bank.rpartition("/")[2]}?lang=en"' in english.text
    assert "GHS\u00a050.00" in english.text
    refused = await shop.client.post(bank + "?lang=fr", data={"number": "1"})
    assert card_words.FRENCH["not_taken"] in unescape(refused.text)
    challenged = await shop.client.post(bank + "?lang=fr", data={"number": "4000 0000 0000 3220"})
    assert challenged.headers["location"].endswith("?lang=fr")
    await shop.client.post(bank + "/code?lang=fr", data={"code": "1"})
    failed = await shop.client.get(bank + "?lang=fr")
    assert card_words.FRENCH_REASONS["The bank did not accept the 3-D Secure code."] in unescape(failed.text)
    assert "{{" not in french.text + english.text + failed.text


@pytest.mark.parametrize(("content_type", "body", "origin", "status", "key"), [
    ("multipart/form-data", b"number=4242424242424242", None, 400, "unreadable"),
    (_MULTIPART, b"--b\r\nnonsense", None, 400, "unreadable"),
    (_MULTIPART, b'--b\r\nContent-Disposition: form-data; name="code"\r\nContent-Type: text/plain; charset=nonsense'
                 b"\r\n\r\n123456\r\n--b--\r\n", None, 400, "unreadable"),
    ("application/x-www-form-urlencoded", b"number=" + b"4" * 10_000, None, 413, "unreadable"),
    ("application/x-www-form-urlencoded", b"number=4242424242424242", "https://evil.example", 403, "foreign"),
])
async def test_what_is_no_form_of_the_page_gets_the_page(
        shop: Shop, content_type: str, body: bytes, origin: str | None, status: int, key: str) -> None:
    """And nothing comes of it: a payment that waits for its code is not failed by it."""
    bank = await _bank(shop)
    headers = {"Content-Type": content_type, "Accept-Language": "fr"} | ({"Origin": origin} if origin else {})
    answers = [await shop.client.post(bank, content=body, headers=headers)]
    challenged = await shop.client.post(bank, data={"number": "4000 0000 0000 3220"})
    assert challenged.status_code == 303
    answers += [await shop.client.post(f"{bank}/{what}", content=body, headers=headers) for what in ("code", "cancel")]
    for answer in answers:
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert card_words.FRENCH[key] in unescape(answer.text)
    paid = await shop.client.post(f"{bank}/code", data={"code": "123456"})
    assert paid.headers["location"].endswith("/back")
    assert "terminé" in (await shop.client.get(bank + "?lang=fr")).text
    gone = await shop.client.post(bank.rpartition("/")[0] + "/nonsense", content=body, headers=headers)
    assert (gone.status_code, gone.headers["content-type"].partition(";")[0]) == (404, "text/html")
