"""Stored text on a terminal: whoever wrote it must not be able to move the cursor or to hide a line."""

import click


def visible(text: str) -> str:
    """Return a text in which everything that is not a printable character is written as an escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def say(line: str) -> None:
    """Write one line, with the control characters in it made visible."""
    click.echo(visible(line))
