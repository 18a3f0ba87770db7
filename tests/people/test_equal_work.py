"""What signing in costs tells nobody who exists: the hashing and the statements are counted, case by case.

A clock on a shared machine would say less: what is counted here is all that takes time.
"""

from dataclasses import dataclass, field

import argon2
import asyncpg
import pytest
from argon2 import Parameters, extract_parameters

from makola.core.identity.accounts import set_password
from makola.core.organisations.tree import suspend_organisation
from tests.people.world import PASSWORD, Browser, Place

WRONG = "wrong wrong wrong"
#: What every way of running a statement with arguments comes to.
_RUN = "_execute"


@dataclass
class Work:
    """What was done: each password that was compared, by the size of its hash; hashes made; statements run."""

    compared: list[Parameters] = field(default_factory=list)
    hashed: int = 0
    statements: int = 0

    def taken(self) -> "Work":
        """Return what was done since the last time."""
        done = Work(list(self.compared), self.hashed, self.statements)
        self.compared.clear()
        self.hashed = self.statements = 0
        return done


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    counted = Work()
    verify, make = argon2.PasswordHasher.verify, argon2.PasswordHasher.hash
    run = getattr(asyncpg.Connection, _RUN)

    def counting_verify(self: argon2.PasswordHasher, stored: str, password: bytes) -> bool:
        counted.compared.append(extract_parameters(stored))
        return verify(self, stored, password)

    def counting_hash(self: argon2.PasswordHasher, password: bytes) -> str:
        counted.hashed += 1
        return make(self, password)

    async def counting_run(self: asyncpg.Connection, *arguments: object, **keywords: object) -> object:
        counted.statements += 1
        return await run(self, *arguments, **keywords)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counting_verify)
    monkeypatch.setattr(argon2.PasswordHasher, "hash", counting_hash)
    monkeypatch.setattr(asyncpg.Connection, _RUN, counting_run)
    return counted


async def _attempt(place: Place, work: Work, email: str, password: str) -> tuple[int, Work, Browser]:
    browser = place.browser()
    await browser.get("/sign-in")
    work.taken()
    answer = await browser.submit("/sign-in", email=email, password=password)
    return answer.status_code, work.taken(), browser


async def _people(place: Place) -> dict[str, str]:
    """Return the address of somebody for each reason why nobody signs in with a wrong password; none is throttled."""
    disabled, of_disabled = await place.person(), await place.person("rival")
    await place.database.execute('UPDATE identity."user" SET suspended_at = now() WHERE id = $1', disabled.user_id)
    async with place.database.transaction() as connection:
        await suspend_organisation(connection, place.platform, place.organisations["rival"], suspended=True)
    second_factor = await place.person()
    await place.with_totp(second_factor)
    return {"known": (await place.person()).email, "unknown": "nobody.here@example.com",
            "without a password": (await place.person(password=None)).email, "disabled": disabled.email,
            "of a disabled organisation": of_disabled.email, "with a second factor": second_factor.email,
            "impossible": "\0", "too long": "x" * 5_000, "empty": ""}


async def test_a_wrong_password_costs_the_same_whoever_it_is_for(place: Place, work: Work) -> None:
    own = extract_parameters(await place.services.passwords.hash(PASSWORD))
    cases = await _people(place)
    done = {case: await _attempt(place, work, email, WRONG) for case, email in cases.items()}
    assert {case: status for case, (status, _, _) in done.items()} == dict.fromkeys(cases, 422)
    assert {case: each.compared for case, (_, each, _) in done.items()} == {case: [own] for case in cases}
    assert {case: each.hashed for case, (_, each, _) in done.items()} == dict.fromkeys(cases, 0)
    statements = {case: each.statements for case, (_, each, _) in done.items()}
    assert set(statements.values()) == {statements["known"]}, statements
    assert statements["known"] > 0


@pytest.mark.parametrize("case", ["unknown", "without a password", "disabled"])
async def test_the_right_password_of_somebody_who_may_not_costs_no_more_hashing(place: Place, work: Work,
                                                                                case: str) -> None:
    own = extract_parameters(await place.services.passwords.hash(PASSWORD))
    status, done, browser = await _attempt(place, work, (await _people(place))[case], PASSWORD)
    assert (status, done.compared, done.hashed, browser.session) == (422, [own], 0, "")


async def test_who_has_to_wait_costs_no_hashing_whether_they_exist_or_not(place: Place, work: Work) -> None:
    seen = []
    for email in ((await place.person()).email, "nobody.at.all@example.com"):
        for _ in range(6):
            await place.browser().sign_in(email, WRONG)
        for password in (PASSWORD, WRONG):
            status, done, browser = await _attempt(place, work, email, password)
            assert (status, done.compared, done.hashed) == (429, [], 0)
            seen.append((done.statements, browser.page.headers["retry-after"], browser.problem))
    assert len(set(seen)) == 1


async def test_the_counting_sees_a_hash_of_another_size(place: Place, work: Work) -> None:
    """A password that was hashed with less is hashed anew when it is right, which everybody may see who knows it."""
    user = await place.person()
    less = argon2.PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    async with place.database.transaction() as connection:
        await set_password(connection, user.user_id, less)
    status, done, _ = await _attempt(place, work, user.email, PASSWORD)
    assert (status, [each.memory_cost for each in done.compared], done.hashed) == (303, [32], 1)
