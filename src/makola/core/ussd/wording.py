"""What a subscriber reads when a step fails (seed, "USSD Error Codes"). Pure."""

from dataclasses import dataclass
from functools import lru_cache

from makola.core.ussd.screens import shortened
from makola.core.ussd.types import ErrorCode, Failure, OperatorError, Screen

_TEXTS = {
    ErrorCode.URNF: "Your setup is not complete. Please raise a Ticket on your account or email {support} for"
                    " assistance.",
    ErrorCode.UUT: "Our attempt to reach your application URL has timed out. Optimize your application and ensure that"
                   " it is responding to requests within 7 seconds.",
    ErrorCode.ST: "The application took too long to respond. Either the app is too slow, or the subscriber took too"
                  " long to respond to the USSD prompt. Please note that subscribers must respond within 60 seconds.",
    ErrorCode.UUE: "Your application is not responding with a valid JSON response. Check to see if your JSON response"
                   " is valid.",
    ErrorCode.NOCR: "Your service is currently unavailable because you are out of credit on your Unity account. Top up"
                    " your account here.",
    ErrorCode.NOAPP: "Your application is not yet mapped to any USSD Service Code. You can map your app URL here.",
    ErrorCode.CSP: "{platform} is unable to forward your request to our upstream provider for onward processing."
                   " Contact {support} for assistance.",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """The document's texts, with the platform's own name and address in them."""

    platform: str = "Hubtel"
    support: str = "support@hubtel.com"

    def text(self, code: ErrorCode | OperatorError) -> str:
        """Return what is shown: the code, and the document's words as far as a screen has room for whole sentences."""
        return _text(self, code)

    def screen(self, failure: Failure) -> Screen:
        """Return the screen that ends a failed session."""
        return Screen(self.text(failure.code), ends=True, error=failure.code)


@lru_cache(maxsize=256)
def _text(wording: Wording, code: ErrorCode | OperatorError) -> str:
    if isinstance(code, OperatorError):
        return code.value
    words = _TEXTS[code].format(platform=wording.platform, support=wording.support)
    return shortened(f"{code}: {words}")
