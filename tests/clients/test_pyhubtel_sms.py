"""`pyhubtel-sms` from PyPI, with nothing changed but the base URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pyhubtel_sms import SMS, Message, SMSError

from tests.clients.conftest import eventually
from tests.serving import Client, Serving

_TIME = "%Y-%m-%d %H:%M:%S"


def _sms(server: Serving, client: Client) -> SMS:
    sms = SMS(client_id=client.client_id, client_secret=client.client_secret)
    sms.api_base_url = server.url
    return sms


@pytest.fixture
def sms(server: Serving) -> SMS:
    """The client with the merchant's credentials."""
    return _sms(server, server.world.merchant)


@pytest.fixture
def handset(server: Serving) -> str:
    """A phone that is on."""
    return server.world.handsets[0]


def _ahead(**duration: float) -> str:
    return (datetime.now(UTC) + timedelta(**duration)).strftime(_TIME)


def _reference() -> str:
    return uuid4().hex


@contextmanager
def _refused(sms: SMS, status: int, reason: str | None) -> Iterator[None]:
    """Expect a refusal that the client explains with `reason`; None where it has no words for the sub-code."""
    with pytest.raises(SMSError) as caught:
        yield
    assert sms.status_code == status
    assert str(caught.value).endswith(f": {reason}")


# -- send and read ------------------------------------------------------------------------------------------------


def test_message_is_sent_and_read_back(sms: SMS, handset: str) -> None:
    reference = _reference()
    answer = sms.send_message(sender="pyhubtel", recipient=handset, content="Hello world.", registered_delivery=True,
                              reference=reference)
    assert sms.status_code == 201
    assert answer == {"Status": 0, "MessageId": answer["MessageId"], "Rate": 1, "NetworkId": "62001",
                      "ClientReference": reference}
    message = eventually(lambda: sms.get_message_info(answer["MessageId"]), lambda m: m["Status"] == "Delivered")
    assert {name: message[name] for name in (
        "From", "To", "Content", "Units", "Rate", "NetworkId", "MessageId", "Direction", "ClientReference")} == {
        "From": "pyhubtel", "To": handset, "Content": "Hello world.", "Units": 1, "Rate": 1, "NetworkId": "62001",
        "MessageId": answer["MessageId"], "Direction": "out", "ClientReference": reference}
    assert datetime.strptime(message["Time"], _TIME) <= datetime.strptime(message["UpdateTime"], _TIME)


def test_local_number_and_flash_are_understood(sms: SMS) -> None:
    answer = sms.send(Message(sender="1400", recipient="0241234567", content="Flash", flash_message=True))
    message = sms.get_message_info(answer["MessageId"])
    assert (message["To"], message["From"], message["FlashMessage"]) == ("+233241234567", "1400", True)


def test_long_message_is_charged_by_its_units(sms: SMS, handset: str) -> None:
    answer = sms.send_message(sender="pyhubtel", recipient=handset, content="x" * 161)
    assert answer["Rate"] == 2
    assert sms.get_message_info(answer["MessageId"])["Units"] == 2


def test_messages_are_listed(sms: SMS, handset: str) -> None:
    start = _ahead(seconds=-1)
    reference = _reference()
    sent = [sms.send_message(sender="pyhubtel", recipient=handset, content=f"{number}", reference=reference)
            for number in range(3)]

    def listed(**query: object) -> list[str]:
        return [message["MessageId"] for message in sms.query_messages(**query)
                if message["ClientReference"] == reference]

    expected = [answer["MessageId"] for answer in sent]
    assert listed() == expected
    assert listed(start=start, end=_ahead(minutes=1), direction="out") == expected
    assert listed(direction="in") == []
    assert listed(end=start) == []
    assert listed(pending=True) == []
    place = [message["MessageId"] for message in sms.query_messages()].index(expected[-1])
    assert sms.query_messages(skip=place)[0]["MessageId"] == expected[-1]
    assert len(sms.query_messages(limit=2)) == 2


# -- schedules ----------------------------------------------------------------------------------------------------


