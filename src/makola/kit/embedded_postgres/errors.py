"""What is said when the embedded PostgreSQL cannot run."""

import re


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be started; the message is one line for a person."""


def reason(text: str) -> str:
    """Return the line of a program's output that says why it failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL:|error:|could not", line)]
    return (telling or lines or ["no reason given"])[0 if "error:" in text else -1]
