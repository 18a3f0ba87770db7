"""Search by substring, next to looking at every text."""

from hypothesis import given
from hypothesis import strategies as st

from makola.core.catalogue.shelf.columns import folded
from makola.core.catalogue.shelf.search import Search

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
            search.find(folded(needle))  # what is remembered must be forgotten
            before, held[position] = held[position], folded(text)
            search.change(position, before)
    found = list(search.find(folded(needle)))
    assert sorted(found) == [position for position, text in enumerate(held) if folded(needle) in text]


def test_case_and_form_of_letters_do_not_matter() -> None:
    assert folded("STRAẞE") == folded("straße") == "strasse"
    assert folded("e\u0301") == folded("É")  # one letter, or a letter and its accent
