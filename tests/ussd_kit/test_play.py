"""`makola ussd play`: scripted sessions, what is wrong with one, and where."""

import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.commands.ussd.script import SETTINGS, ScriptError, Statement, Verb, parse_script
from tests.cli.processes import environment
from tests.ussd_kit.applications import Application, Request, application, says
from tests.ussd_kit.conftest import Kit

_EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "ussd"


def test_the_example_of_the_guide_holds(kit: Kit, bank: Application) -> None:
    done = kit("play", str(_EXAMPLES / "bank.ussd"), "--url", bank.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok ")


def test_a_file_that_begins_with_a_byte_order_mark_is_read(kit: Kit, tmp_path: Path) -> None:
    file = tmp_path / "marked.ussd"
    file.write_text("url http://127.0.0.1:9/ussd\ndial *711#\nerror URNF\n", "utf-8-sig")
    assert kit("play", str(file)).returncode == 0


def test_a_difference_is_shown_with_its_line_and_a_diff(kit: Kit, bank: Application, tmp_path: Path) -> None:
    shutil.copy(_EXAMPLES / "bank.ussd", tmp_path / "good.ussd")
    wrong = (_EXAMPLES / "bank.ussd").read_text().replace("2. Mini Statement", "2. Statement")
    (tmp_path / "wrong.ussd").write_text(wrong)

    done = kit("play", "wrong.ussd", "good.ussd", "--url", bank.url)

    line = wrong.splitlines().index("  Dear Customer")
    assert done.returncode == 1
    assert f"FAILED  wrong.ussd:{line}: the screen is not as expected (- expected, + shown)" in done.stdout
    assert "  - 2. Statement\n" in done.stdout
    assert "  + 2. Mini Statement\n" in done.stdout
    assert "1 of 2 files as expected" in done.stdout


@pytest.mark.parametrize(("statements", "said"), [
    ("dial *1#\nsend 1\nsend 2\nsend 3", ":4: send: the session has ended"),
    ("dial *1#\nmasked", ":2: the next answer is not masked"),
    ("dial *1#\nended", ":2: the session goes on"),
    ("dial *1#\nsend 1\nsend 2\nopen", ":4: the session has ended"),
    ("dial *1#\ncontains Nowhere", ":2: the screen does not contain 'Nowhere'"),
    ("dial *1#\nmatches ^x+$", ":2: the screen does not match '^x+$'"),
    ("dial *1#\nerror UUE", ":2: expected error UUE, there was none"),
    ("dial *2#\nexpect Hello", ":2: the screen is not as expected; UUE: The answer has no Type."),
    ("dial *2#\nended", ":2: the session was not ended by the application; UUE:"),
])
def test_what_does_not_hold(kit: Kit, tmp_path: Path, statements: str, said: str) -> None:
    (tmp_path / "one.ussd").write_text(statements)
    with application(_counts) as running:
        done = kit("play", "one.ussd", "--url", running.url)
    assert done.returncode == 1
    assert f"one.ussd{said}" in done.stdout


def test_everything_that_can_hold(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "all.ussd").write_text("""
# Everything
mobile 0241234567
operator Tigo
service-code 1*2

dial *1#
open
expect "Step 1 \\nof \\"three\\""
contains three
matches ^of .three.$
send
contains 2
cancel
dial *1#
timeout
error st
dial *2#
error UUE
contains valid JSON
dial *1#
send a b  c
send 3
expect

  Step 3
  of "three"

ended
dial *1#
""")
    with application(_counts) as running:
        done = kit("play", "all.ussd", "--url", running.url)
    assert (done.returncode, done.stdout[:3]) == (0, "ok "), done.stdout
    kinds = [(each["Type"], each["Message"]) for each in running.asked]
    assert kinds == [("Initiation", "*1#"), ("Response", ""), ("Release", ""), ("Initiation", "*1#"), ("Timeout", ""),
                     ("Initiation", "*2#"), ("Initiation", "*1#"), ("Response", "a b  c"), ("Response", "3"),
                     ("Initiation", "*1#"), ("Release", "")]
    assert {(each["Mobile"], each["Operator"], each["ServiceCode"]) for each in running.asked} == {
        ("0241234567", "Tigo", "1*2")}


@pytest.mark.parametrize(("source", "line", "words"), [
    ("", 1, "no dial"),
    ("url http://localhost/\n", 1, "no dial"),
    ("send 1", 1, "begins with dial"),
    ("dial *1#\nurl http://x/", 2, "before the first dial"),
    ("dial *1#\nexpects x", 2, "'expects' is not a statement"),
    ("dial *1#\nended now", 2, "stands alone"),
    ("dial *1#\ncontains", 2, "needs a text"),
    ("dial *1#\n\n\nmatches (", 4, "not a regular expression"),
    ("dial *1#\nexpect \"x", 2, "quotation marks"),
    ('dial *1#\nsend "\\ud800"', 2, "quotation marks"),
    ("  dial *1#", 1, "indented"),
    ("dial 711", 1, "no USSD code"),
    ("url", 1, "needs a value"),
])
def test_a_line_that_cannot_be_read_is_named(source: str, line: int, words: str) -> None:
    with pytest.raises(ScriptError, match=words.replace("(", r"\(")) as caught:
        parse_script(source)
    assert caught.value.line == line


def test_a_file_that_cannot_be_read_ends_with_2_before_anything_is_played(kit: Kit, tmp_path: Path,
                                                                        bank: Application) -> None:
    (tmp_path / "bad.ussd").write_text("dial *711#\nexpects x")
    before = len(bank.requests)
    done = kit("play", str(_EXAMPLES / "bank.ussd"), "bad.ussd", "--url", bank.url)
    assert done.returncode == 2
    assert "bad.ussd:2: 'expects' is not a statement" in done.stderr
    assert len(bank.requests) == before


_LINE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).map(
    str.strip).filter(lambda text: text and not text.startswith('"'))
