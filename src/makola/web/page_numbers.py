"""Which page of a list a request asks for."""

from litestar import Request
from litestar.datastructures import State

from makola.kit.whole_numbers import read_whole_number

LARGEST_PAGE = 1_000_000


def page_number(request: Request[object, object, State]) -> int:
    """Return the page of a list that a request asks for, from 1; the first for what is no number."""
    return max(1, read_whole_number(request.query_params.get("page", ""), largest=LARGEST_PAGE) or 1)
