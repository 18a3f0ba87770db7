"""Reading a scripted session: one statement on a line, and a text that may go on in indented lines.

    # The balance, and a wrong PIN
    url http://localhost:3000/ussd
    mobile +233262183777

    dial *711#
    expect Enter your pin
    send 1234
    expect
      Dear Customer
      1. Account Balance
      2. Mini Statement
    send 1
    contains GHS 53,743
    ended
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from makola.core.ussd import codes
from makola.core.ussd.screens import is_displayable


class Verb(StrEnum):
    """What a statement does."""

    DIAL = "dial"
    SEND = "send"
    CANCEL = "cancel"
    TIMEOUT = "timeout"
    EXPECT = "expect"
    CONTAINS = "contains"
    MATCHES = "matches"
    MASKED = "masked"
    OPEN = "open"
    ENDED = "ended"
    ERROR = "error"


#: Statements that take no text.
_ALONE = frozenset({Verb.CANCEL, Verb.TIMEOUT, Verb.MASKED, Verb.OPEN, Verb.ENDED})
#: Statements that may have an empty text: a subscriber may send nothing.
_MAY_BE_EMPTY = frozenset({Verb.SEND, Verb.EXPECT})
#: What a file may say about all its sessions, before the first `dial`.
SETTINGS = ("url", "mobile", "operator", "service-code")


class ScriptError(Exception):
    """A line that cannot be read.

    Args:
        line: its number, from 1.
        detail: one sentence.
    """

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(detail)
        self.line = line
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: where it stands, what it does, and its text."""

    line: int
    verb: Verb
    text: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A whole file."""

    settings: Mapping[str, str]
    statements: Sequence[Statement]


def parse_script(source: str) -> Script:
    """Read a file.

    Args:
        source: all of it.

    Raises:
        ScriptError: a line that cannot be read, or an order that makes no sense.
    """
    settings: dict[str, str] = {}
    statements: list[Statement] = []
    for line, word, text in _logical_lines(source):
        if word in SETTINGS:
            if statements:
                raise ScriptError(line, f"{word} belongs before the first dial")
            if not text:
                raise ScriptError(line, f"{word} needs a value")
            settings[word] = text
            continue
        statement = _statement(line, word, text)
        if not statements and statement.verb is not Verb.DIAL:
            raise ScriptError(line, f"a session begins with dial, not with {word}")
        statements.append(statement)
    if not statements:
        raise ScriptError(1, "there is no dial in this file")
    return Script(settings, statements)


def _statement(line: int, word: str, text: str) -> Statement:
    try:
        verb = Verb(word)
    except ValueError:
        known = ", ".join([*SETTINGS, *Verb])
        raise ScriptError(line, f"{word!r} is not a statement; there are {known}") from None
    if verb in _ALONE and text:
        raise ScriptError(line, f"{verb} stands alone")
    if not text and verb not in _ALONE and verb not in _MAY_BE_EMPTY:
        raise ScriptError(line, f"{verb} needs a text")
    if verb is Verb.MATCHES:
        try:
            re.compile(text)
        except re.error as error:
            raise ScriptError(line, f"not a regular expression: {error}") from None
    if verb is Verb.DIAL and not (codes.parts_of(text) and text.endswith("#")):
        raise ScriptError(line, f"{text!r} is no USSD code: it begins with * and ends with #")
    return Statement(line, verb, text)


def _logical_lines(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, first word and text; indented lines belong to the statement above them."""
    head: tuple[int, str, list[str]] | None = None
    for number, raw in enumerate(source.splitlines(), start=1):
        if raw[:1] in {" ", "\t"} or (not raw and head is not None):
            if raw.strip() and head is None:
                raise ScriptError(number, "an indented line belongs to a statement above it")
            if head is not None:
                head[2].append(raw)
            continue
        if head is not None:
            yield _joined(*head)
            head = None
        if raw.startswith("#") or not raw:
            continue
        word, _, text = raw.rstrip().partition(" ")
        head = number, word, [text.strip()]
    if head is not None:
        yield _joined(*head)


def _joined(number: int, word: str, lines: list[str]) -> tuple[int, str, str]:
    first, more = lines[0], lines[1:]
    while more and not more[-1].strip():
        more.pop()
    while more and not first and not more[0].strip():
        del more[0]
    margin = min((len(line) - len(line.lstrip()) for line in more if line.strip()), default=0)
    text = "\n".join([*([first] if first else []), *(line[margin:].rstrip() for line in more)])
    if text.startswith('"'):
        try:
            quoted = json.loads(text)
        except ValueError:
            quoted = None
        if not isinstance(quoted, str) or not is_displayable(quoted):
            raise ScriptError(number, "a text in quotation marks is written as in JSON, with \\n for a new line")
        text = quoted
    return number, word, text
