"""The payment codes of the documents, and which of them tells of which failure (seed, "Response Codes")."""

import enum
from collections.abc import Mapping

from makola.core.checkout.types import Failure


class Code(enum.StrEnum):
    """The payment codes of the documents (seed, "Response Codes"; reference, section 4)."""

    SUCCESS = "0000"
    ACCEPTED = "0001"
    ORDERED = "0002"
    FAILED = "2001"
    MTN_INSUFFICIENT_FUNDS = "2050"
    MTN_NOT_REGISTERED = "2051"
    PHONE_OFF = "2100"
    AIRTEL_WRONG_PIN = "2101"
    AIRTEL_INSUFFICIENT_FUNDS = "2102"
    AIRTEL_NOT_REGISTERED = "2103"
    TIGO_NOT_REGISTERED = "2152"
    TIGO_ABOVE_LIMIT = "2153"
    TIGO_ABOVE_DAILY_LIMIT = "2154"
    VODAFONE_RECIPIENT_NOT_REGISTERED = "2200"
    VODAFONE_NOT_REGISTERED = "2201"


#: What each code means, in the documents' words.
MEANINGS: Mapping[Code, str] = {
    Code.SUCCESS: "The transaction has been processed successfully.",
    Code.ACCEPTED: "The request has been accepted. A callback will be sent on the final state.",
    Code.ORDERED: "The Order has been processed successfully. Payment will have to be completed manually as a cash"
                  " sale after delivery.",
    Code.FAILED: "The transaction has failed.",
    Code.MTN_INSUFFICIENT_FUNDS: "The MTN Mobile Money user has insufficient funds in wallet to make this payment.",
    Code.MTN_NOT_REGISTERED: "The mobile number provided is not registered on MTN Mobile Money.",
    Code.PHONE_OFF: "The request failed as the customer's phone is switched off.",
    Code.AIRTEL_WRONG_PIN: "The transaction failed as the PIN entered by the Airtel Money customer is invalid.",
    Code.AIRTEL_INSUFFICIENT_FUNDS: "The Airtel Money user has insufficient funds in wallet to make this payment.",
    Code.AIRTEL_NOT_REGISTERED: "The mobile number specified is not registered on Airtel Money.",
    Code.TIGO_NOT_REGISTERED: "The mobile number specified is not registered on Tigo cash.",
    Code.TIGO_ABOVE_LIMIT: "The amount specified is more than the maximum allowed by Tigo Cash.",
    Code.TIGO_ABOVE_DAILY_LIMIT: "The amount specified is more than the maximum daily limit allowed by Tigo Cash.",
    Code.VODAFONE_RECIPIENT_NOT_REGISTERED: "The recipient specified is not registered on Vodafone Cash.",
    Code.VODAFONE_NOT_REGISTERED: "The customer specified is not registered on Vodafone Cash.",
}

_CODES: Mapping[str, Code] = {
    Failure.OTHER: Code.FAILED,
    Failure.PHONE_OFF: Code.PHONE_OFF,
    Failure.MTN_INSUFFICIENT_FUNDS: Code.MTN_INSUFFICIENT_FUNDS,
    Failure.MTN_NOT_REGISTERED: Code.MTN_NOT_REGISTERED,
    Failure.AIRTEL_WRONG_PIN: Code.AIRTEL_WRONG_PIN,
    Failure.AIRTEL_INSUFFICIENT_FUNDS: Code.AIRTEL_INSUFFICIENT_FUNDS,
    Failure.AIRTEL_NOT_REGISTERED: Code.AIRTEL_NOT_REGISTERED,
    Failure.TIGO_NOT_REGISTERED: Code.TIGO_NOT_REGISTERED,
    Failure.TIGO_ABOVE_LIMIT: Code.TIGO_ABOVE_LIMIT,
    Failure.TIGO_ABOVE_DAILY_LIMIT: Code.TIGO_ABOVE_DAILY_LIMIT,
    Failure.VODAFONE_RECIPIENT_NOT_REGISTERED: Code.VODAFONE_RECIPIENT_NOT_REGISTERED,
    Failure.VODAFONE_NOT_REGISTERED: Code.VODAFONE_NOT_REGISTERED,
}


def code_of(failure: str) -> Code:
    """Return the documents' code of a `Failure`; of nothing, or of what they have no code for, that of any failure."""
    return _CODES.get(failure, Code.FAILED)
