"""The demonstration world: a small tree of organisations, prices, routes and handsets, made once."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import structlog

from makola.connectors.sandbox import Handsets
from makola.core.applications.registration import replace_own_address
from makola.core.applications.service import create_application
from makola.core.applications.types import NewApplication
from makola.core.billing.service import set_tariff, top_up
from makola.core.billing.types import SMS
from makola.core.identity.service import create_user
from makola.core.messaging.do_not_contact import add_to_list
from makola.core.messaging.routing import block_phrase, set_route
from makola.core.numbering.networks import GHANAIAN_NETWORKS
from makola.core.numbering.short_codes import assign_short_code
from makola.core.organisations.report_urls import replace_report_url, set_report_url
from makola.core.organisations.service import create_organisation
from makola.demonstration_applications import create_demonstration_applications
from makola.demonstration_catalogue import create_demonstration_catalogue
from makola.demonstration_checkout import create_demonstration_merchant
from makola.demonstration_hub import create_distributor
from makola.demonstration_orders import create_demonstration_orders
from makola.demonstration_people import create_demonstration_passwords
from makola.demonstration_ussd import create_demonstration_ussd
from makola.kit.database import Connection, Database
from makola.settings import Settings
from makola.web.callbacks_page import RECEIVER_PATH

_log = structlog.get_logger(__name__)

_CREDIT = "CREDIT"
_ONE_CREDIT = 10_000
_PLENTY = 10_000_000 * _ONE_CREDIT

#: Ghana, Nigeria, Kenya and the United Kingdom have a price; the United Kingdom's gateway is not connected, and the
#: rest of the world has no price: so the answers 502 and 400/4 can be tried.
_PRICED = ("620", "621", "639", "234")
_ROUTES = {"620": "sandbox", "621": "sandbox", "639": "sandbox", "234": "london"}
_DO_NOT_CONTACT = "+233249999999"
_BLOCKED_PHRASE = "this phrase is blocked"
_SHORT_CODE = "1400"


async def create_demonstration_world(settings: Settings, database: Database) -> None:
    """Make the world where there is none yet, and keep `demo.json` true.

    Args:
        settings: name the data directory and the public address.
        database: migrated.
    """
    file = settings.data_directory / "demo.json"
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('makola demonstration world'))")
        if await connection.fetchval("SELECT EXISTS (SELECT FROM organisations.organisation)"):
            await _keep_true(connection, file, settings)
            return
        world: dict[str, object] = {
            "base_url": settings.public_url,
            "clients": await _create_tree(connection, f"{settings.public_url}{RECEIVER_PATH}"),
            "handsets": await _create_handsets(database),
            "short_code": _SHORT_CODE, "do_not_contact": _DO_NOT_CONTACT, "blocked_phrase": _BLOCKED_PHRASE}
        # The file is there before the commit: a world whose secrets nobody knows would be of no use.
        _write(file, await _complete(connection, world, settings))


async def _complete(connection: Connection, world: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """Return the world with what it lacks of its later parts: all of them when it is new, or was made before them."""
    clients, handsets = world.get("clients"), world.get("handsets")
    if not isinstance(clients, dict) or not isinstance(handsets, list):
        return dict(world)
    merchant_id, completed = _organisation_of(clients), dict(world)
    await create_demonstration_ussd(connection, merchant_id, _organisation_of(clients, "penniless"),
                                    settings.public_url, networks=_PRICED, before_url=str(world.get("base_url")))
    if "users" not in world:
        completed["users"] = await create_demonstration_passwords(connection, settings)
    if "merchant_account_number" not in world:
        completed["merchant_account_number"] = await create_demonstration_merchant(
            connection, merchant_id, str(handsets[0]))
    if "applications" not in world:
        completed["applications"] = await create_demonstration_applications(
            connection, merchant_id, f"{settings.public_url}{RECEIVER_PATH}")
    completed["base_url"] = settings.public_url
    return completed


async def _create_tree(connection: Connection, report_url: str) -> dict[str, dict[str, object]]:
    platform = await create_organisation(connection, None, name="Makola platform")
    reseller = await create_organisation(connection, platform.organisation_id, name="Demonstration reseller")
    merchant = await create_organisation(connection, reseller.organisation_id, name="Demonstration merchant")
    penniless = await create_organisation(connection, reseller.organisation_id, name="Demonstration penniless")
    for network_id in _PRICED:
        for organisation, credits_ in ((reseller, 0.5), (merchant, 1), (penniless, 1)):
            await set_tariff(connection, organisation.organisation_id, SMS, network_id, currency=_CREDIT,
                             price_units=int(credits_ * _ONE_CREDIT))
    for organisation in (reseller, merchant):
        await top_up(connection, organisation.organisation_id, currency=_CREDIT, amount_units=_PLENTY,
                     reference=uuid4())
    for network_id, connector in _ROUTES.items():
        await set_route(connection, network_id, connector)
    await add_to_list(connection, platform.organisation_id, _DO_NOT_CONTACT, reason="demonstration")
    await block_phrase(connection, _BLOCKED_PHRASE)
    await assign_short_code(connection, _SHORT_CODE, merchant.organisation_id)
    await set_report_url(connection, merchant.organisation_id, report_url)
    await create_user(connection, merchant.organisation_id, name="Demonstration user", email="merchant@example.com")
    tree, of_tiers = await create_distributor(connection, _PRICED)
    chain = (tree.platform_id, tree.distributor_id, tree.wholesaler_id, tree.reseller_id, tree.customer_id)
    await create_demonstration_catalogue(connection, chain)
    await create_demonstration_orders(connection, chain, of_tiers["reseller"].application,
                                      of_tiers["customer"].application)
    return {
        "merchant": _client(await create_application(connection, merchant.organisation_id, name="Demonstration shop")),
        "penniless": _client(await create_application(connection, penniless.organisation_id,
                                                      name="Demonstration penniless shop")),
        **{word: _client(new) for word, new in of_tiers.items()}}


def _organisation_of(clients: Mapping[str, object], name: str = "merchant") -> int:
    """Return the organisation of one of the clients."""
    client = clients[name]
    organisation_id = client["organisation"] if isinstance(client, dict) else None
    if not isinstance(organisation_id, int):
        raise TypeError("a client has an organisation")
    return organisation_id


def _client(new: NewApplication) -> dict[str, object]:
    return {"client_id": new.application.client_id, "client_secret": new.client_secret,
            "organisation": new.application.organisation_id}


async def _create_handsets(database: Database) -> list[str]:
    """Make one handset for each Ghanaian network, where there are none."""
    handsets = Handsets(database)
    existing = {handset.network_id: handset.number for handset in await handsets.all()}
    return [existing.get(network.network_id)
            or (await handsets.create(network_id=network.network_id, name=f"{network.name} phone")).number
            for network in GHANAIAN_NETWORKS]


async def _keep_true(connection: Connection, file: Path, settings: Settings) -> None:
    """Write the present address into an existing file; without the file, say what is lost."""
    world = _read(file)
    if world is None:
        _log.warning("demo_json_missing", file=str(file),
                     hint="make new credentials with `makola application create`")
        return
    before = world.get("base_url")
    if before != settings.public_url:
        await replace_report_url(connection, f"{before}{RECEIVER_PATH}", f"{settings.public_url}{RECEIVER_PATH}")
        await replace_own_address(connection, f"{before}{RECEIVER_PATH}", f"{settings.public_url}{RECEIVER_PATH}")
    changed = await _complete(connection, world, settings)
    if changed != world:
        _write(file, changed)


def _read(file: Path) -> dict[str, object] | None:
    """Return what the file says; None when it is gone or torn."""
    try:
        world = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return world if isinstance(world, dict) else None


def _write(file: Path, world: Mapping[str, object]) -> None:
    """Replace the file in one step; it holds secrets, so only its owner may read it."""
    draft = file.with_suffix(".json.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(world, opened, indent=2)
        opened.write("\n")
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
