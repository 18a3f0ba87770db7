"""The rows of a spreadsheet (XLSX, ECMA-376 part 1, 18.3 and 18.4), one after another, in little memory.

openpyxl finds the parts; what there is much of, the cells and the texts that they share, is read here, several times as
fast as openpyxl reads it. A value is what openpyxl makes of it.

A file may be made to harm. No more of a sheet is held than some rows, positions outside of a sheet's limits are refused
before anything is made for them, and so is a document type, the only place for an entity.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser, fromstring
from xml.parsers.expat import ParserCreate
from zipfile import ZipFile

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import builtin_format_code, is_date_format, is_timedelta_format
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS, SHEET_MAIN_NS

#: A sheet's size, the same for every program that writes one.
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
#: The rows of a sheet begin after some hundred bytes, a few thousand where every column has a width of its own.
_MOST_BYTES_BEFORE_ROWS = 10_000_000
_PIECE_BYTES = 65_536
_NO_DATE = "#VALUE!"

_SHEET, _ROWS, _ROW, _VALUE, _INLINE, _TEXTS, _SHARED, _RUN, _TEXT = (f"{{{SHEET_MAIN_NS}}}{name}" for name in (
    "worksheet", "sheetData", "row", "v", "is", "sst", "si", "r", "t"))


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row in which something is.

    Attributes:
        number: counted from 1.
        cells: from the first column to the last one in which something is; None where nothing is.
        done: how much of the sheet has been read, from 0 to 1.
    """

    number: int
    cells: list[object]
    done: float


def read_first_sheet(path: Path) -> Iterator[SheetRow]:
    """Yield the rows of a workbook's first sheet; of a formula, the value that was last found.

    Args:
        path: of the file; what its parts unpack to is bounded already.

    Raises:
        ValueError, LookupError, ParseError and others: it is no workbook that can be read.
    """
    book = ExcelReader(str(path), read_only=True, data_only=True, keep_links=False)
    with closing(book.archive) as archive:
        book.read_manifest()
        book.read_workbook()
        sheets = [str(link.target) for _, link in book.parser.find_sheets()
                  if link.target in book.valid_files and "chartsheet" not in link.Type]
        part = next(book.package.findall(SHARED_STRINGS), None)
        shared = _shared_texts(archive, part.PartName[1:]) if part is not None else []
        sheet = _Sheet(_Numbers.of(archive, book.wb.epoch), shared)
        for row, done in _children(archive, sheets[0], f"{_SHEET}/{_ROWS}"):
            if row.tag == _ROW and (cells := sheet.cells(row)):
                yield SheetRow(sheet.row, cells, done)


def _children(archive: ZipFile, member: str, path: str) -> Iterator[tuple[Element, float]]:
    """Yield what an element of a part holds, one after another, and how much of the part has been read, from 0 to 1.

    The parser builds a tree, in C, and from this tree is taken while it grows what is whole.
    """
    builder = TreeBuilder()
    root = builder.start("", {})
    parser = XMLParser(target=builder)  # noqa: S314 - what it warns of needs a document type
    parent: Element | None = None
    size, read = max(1, archive.getinfo(member).file_size), 0
    with archive.open(member) as file:
        _refuse_document_type(file)
        while piece := file.read(_PIECE_BYTES):
            read += len(piece)
            parser.feed(piece)
            if parent is None and (parent := root.find(path)) is None:
                if read > _MOST_BYTES_BEFORE_ROWS:
                    raise ValueError("there are no rows in it")
                continue
            whole = parent[:-1]
            del parent[:-1]
            if len(parent) and len(parent[0]) > _MOST_COLUMNS:
                raise ValueError(f"a row has more than {_MOST_COLUMNS:,} cells")
            _forget_what_follows(root[0], parent)
            done = min(1.0, read / size)
            yield from ((child, done) for child in whole)
        parser.close()
    if parent is not None:
        yield from ((child, 1.0) for child in parent)


def _forget_what_follows(outer: Element, parent: Element) -> None:
    if outer is not parent:
        del outer[:-1]
        if outer[-1] is not parent:
            outer[-1].clear()


def _refuse_document_type(file: IO[bytes]) -> None:
    """Read until the first element begins, and go back to where the file begins."""
    begun = False

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type")

    def begin(*_: object) -> None:
        nonlocal begun
        begun = True

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    while not begun and (piece := file.read(_PIECE_BYTES)):
        parser.Parse(piece)
    file.seek(0)


