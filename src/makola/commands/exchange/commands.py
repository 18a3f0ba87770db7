"""The two groups of commands."""

import gc
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from makola.commands.exchange import organisations, prices, products, shipping_types
from makola.commands.exchange.formats import FileError, Problem, RowWriter
from makola.commands.exchange.importing import Importer, Outcome, Wishes, import_file
from makola.commands.exchange.values import Column
from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.commands.visible import say, visible
from makola.kit.database import Connection, Database
from makola.settings import Loaded

_STEPS = 1_000
_BAD_ROWS = 1


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of file: what is in it, and how it is read and written."""

    name: str
    noun: str
    columns: Mapping[str, Column]
    importer: Callable[[], Importer[Any]]
    rows: Callable[[Connection], AsyncIterator[Mapping[str, object]]]


_KINDS = (
    _Kind("products", "products", products.COLUMNS, products.ProductImporter, products.export_products),
    _Kind("prices", "price rules", prices.COLUMNS, prices.PriceImporter, prices.export_prices),
    _Kind("organisations", "organisations", organisations.COLUMNS, organisations.OrganisationImporter,
          organisations.export_organisations),
    _Kind("shipping-types", "shipping types", shipping_types.COLUMNS, shipping_types.ShippingTypeImporter,
          shipping_types.export_shipping_types),
)


@click.group(name="import")
def import_() -> None:
    """Read a file of rows: .csv, .xlsx or .jsonl."""


@click.group()
def export() -> None:
    """Write a file of rows that `makola import` reads: .csv, .xlsx or .jsonl."""


def _import_command(kind: _Kind) -> click.Command:
    @click.command(kind.name, help=f"Import {kind.noun} from FILE. Columns: {', '.join(kind.columns)}.")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Report what is wrong and store nothing.")
    @click.option("--all-or-nothing/--skip-bad-rows", default=True, show_default="--all-or-nothing",
                  help="What a bad row keeps out: the whole file, or itself alone.")
    @with_settings
    def command(loaded: Loaded, file: Path, *, dry_run: bool, all_or_nothing: bool) -> None:
        with click.progressbar(length=_STEPS, label=f"Importing {kind.noun}", file=sys.stderr) as bar:
            def progress(done: float) -> None:
                bar.update(int(done * _STEPS) - bar.pos)

            outcome = _run(loaded, file, kind, Wishes(dry_run, not all_or_nothing), progress)
        click.echo(_summary(kind, outcome, dry_run=dry_run))
        if outcome.bad and not outcome.is_stored:
            sys.exit(_BAD_ROWS)

    return command


def _run(loaded: Loaded, file: Path, kind: _Kind, wishes: Wishes, progress: Callable[[float], None]) -> Outcome:
    def report(problem: Problem) -> None:
        say(str(problem))

    async def use_case(database: Database) -> Outcome:
        return await import_file(database, file, kind.importer(), wishes, report, progress)

    gc.disable()  # of so many new objects none is part of a cycle; looking for one takes a fifth of the time
    try:
        return in_session(loaded, use_case)
    except FileError as error:
        raise click.ClickException(visible(str(error))) from error


def _summary(kind: _Kind, outcome: Outcome, *, dry_run: bool) -> str:
    counts = f"{outcome.good:,} good rows, {outcome.bad:,} bad ones"
    if outcome.is_stored:
        return f"{counts}: {outcome.good:,} {kind.noun} are stored."
    why = " (dry run)" if dry_run else "; --skip-bad-rows stores the good ones"
    return f"{counts}: nothing is stored{why}."


def _export_command(kind: _Kind) -> click.Command:
    @click.command(kind.name, help=f"Write all {kind.noun} to FILE.")
    @click.argument("file", type=click.Path(path_type=Path))
    @with_settings
    def command(loaded: Loaded, file: Path) -> None:
        async def use_case(database: Database) -> int:
            count = 0
            async with database.connection() as connection, \
                    connection.transaction(isolation="repeatable_read", readonly=True):
                with RowWriter(file, list(kind.columns)) as writer:
                    async for row in kind.rows(connection):
                        writer.write(row)
                        count += 1
            return count

        try:
            count = in_session(loaded, use_case)
        except FileError as error:
            raise click.ClickException(visible(str(error))) from error
        click.echo(f"{count:,} {kind.noun} are in {file}.")

    return command


for _kind in _KINDS:
    import_.add_command(_import_command(_kind))
    export.add_command(_export_command(_kind))
