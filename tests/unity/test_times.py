"""Times: every form that clients write, in the account's time zone where they name none."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makola.api.unity import values
from makola.api.unity.errors import UnityError
from tests.unity.hub import Hub, Tenant, ahead

_MOMENT = datetime(2031, 7, 4, 17, 30, 0, tzinfo=UTC)


def _read(text: object, zone: str = "GMT") -> datetime | None:
    return values.time({"time": text}, "time", field="time", zone=zone)


@pytest.mark.parametrize("text", [
    "2031-07-04 17:30:00", "2031-07-04 17:30", "2031-07-04T17:30:00", "2031-07-04T17:30", "2031-07-04T17:30:00Z",
    "2031-07-04T17:30:00z", "2031-07-04 17:30:00 GMT", "2031-07-04 17:30 UTC", "2031-07-04T17:30:00.000Z",
    "2031-07-04T17:30:00.0000000Z", "2031-07-04T17:30:00.000000000", "2031-07-04T17:30:00,0", "2031-7-4 17:30",
    "2031-07-04T19:30:00+02:00", "2031-07-04T19:30:00+0200", "2031-07-04T19:30:00+02", "2031-07-04T19:30:00 02:00",
    "2031-07-04T12:00:00-05:30", "2031-07-04 12:00:00 -0530", "  2031-07-04 17:30:00  ", "2031-07-05T07:30+14:00"])
def test_the_forms_of_one_moment(text: str) -> None:
    assert _read(text) == _MOMENT


@pytest.mark.parametrize("text", [
    "2031-07-04", "17:30", "2031-07-04 17", "2031-02-29 10:00", "2031-13-01 10:00", "2031-00-01 10:00",
    "2031-07-32 10:00", "2031-07-04 24:01", "2031-07-04 10:60", "2031-07-04 10:00:60", "2031-07-04 10:00+99:00",
    "2031-07-04 10:00 PST", "04/07/2031 10:00", "tomorrow", "1940952600", "0000-01-01 10:00", "2031-07-04 10:00Z!",
    "２０３１-07-04 10:00", "2031-07-04 10:00\0", 1940952600, 1.5, True, ["2031-07-04 10:00"], {}])
def test_what_is_no_time(text: object) -> None:
    with pytest.raises(UnityError) as refusal:
        _read(text)
    assert refusal.value.own_code == "invalid_time"


@pytest.mark.parametrize("text", [None, ""])
def test_no_time_at_all(text: object) -> None:
    assert _read(text) is None


@pytest.mark.parametrize(("zone", "text", "expected"), [
    ("Africa/Accra", "2031-07-04 17:30", _MOMENT),
    ("Africa/Lagos", "2031-07-04 18:30", _MOMENT),
    ("America/New_York", "2031-07-04 13:30", _MOMENT),
    ("America/New_York", "2031-01-04 12:30", datetime(2031, 1, 4, 17, 30, tzinfo=UTC)),
    ("Asia/Kathmandu", "2031-07-04 23:15", _MOMENT),
    ("America/New_York", "2031-07-04T17:30Z", _MOMENT)])
def test_the_account_s_zone_counts_where_none_is_named(zone: str, text: str, expected: datetime) -> None:
    assert _read(text, zone) == expected


@pytest.mark.parametrize("text", ["0001-01-01 00:00", "9999-12-31 23:59:59"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_ends_of_time_are_read_or_refused(text: str, zone: str) -> None:
    try:
        assert _read(text, zone) is not None
    except UnityError as refusal:
        assert refusal.own_code == "invalid_time"


@settings(deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
       st.sampled_from(["GMT", "Africa/Lagos", "Asia/Kathmandu", "America/St_Johns"]))
def test_what_is_written_is_read_as_the_same_second(moment: datetime, zone: str) -> None:
    written = values.format_time(moment, zone)
    read = _read(written, zone)
    assert read is not None
    second = moment.replace(microsecond=0)
    local = second.astimezone(ZoneInfo(zone))
    assert read in {second, second - timedelta(hours=1)} if local.fold else read == second


@settings(deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
       st.integers(-14 * 4, 14 * 4), st.sampled_from(["", ".5", ".123", ",1234567"]), st.sampled_from(["T", " "]))
def test_iso_8601_with_an_offset_is_read_exactly(local: datetime, quarters: int, fraction: str, between: str) -> None:
    zone = timezone(timedelta(minutes=15 * quarters))
    sign = "-" if quarters < 0 else "+"
    hours, minutes = divmod(abs(quarters) * 15, 60)
    text = f"{local:%Y-%m-%d}{between}{local:%H:%M:%S}{fraction}{sign}{hours:02}:{minutes:02}"
    read = _read(text)
    assert read is not None
    assert read.replace(microsecond=0) == local.replace(microsecond=0, tzinfo=zone)
    assert read.microsecond == int((fraction[1:] or "0").ljust(6, "0")[:6])


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        _read(text)
    except UnityError as refusal:
        assert refusal.own_code == "invalid_time"


async def test_an_account_in_another_zone(hub: Hub) -> None:
    tenant = await hub.tenant()
    assert (await tenant.client.put("/v1/account/settings", TimeZone="Asia/Kathmandu")).status == 200
    here = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    local = f"{here.astimezone(ZoneInfo('Asia/Kathmandu')):%Y-%m-%d %H:%M:%S}"
    message_id = await tenant.sent(Time=local)
    stored = await hub.database.fetchval("SELECT time FROM messaging.message WHERE id = $1::text::uuid", message_id)
    assert stored == here
    assert (await tenant.message(message_id))["Time"] == local
    listed = await tenant.client.get("/v1/messages", pending=True, start=local, end=local)
    assert [message["Time"] for message in listed.json["Messages"]] == [local]
    assert (await tenant.client.put("/v1/account/settings", TimeZone="GMT")).status == 200
    assert (await tenant.message(message_id))["Time"] == f"{here:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "../../etc/passwd", "", "\0", "GMT\0", "Africa", "x" * 5_000])
async def test_a_zone_that_is_none(refused: Tenant, zone: str) -> None:
    reply = await refused.client.put("/v1/account/settings", TimeZone=zone)
    assert reply.outcome == (400, 8)
    assert "TimeZone" in reply.json["Detail"]


async def test_a_time_that_has_just_passed_means_now(tenant: Tenant) -> None:
    """A clock a few minutes behind ours is not an error; the message goes out at once and is paid at once."""
    reply = await tenant.send(Time=ahead(minutes=-4))
    assert reply.outcome == (201, 0)
    assert reply.json["Rate"] == 1
    await tenant.reaches(reply.json["MessageId"], "Delivered")
    assert (await tenant.send(Time=ahead(minutes=-6))).outcome == (400, 5)