def _text(element: Element) -> str:
    """Return what a text says, without its looks, and without how it is pronounced."""
    first = element[0] if len(element) else None
    if first is not None and first.tag == _TEXT and len(element) == 1:
        return first.text or ""  # nearly all are like this
    return "".join(part.text or "" for part in (*element.findall(_TEXT), *element.findall(f"{_RUN}/{_TEXT}")))


def _shared_texts(archive: ZipFile, member: str) -> list[str]:
    return [_text(child).replace("x005F_", "") for child, _ in _children(archive, member, _TEXTS)
            if child.tag == _SHARED]


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers, of which some are dates: it depends on the style of their cell."""

    dates: frozenset[int]
    durations: frozenset[int]
    epoch: datetime

    @classmethod
    def of(cls, archive: ZipFile, epoch: datetime) -> "_Numbers":
        """Return what a workbook's styles say of numbers."""
        if ARC_STYLE not in archive.namelist():
            return cls(frozenset(), frozenset(), epoch)
        with archive.open(ARC_STYLE) as file:
            _refuse_document_type(file)
            styles = fromstring(file.read())  # noqa: S314 - what it warns of needs a document type
        space = {"m": SHEET_MAIN_NS}
        own = {each.get("numFmtId", ""): each.get("formatCode", "") for each in styles.iterfind("m:numFmts/*", space)}
        kinds = [each.get("numFmtId", "0") for each in styles.iterfind("m:cellXfs/*", space)]
        formats = [own[kind] if kind in own else builtin_format_code(int(kind)) for kind in kinds]
        return cls(frozenset(style for style, each in enumerate(formats) if is_date_format(each)),
                   frozenset(style for style, each in enumerate(formats) if is_timedelta_format(each)), epoch)

    def read(self, text: str, style: int) -> object:
        """Return the number, the moment, the time or the duration of a cell."""
        number = float(text) if "." in text or "E" in text or "e" in text else int(text)
        if style not in self.dates:
            return number
        try:
            return from_excel(number, self.epoch, timedelta=style in self.durations)
        except (OverflowError, ValueError):
            return _NO_DATE


class _Sheet:
    """Makes values of cells. `row` is the number of the row that was read last."""

    def __init__(self, numbers: _Numbers, shared: Sequence[str]) -> None:
        self.row = 0
        self._numbers = numbers
        self._columns: dict[str, int] = {}
        self._readers: Mapping[str, Callable[[str], object]] = {
            "s": lambda text: shared[int(text)], "b": lambda text: bool(int(text)), "d": from_ISO8601}

    def cells(self, row: Element) -> list[object]:
        """Return the values of a row's cells, in the order of their columns."""
        self._begin(row.get("r"))
        values: list[object] = []
        column, columns = 0, self._columns
        for cell in row:
            reference = cell.get("r")
            if reference:
                letters = reference.rstrip("0123456789")
                column = columns.get(letters) or self._learn(letters)
            else:
                column += 1
            value: object
            if not len(cell):
                continue
            if cell.get("t") != "inlineStr":
                value = self._value(cell)
            elif len(inside := cell[0]) == 1 and inside[0].tag == _TEXT:
                value = inside[0].text  # nearly all are like this
            else:
                value = "".join(map(_text, cell.findall(_INLINE)))
            if value is None or value == "":
                continue
            if column == len(values) + 1:
                values.append(value)
            else:
                values += [None] * (column - len(values))
                values[column - 1] = value
        return values

    def _begin(self, number: str | None) -> None:
        row = float(number) if number is not None else self.row + 1
        if not self.row < row <= _MOST_ROWS or row != int(row):
            raise ValueError(f"there is a row {row:.15g} after row {self.row}")
        self.row = int(row)

    def _learn(self, letters: str) -> int:
        column = column_index_from_string(letters)
        if column > _MOST_COLUMNS:
            raise ValueError(f"there is no column {letters}")
        self._columns[letters] = column
        return column

    def _value(self, cell: Element) -> object:
        text = cell.findtext(_VALUE)
        if not text:
            return None
        kind = cell.get("t", "n")
        if kind == "n":
            return self._numbers.read(text, int(cell.get("s", "0")))
        read = self._readers.get(kind)
        return read(text) if read is not None else text
