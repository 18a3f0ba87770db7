"""What an authenticator's answer must be; the whole ceremony is in `test_browser`."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.identity import passkeys
from makola.core.identity.errors import ChallengeGoneError, PasskeyRefusedError
from makola.core.identity.passkeys import RelyingParty
from makola.core.identity.types import User
from tests.people.world import Browser, Place

PARTY = RelyingParty("localhost", ("http://localhost:8080",))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


async def _options(browser: Browser, *, email: str = "") -> dict[str, object]:
    page = await browser.submit("/sign-in/passkey/options", at="/sign-in", email=email)
    assert page.status_code == 200, page.text
    options: dict[str, object] = page.json()
    return options


async def test_the_options_name_no_account_and_ask_for_verification(place: Place) -> None:
    options = await _options(place.browser(), email=(await place.person()).email)
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    assert not options.get("allowCredentials")
    assert len(str(options["challenge"])) >= 43


async def test_under_an_address_there_are_no_passkeys(place: Place) -> None:
    browser = place.browser("http://127.0.0.1:8080")
    await browser.get("/sign-in")
    assert "passkey" not in browser.page.text.replace("passkeys.js", "")
    assert (await browser.submit("/sign-in/passkey/options")).status_code == 422
    assert (await browser.submit("/sign-in/passkey", at="/sign-in", answer="{}")).status_code == 422


async def test_another_browser_or_another_time_cannot_finish(place: Place) -> None:
    first, second = place.browser(), place.browser()
    challenge = str((await _options(first))["challenge"])
    answer = _answer(challenge)
    await second.get("/sign-in")
    assert (await second.submit("/sign-in/passkey", answer=answer)).status_code == 422
    assert "took too long" in second.problem
    await place.database.execute("UPDATE identity.challenge SET expires_at = now()")
    assert (await first.submit("/sign-in/passkey", at="/sign-in", answer=answer)).status_code == 422
    assert "took too long" in first.problem


def _answer(challenge: str, **response: object) -> str:
    client_data = {"type": "webauthn.get", "challenge": challenge, "origin": PARTY.origins[0]}
    return json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {
        "clientDataJSON": _text(json.dumps(client_data).encode()), "authenticatorData": _text(b"\0" * 37),
        "signature": _text(b"x"), "userHandle": None} | response})


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=12), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.sampled_from(["challenge", "type", "origin", "x"]), inner), max_leaves=6)
_FIELD = st.one_of(_JSON, st.binary(max_size=60).map(_text), _JSON.map(lambda value: _text(json.dumps(value).encode())))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle",
                                        "attestationObject", "transports"]), _FIELD), _FIELD, st.booleans())
async def test_an_answer_that_makes_no_sense_is_refused_and_nothing_else_happens(
        place: Place, response: dict[str, object], other: object, known: bool) -> None:
    async with place.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            person = await _some_person(place)
            await connection.execute(
                "INSERT INTO identity.passkey (user_id, credential_id, user_handle, public_key, sign_count, name,"
                " synced) VALUES ($1, $2, '', '', 0, 'x', false)", person.user_id, b"\0\0\0")
            options = json.loads(await passkeys.begin_sign_in(connection, PARTY, "browser"))
            answer = json.loads(_answer(options["challenge"]))
            answer["response"] = {**answer["response"], **response}
            if not known:
                answer["rawId"] = other
            with pytest.raises((PasskeyRefusedError, ChallengeGoneError)):
                await passkeys.finish_sign_in(connection, json.dumps(answer), PARTY, "browser")
            options = json.loads(await passkeys.begin_registration(connection, person, PARTY, "browser"))
            made = json.loads(_answer(options["challenge"])) | {"userHandle": options["user"]["id"]}
            made["response"] = {**made["response"], "attestationObject": _text(b"\xa0"), **response}
            with pytest.raises((PasskeyRefusedError, ChallengeGoneError)):
                await passkeys.finish_registration(connection, person, json.dumps(made), "x", PARTY, "browser")
        finally:
            await transaction.rollback()


_people: dict[int, User] = {}


async def _some_person(place: Place) -> User:
    if id(place) not in _people:
        _people[id(place)] = await place.person()
    return _people[id(place)]

