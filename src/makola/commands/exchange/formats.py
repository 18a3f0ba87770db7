"""Files of rows: CSV, XLSX and JSON lines. A row knows the line that it stands on."""

import csv
import json
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

import msgspec
import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import IllegalCharacterError, InvalidFileException

from makola.commands.exchange.xlsx import read_first_sheet
from makola.kit.json_names import repeated_name

#: What a cell of a spreadsheet can hold.
_MOST_CELL_CHARACTERS = 32_767
#: A spreadsheet's numbers are of IEEE 754 double precision; larger whole numbers are written as text.
_MOST_CELL_INTEGER = 2**53
#: A spreadsheet of products is packed about twenty times; what a thousand equal bytes become is no spreadsheet.
_MOST_PACKED = 200
_FREE_MEMBER_BYTES = 10_000_000
_MOST_SHOWN = 100
#: What the library says of a file that only looks like a spreadsheet.
_NOT_A_SPREADSHEET = (ParseError, ExpatError, zlib.error, EOFError, ValueError, TypeError, AttributeError, LookupError,
                      ArithmeticError, RuntimeError, BadZipFile, InvalidFileException)
#: CSV fields as long as this are read; the library's own limit is shorter than a product's description can be.
_MOST_FIELD_CHARACTERS = 10_000_000
#: What a spreadsheet takes for a formula when it opens a CSV file: anybody who may name a thing could write one.
_LIKE_A_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


class Format(Enum):
    """A kind of file, by the ending of its name."""

    CSV = ".csv"
    XLSX = ".xlsx"
    JSON_LINES = ".jsonl"

    @classmethod
    def of(cls, path: Path) -> "Format":
        """Return the format that a file's name tells.

        Raises:
            FileError: it tells none.
        """
        ending = path.suffix.lower()
        if ending == ".ndjson":
            return cls.JSON_LINES
        try:
            return cls(ending)
        except ValueError:
            raise FileError(f"{path.name}: the name must end with .csv, .xlsx or .jsonl") from None


class FileError(Exception):
    """A file cannot be read, or written, at all; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row. `field` is empty where it is the whole row."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {f'{self.field}: ' if self.field else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: where it begins, counted from 1.
        values: by the name of the column.
        problem: why there are no values; None when there are.
        done: how much of the file has been read, from 0 to 1.
    """

    line: int
    values: Mapping[str, object]
    problem: Problem | None = None
    done: float = field(default=0.0)


def read_rows(path: Path, known: Collection[str]) -> Iterator[Row]:
    """Yield the rows of a file that are not empty.

    Args:
        path: of the file.
        known: the columns that it may have; of a table, where one name is wrong in every row, that ends the reading.

    Raises:
        FileError: it cannot be read.
    """
    try:
        match Format.of(path):
            case Format.CSV:
                yield from _read_csv(path, known)
            case Format.XLSX:
                yield from _read_xlsx(path, known)
            case Format.JSON_LINES:
                yield from _read_json_lines(path)
    except (OSError, BadZipFile, InvalidFileException, KeyError) as error:
        raise FileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _read_csv(path: Path, known: Collection[str]) -> Iterator[Row]:
    csv.field_size_limit(_MOST_FIELD_CHARACTERS)
    size = max(1, path.stat().st_size)
    with path.open("rb") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, strict=True)
        header: list[str] | None = None
        while True:
            line = lines.count + 1
            try:
                cells = next(reader)
            except StopIteration:
                if header is None:
                    raise FileError(f"{path}: the file is empty") from None
                return
            except (csv.Error, UnicodeDecodeError) as error:
                text = "this is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"this is not CSV: {error}"
                yield Row(line, {}, Problem(line, "", f"{text}; the rest was not read"), lines.bytes_read / size)
                return  # where the next row begins is anybody's guess
            if header is None:
                header = _header(cells, path, known)
            elif any(cells):
                yield _row(line, header, [_unguarded(cell) for cell in cells], lines.bytes_read / size)


