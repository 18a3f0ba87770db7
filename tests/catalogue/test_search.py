"""Search by substring, next to looking at every text."""

from hypothesis import given
from hypothesis import strategies as st

from makola.core.catalogue.shelf.columns import Columns, folded
from makola.core.catalogue.shelf.lists import ListShelf
from makola.core.catalogue.shelf.offers import Offer
from makola.core.catalogue.shelf.search import Search
from makola.core.catalogue.store.shelf import Outline
from makola.core.catalogue.types import Selection, SortField, SortKey

_texts = st.text(alphabet="abAB1-ß \n", max_size=12)


@given(st.lists(_texts, max_size=20), st.lists(st.tuples(st.integers(0, 19), _texts), max_size=20),
       st.text(alphabet="abAB1-ß ", min_size=1, max_size=5))
def test_it_finds_what_a_look_at_every_text_finds(texts: list[str], changes: list[tuple[int, str]],
                                                  needle: str) -> None:
    held: list[str] = []
    search = Search(held)
    for position, text in enumerate(texts):
        held.append(folded(text))
        search.add(position)
    for position, text in changes:
        if position < len(held):
            before, held[position] = held[position], folded(text)
            search.change(position, before)
    candidates, are_found = search.candidates(folded(needle))
    assert len(candidates) == len(set(candidates))
    found = [position for position in sorted(candidates) if are_found or folded(needle) in held[position]]
    assert found == [position for position, text in enumerate(held) if folded(needle) in text]


def _shelf_of(popularities: list[int]) -> tuple[ListShelf, Offer]:
    columns = Columns()
    for number, popularity in enumerate(popularities):
        columns.put(Outline(number + 1, f"P{number}", "Phone", 1, 1, popularity, 0, number % 7 == 3, [("GBP", 100)]))
    offer = Offer(1, "GBP", None, None)
    offer.refresh(columns)
    return ListShelf(columns), offer


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40),
       st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=6), st.booleans())
def test_whatever_part_of_a_search_is_asked_for_it_is_in_order(popularities: list[int],
                                                               pages: list[tuple[int, int]], short: bool) -> None:
    lists, offer = _shelf_of(popularities)
    selection = Selection(text="pH" if short else "phone", sort=(SortKey(SortField.POPULARITY, descending=True),))
    wanted = [each for each in sorted(range(len(popularities)), key=lambda each: -popularities[each]) if each % 7 != 3]
    for offset, limit in pages:
        listed = lists.positions(offer, selection, until=offset + limit)
        assert listed.total == len(wanted)
        assert list(listed.positions[offset:offset + limit]) == wanted[offset:offset + limit]


def test_a_first_page_is_kept_without_what_nobody_asked_for() -> None:
    lists, offer = _shelf_of([1] * 1_000)
    selection = Selection(text="phone")
    assert len(lists.positions(offer, selection, until=10).positions) == 10
    assert len(lists.positions(offer, selection, until=20).positions) == 857
    assert len(lists.positions(offer, selection, until=10).positions) == 857


def test_case_and_form_of_letters_do_not_matter() -> None:
    assert folded("STRAẞE") == folded("straße") == "strasse"
    assert folded("e\u0301") == folded("É")  # one letter, or a letter and its accent
