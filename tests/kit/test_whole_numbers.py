"""Whole numbers as forms write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.kit.whole_numbers import read_whole_number


@given(st.integers(0, 2**63 - 1))
def test_every_id_of_the_database_is_read(number: int) -> None:
    assert read_whole_number(str(number)) == number


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "-1", "1.0", "1_000", "0x1", "\N{SUPERSCRIPT TWO}",
                                  "\N{ARABIC-INDIC DIGIT FOUR}", str(2**63), "9" * 19, "1" * 20, "1" * 5_000])
def test_what_is_none_or_too_large_is_none(text: str) -> None:
    assert read_whole_number(text) is None


def test_the_largest_that_is_wanted() -> None:
    assert read_whole_number("9", largest=9) == 9
    assert read_whole_number("10", largest=9) is None