class _Lines:
    """The lines of a file as text, counted. Their ends stay as they are: a cell may hold one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0
        self.bytes_read = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self.count += 1
        self.bytes_read += len(line)
        return line.decode("utf-8-sig" if self.count == 1 else "utf-8")


def _header(cells: Sequence[object], path: Path, known: Collection[str]) -> list[str]:
    header = [str(cell if cell is not None else "").strip().lower() for cell in cells]
    while header and not header[-1]:
        header.pop()
    repeated = min((name for name, times in Counter(header).items() if times > 1), default="")
    if repeated or not all(header) or not header:
        raise FileError(f"{path}: the first line must name every column, each once"
                        f"{f': {repeated[:_MOST_SHOWN]!r}' if repeated else ''}")
    unknown = [name for name in header if name not in known]
    if unknown:
        raise FileError(f"{path}: there is no column {unknown[0][:_MOST_SHOWN]!r}; there are {', '.join(known)}")
    return header


def _row(line: int, header: Sequence[str], cells: Sequence[object], done: float) -> Row:
    if any(cell not in {"", None} for cell in reversed(cells[len(header):])):
        return Row(line, {}, Problem(line, "", f"there are more than {len(header)} cells"), done)
    return Row(line, dict(zip(header, cells, strict=False)), None, done)


def _read_xlsx(path: Path, known: Collection[str]) -> Iterator[Row]:
    _refuse_bombs(path)
    try:
        yield from _read_sheet(path, known)
    except _NOT_A_SPREADSHEET as error:
        said = " ".join(str(error).split())[:_MOST_SHOWN] or type(error).__name__
        raise FileError(f"{path}: this is not a spreadsheet that can be read: {said}") from error


def _refuse_bombs(path: Path) -> None:
    """Refuse a file that unpacks to very much more than it is: it would fill the memory."""
    with ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > max(_FREE_MEMBER_BYTES, _MOST_PACKED * member.compress_size):
                raise FileError(f"{path}: {member.filename[:_MOST_SHOWN]} in it unpacks to {member.file_size:,} bytes, "
                                f"more than {_MOST_PACKED} times what it is packed in")


def _read_sheet(path: Path, known: Collection[str]) -> Iterator[Row]:
    header: list[str] | None = None
    for row in read_first_sheet(path):
        if header is None:
            header = _header(row.cells if row.number == 1 else [], path, known)
        else:
            missing = [None] * (len(header) - len(row.cells))
            yield _row(row.number, header, [*row.cells, *missing], row.done)
    if header is None:
        raise FileError(f"{path}: the file is empty")


def _read_json_lines(path: Path) -> Iterator[Row]:
    size, read = max(1, path.stat().st_size), 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            read += len(raw)
            if not raw.strip():
                continue
            text = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                values = msgspec.json.decode(text)
                repeated = repeated_name(text, values if isinstance(values, dict) else None)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                yield Row(line, {}, Problem(line, "", f"this is not JSON: {error}"), read / size)
                continue
            if not isinstance(values, dict):
                yield Row(line, {}, Problem(line, "", "this is not a JSON object"), read / size)
                continue
            if repeated is not None:
                yield Row(line, {}, Problem(line, repeated[:_MOST_SHOWN], "this field is there twice"), read / size)
                continue
            yield Row(line, values, None, read / size)


class RowWriter(AbstractContextManager["RowWriter"]):
    """Writes rows to a file of the format that its name tells; the file is there once all of them are.

    Args:
        path: of the file.
        columns: their names, in order.

    Raises:
        FileError: it cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.new")
        self._columns = columns
        self._format = Format.of(path)
        self._book: Any = None
        self._count = 0
        try:
            self._file = self._draft.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from error
        if self._format is Format.CSV:
            self._csv = csv.writer(self._file)
            self._csv.writerow(columns)
        elif self._format is Format.XLSX:
            self._book = openpyxl.Workbook(write_only=True)
            self._sheet = self._book.create_sheet()
            self._sheet.append(list(columns))

    def write(self, values: Mapping[str, object]) -> None:
        """Write one row; lists and objects become JSON where a cell must hold them."""
        self._count += 1
        if self._format is Format.JSON_LINES:
            self._file.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n")
            return
        cells = [_cell(values.get(name)) for name in self._columns]
        if self._format is Format.CSV:
            self._csv.writerow([_guarded(cell) for cell in cells])
        else:
            self._sheet.append([self._xlsx_cell(name, cell) for name, cell in zip(self._columns, cells, strict=True)])

    def _xlsx_cell(self, name: str, value: object) -> object:
        if isinstance(value, int) and abs(value) > _MOST_CELL_INTEGER:
            value = str(value)
        if not isinstance(value, str):
            return value
        if len(value) > _MOST_CELL_CHARACTERS:
            raise FileError(f"row {self._count}, {name}: a spreadsheet's cell holds at most {_MOST_CELL_CHARACTERS} "
                            "characters; use .csv or .jsonl")
        try:
            cell = WriteOnlyCell(self._sheet, value=value)
        except IllegalCharacterError as error:
            raise FileError(f"row {self._count}, {name}: a spreadsheet cannot hold this text; use .csv or .jsonl") \
                from error
        cell.data_type = "s"  # a text that begins with = is no formula
        return cell

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._file.close()
        if kind is not None:
            if self._book is not None:
                self._sheet.close()
            self._draft.unlink()
            return
        if self._book is not None:
            self._book.save(self._draft)
        self._draft.replace(self._path)


def _guarded(value: object) -> object:
    """Return a cell as a CSV file holds it: with an apostrophe before what would be a formula."""
    return f"'{value}" if isinstance(value, str) and _LIKE_A_FORMULA.match(value) else value


def _unguarded(text: str) -> str:
    """Return what `_guarded` was given; a formula that somebody else wrote is the text that it is."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
    return value
