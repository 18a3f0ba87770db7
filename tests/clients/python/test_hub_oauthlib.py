"""A program of twenty lines, as a reseller's developer writes it with `requests-oauthlib`, against the whole server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
product = hub.get(base + "/products", params={"per_page": 1, "sort_by": "+name"}).json()[0]
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
    assert name == f"Tom Jones {reseller.organisation}"
    country_id, status, basket_id = made.split()
    assert (country_id, status) == ("829", "201")
    assert int(basket_id) > 0
