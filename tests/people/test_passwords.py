"""Which passwords are refused, and that one password is one however it was typed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.identity.errors import PasswordRefusedError
from makola.core.identity.passwords import Passwords, check_new_password, generate_password
from makola.core.identity.types import User

AMA = User(1, 1, "Ama Serwaa Mensah", "ama.mensah@example.com")


@pytest.mark.parametrize("password", [
    "eleven char", "", " " * 12, "a" * 12, "abcabcabcabc", "abcdefghijkl", "123456789012", "098765432109",
    "password1234", "PassWord1234", "correct horse battery staple", "ama.mensah@example.com", "ama.mensah123",
    "Mensah Serwaa Ama", "makolamakola1", "qwertyuiop12", "x" * 1025, "ｐａｓｓｗｏｒｄ１２３４"])
def test_what_is_short_or_tried_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefusedError) as refused:
        check_new_password(password, AMA)
    assert refused.value.field == "password"


@pytest.mark.parametrize("password", [
    "seven green bicycles", "aaaaaaaaaaaab cd ef", "Ama likes mangoes 7 times", "пароль для входа",
    "密码很长而且很难猜到的一个句子", "🐘🦒🦓🐊🦛🐆🦁🐅🐘🦒🦓🐊", "with \" quotes' and\ttabs",
    "zzzzzzzzzzzzzzzzz-y-x-w-v", "abcdefghijk!zyx", "k" * 1000 + "abcdefg"])
def test_everything_else_is_taken_without_rules_of_composition(password: str) -> None:
    check_new_password(password, AMA)


def test_a_generated_password_is_good_and_never_the_same() -> None:
    made = {generate_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_new_password(password, AMA)


@given(st.text(min_size=1, max_size=60))
async def test_a_password_is_the_same_in_every_composition_of_its_characters(password: str) -> None:
    passwords = Passwords(memory_kib=32, passes=1, at_once=1)
    try:
        stored = await passwords.hash(unicodedata.normalize("NFC", password))
        assert await passwords.verify(stored, unicodedata.normalize("NFD", password))
        assert not await passwords.verify(stored, password + "x")
        assert not await passwords.verify(None, password)
        assert not passwords.is_outdated(stored)
    finally:
        passwords.close()


async def test_what_is_stored_and_no_hash_matches_nothing() -> None:
    passwords = Passwords(memory_kib=32, passes=1, at_once=1)
    for stored in ("", "x", "$argon2id$", "$argon2id$v=19$m=32,t=1,p=4$AAAA$AAAA"):
        assert not await passwords.verify(stored, "")
    passwords.close()