_TEXT = st.lists(_LINE, min_size=1, max_size=4)


@given(st.lists(st.tuples(st.sampled_from([Verb.EXPECT, Verb.CONTAINS, Verb.SEND]), _TEXT), max_size=5),
       st.sampled_from([" ", "    ", "\t"]))
def test_every_text_can_be_written_in_indented_lines(statements: list[tuple[Verb, list[str]]], margin: str) -> None:
    source = "dial *1#\n" + "".join(
        f"{verb}\n" + "".join(f"{margin}{line}\n" for line in lines) + "\n" for verb, lines in statements)
    parsed = parse_script(source).statements
    assert [(each.verb, each.text) for each in parsed[1:]] == [(verb, "\n".join(text)) for verb, text in statements]


@given(st.text(string.printable))
def test_every_other_file_is_read_or_refused_with_a_line_of_it(source: str) -> None:
    try:
        script = parse_script(source)
    except ScriptError as error:
        assert 1 <= error.line <= max(1, len(source.splitlines()))
    else:
        assert isinstance(script.statements[0], Statement)


def test_the_guides_application_runs_as_it_is_printed(kit: Kit) -> None:
    program = _EXAMPLES / "bank.py"
    script = f"import runpy; Bank = runpy.run_path({str(program)!r})['Bank']\n" + (
        "from http.server import HTTPServer\n"
        "server = HTTPServer(('127.0.0.1', 0), Bank)\n"
        "print(server.server_port, flush=True)\nserver.serve_forever()")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=environment()) as process:
        try:
            assert process.stdout is not None
            done = kit("play", str(_EXAMPLES / "bank.ussd"), "--url",
                       f"http://localhost:{process.stdout.readline().strip()}/ussd")
        finally:
            process.kill()
    assert (done.returncode, done.stdout[:3]) == (0, "ok "), done.stdout


def _counts(request: Request) -> bytes:
    """Answer with the number of the request; the third ends it. `*2#` is broken."""
    if request["Message"] == "*2#":
        return b"{}"
    return says(f'Step {request["Sequence"]} \nof "three"', "Release" if request["Sequence"] == 3 else "Response")


@pytest.mark.parametrize("file", ["hello.js", "bank.ussd"])
def test_the_guide_prints_the_examples_as_they_are(file: str) -> None:
    guide = (_EXAMPLES.parents[1] / "guides" / "ussd.md").read_text()
    program = (_EXAMPLES / file).read_text()
    assert program.partition("\n")[2].strip() in guide


def test_every_statement_is_in_the_guide() -> None:
    guide = (_EXAMPLES.parents[1] / "guides" / "ussd.md").read_text()
    assert [verb for verb in [*Verb, *SETTINGS] if f"`{verb}" not in guide] == []
