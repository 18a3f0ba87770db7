"""A program of twenty lines, as a reseller's developer writes it with `requests-oauthlib`, against the whole server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.serving import Serving, serving

PROGRAM = """
import os
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

base, client_id = os.environ["HUB"] + "/api/v1", os.environ["CLIENT_ID"]
hub = OAuth2Session(client=BackendApplicationClient(client_id=client_id))
hub.fetch_token(base + "/oauth/create_token", client_secret=os.environ["CLIENT_SECRET"], include_client_id=True)
me = hub.get(base + "/whoami").json()
print(me["name"], me["organisation"])
country = next(each for each in hub.get(base + "/country_codes").json() if each["name"] == "United Kingdom")
shipping = next(each for each in hub.get(base + "/shipping_types").json()
                if each["name"] == "UK Standard Next Day Delivery")
product = hub.get(base + "/products", params={"per_page": 1}).json()[0]
basket = hub.post(base + "/baskets", json={
    "purchase_order_number": "PO-1", "name": "First basket", "shipping_type": shipping["id"],
    "shipping_address": {"company_name": "Example Ltd", "recipient_name": me["name"], "city": "London",
                         "addr_line_1": "1 Example Close", "postal_code": "AB12 3AA", "country_code": country["id"]},
    "line_items": [{"product_code": product["product_code"], "quantity": 2}]})
assert basket.ok, basket.text
print(country["id"], basket.status_code, basket.json()["id"])
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as running:
        yield running


def test_a_token_a_name_a_country_a_shipping_type_and_a_basket(server: Serving, tmp_path: Path) -> None:
    reseller = server.world.clients["reseller"]
    program = tmp_path / "basket.py"
    program.write_text(PROGRAM)
    ran = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"HUB": server.url, "CLIENT_ID": reseller.client_id, "CLIENT_SECRET": reseller.client_secret,
                          "OAUTHLIB_INSECURE_TRANSPORT": "1"})
    assert ran.returncode == 0, ran.stderr
    name, made = ran.stdout.splitlines()
    assert name == f"Reseller user {reseller.organisation}"
    country_id, status, basket_id = made.split()
    assert (country_id, status) == ("829", "201")
    assert int(basket_id) > 0


def token(server: Serving, word: str) -> str:
    client = server.world.clients[word]
    answer = requests.post(f"{server.url}/oauth/token", timeout=30, auth=client.pair,
                           data={"grant_type": "client_credentials"})
    assert answer.status_code == 200
    return str(answer.json()["access_token"])


def test_each_of_the_five_tiers_pays_its_own_price_for_a_message(server: Serving) -> None:
    paid = {}
    for word in ("distributor", "wholesaler", "reseller", "customer"):
        answer = requests.post(
            f"{server.url}/v1/messages", timeout=30, headers={"Authorization": f"Bearer {token(server, word)}"},
            json={"From": "Makola", "To": server.world.handsets[0], "Content": "Hello"})
        assert answer.status_code == 201, answer.text
        paid[word] = answer.json()["Rate"]
    assert paid == {"distributor": 0.3, "wholesaler": 0.4, "reseller": 0.6, "customer": 1}


def test_each_of_the_five_tiers_sees_its_own_price_of_a_product(server: Serving) -> None:
    prices: dict[int, list[float]] = {}
    for word in ("distributor", "wholesaler", "reseller", "customer"):
        products = requests.get(f"{server.url}/api/v1/products", timeout=30,
                                headers={"Authorization": f"Bearer {token(server, word)}"}).json()
        for product in products:
            prices.setdefault(product["id"], []).append(product["price"])
    of_all = [each for each in prices.values() if len(each) == 4]
    assert len(of_all) >= 3
    for each in of_all:
        assert each == sorted(each)
        assert len(set(each)) == 4 or each[0] == 0


def test_an_application_for_messages_has_no_user_and_the_hub_says_so(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {token(server, 'merchant')}"}
    assert requests.get(f"{server.url}/v1/account/settings", headers=bearer, timeout=30).status_code == 200
    refused = requests.get(f"{server.url}/api/v1/whoami", headers=bearer, timeout=30)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"


def test_the_document_can_be_read_and_downloaded(server: Serving) -> None:
    page = requests.get(f"{server.url}/docs/hub", timeout=30)
    assert page.status_code == 200
    assert "/api/v1/whoami" in page.text
    assert "/api/v1/openapi.json" in page.text
    assert "/docs/hub" in requests.get(f"{server.url}/docs", timeout=30).text
    document = requests.get(f"{server.url}/api/v1/openapi.json", timeout=30)
    assert {"/api/v1/oauth/create_token", "/api/v1/whoami", "/api/v1/organisations", "/api/v1/products",
            "/api/v1/organisations/{organisation_id}/addresses", "/api/v1/country_codes", "/api/v1/shipping_types",
            "/api/v1/baskets", "/api/v1/orders"} <= set(document.json()["paths"])


def test_what_is_not_there_is_a_problem_on_the_whole_server(server: Serving) -> None:
    for path in ("/api/v1/nothing", "/api/v2/whoami", "/api"):
        answer = requests.get(f"{server.url}{path}", timeout=30)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
