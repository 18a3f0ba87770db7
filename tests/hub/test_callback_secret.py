"""The secret that signs an organisation's callbacks, over the API."""

from datetime import UTC, datetime, timedelta

from makola.core.organisations.permissions import Permission
from tests.hub.world import Hub


async def test_it_is_shown_and_rotated_by_whoever_may_change_the_organisation(hub: Hub) -> None:
    answer = await hub.get("c", "/callback_secret")
    assert answer.headers["Cache-Control"] == "no-store"
    shown = answer.json()
    assert shown["secret"] == (await hub.get("c", "/order_settings")).json()["callback_secret"]
    assert shown["previous_ends_at"] is None
    made = (await hub.call("c", "POST", "/callback_secret/rotate")).json()
    assert made["secret"] != shown["secret"]
    wait = datetime.fromisoformat(made["previous_ends_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < wait < timedelta(hours=25)
    assert (await hub.get("c", "/callback_secret")).json() == made
    last = (await hub.call("c", "POST", "/callback_secret/rotate", json={"overlap_s": 0})).json()
    assert last["previous_ends_at"] is None
    assert (await hub.get("c", "/order_settings")).json()["callback_secret"] == last["secret"]
    assert (await hub.get("d", "/callback_secret")).json()["secret"] not in {each["secret"]
                                                                            for each in (shown, made, last)}


async def test_what_is_refused(hub: Hub) -> None:
    for body in ({"overlap_s": 7 * 86_400 + 1}, {"overlap_s": -1}, {"overlap_s": "x"}, {"overlap": 1}):
        assert (await hub.call("c", "POST", "/callback_secret/rotate", json=body)).status_code == 400
    _user, token = await hub.user_of("c", Permission.ORGANISATION_VIEW)
    for method, path in (("GET", "/callback_secret"), ("POST", "/callback_secret/rotate")):
        assert (await hub.call(None, method, path, token=token)).status_code == 403
        assert (await hub.call(None, method, path)).status_code == 401


async def test_an_emulation_does_not_learn_it(hub: Hub) -> None:
    answer = await hub.call("b", "POST", "/emulations", json={"user": hub["d"].user_id, "reason": "Ticket 7"})
    token = answer.json()["access_token"]
    for method, path in (("GET", "/callback_secret"), ("POST", "/callback_secret/rotate")):
        assert (await hub.call(None, method, path, token=token)).status_code == 403
    settings = await hub.call(None, "GET", "/order_settings", token=token)
    assert settings.status_code == 200
    assert settings.json()["callback_secret"] == ""
