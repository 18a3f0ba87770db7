"""The rows of a spreadsheet are what openpyxl reads of it."""

import zipfile
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import hypothesis.strategies as st
import openpyxl
import pytest
from hypothesis import given, settings
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from makola.commands.exchange.formats import FileError, read_rows
from makola.commands.exchange.xlsx import read_first_sheet

_SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHARED_TYPE = (b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument'
                b'.spreadsheetml.sharedStrings+xml"/></Types>')

_text = st.text(st.characters(codec="utf-8"), max_size=12).filter(
    lambda text: not ILLEGAL_CHARACTERS_RE.search(text) and not text.startswith("=") and "\r" not in text)
_cells = st.none() | _text | st.booleans() | st.integers(-2**60, 2**60) | st.floats(
    allow_nan=False, allow_infinity=False) | st.datetimes(datetime(1900, 3, 1), datetime(2999, 1, 1)) | st.dates(
    datetime(1900, 3, 1).date()) | st.times() | st.timedeltas(timedelta(), timedelta(days=400))
_tables = st.lists(st.lists(_cells, max_size=6), max_size=6)


def _as_openpyxl_reads(file: Path) -> list[tuple[int, list[object]]]:
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    rows = [(number, list(cells)) for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1)]
    book.close()
    return [(number, _trimmed(cells)) for number, cells in rows if _trimmed(cells)]


def _trimmed(cells: Sequence[object]) -> list[object]:
    """Return cells without the empty ones at the end; an empty text is an empty cell to the importer."""
    kept = [None if cell == "" else cell for cell in cells]
    while kept and kept[-1] is None:
        kept.pop()
    return kept


def _as_read(file: Path) -> list[tuple[int, list[object]]]:
    return [(row.number, row.cells) for row in read_first_sheet(file)]


@given(table=_tables, write_only=st.booleans(), is_mac=st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_workbook_is_read_as_openpyxl_reads_it(tmp_path_factory: pytest.TempPathFactory, table: list[list[object]],
                                                 write_only: bool, is_mac: bool) -> None:
    file = tmp_path_factory.mktemp("book") / "any.xlsx"
    book = openpyxl.Workbook(write_only=write_only)
    if is_mac:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.create_sheet() if write_only else book.worksheets[0]
    for cells in table:
        sheet.append(cells)
    book.save(file)
    assert _as_read(file) == _as_openpyxl_reads(file)
    assert [(type(cell), cell) for _, cells in _as_read(file) for cell in cells] == [
        (type(cell), cell) for _, cells in _as_openpyxl_reads(file) for cell in cells]


def _with_parts(file: Path, rows: str, shared: str = "", dtd: str = "") -> Path:
    """Write a workbook whose rows and shared texts are given as XML, as other programs write them."""
    plain = BytesIO()
    book = openpyxl.Workbook()
    book.worksheets[0].append(["text", datetime(2026, 11, 23, 9)])
    book.save(plain)
    parts = {
        "xl/worksheets/sheet1.xml": f'<x:worksheet xmlns:x="{_SPACE}"><x:dimension ref="A1:B1"/><x:sheetData>{rows}'
                                    '</x:sheetData><x:mergeCells count="1"><x:mergeCell ref="A1:B2"/></x:mergeCells>'
                                    '</x:worksheet>'}
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name) or old.read(name).replace(b"</Types>", _SHARED_TYPE))
        new.writestr("xl/sharedStrings.xml", f'{dtd}<sst xmlns="{_SPACE}">{shared}</sst>')
    return file


_RUNS = ("<si><t>plain</t></si><si><r><t>two </t></r><r><rPr><b/></rPr><t>runs</t></r><rPh sb='0' eb='1'><t>said</t>"
         "</rPh></si><si><t/></si><si><t xml:space='preserve'> a &amp;&#10;<![CDATA[<b>]]> </t></si>")


@pytest.mark.filterwarnings("ignore:Cell None is marked as a date")
@pytest.mark.parametrize(("cells", "expected"), [
    ("<x:c t='s'><x:v>0</x:v></x:c><x:c t='s'><x:v>1</x:v></x:c>", ["plain", "two runs"]),
    ("<x:c r='C1' t='s'><x:v>3</x:v></x:c><x:c t='s'><x:v>2</x:v></x:c>", [None, None, " a &\n<b> "]),
    ("<x:c t='inlineStr'><x:is><x:r><x:t>a</x:t></x:r><x:r><x:t>b</x:t></x:r></x:is></x:c>", ["ab"]),
    ("<x:c t='inlineStr'><x:is><x:t>a</x:t><x:rPh sb='0' eb='1'><x:t>b</x:t></x:rPh></x:is></x:c>", ["a"]),
    ("<x:c t='str'><x:f>A1+1</x:f><x:v>found</x:v></x:c><x:c><x:f>1+1</x:f></x:c>", ["found"]),
    ("<x:c t='e'><x:v>#N/A</x:v></x:c><x:c t='b'><x:v>1</x:v></x:c>", ["#N/A", True]),
    ("<x:c t='d'><x:v>2026-11-23T09:00:00Z</x:v></x:c>", [datetime(2026, 11, 23, 9)]),
    ("<x:c s='1'><x:v>0.5</x:v></x:c><x:c s='1'><x:v>99999999999</x:v></x:c>", [time(12), "#VALUE!"]),
    ("<x:c><x:v>1E3</x:v></x:c><x:c><x:v>1.50</x:v></x:c><x:c><x:v>007</x:v></x:c>", [1000.0, 1.5, 7]),
])
def test_what_other_programs_write_is_read(tmp_path: Path, cells: str, expected: list[object]) -> None:
    file = _with_parts(tmp_path / "other.xlsx", f"<x:row>{cells}</x:row>", _RUNS)
    assert _as_read(file) == _as_openpyxl_reads(file) == [(1, expected)]


