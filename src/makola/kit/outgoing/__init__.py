"""Outgoing HTTP that customers' URLs cannot turn against us (server-side request forgery)."""

from makola.kit.outgoing.addresses import AddressPolicy
from makola.kit.outgoing.errors import (
    BlockedAddressError,
    InvalidAnswerError,
    InvalidUrlError,
    OutgoingConnectionError,
    OutgoingError,
    OutgoingTimeoutError,
)
from makola.kit.outgoing.http import Answer, HttpClient, OutgoingHttp
from makola.kit.outgoing.names import Lookup
from makola.kit.outgoing.urls import MAXIMUM_URL_BYTES, OutgoingUrl, check_url, parse_url

__all__ = [
    "MAXIMUM_URL_BYTES",
    "AddressPolicy",
    "Answer",
    "BlockedAddressError",
    "HttpClient",
    "InvalidAnswerError",
    "InvalidUrlError",
    "Lookup",
    "OutgoingConnectionError",
    "OutgoingError",
    "OutgoingHttp",
    "OutgoingTimeoutError",
    "OutgoingUrl",
    "check_url",
    "parse_url",
]
