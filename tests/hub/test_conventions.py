"""What holds for every route: paging, filters, problems, and the document."""

import json

import msgspec
import pytest

from makola.api.hub.reading import read_query
from makola.core.organisations.countries import countries
from tests.hub.world import Hub

PROBLEM = "application/problem+json"


def lists(hub: Hub) -> list[str]:
    """Every list without a path parameter."""
    paths = hub.app.document["paths"]
    assert isinstance(paths, dict)
    return [path.removeprefix("/api/v1") for path, item in paths.items()
            if "{" not in path and any(p["name"] == "per_page" for p in item.get("get", {}).get("parameters", ()))]


async def test_every_list_pages_and_counts(shared_hub: Hub) -> None:
    assert {"/organisations", "/users", "/country_codes", "/audit_log"} <= set(lists(shared_hub))
    for path in lists(shared_hub):
        everything = await shared_hub.get("platform", path)
        assert everything.status_code == 200, (path, everything.text)
        assert isinstance(everything.json(), list)
        total = int(everything.headers["x-total-count"])
        assert total == len(everything.json())
        assert everything.headers["x-total-pages"] == str(-(-total // 1000))
        pages = [await shared_hub.get("platform", f"{path}?per_page=3&page={number}")
                 for number in range(1, -(-total // 3) + 2)]
        assert [each for page in pages for each in page.json()] == everything.json(), path
        assert pages[-1].json() == []
        assert {page.headers["x-total-count"] for page in pages} == {str(total)}
        assert {page.headers["x-total-pages"] for page in pages} == {str(-(-total // 3))}


@pytest.mark.parametrize("value", ["0", "-5", "1001", "x", "", "1.5", "9" * 25, "%00", "%ff"])
@pytest.mark.parametrize("name", ["per_page", "page"])
async def test_an_impossible_page_is_named(shared_hub: Hub, name: str, value: str) -> None:
    if (name, value) == ("page", "1001"):
        value = "1000000001"
    for path in lists(shared_hub):
        answer = await shared_hub.get("platform", f"{path}?{name}={value}")
        assert answer.status_code == 400, path
        assert answer.headers["content-type"] == PROBLEM
        assert [each["field"] for each in answer.json()["errors"]] == [name]
        assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("query", ["organisation=x", "organisation=0", "organisation=" + "9" * 20, "parent=-5",
                                   "organisation=1&organisation=b", "text=" + "a" * 10_000, "text=%00",
                                   "organisation=4611686018427387904", "parent=4611686018427387904"])
async def test_an_impossible_filter_is_named(shared_hub: Hub, query: str) -> None:
    answer = await shared_hub.get("c", f"/organisations?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_every_search_refuses_text_of_ten_thousand_characters_by_name(shared_hub: Hub) -> None:
    paths = shared_hub.app.document["paths"]
    assert isinstance(paths, dict)
    searched = [path.removeprefix("/api/v1") for path, item in paths.items()
                if any(each["name"] == "text" for each in item.get("get", {}).get("parameters", ()))]
    assert {"/organisations", "/users"} <= set(searched)
    for path in searched:
        answer = await shared_hub.get("platform", f"{path}?text={'a' * 10_000}")
        assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, ["text"]), path
        assert (await shared_hub.get("platform", f"{path}?text={'a' * 200}")).status_code == 200, path


async def test_a_repeated_key_is_or_and_different_keys_are_and(shared_hub: Hub) -> None:
    hub = shared_hub

    async def found(query: str) -> set[int]:
        return {each["id"] for each in (await hub.get("a", f"/organisations?{query}")).json()}

    c, d, b = hub["c"].id, hub["d"].id, hub["b"].id
    assert await found(f"organisation={c}&organisation={d}") == {c, d}
    assert await found(f"organisation[]={c}&organisation[]={d}") == {c, d}
    assert await found(f"organisation={c}&organisation={d}&parent={b}") == {c}
    assert await found("text=ORGANISATION+of+c") == {c, hub["c2"].id}
    assert await found("text=%25") == set()
    assert await found(f"unheard_of=1&organisation={c}") == {c}


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nothing", 404), ("GET", "/organisations/x", 404), ("GET", "/organisations/0", 404),
    ("GET", "/organisations/-1", 404), ("GET", f"/organisations/{2**63}", 404),
    ("GET", f"/organisations/{10**40}", 404),
    ("GET", f"/organisations/{2**63 - 1}", 404), ("DELETE", "/whoami", 405), ("PUT", "/organisations", 405),
    ("GET", "/api_clients/%00", 404), ("GET", "/api_clients/" + "x" * 3000, 404),
])
async def test_what_is_not_there_is_a_problem(shared_hub: Hub, method: str, path: str, status: int) -> None:
    answer = await shared_hub.call("c", method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= set(body)
    assert status != 405 or answer.headers["allow"]


@pytest.mark.parametrize(("content", "content_type", "status", "field"), [
    (b'{"name', "application/json", 400, None),
    (b"", "application/json", 400, None),
    (b"\xff", "application/json", 400, None),
    (b"[]", "application/json", 400, "body"),
    (b"{}", "application/json", 400, "name"),
    (b'{"name": 5}', "application/json", 400, "name"),
    (b'{"name": null}', "application/json", 400, "name"),
    (b'{"name": ""}', "application/json", 400, "name"),
    (b'{"name": "a\\u0000b"}', "application/json", 400, "name"),
    (b'{"name": "\\ud800"}', "application/json", 400, None),
    (b'{"name": "a", "nonsense": 1}', "application/json", 400, "nonsense"),
    (b'{"name": "a", "name": "b"}', "application/json", 400, "name"),
    (b'{"name": "a", "modules": [], "n\\u0061me": "a"}', "application/json", 400, "name"),
    (b'{"name": "a", "parent": 99999999999999999999}', "application/json", 400, "parent"),
    (b'{"name": "a", "parent": 1.5}', "application/json", 400, "parent"),
    (b'{"name": "a", "modules": ["WEBSTORE", 5]}', "application/json", 400, "modules[1]"),
    (b'{"name": "a", "modules": ["NONSENSE"]}', "application/json", 400, "modules"),
    (b'{"name": "a", "finance_type": "GOLD"}', "application/json", 400, "finance_type"),
    (b'{"name": "' + b"a" * 10_000 + b'"}', "application/json", 400, "name"),
    (b"[" * 20_000, "application/json", 400, "body"),
    (b"name=a", "application/x-www-form-urlencoded", 415, None),
    (b'{"name": "' + b"a" * 100_000 + b'"}', "application/json", 413, None),
])
async def test_a_wrong_body_is_a_problem_that_names_the_field(shared_hub: Hub, content: bytes, content_type: str,
                                                              status: int, field: str | None) -> None:
    answer = await shared_hub.call("c", "POST", "/organisations", content=content,
                                   headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert [each["field"] for each in answer.json().get("errors", [])] == ([field] if field is not None else [])


async def test_whoami_has_exactly_the_fields_of_the_seed(shared_hub: Hub) -> None:
    body = (await shared_hub.get("c", "/whoami")).json()
    assert list(body) == ["id", "name", "organisation", "real_id", "real_name", "currency", "locale", "timezone",
                          "admin", "root", "modules", "permissions"]
    assert body["id"] == body["real_id"] == shared_hub["c"].user_id
    assert body["name"] == body["real_name"] == "Administrator of c!"
    assert (body["currency"], body["locale"], body["timezone"]) == ("GBP", "en", "Europe/London")
    assert (body["admin"], body["root"]) == (True, False)
    assert body["modules"] == ["MESSAGING", "PAYMENTS", "WEBSTORE"]
    assert {"permission": "user:view", "parent": True} in body["permissions"]
    assert (await shared_hub.get("platform", "/whoami")).json()["root"] is True


async def test_organisations_and_addresses_have_the_fields_of_the_seed(hub: Hub) -> None:
    first = (await hub.get("c", "/organisations")).json()[0]
    assert {"id", "name", "parent", "linked_account", "finance_type"} <= set(first)
    assert first == (await hub.get("c", f"/organisations/{hub['c'].id}")).json()
    assert (first["id"], first["parent"]) == (hub["c"].id, hub["b"].id)
    address = {"name": "Main office", "company_name": "Bob's Widget's Ltd.", "recipient_name": "Bob Johnson",
               "addr_line_1": "123 Example Close", "addr_line_2": "Main Street", "city": "London",
               "region": "City of London", "postal_code": "AB12 3AA", "country_code": 829}
    path = f"/organisations/{hub['c'].id}/addresses"
    made = await hub.call("c", "POST", path, json=address)
    assert made.status_code == 201
    [listed] = (await hub.get("b", path)).json()
    assert address.items() <= listed.items()
    changed = await hub.call("c", "PUT", f"{path}/{listed['id']}", json=address | {"city": "Leeds"})
    assert changed.json()["city"] == "Leeds"
    unknown = await hub.call("c", "POST", path, json=address | {"country_code": 826})
    assert [each["field"] for each in unknown.json()["errors"]] == ["country_code"]
    assert (await hub.call("c", "DELETE", f"{path}/{listed['id']}")).status_code == 204
    assert (await hub.get("c", path)).json() == []


async def test_countries_have_ids_of_our_own(shared_hub: Hub) -> None:
    listed = (await shared_hub.get("c", "/country_codes")).json()
    assert len(listed) == len({each["id"] for each in listed}) == len(countries()) > 240
    assert {"id": 829, "iso_code": "GB", "name": "United Kingdom"} in listed
    assert [each["name"] for each in listed] == sorted(each["name"] for each in listed)
    assert (await shared_hub.get("c", "/country_codes?iso_code=gb&iso_code=GH")).json() == [
        {"id": 291, "iso_code": "GH", "name": "Ghana"}, {"id": 829, "iso_code": "GB", "name": "United Kingdom"}]
    assert (await shared_hub.get("c", "/country_codes?name=united%20kingdom")).json() == [
        {"id": 829, "iso_code": "GB", "name": "United Kingdom"}]


async def test_the_document_is_public_and_its_references_lead_somewhere(shared_hub: Hub) -> None:
    answer = await shared_hub.http.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    identifiers = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(identifiers) == len(set(identifiers))
    text = json.dumps(document)
    for reference in {part.partition('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"]
    tags = {each["name"] for each in document["tags"]}
    assert {tag for item in document["paths"].values() for each in item.values() for tag in each["tags"]} <= tags


class Sorted(msgspec.Struct):
    """A query with a list of words."""

    sort_by: tuple[str, ...] = ()


def test_a_plus_in_a_query_is_a_space() -> None:
    """`sort_by=+name` reaches us as " name": whoever sorts reads the space as a plus."""
    assert read_query(b"sort_by=+name&sort_by=-price&sort_by=%2Bid", Sorted).sort_by == (" name", "-price", "+id")
