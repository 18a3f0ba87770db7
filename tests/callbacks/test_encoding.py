"""How parameters are written."""

import json
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from makola.core.callbacks.encoding import encode_json, encode_query, full_query
from makola.kit.outgoing import parse_url

names = st.text(st.characters(codec="utf-8"), min_size=1)
parameters = st.lists(st.tuples(names, st.text(st.characters(codec="utf-8"))), unique_by=lambda pair: pair[0])


@given(parameters)
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    query = encode_query(pairs)
    assert query.isascii()
    assert parse_qsl(query, keep_blank_values=True, max_num_fields=1000) == pairs
    assert json.loads(encode_json(pairs)) == dict(pairs)


def test_spaces_and_pluses_are_read_alike_by_everybody() -> None:
    assert encode_query([("To", "+233 24")]) == "To=%2B233%2024"


def test_half_a_surrogate_pair_is_no_error() -> None:
    assert encode_query([("a", "\ud800")]) == "a=%3F"
    assert encode_json([("a", "\ud800")]) == b'{"a":"\\ud800"}'


def test_the_urls_own_query_comes_first() -> None:
    for url, added, query in (
            ("https://example.com/x?key=a%2fb", "From=1", "key=a%2fb&From=1"), ("https://example.com/x?", "a=1", "a=1"),
            ("https://example.com/x", "a=1", "a=1"), ("https://example.com/x?k", "", "k")):
        assert full_query(parse_url(url), added) == query
