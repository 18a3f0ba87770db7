"""Files that are made to harm: refused in one line, soon, and without filling the memory."""

import csv
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import openpyxl
import pytest
from hypothesis import given

from makola.commands.exchange import formats
from makola.commands.exchange.formats import FileError, RowWriter, read_rows
from makola.commands.exchange.products import COLUMNS, row_of
from tests.catalogue.shop import phone

_SHEET = "xl/worksheets/sheet1.xml"
_ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 9))


def _cell(inside: bytes) -> bytes:
    return b'<row r="3"><c r="A3" t="inlineStr"><is><t>' + inside + b"</t></is></c></row></sheetData>"


def _with_dtd(xml: bytes, dtd: bytes, inside: bytes) -> bytes:
    body = xml.partition(b"?>")[2] or xml
    return (b'<?xml version="1.0"?><!DOCTYPE x [' + dtd + b"]>" + body).replace(b"</sheetData>", _cell(inside))


_CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a bomb": (lambda xml: xml.replace(b"</sheetData>", _cell(b"A" * 50_000_000)), "unpacks to"),
    "entities of entities": (lambda xml: _with_dtd(xml, b'<!ENTITY e0 "aaaaaaaaaa">' + _ENTITIES, b"&e8;"),
                             "not a spreadsheet"),
    "an entity that is a file": (
        lambda xml: _with_dtd(xml, b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;"), "not a spreadsheet"),
    "half of the XML": (lambda xml: xml[:len(xml) // 2], "not a spreadsheet"),
    "a column that is none": (lambda xml: xml.replace(b'r="A1"', b'r="ZZZZZZ1"'), "not a spreadsheet"),
    "no XML": (lambda xml: os.urandom(len(xml)), "not a spreadsheet"),
}


def _changed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["product_code", "name"])
    book.worksheets[0].append(["A", "a"])
    book.save(path.with_name("plain.xlsx"))
    with zipfile.ZipFile(path.with_name("plain.xlsx")) as plain, \
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in plain.namelist():
            changed.writestr(name, change(plain.read(name)) if name == _SHEET else plain.read(name))
    return path


@pytest.mark.parametrize("what", _CHANGES)
def test_a_harmful_spreadsheet_is_refused(tmp_path: Path, what: str) -> None:
    change, message = _CHANGES[what]
    with pytest.raises(FileError, match=message) as refused:
        list(read_rows(_changed(tmp_path / "products.xlsx", change), COLUMNS))
    assert len(str(refused.value).splitlines()) == 1
    assert "root:" not in str(refused.value)


def test_a_spreadsheet_of_many_like_rows_is_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_FREE_MEMBER_BYTES", 0)
    file = tmp_path / "products.xlsx"
    with RowWriter(file, list(COLUMNS)) as writer:
        for _ in range(400):
            writer.write(row_of(phone()))
    assert sum(1 for _ in read_rows(file, COLUMNS)) == 400


@pytest.mark.parametrize("content", [b"", b"\n\n", b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
                                     b"name," * 100_000 + b"\n", b"x" * 10_000 + b"\n"])
@pytest.mark.parametrize("ending", ["csv"])
def test_a_first_line_that_is_none_is_refused(tmp_path: Path, content: bytes, ending: str) -> None:
    file = tmp_path / f"products.{ending}"
    file.write_bytes(content)
    with pytest.raises(FileError) as refused:
        list(read_rows(file, COLUMNS))
    assert len(str(refused.value)) < 1_000 + len(str(file))


_FIRST = st.text("'=+-@\t a", min_size=1, max_size=4)


@given(text=st.builds(str.__add__, _FIRST, st.text("=1'A!", max_size=4)))
def test_a_csv_file_holds_no_formula_and_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory,
                                                              text: str) -> None:
    file = tmp_path_factory.mktemp("formula") / "names.csv"
    with RowWriter(file, ["name", "other"]) as writer:
        writer.write({"name": text, "other": "x"})
    with file.open(newline="") as written:
        (cell, _) = list(csv.reader(written))[1]
    assert cell[0] not in "=+-@\t\r"
    assert [row.values["name"] for row in read_rows(file, ["name", "other"])] == [text]


def test_a_csv_file_of_somebody_else_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("name\n=1+1\n-5\n'tis\n")
    assert [row.values["name"] for row in read_rows(file, ["name"])] == ["=1+1", "-5", "'tis"]
