"""Things that belong to one organisation, for the matrix of who may reach what.

Every path parameter of the API stands here: with a function that makes such a thing for an organisation, or as
`SHARED` where it belongs to nobody in particular. A route with a parameter that is missing here fails the matrix.
"""

from collections.abc import Awaitable, Callable
from itertools import count

from makola.core.applications.clients import find_client
from makola.core.applications.installations import record_install
from tests.hub.world import Hub, Tier

_numbers = count(1)

Make = Callable[[Hub, Tier], Awaitable[dict[str, str]]]

ADDRESS = {"name": "Depot", "addr_line_1": "1 Road", "city": "Hull", "country_code": 829}


async def _organisation(_hub: Hub, tier: Tier) -> dict[str, str]:
    return {"organisation_id": str(tier.id)}


async def _address(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await hub.call("platform", "POST", f"/organisations/{tier.id}/addresses", json=ADDRESS)
    return {"organisation_id": str(tier.id), "address_id": str(made.json()["id"])}


async def _user(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await hub.call("platform", "POST", "/users", json={
        "name": f"Thing of {tier.word}!", "email": f"thing{next(_numbers)}@example.com", "organisation": tier.id})
    return {"user_id": str(made.json()["id"])}


async def _role(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await hub.call("platform", "POST", "/roles", json={
        "name": f"Role {next(_numbers)} of {tier.word}!", "permissions": [], "organisation": tier.id})
    return {"role_id": str(made.json()["id"])}


async def _client(hub: Hub, tier: Tier) -> dict[str, str]:
    user = await _user(hub, tier)
    made = await hub.call("platform", "POST", "/api_clients", json={"name": "Thing", "user": int(user["user_id"])})
    return {"client_id": made.json()["client_id"]}


async def _emulation(hub: Hub, tier: Tier) -> dict[str, str]:
    """An emulation of which the person behind it is of `tier`."""
    number = await hub.database.fetchval(
        "INSERT INTO organisations.emulation (real_user_id, real_organisation_id, user_id, organisation_id, reason,"
        " started_at, ends_at) VALUES ($1, $2, $3, $4, 'matrix', now(), now() + interval '1 hour') RETURNING id",
        tier.user_id, tier.id, hub["e"].user_id, hub["e"].id)
    return {"emulation_id": str(number)}


async def _credit(_hub: Hub, tier: Tier) -> dict[str, str]:
    return {"organisation_id": str(tier.id), "currency": "EUR"}


async def _basket(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await hub.call(tier.word, "POST", "/baskets", json=await _order(hub, tier))
    assert made.status_code == 201, made.text
    return {"basket_id": str(made.json()["id"])}


async def _order_of(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await hub.call(tier.word, "POST", "/orders", json=await _order(hub, tier))
    assert made.status_code == 201, made.text
    return {"order_id": str(made.json()["id"])}


async def _order(hub: Hub, tier: Tier) -> dict[str, object]:
    [shipping_type] = [each for each in (await hub.get(tier.word, "/shipping_types")).json()
                       if each["name"] == "UK Standard Next Day Delivery"]
    return {"purchase_order_number": f"PO {next(_numbers)} of {tier.word}!", "name": f"Thing of {tier.word}!",
            "shipping_type": shipping_type["id"], "line_items": [{"product_code": "PHONE", "quantity": 1}],
            "shipping_address": {"company_name": "Widgets", "recipient_name": "Ama", "addr_line_1": "1 Road",
                                 "city": "Hull", "postal_code": "HU1", "country_code": 829}}


async def _price_rule(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await hub.call(tier.word, "POST", "/price_rules", json={
        "kind": "markup", "markup": 5, "min_quantity": next(_numbers) + 100})
    assert made.status_code == 201, made.text
    return {"rule_id": str(made.json()["id"])}


#: What the directory needs before it shows an application.
LISTED = {
    "access_url": "https://ledger.example.com/", "category": "Accounting", "short_description": "Books.",
    "terms_url": "https://ledger.example.com/terms", "privacy_url": "https://ledger.example.com/privacy",
    "publisher_name": "Ledger", "publisher_email": "books@ledger.example.com",
    "redirect_uris": ["https://ledger.example.com/cb"], "requested_scopes": ["messages.send"]}


async def _application(hub: Hub, tier: Tier, name: str = "") -> dict[str, str]:
    """A public application that waits for a review."""
    made = await hub.call("platform", "POST", "/applications", json={
        "kind": "public", "name": name or f"Application of {tier.word}!", "organisation": tier.id, **LISTED})
    assert made.status_code == 201, made.text
    client_id = made.json()["application"]["client_id"]
    assert (await hub.call("platform", "POST", f"/applications/{client_id}/submit")).status_code == 200
    return {"application": client_id}


async def _secret(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await _application(hub, tier)
    [secret] = (await hub.call("platform", "GET", f"/applications/{made['application']}/secrets")).json()
    return {**made, "secret_id": str(secret["id"])}


async def _installed(hub: Hub, tier: Tier) -> dict[str, str]:
    made = await _application(hub, hub["stranger"], "Known to whoever authorizes it")
    async with hub.database.transaction() as connection:
        application = await find_client(connection, made["application"])
        assert application is not None
        await record_install(connection, tier.id, application.application_id, ["messages.send"], tier.user_id)
    return {"installed": made["application"]}


#: Which parameters a path has -> how to make what it names. Nobody in particular owns what is SHARED.
FACTORIES: dict[frozenset[str], Make] = {
    frozenset({"organisation_id"}): _organisation,
    frozenset({"organisation_id", "address_id"}): _address,
    frozenset({"organisation_id", "currency"}): _credit,
    frozenset({"user_id"}): _user,
    frozenset({"role_id"}): _role,
    frozenset({"client_id"}): _client,
    frozenset({"emulation_id"}): _emulation,
    frozenset({"basket_id"}): _basket,
    frozenset({"order_id"}): _order_of,
    frozenset({"rule_id"}): _price_rule,
    frozenset({"application"}): _application,
    frozenset({"application", "secret_id"}): _secret,
    frozenset({"installed"}): _installed,
}

#: What only its own organisation sees, not those above: a price rule tells what a tier earns; each organisation
#: authorizes applications for itself.
PRIVATE = frozenset({frozenset({"rule_id"}), frozenset({"installed"})})

#: Whose parent sells to it: the root of the tree buys from nobody.
NOT_OF_THE_ROOT = frozenset({frozenset({"basket_id"}), frozenset({"order_id"})})

#: Paths whose id is the same for everybody who may look at it at all.
SHARED: frozenset[frozenset[str]] = frozenset({
    frozenset({"product_id"}), frozenset({"id"}), frozenset({"shipping_type_id"}), frozenset({"published"}),
    frozenset({"submission_id"})})


async def body_of(operation_id: str, hub: Hub, tier: Tier) -> object:
    """Return a body that the operation takes; `tier` is named in it where it names an organisation or a user."""
    if operation_id in {"create_basket", "create_order"}:
        return await _order(hub, hub["c"])
    bodies: dict[str, Callable[[], object]] = {
        "create_api_client": lambda: {"name": "Thing", "user": tier.user_id},
        "rotate_api_client": dict,
        "start_emulation": lambda: {"user": tier.user_id, "reason": "matrix"},
        "create_organisation": lambda: {"name": f"New {next(_numbers)}", "parent": tier.id},
        "change_organisation": lambda: {"name": tier.name},
        "move_organisation": lambda: {"parent": hub["c"].id},
        "create_address": lambda: ADDRESS,
        "change_address": lambda: ADDRESS,
        "change_credit": lambda: {"credit_limit": 5},
        "create_role": lambda: {"name": f"New {next(_numbers)}", "permissions": [], "organisation": tier.id},
        "change_role": lambda: {"shared": True},
        "create_user": lambda: {"name": "New", "email": f"new{next(_numbers)}@example.com", "organisation": tier.id},
        "change_user": lambda: {"locale": "en"},
        "change_user_permissions": dict,
        "change_basket": lambda: {"name": "Other"},
        "resubmit_order": dict,
        "cancel_order": lambda: {"reason": "matrix"},
        "put_order_aside": lambda: {"reason": "matrix"},
        "ship_order": dict,
        "complete_order": dict,
        "fail_order": lambda: {"reason": "matrix"},
        "rotate_callback_secret": dict,
        "change_order_settings": lambda: {"callback_url": ""},
        "create_application": lambda: {"kind": "private", "name": "Thing", "organisation": tier.id},
        "change_application": lambda: {"name": "Other thing"},
        "rotate_application_secret": dict,
        "suspend_application": lambda: {"reason": "matrix"},
        "change_application_roles": lambda: {"roles": []},
        "reject_submission": lambda: {"note": "matrix"},
        "set_price_rule": lambda: {"kind": "markup", "markup": 5, "min_quantity": next(_numbers) + 100},
    }
    return bodies[operation_id]()
