"""What is reviewed and published of an application: its name, its scopes and its listing, as one value that is kept."""

from dataclasses import dataclass

import msgspec

from makola.core.applications.types import Listing


@dataclass(frozen=True, slots=True)
class Content:
    """What a reviewer sees, and what people rely on after the review."""

    name: str
    scopes: frozenset[str]
    listing: Listing


def write_content(content: Content) -> str:
    """Return a content as it is stored: JSON, its scopes in order, so that equal contents are equal texts."""
    return msgspec.json.encode({
        "name": content.name, "scopes": sorted(content.scopes),
        "listing": msgspec.to_builtins(content.listing)}).decode()


def read_content(stored: str) -> Content:
    """Read what `write_content` has written."""
    return msgspec.json.decode(stored, type=Content)


def write_listing(listing: Listing) -> str:
    """Return a listing as it is stored."""
    return msgspec.json.encode(listing).decode()


def read_listing(stored: str) -> Listing:
    """Read what `write_listing` has written."""
    return msgspec.json.decode(stored, type=Listing)
