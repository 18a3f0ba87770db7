"""`makola import` and `makola export` as a person calls them: what is said, where, and how it ends."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from makola.commands.exchange.commands import export, import_

BAD = ('{"product_code": "A", "name": "a", "stock": 5}\n{"product_code": "B", "name": "b", "stock": "many"}\n'
       '{"product_code": "", "name": "c"}\n')
PROBLEMS = ["line 2: stock", "line 3: product_code"]


class Terminal:
    """A person at a terminal with a directory."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.directory = directory

    def importing(self, name: str, *words: str, kind: str = "products") -> Result:
        return CliRunner().invoke(import_, [
            kind, str(self.directory / name), *words, "--set", f"database_url={self.url}"])

    def exporting(self, name: str) -> Result:
        return CliRunner().invoke(export, [
            "products", str(self.directory / name), "--set", f"database_url={self.url}"])


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path)


def test_bad_rows_are_reported_by_line_and_field_and_keep_everything_out(terminal: Terminal) -> None:
    (terminal.directory / "bad.jsonl").write_text(BAD)
    for words, code, end in (
            ((), 1, "1 good rows, 2 bad ones: nothing is stored; --skip-bad-rows stores the good ones"),
            (("--dry-run",), 1, "1 good rows, 2 bad ones: nothing is stored (dry run)."),
            (("--skip-bad-rows",), 0, "1 good rows, 2 bad ones: 1 products are stored.")):
        result = terminal.importing("bad.jsonl", *words)
        said = result.stdout.splitlines()
        assert [": ".join(line.split(": ")[:2]) for line in said[:-1]] == PROBLEMS, words
        assert (said[-1].rstrip("."), result.exit_code) == (end.rstrip("."), code)
    (terminal.directory / "good.jsonl").write_text(BAD.splitlines()[0] + "\n")
    assert terminal.importing("good.jsonl", "--dry-run").exit_code == 0


def test_how_far_it_is_goes_to_the_terminal_and_not_into_the_report(terminal: Terminal,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    (terminal.directory / "p.csv").write_text("product_code,name\n" + "".join(f"P{n},n\n" for n in range(3_000)))
    result = terminal.importing("p.csv")
    assert result.stdout == "3,000 good rows, 0 bad ones: 3,000 products are stored.\n"
    assert result.stderr == "Importing products\n"  # into a file or a pipe no bar is drawn

    monkeypatch.setattr("click._termui_impl.isatty", lambda _stream: True)
    result = terminal.importing("p.csv", "--dry-run")
    assert result.stdout == "3,000 good rows, 0 bad ones: nothing is stored (dry run).\n"
    drawn = [int(percent) for percent in re.findall(r"(\d+)%", result.stderr)]
    assert drawn == sorted(drawn)
    assert (drawn[0], drawn[-1]) == (0, 100)
    assert {n // 10 for n in drawn} >= {0, 3, 6, 10}, drawn  # after each thousand rows, not only at the end


def test_what_is_exported_is_imported_by_the_commands(terminal: Terminal) -> None:
    (terminal.directory / "p.csv").write_text("product_code,name,vendor\nA,a,Acme\nB,b,\n")
    terminal.importing("p.csv")
    for name in ("out.csv", "out.xlsx", "out.jsonl"):
        assert terminal.exporting(name).exit_code == 0
        again = terminal.importing(name)
        assert again.stdout == "2 good rows, 0 bad ones: 2 products are stored.\n", again.output


def test_a_file_that_is_not_there_is_one_line(terminal: Terminal) -> None:
    result = terminal.importing("nothing.csv")
    assert (result.exit_code, result.stderr.splitlines()[-1].endswith("No such file or directory")) == (1, True)
