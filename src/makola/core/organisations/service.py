"""What may be done with organisations."""

from dataclasses import asdict, fields
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from makola.core.organisations.countries import country_by_code
from makola.core.organisations.errors import InvalidSettingError, UnknownOrganisationError
from makola.core.organisations.queries import TREE_CHANNEL, organisation_of
from makola.core.organisations.types import AccountSettings, Actor, Organisation
from makola.kit.database import Connection, Database

_ADD = """
WITH next AS (SELECT nextval(pg_get_serial_sequence('organisations.organisation', 'id')) AS id)
INSERT INTO organisations.organisation (id, parent_id, chain, name)
SELECT next.id, parent.id, coalesce(parent.chain, '{}') || next.id, $2
FROM next LEFT JOIN organisations.organisation parent ON parent.id = $1
WHERE parent.id IS NOT NULL OR $1::bigint IS NULL
RETURNING id, parent_id, chain, name, linked_account, finance_type, modules, suspended_at
"""

# Many may add organisations at once, but not while the tree is being rewritten (see `tree.move_organisation`).
_SHARE_TREE = "SELECT pg_advisory_xact_lock_shared(hashtext('organisations.tree'))"

_SETTING_NAMES = tuple(field.name for field in fields(AccountSettings))[1:]
_SAVE_SETTINGS = f"""
INSERT INTO organisations.account_settings (organisation_id, {", ".join(_SETTING_NAMES)})
VALUES ($1, {", ".join(f"${number}" for number in range(2, len(_SETTING_NAMES) + 2))})
ON CONFLICT (organisation_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _SETTING_NAMES)}
"""  # noqa: S608 - own text


async def create_organisation(connection: Connection, parent_id: int | None, *, name: str) -> Organisation:
    """Add an organisation below `parent_id`, or the root of the tree when that is None.

    Raises:
        UnknownOrganisationError: there is no such parent.
    """
    await connection.execute(_SHARE_TREE)
    row = await connection.fetchrow(_ADD, parent_id, name)
    if row is None:
        raise UnknownOrganisationError("There is no such organisation.", field="parent_id")
    await connection.execute("SELECT pg_notify($1, '')", TREE_CHANNEL)
    return organisation_of(row)


async def load_account_settings(database: Database, organisation_id: int) -> AccountSettings:
    """Return the settings of one account; the defaults when nothing was ever chosen."""
    row = await database.fetchrow(
        "SELECT * FROM organisations.account_settings WHERE organisation_id = $1", organisation_id)
    return AccountSettings(**dict(row)) if row is not None else AccountSettings(organisation_id)


async def save_account_settings(connection: Connection, actor: Actor, settings: AccountSettings) -> None:
    """Replace the settings of the actor's own account.

    Raises:
        InvalidSettingError: a value is not possible; its `field` is the attribute's name.
        UnknownOrganisationError: the settings are another account's.
    """
    if settings.organisation_id != actor.organisation_id:
        raise UnknownOrganisationError("There is no such account.", field="organisation_id")
    check_account_settings(settings)
    values = asdict(settings)
    await connection.execute(_SAVE_SETTINGS, *values.values())


def check_account_settings(settings: AccountSettings) -> None:
    """Refuse values that an account cannot have (the callback URL's address is checked where it is used)."""
    country = country_by_code(settings.country_code)
    if country is None or country.iso_code != settings.country_code:
        raise InvalidSettingError("The country must be an ISO 3166 two-letter code.", field="country_code")
    if not is_time_zone(settings.time_zone):
        raise InvalidSettingError("The time zone must be an IANA name such as Africa/Accra.", field="time_zone")
    if settings.delivery_report_method not in {"GET", "POST"}:
        raise InvalidSettingError("The method must be GET or POST.", field="delivery_report_method")


@lru_cache(maxsize=1024)
def is_time_zone(name: str) -> bool:
    """Say whether `name` is a time zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
