"""The listing of an application: what may stand in it, and what must, before it is published."""

import re
from dataclasses import fields

from makola.core.applications.errors import InvalidApplicationError
from makola.core.applications.types import Listing, Publisher
from makola.core.applications.urls import check_fetched, check_page
from makola.kit.outgoing import AddressPolicy

#: The directory's categories (ours: the document names the property and no value of it).
CATEGORIES = ("Accounting", "Commerce", "Customer support", "Developer tools", "Education", "Finance", "Health",
              "Marketing", "Messaging", "Payments", "Productivity", "Other")

MOST_SHORT_CHARACTERS = 300
MOST_LONG_CHARACTERS = 10_000
_MOST_NAME_CHARACTERS = 200
_MOST_ADDRESS_CHARACTERS = 500
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_PAGES = ("access_url", "marketing_url", "terms_url", "privacy_url")
_PICTURES = ("small_icon_url", "large_icon_url")
_TEXTS = ("category", "short_description", "long_description")
#: Without these nothing is published; the names are those that people see.
_REQUIRED = {"access_url": "the access URL", "category": "a category", "short_description": "a short description",
             "terms_url": "the terms of service URL", "privacy_url": "the privacy policy URL"}
_REQUIRED_OF_PUBLISHER = {"name": "the publisher's name", "email": "the publisher's e-mail address"}


def checked_listing(listing: Listing, policy: AddressPolicy) -> Listing:
    """Return a listing as it is kept; it may be incomplete.

    Args:
        listing: as its owner wrote it.
        policy: where pictures may be fetched from.

    Raises:
        InvalidApplicationError: a value is not possible; it names the field, `publisher_name` for the publisher's.
    """
    listing = _trimmed(listing)
    if listing.category and listing.category not in CATEGORIES:
        raise InvalidApplicationError("There is no such category.", field="category")
    _check_length(listing.short_description, MOST_SHORT_CHARACTERS, "short_description")
    _check_length(listing.long_description, MOST_LONG_CHARACTERS, "long_description")
    for name in _PAGES:
        check_page(getattr(listing, name), field=name)
    for name in _PICTURES:
        check_fetched(getattr(listing, name), policy, field=name)
    publisher = listing.publisher
    _check_length(publisher.name, _MOST_NAME_CHARACTERS, "publisher_name")
    _check_length(publisher.address, _MOST_ADDRESS_CHARACTERS, "publisher_address")
    check_page(publisher.website, field="publisher_website")
    check_fetched(publisher.logo_url, policy, field="publisher_logo_url")
    if publisher.email and not _EMAIL.fullmatch(publisher.email):
        raise InvalidApplicationError("This is not an e-mail address.", field="publisher_email")
    return listing


def require_complete(listing: Listing) -> None:
    """Refuse to publish a listing that lacks something.

    Raises:
        InvalidApplicationError: it names the first field that is missing.
    """
    for name, words in _REQUIRED.items():
        if not getattr(listing, name):
            raise InvalidApplicationError(f"The directory needs {words}.", field=name)
    for name, words in _REQUIRED_OF_PUBLISHER.items():
        if not getattr(listing.publisher, name):
            raise InvalidApplicationError(f"The directory needs {words}.", field=f"publisher_{name}")


def picture_urls(listing: Listing) -> list[str]:
    """Return the URLs of the pictures in a listing."""
    return [url for url in (listing.small_icon_url, listing.large_icon_url, listing.publisher.logo_url) if url]


def _trimmed(listing: Listing) -> Listing:
    publisher = Publisher(**{each.name: _clean(getattr(listing.publisher, each.name), f"publisher_{each.name}")
                             for each in fields(Publisher)})
    texts = {name: _clean(getattr(listing, name), name) for name in (*_PAGES, *_PICTURES, *_TEXTS)}
    return Listing(**texts, offline_access=listing.offline_access, publisher=publisher)


def _clean(text: str, field: str) -> str:
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text) or not _is_utf_8(text):
        raise InvalidApplicationError("This text has characters that cannot be shown.", field=field)
    return text


def _is_utf_8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _check_length(text: str, most: int, field: str) -> None:
    if len(text) > most:
        raise InvalidApplicationError(f"At most {most} characters.", field=field)
