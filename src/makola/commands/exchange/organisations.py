"""Organisations in files: each after its parent."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from makola.commands.exchange import values
from makola.commands.exchange.formats import Problem, Row
from makola.commands.exchange.importing import Parsed
from makola.commands.exchange.values import BadRowError, Column
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.credit import credit_accounts_of, set_credit
from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.queries import whole_tree
from makola.core.organisations.service import create_organisation
from makola.core.organisations.tree import OrganisationChange, add_organisation, change_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection
from makola.kit.json_names import repeated_name
from makola.kit.money import decimal_text


def _limits(raw: object) -> object:
    if raw is None or raw == "":
        return values.NOT_GIVEN
    try:
        limits = msgspec.convert(msgspec.json.decode(raw) if isinstance(raw, str) else raw, dict[str, Decimal])
    except msgspec.MsgspecError:
        raise ValueError('this is not an object such as {"GBP": 1000}') from None
    if isinstance(raw, str) and (repeated := repeated_name(raw.encode())) is not None:
        raise ValueError(f"{repeated} is there twice")
    return {currency: values.units_of(limit) for currency, limit in limits.items()}


def _names(raw: object) -> object:
    """Read a list of words; in a cell they are written with commas."""
    if isinstance(raw, list):
        return tuple(str(values.word(each)) for each in raw)
    given = str(values.word(raw))
    return tuple(name.strip() for name in given.split(",")) if given else values.NOT_GIVEN


COLUMNS: Mapping[str, Column] = {column.name: column for column in (
    Column("organisation", values.integer), Column("parent", values.integer), Column("name", values.word),
    Column("linked_account", values.boolean),
    Column("finance_type", lambda raw: values.word(raw) or values.NOT_GIVEN), Column("modules", _names),
    Column("credit_limits", _limits),
)}


@dataclass(frozen=True, slots=True)
class GivenOrganisation:
    """What a row says. `number` is what other rows of the file call it."""

    number: int | None
    parent: int | None
    name: str
    change: OrganisationChange
    credit_limits: Mapping[str, int]


class _State:
    """What is known of the tree while a file is read; copied, so that a batch that fails leaves nothing behind."""

    def __init__(self, ids: dict[int, int], by_name: dict[tuple[int | None, str], list[int]],
                 known: set[int]) -> None:
        self.ids = ids
        self.by_name = by_name
        self.known = known

    def copy(self) -> "_State":
        return _State(dict(self.ids), dict(self.by_name), set(self.known))


class OrganisationImporter:
    """Rows become organisations. One is known by its parent and its name; a new one is added."""

    columns = COLUMNS

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}
        self._state: _State | None = None

    def parse(self, row: Row) -> GivenOrganisation:
        """Return what a row says."""
        given: dict[str, Any] = values.read_values(row, COLUMNS)
        if not given.get("name"):
            raise BadRowError([Problem(row.line, "name", "this must not be empty")])
        number = given.get("organisation")
        if number is not None and self._lines.setdefault(number, row.line) != row.line:
            raise BadRowError([Problem(row.line, "organisation",
                                       f"this number stands on line {self._lines[number]} already")])
        return GivenOrganisation(
            number, given.get("parent"), given["name"],
            OrganisationChange(given["name"], given.get("linked_account"), given.get("finance_type"),
                               given.get("modules")), given.get("credit_limits", {}))

    async def store(self, connection: Connection, rows: Sequence[Parsed[GivenOrganisation]]) -> list[Problem]:
        """Add or change organisations, in the order of the file."""
        state = (self._state or await _load(connection)).copy()
        problems: list[Problem] = []
        actor = await find_platform_actor(connection)
        for row in rows:
            if actor is None:
                if row.value.parent is not None:
                    problems.append(Problem(row.line, "parent", "there is no such organisation"))
                    continue
                root = await create_organisation(connection, None, name=row.value.name)
                state.by_name[None, row.value.name] = [root.organisation_id]
                state.known.add(root.organisation_id)
                actor = await find_platform_actor(connection)
            if actor is not None and (problem := await _store_one(connection, actor, state, row)) is not None:
                problems.append(problem)
        self._state = state
        return problems


async def _load(connection: Connection) -> _State:
    by_name: dict[tuple[int | None, str], list[int]] = {}
    tree = await whole_tree(connection)
    for each in tree:
        by_name.setdefault((each.parent_id, each.name), []).append(each.organisation_id)
    return _State({}, by_name, {each.organisation_id for each in tree})


async def _store_one(connection: Connection, actor: Actor, state: _State,
                     row: Parsed[GivenOrganisation]) -> Problem | None:
    given = row.value
    parent_id = None if given.parent is None else state.ids.get(given.parent, given.parent)
    if parent_id is not None and parent_id not in state.known:
        return Problem(row.line, "parent", "there is no such organisation, in the database or above this line")
    found = state.by_name.get((parent_id, given.name), [])
    if len(found) > 1:
        return Problem(row.line, "name", "the parent has several children of this name")
    if not found and parent_id is None:
        return Problem(row.line, "parent", "there is a root of the tree already: name a parent")
    try:
        if found:
            organisation_id = found[0]
            await change_organisation(connection, actor, organisation_id, given.change)
        elif parent_id is not None:
            made = await add_organisation(connection, actor, parent_id, given.change)
            organisation_id = made.organisation_id
            state.by_name[parent_id, given.name] = [organisation_id]
            state.known.add(organisation_id)
        for currency, limit_units in given.credit_limits.items():
            await set_credit(connection, actor, organisation_id, currency=currency, credit_limit_units=limit_units)
    except UnknownOrganisationError as error:
        return Problem(row.line, error.field, error.detail)
    if given.number is not None:
        state.ids[given.number] = organisation_id
    return None


# -- export -------------------------------------------------------------------------------------------------------


async def export_organisations(connection: Connection) -> AsyncIterator[Mapping[str, object]]:
    """Yield every organisation as a row that `OrganisationImporter` reads, each after its parent."""
    for each in await whole_tree(connection):
        accounts = await credit_accounts_of(connection, each.organisation_id) if each.parent_id is not None else []
        yield {
            "organisation": each.organisation_id, "parent": each.parent_id, "name": each.name,
            "linked_account": each.linked_account, "finance_type": str(each.finance_type),
            "modules": ",".join(sorted(each.modules)),
            "credit_limits": {
                account.currency: decimal_text(account.credit_limit_units, decimals=0)
                for account in accounts if account.credit_limit_units is not None}}
