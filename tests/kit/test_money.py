"""Amounts are written exactly, and as people read them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.kit.money import amount_text, decimal_text


@given(st.integers(-10**20, 10**20), st.integers(0, 4))
def test_what_is_written_is_the_amount(units: int, decimals: int) -> None:
    text = decimal_text(units, decimals=decimals)
    assert Decimal(text) * 10_000 == units
    written = len(text.partition(".")[2])
    assert written >= decimals
    assert written == decimals or not text.endswith("0")
    assert text.removeprefix("-").replace(".", "").isdigit()


@pytest.mark.parametrize(("units", "decimals", "text"), [
    (0, 2, "0.00"), (500_000, 2, "50.00"), (12_345, 2, "1.2345"), (-5_000, 2, "-0.50"), (-1, 2, "-0.0001"),
    (1_000_000, 0, "100"), (8_000, 0, "0.8"), (10_000, 1, "1.0")])
def test_samples(units: int, decimals: int, text: str) -> None:
    assert decimal_text(units, decimals=decimals) == text


@pytest.mark.parametrize(("units", "english", "french"), [
    (5_000, "GHS 0.50", "0,50 GHS"), (12_345_678_900, "GHS 1,234,567.89", "1 234 567,89 GHS"),
    (-12_345_600, "GHS -1,234.56", "-1 234,56 GHS"), (12_345, "GHS 1.2345", "1,2345 GHS")])
def test_amounts_as_they_are_read(units: int, english: str, french: str) -> None:
    def plain(text: str) -> str:
        assert " " not in text  # it would break a line
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    assert plain(amount_text(units, "GHS", "en")) == english
    assert plain(amount_text(units, "GHS", "fr")) == french