def test_scheduled_message_is_rescheduled_and_cancelled(sms: SMS, handset: str) -> None:
    answer = sms.send_message(sender="pyhubtel", recipient=handset, content="Later", time=_ahead(hours=1))
    assert (answer["Status"], answer["Rate"]) == (0, 0)
    message_id = answer["MessageId"]
    assert message_id in {message["MessageId"] for message in sms.query_messages(pending=True)}
    assert message_id not in {message["MessageId"] for message in sms.query_messages()}
    another_time = _ahead(hours=2)
    assert sms.reschedule_message(message_id=message_id, time=another_time)["MessageId"] == message_id
    message = sms.get_message_info(message_id)
    assert (message["Status"], message["Time"]) == ("Scheduled", another_time)
    assert sms.cancel_message(message_id) == {"Status": 0}
    assert sms.get_message_info(message_id)["Status"] == "Deleted"
    assert message_id not in {message["MessageId"] for message in sms.query_messages(pending=True)}


def test_message_rescheduled_to_now_goes_out(sms: SMS, handset: str) -> None:
    answer = sms.send_message(sender="pyhubtel", recipient=handset, content="Later", time=_ahead(hours=1))
    sms.reschedule_message(message_id=answer["MessageId"], time=_ahead())
    message = eventually(lambda: sms.get_message_info(answer["MessageId"]), lambda m: m["Status"] == "Delivered")
    assert message["Rate"] == 1


def test_sent_message_cannot_be_rescheduled_or_cancelled(sms: SMS, handset: str) -> None:
    message_id = sms.send_message(sender="pyhubtel", recipient=handset, content="Gone")["MessageId"]
    not_allowed = "One or more parameters are not allowed in the message."
    with _refused(sms, 400, not_allowed):
        sms.reschedule_message(message_id=message_id, time=_ahead(hours=1))
    with _refused(sms, 400, not_allowed):
        sms.cancel_message(message_id)


# -- refusals, in the client's own words --------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "reason"), [
    ({"recipient": "024"}, None),  # sub-code 1; the client leaves such a number out
    ({"sender": "much too long a sender"}, None),  # sub-code 2
    ({"content": "x" * 1600}, "The message body was too long."),
    ({"recipient": "+12015550123"}, "The message is not routable on the Hubtel gateway."),
    ({"time": "2018-03-23 10:27:24"}, None),  # sub-code 5
    ({"content": None}, "The message content was rejected or is invalid."),
    ({"reference": "x" * 256}, "One or more parameters are not valid for the message."),
])
def test_message_that_cannot_be_is_refused(sms: SMS, handset: str, change: dict[str, object],
                                           reason: str | None) -> None:
    with _refused(sms, 400, reason):
        sms.send_message(**{"sender": "pyhubtel", "recipient": handset, "content": "Hello", **change})


def test_blocked_content_is_refused(server: Serving, sms: SMS, handset: str) -> None:
    with _refused(sms, 400, "The message content was rejected or is invalid."):
        sms.send_message(sender="pyhubtel", recipient=handset, content=f"Well, {server.world.blocked_phrase}!")


def test_wrong_secret_is_refused(server: Serving, handset: str) -> None:
    sms = _sms(server, Client(server.world.merchant.client_id, "wrong", 0))
    with _refused(sms, 401, None):
        sms.send_message(sender="pyhubtel", recipient=handset, content="Hello")
    with _refused(sms, 401, None):
        sms.query_messages()


def test_account_without_credit_is_refused(server: Serving, handset: str) -> None:
    sms = _sms(server, server.world.penniless)
    with _refused(sms, 402, "Your account does not have enough messaging credits to send the message."):
        sms.send_message(sender="pyhubtel", recipient=handset, content="Hello")
    assert sms.query_messages() == []


def test_recipient_who_does_not_want_to_be_contacted_is_refused(server: Serving, sms: SMS) -> None:
    with _refused(sms, 403, "Recipient has not given his/her approval to receive messages."):
        sms.send_message(sender="pyhubtel", recipient=server.world.do_not_contact, content="Hello")


def test_unknown_message_is_not_found(server: Serving, sms: SMS, handset: str) -> None:
    others = sms.send_message(sender="pyhubtel", recipient=handset, content="Mine")["MessageId"]
    stranger = _sms(server, server.world.penniless)
    not_found = "The specified message was not found."
    for client, message_id in ((sms, uuid4().hex), (sms, "nonsense"), (stranger, others)):
        with _refused(client, 404, not_found):
            client.get_message_info(message_id)
        with _refused(client, 404, not_found):
            client.reschedule_message(message_id=message_id, time=_ahead(hours=1))
        with _refused(client, 404, not_found):
            client.cancel_message(message_id)
