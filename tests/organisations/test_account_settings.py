"""What an account chooses: defaults, refusals, and whose it is."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from makola.core.organisations.errors import InvalidSettingError, UnknownOrganisationError
from makola.core.organisations.queries import find_place, find_report_targets
from makola.core.organisations.service import create_organisation, load_account_settings, save_account_settings
from makola.core.organisations.types import AccountSettings, Actor
from makola.kit.database import Database


@pytest_asyncio.fixture
async def actor(database: Database) -> AsyncIterator[Actor]:
    """Who acts for the only organisation."""
    async with database.transaction() as connection:
        made = await create_organisation(connection, None, name="Root")
    yield Actor(made.organisation_id, made.chain, 1, None, "GH", "GMT")


async def _save(database: Database, actor: Actor, settings: AccountSettings) -> None:
    async with database.transaction() as connection:
        await save_account_settings(connection, actor, settings)


async def test_defaults_changes_and_their_effect(database: Database, actor: Actor) -> None:
    settings = await load_account_settings(database, actor.organisation_id)
    assert settings == AccountSettings(actor.organisation_id)
    changed = replace(settings, country_code="US", time_zone="America/New_York", sms_maintenance=True,
                      delivery_report_url="http://127.0.0.1:9/", delivery_report_method="GET")
    for wanted in (changed, replace(changed, country_code="KE")):
        await _save(database, actor, wanted)
        assert await load_account_settings(database, actor.organisation_id) == wanted
    place = await find_place(database, actor.organisation_id)
    assert place is not None
    assert (place.country_code, place.time_zone) == ("KE", "America/New_York")
    async with database.connection() as connection:
        targets = await find_report_targets(connection, [actor.organisation_id, 2**40])
        assert (targets[actor.organisation_id].url, targets[actor.organisation_id].method) == (
            "http://127.0.0.1:9/", "GET")
    await _save(database, actor, replace(changed, delivery_report_url=""))
    async with database.connection() as connection:
        assert await find_report_targets(connection, [actor.organisation_id]) == {}


@pytest.mark.parametrize(("field", "value"), [
    ("country_code", "gh"), ("country_code", "GHA"), ("country_code", "XX"),
    ("country_code", ""), ("country_code", "G\n"),
    ("time_zone", "Nowhere"), ("time_zone", ""), ("time_zone", "../GMT"), ("time_zone", "GMT\0"),
    ("delivery_report_method", "get"), ("delivery_report_method", "")])
async def test_what_cannot_be_chosen(database: Database, actor: Actor, field: str, value: str) -> None:
    with pytest.raises(InvalidSettingError) as refusal:
        await _save(database, actor, replace(AccountSettings(actor.organisation_id), **{field: value}))  # type: ignore[arg-type] # texts
    assert refusal.value.field == field


async def test_another_account_s_settings_are_not_one_s_own(database: Database, actor: Actor) -> None:
    with pytest.raises(UnknownOrganisationError):
        await _save(database, actor, AccountSettings(actor.organisation_id + 1))
