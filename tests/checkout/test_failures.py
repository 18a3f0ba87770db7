"""Every reason why a payment fails: the documents' code and sentence for merchants, plain words for customers."""

from importlib import import_module

import pytest

from makola.api.unity.payment_codes import MEANINGS, Code, code_of
from makola.core.checkout.types import Channel, Failure
from makola.web.checkout.language import LANGUAGES, Language
from tests.checkout.world import World

_NO_FAILURES = {Code.SUCCESS, Code.ACCEPTED, Code.ORDERED}


def test_every_failure_has_a_code_of_its_own() -> None:
    codes = [code_of(failure) for failure in Failure]
    assert sorted(codes) == sorted(set(Code) - _NO_FAILURES)
    assert set(MEANINGS) == set(Code)


def test_nothing_and_the_unknown_have_the_code_of_any_failure() -> None:
    assert code_of("") is code_of("something_new") is Code.FAILED


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_every_failure_is_told_in_words_of_its_own(language: Language) -> None:
    told = [language.failure(failure, "") for failure in Failure]
    assert len(set(told)) == len(Failure)
    assert language.failure(Failure.OTHER, "The provider's own words.") == "The provider's own words."
    assert language.failure(Failure.PHONE_OFF, "The provider's own words.") == language.failures[Failure.PHONE_OFF]


async def test_stored_codes_become_failures(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migration turns the documents' numbers into our names, drops their sentences, and comes back."""
    migration = import_module("makola.migrations.versions.0022_checkout_failures")
    statements: list[str] = []
    monkeypatch.setattr(migration, "execute", lambda sql: statements.extend(
        one for one in sql.split(";\n") if one.strip()))
    checkout = await world.checkout()
    await world.start(checkout)
    await world.start(checkout, "+233204123456", Channel.VODAFONE, another=True)
    first, second = [one.transaction_id for one in await world.transactions(checkout)]
    sentence = MEANINGS[Code.PHONE_OFF]
    await world.database.execute("UPDATE checkout.invoice SET failure_code = '2100'")
    await world.database.execute(
        "UPDATE checkout.transaction SET failure_code = '2100', failure_detail = $2 WHERE id = $1", first, sentence)
    await world.database.execute(
        "UPDATE checkout.transaction SET failure_code = '2001', failure_detail = 'Declined.' WHERE id = $1", second)

    async def stored() -> list[tuple[str, str]]:
        rows = await world.transactions(checkout)
        return [(one.failure_code, one.failure_detail) for one in rows]

    async def run(step: str) -> None:
        statements.clear()
        getattr(migration, step)()
        for statement in statements:
            await world.database.execute(statement)

    await run("upgrade")
    assert await stored() == [(Failure.PHONE_OFF, ""), (Failure.OTHER, "Declined.")]
    assert (await world.read(checkout)).failure_code == Failure.PHONE_OFF
    await run("downgrade")
    assert await stored() == [("2100", sentence), ("2001", "Declined.")]
    assert (await world.read(checkout)).failure_code == "2100"
