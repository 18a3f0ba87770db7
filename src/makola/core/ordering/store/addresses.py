"""An address as the JSON document that a row keeps."""

import msgspec

from makola.core.ordering.types import Address

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Address)


def written(address: Address | None) -> str | None:
    """Return the JSON of an address; None for none."""
    return None if address is None else _encoder.encode(address).decode()


def read(document: str | None) -> Address | None:
    """Return the address of a JSON document; None for none."""
    return None if document is None else _decoder.decode(document)
