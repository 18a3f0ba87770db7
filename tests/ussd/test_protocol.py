"""What is written to applications, and what is read of their answers."""

import json
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from makola.core.ussd import codes, protocol, screens
from makola.core.ussd.protocol import UnreadableAnswerError, parse_answer
from makola.core.ussd.types import AnswerType, CartItem, ErrorCode, Failure, RequestType, UssdAnswer, UssdRequest


@given(message=st.text(), state=st.one_of(st.none(), st.text()), sequence=st.integers(1, 30_000))
def test_a_request_has_the_eight_keys_in_their_order(message: str, state: str | None, sequence: int) -> None:
    message = message.encode("utf-8", "replace").decode()
    state = None if state is None else state.encode("utf-8", "replace").decode()
    request = UssdRequest("233244123456", "0" * 32, "714", RequestType.RESPONSE, message, "MTN", sequence, state)
    assert json.loads(protocol.encode_request(request), object_pairs_hook=list) == [
        ("Mobile", "233244123456"), ("SessionId", "0" * 32), ("ServiceCode", "714"), ("Type", "Response"),
        ("Message", message), ("Operator", "MTN"), ("Sequence", sequence), ("ClientState", state)]


@pytest.mark.parametrize(("body", "expected"), [
    (b'{"Type":"Response","Message":"Hi"}', UssdAnswer(AnswerType.RESPONSE, "Hi")),
    (b'{"type":"release","message":"Hi"}', UssdAnswer(AnswerType.RELEASE, "Hi")),
    (b'\xef\xbb\xbf{"TYPE":" RELEASE ","MESSAGE":"Hi"}', UssdAnswer(AnswerType.RELEASE, "Hi")),
    (b'{"Type":"Response","Message":"a,]","ClientState":null,}', UssdAnswer(AnswerType.RESPONSE, "a,]")),
    (b'{"Type":"Response","Message":"a,}",\n "Mask": "true",\r\n}', UssdAnswer(AnswerType.RESPONSE, "a,}", mask=True)),
    (b'{"Type":"Response","Message":"two\nlines"}', UssdAnswer(AnswerType.RESPONSE, "two\nlines")),
    (b'{"Type":"Response","Message":5,"ClientState":{"a":1}}', UssdAnswer(AnswerType.RESPONSE, "5", '{"a":1}')),
    (b'{"Type":"Response","Message":null,"MaskNextRoute":1,"More":[1]}',
     UssdAnswer(AnswerType.RESPONSE, "", mask_next_route=True)),
    (b'{"Type":"Response","Message":"x","Mask":"false","MaskNextRoute":0}', UssdAnswer(AnswerType.RESPONSE, "x")),
    (b'{"Type":"AddToCart","Message":"x","Item":{"ItemName":"Bag","Qty":2,"Price":1.0005}}',
     UssdAnswer(AnswerType.ADD_TO_CART, "x", item=CartItem("Bag", 2, 10_005))),
])
def test_answers_of_many_ages_are_read(body: bytes, expected: UssdAnswer) -> None:
    assert parse_answer(body) == expected


@pytest.mark.parametrize("item", [
    "null", "[]", "{}", '{"ItemName":"x"}', '{"ItemName":"x","Price":0}', '{"ItemName":"x","Price":-1}',
    '{"ItemName":"x","Price":1e99}', '{"ItemName":"x","Price":0.00001}', '{"ItemName":"x","Price":1,"Qty":1.5}',
    '{"ItemName":"x","Price":1,"Qty":0}', '{"ItemName":"","Price":1}', '{"ItemName":"x","Price":"NaN"}',
    '{"ItemName":"x","Price":true}'])
def test_a_cart_that_cannot_be_paid_is_refused(item: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_answer(b'{"Type":"AddToCart","Item":' + item.encode() + b"}")


@pytest.mark.parametrize("message", ["a\0b", "\ud800"])
def test_what_no_screen_can_show_is_refused(message: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_answer(json.dumps({"Type": "Response", "Message": message}).encode())


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    result = protocol.judge_answer(200, body)
    assert isinstance(result, UssdAnswer) or result.code is ErrorCode.UUE


@pytest.mark.parametrize("body", [
    b'{"Type":"Release","Message":"x","More":' + b"1" * 5_000 + b",}",
    b'{"Type":"Response","Message":"x","ClientState":{"a":"\\ud800"}}',
    b'{"Type":"AddToCart","Message":"x","Item":{"ItemName":"Bag","Price":"9e999999"}}'])
def test_values_that_python_reads_but_cannot_write_are_refused(body: bytes) -> None:
    result = protocol.judge_answer(200, body)
    assert isinstance(result, Failure)
    assert result.code is ErrorCode.UUE


@pytest.mark.parametrize("body", [
    b'{"a":"' + b'\\"' * 32_000, b'{"Type":"Release","Message":"' + b"^" * 65_000 + b'"}'])
def test_a_hostile_answer_of_full_length_holds_up_nobody(body: bytes) -> None:
    started = time.process_time()
    result = protocol.judge_answer(200, body)
    if isinstance(result, UssdAnswer):
        assert all(screens.fits(page) for page in screens.pages(result.message))
    assert time.process_time() - started < 1.5  # in the square of its length it was three seconds and more


def test_deep_nesting_is_an_answer_that_cannot_be_read() -> None:
    assert isinstance(protocol.judge_answer(200, b"[" * 60_000), Failure)


@given(st.text(st.sampled_from("abc {€\n жñ\U0001f600"), max_size=900))
def test_pages_fit_and_lose_nothing_but_white_space(text: str) -> None:
    cut = screens.pages(text)
    assert all(screens.fits(page) for page in cut)
    more = f"\n{screens.MORE}. More"
    assert all(page.endswith(more) for page in cut[:-1])
    joined = "".join(page.removesuffix(more) if page is not cut[-1] else page for page in cut)
    assert "".join(joined.split()) == "".join(text.split())
    assert len({screens.encoding_of(page) for page in cut}) <= 2


def test_a_screen_takes_182_septets_or_91_ucs2_units() -> None:
    assert screens.fits("a" * 182)
    assert not screens.fits("a" * 183)
    assert screens.fits("€" * 91)
    assert not screens.fits("€" * 91 + "a")
    assert screens.fits("ж" * 91)
    assert not screens.fits("ж" * 92)
    assert not screens.fits("\U0001f600" * 46)


@pytest.mark.parametrize(("dialled", "expected"), [
    ("*714#", ["714"]), ("*714*23*1#", ["714*23*1", "714*23", "714"]), ("#714#", ["714"]), ("*#06#", ["06"]),
    (" *714# ", ["714"]), ("*714", ["714"]), ("714", []), ("hello", []), ("*#", []), ("", []), ("*" + "1" * 300, []),
])
def test_the_longest_match_comes_first(dialled: str, expected: list[str]) -> None:
    assert list(codes.candidates(dialled)) == expected
