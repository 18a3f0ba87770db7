"""Texts of one line, such as names: they are shown in terminals, spreadsheets and letters."""

import unicodedata

#: Control characters, and the separators of lines and paragraphs: in a terminal they are orders to it.
_REFUSED_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
_LINE_ENDS_AND_TABS = frozenset("\n\r\t")


def holds_control_character(text: str, *, lines: bool = False) -> bool:
    """Say whether `text` holds a control character.

    Args:
        text: of any length.
        lines: the text may have several lines, and tabs.
    """
    return any(unicodedata.category(each) in _REFUSED_CATEGORIES and not (lines and each in _LINE_ENDS_AND_TABS)
               for each in text)
