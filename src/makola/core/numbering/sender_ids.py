"""What may stand as the sender of a message.

Seed, "Send Message": "Sender IDs must be 11 characters or less without spaces or 16 numbers".

An alphanumeric sender is carried as up to eleven septets of the GSM default alphabet (3GPP TS 23.040,
9.1.2.5), and by many operators' connections as plain ASCII. So it is made of the ASCII letters and digits and
the signs ! # & ' * + - . / _ , which, but for the underscore, have the same code in both; the underscore is
let through because it is common in sender ids. It has a letter: what looks like a number must be one.

A numeric sender is a telephone number or short code of up to sixteen digits with or without a plus sign.
It is not looked up in a number plan: short codes are in none.
"""

import re

from makola.core.numbering.errors import InvalidSenderError

LONGEST_ALPHANUMERIC = 11
LONGEST_NUMERIC = 16

# A leading space is a plus sign that was not encoded in a query string.
_NUMERIC = re.compile(rf"[+ ]?[0-9]{{1,{LONGEST_NUMERIC}}}")
_ALPHANUMERIC = re.compile(rf"[A-Za-z0-9!#&'*+\-./_]{{1,{LONGEST_ALPHANUMERIC}}}")
_LETTER = re.compile("[A-Za-z]")
_DIGITS = re.compile("[+ ]?[0-9]+")


def parse_sender(text: str, *, field: str = "sender") -> str:
    """Return the sender as it is stored: as given, or with the plus sign that a leading space stood for.

    Args:
        text: see the rules above.
        field: what the error names as being at fault.

    Raises:
        InvalidSenderError: empty, too long, or with a character that a sender cannot have.
    """
    if _NUMERIC.fullmatch(text):
        return "+" + text[1:] if text[0] == " " else text
    if _ALPHANUMERIC.fullmatch(text) and _LETTER.search(text):
        return text
    raise InvalidSenderError(_fault(text), field=field)


def _fault(text: str) -> str:
    if not text:
        return "The sender is empty."
    if _DIGITS.fullmatch(text):
        return f"A numeric sender has at most {LONGEST_NUMERIC} digits."
    if len(text) > LONGEST_ALPHANUMERIC:
        return f"A sender that is not a number has at most {LONGEST_ALPHANUMERIC} characters."
    if " " in text:
        return "A sender cannot have spaces."
    if _ALPHANUMERIC.fullmatch(text):
        return "A sender that is not a number must have a letter."
    return "A sender has the letters A to Z, digits and the signs ! # & ' * + - . / _ only."
