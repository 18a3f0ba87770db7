"""What no statement may say."""

import re
from pathlib import Path

import makola

_SOURCE = Path(makola.__file__).parent
_NO_COLUMNS = re.compile(r"(?<!EXISTS \()\bSELECT\s+FROM\b")


def test_no_statement_reads_rows_without_columns() -> None:
    """asyncpg 0.32 writes eight bytes past such a row when it is freed (recordobj.c, `record_dealloc`)."""
    found = [f"{file.relative_to(_SOURCE)}: {match.group()}" for file in _SOURCE.rglob("*.py")
             for match in _NO_COLUMNS.finditer(file.read_text())]
    assert not found
