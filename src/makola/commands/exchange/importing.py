"""The way of every import: read, check, store in batches, and take all of it back when it is not to stay.

One transaction holds the whole file. What is wrong with a row is reported with its line and its field; a row that only
the database refuses is found by storing its batch again row by row.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import asyncpg

from makola.commands.exchange.formats import Problem, Row, read_rows
from makola.commands.exchange.values import BadRowError, Column
from makola.kit.database import Connection, Database
from makola.kit.errors import DomainError

_BATCH = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """A row that is right as far as the file alone can tell."""

    line: int
    value: T


class Importer(Protocol[T]):
    """What one kind of file becomes."""

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns that the file may have."""
        ...

    def parse(self, row: Row) -> T:
        """Return what a row says.

        Raises:
            BadRowError: it names every field that is wrong.
        """
        ...

    async def store(self, connection: Connection, rows: Sequence[Parsed[T]]) -> list[Problem]:
        """Store rows; return what is wrong with those that were left out."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        good: rows that were right.
        bad: rows that were not.
        is_stored: whether the good ones are stored now.
    """

    good: int
    bad: int
    is_stored: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to import. Without `skip_bad_rows` one bad row keeps everything out; `dry_run` does in any case."""

    dry_run: bool = False
    skip_bad_rows: bool = False


class _TakeBackError(Exception):
    """Ends the transaction without a trace."""


async def import_file(database: Database, path: Path, importer: Importer[T], wishes: Wishes,
                      report: Callable[[Problem], None], progress: Callable[[float], None]) -> Outcome:
    """Import one file.

    Args:
        database: migrated.
        path: of the file.
        importer: what its rows become.
        wishes: whether anything is to stay.
        report: is told each problem.
        progress: is told how much has been done, from 0 to 1.

    Raises:
        FileError: the file cannot be read.
    """
    run = _Run(importer, report)
    try:
        async with database.transaction() as connection:
            await run.whole(connection, path, progress)
            _take_back_unless(not wishes.dry_run and (wishes.skip_bad_rows or not run.bad_lines))
    except _TakeBackError:
        return Outcome(run.good, len(run.bad_lines), is_stored=False)
    return Outcome(run.good, len(run.bad_lines), is_stored=True)


def _take_back_unless(stays: bool) -> None:
    if not stays:
        raise _TakeBackError


@dataclass(slots=True)
class _Batch(Generic[T]):
    """Some rows: those that are right, what is wrong with the others, and how far in the file they are."""

    parsed: list[Parsed[T]]
    problems: list[Problem]
    size: int = 0
    done: float = 0.0


class _Run(Generic[T]):
    """One file on its way."""

    def __init__(self, importer: Importer[T], report: Callable[[Problem], None]) -> None:
        self._importer = importer
        self._report = report
        self.good = 0
        self.bad_lines: set[int] = set()

    async def whole(self, connection: Connection, path: Path, progress: Callable[[float], None]) -> None:
        """Read and store the file: while the database stores one batch, a thread reads and checks the next."""
        rows = read_rows(path, self._importer.columns)
        reading = asyncio.create_task(asyncio.to_thread(self._next_batch, rows))
        try:
            while (batch := await reading).size:
                reading = asyncio.create_task(asyncio.to_thread(self._next_batch, rows))
                self._refuse(batch.problems)
                if batch.parsed:
                    await self._store(connection, batch.parsed)
                progress(batch.done)
        finally:
            await asyncio.wait([reading])
        progress(1.0)

    def _next_batch(self, rows: Iterator[Row]) -> "_Batch[T]":
        batch: _Batch[T] = _Batch([], [])
        for row in islice(rows, _BATCH):
            batch.size += 1
            batch.done = row.done
            try:
                batch.parsed.append(Parsed(row.line, self._importer.parse(row)))
            except BadRowError as error:
                batch.problems += error.problems
        return batch

    async def _store(self, connection: Connection, batch: Sequence[Parsed[T]]) -> None:
        """Store a batch; when the database refuses it, row by row."""
        try:
            async with connection.transaction():
                problems = await self._importer.store(connection, batch)
        except (DomainError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if len(batch) > 1:
                for parsed in batch:
                    await self._store(connection, [parsed])
                return
            problems = [_problem_of(error, batch[0].line)]
        self._refuse(problems)
        self.good += len(batch) - len({problem.line for problem in problems})

    def _refuse(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            self.bad_lines.add(problem.line)
            self._report(problem)


def _problem_of(error: Exception, line: int) -> Problem:
    if isinstance(error, DomainError):
        return Problem(line, error.field, error.detail)
    return Problem(line, "", f"the database refuses it: {error}")
