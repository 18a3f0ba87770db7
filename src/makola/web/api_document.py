"""An API's description, as composition hands it to the pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiDocument:
    """One API family and its OpenAPI 3.1 document.

    Attributes:
        slug: where its page is: `/docs/{slug}`.
        title: its name.
        summary: one sentence for the index.
        address: where the document itself is served, such as `/v1/openapi.json`.
        load: returns the document; called once, when the page is first asked for.
    """

    slug: str
    title: str
    summary: str
    address: str
    load: Callable[[], Mapping[str, object]]
