"""The bank behind the demonstration world's code: what a newcomer sees first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.connectors.sandbox.bank import reply
from makola.core.ussd import screens


def test_a_pin_is_asked_for_masked_and_a_wrong_one_again() -> None:
    asked = reply("Initiation", "*711#", None)
    assert (asked.type, asked.mask_next_route, asked.client_state) == ("Response", True, "pin")
    for wrong in ("", "123", "12345", "abcd", "٠١٢٣"):
        again = reply("Response", wrong, "pin")
        assert (again.type, again.mask_next_route, again.client_state) == ("Response", True, "pin")
        assert again.message.startswith("A PIN has four digits.")
    menu = reply("Response", "0000", "pin")
    assert (menu.type, menu.mask_next_route, menu.client_state) == ("Response", False, "menu")


@pytest.mark.parametrize(("choice", "begins", "masked", "pages"), [
    ("1", "Your account balance is GHS", True, 1), ("2", "Mini Statement", False, 1),
    ("3", "This text does not fit", False, 2)])
def test_what_can_be_chosen(choice: str, begins: str, masked: bool, pages: int) -> None:
    answer = reply("Response", choice, "menu")
    assert (answer.type, answer.mask) == ("Release", masked)
    assert answer.message.startswith(begins)
    assert len(screens.pages(answer.message)) == pages


@given(st.sampled_from(["Initiation", "Response", "Release", "Timeout", ""]), st.text(), st.none() | st.text())
def test_whatever_comes_is_answered(request_type: str, message: str, client_state: str | None) -> None:
    answer = reply(request_type, message, client_state)
    assert answer.type in {"Response", "Release"}
    assert answer.client_state in {None, "pin", "menu"}


@given(st.text("0123456789", min_size=3, max_size=20))
def test_a_pin_is_never_repeated(pin: str) -> None:
    assert pin not in reply("Response", pin, "pin").message
