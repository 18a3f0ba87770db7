"""One running server for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.serving import Serving, serving


@pytest.fixture(scope="package")
def server() -> Iterator[Serving]:
    """A running server."""
    with serving(log_level="warning") as running:
        yield running