def test_cells_may_stand_in_any_order(tmp_path: Path) -> None:
    cells = "<x:c r='C1'><x:v>3</x:v></x:c><x:c r='A1'><x:v>1</x:v></x:c><x:c r='B1'><x:v>2</x:v></x:c>"
    assert _as_read(_with_parts(tmp_path / "order.xlsx", f"<x:row>{cells}</x:row>")) == [(1, [1, 2, 3])]


def test_rows_that_are_missing_are_counted_and_a_wrong_dimension_keeps_none_out(tmp_path: Path) -> None:
    cell = "<x:c><x:v>1</x:v></x:c>"
    file = _with_parts(tmp_path / "gaps.xlsx", f"<x:row r='2'>{cell}</x:row><x:row r='9'/><x:row>{cell * 3}</x:row>"
                                               f"<x:row r='1048576'>{cell}</x:row>")
    rows = list(read_first_sheet(file))
    assert [(row.number, row.cells) for row in rows] == [(2, [1]), (10, [1, 1, 1]), (1_048_576, [1])]
    assert [row.done for row in rows] == sorted(row.done for row in rows)


@pytest.mark.parametrize("rows", [
    "<x:row r='5'/><x:row r='5'/>", "<x:row r='0'/>", "<x:row r='1048577'/>", "<x:row r='nan'/>", "<x:row r='1.5'/>",
    "<x:row r='1e300'/>", "<x:row><x:c r='XFE1'><x:v>1</x:v></x:c></x:row>", "<x:row>" + "<x:c/>" * 16_385 + "</x:row>",
    "<x:row><x:c t='s'><x:v>0</x:v></x:c></x:row>", "<x:row><x:c><x:v>one</x:v></x:c></x:row>"])
def test_a_position_that_no_sheet_has_is_refused(tmp_path: Path, rows: str) -> None:
    file = _with_parts(tmp_path / "far.xlsx", rows)
    with pytest.raises((ValueError, LookupError)):
        list(read_first_sheet(file))


def test_a_document_type_is_refused_in_every_part_that_is_read(tmp_path: Path) -> None:
    file = _with_parts(tmp_path / "type.xlsx", "<x:row/>", "<si><t>&a;</t></si>", '<!DOCTYPE sst [<!ENTITY a "b">]>')
    with pytest.raises(ValueError, match="document type"):
        list(read_first_sheet(file))


def test_a_corner_far_away_costs_nothing(tmp_path: Path) -> None:
    cell = "<x:c r='XFD1048576'><x:v>2</x:v></x:c>"
    ((number, cells),) = _as_read(_with_parts(tmp_path / "corner.xlsx", f"<x:row r='1048576'>{cell}</x:row>"))
    assert (number, len(cells), cells[-1]) == (1_048_576, 16_384, 2)


@pytest.mark.parametrize(("rows", "said"), [
    ("", "the file is empty"),
    ("<x:row r='2'><x:c t='str'><x:v>name</x:v></x:c></x:row>", "the first line must name every column")])
def test_a_first_line_that_is_none_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        list(read_rows(_with_parts(tmp_path / "names.xlsx", rows), ["name"]))


def test_cells_that_are_missing_are_empty_and_surplus_ones_are_named(tmp_path: Path) -> None:
    name, none = "<x:c t='str'><x:v>name</x:v></x:c>", "<x:c t='str'><x:v>stock</x:v></x:c>"
    file = _with_parts(tmp_path / "short.xlsx", f"<x:row>{name}{none}</x:row><x:row>{name}</x:row>"
                                                f"<x:row>{name * 2}<x:c/>{name}</x:row><x:row>{name * 2}<x:c/></x:row>")
    short, long, right = read_rows(file, ["name", "stock"])
    assert (short.line, short.values) == (2, {"name": "name", "stock": None})
    assert str(long.problem) == "line 3: there are more than 2 cells"
    assert right.values == {"name": "name", "stock": "name"}
