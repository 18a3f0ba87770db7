"""Which language a customer reads, and how amounts and texts are written in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from makola.core.checkout.types import Failure
from makola.kit.money import amount_text
from makola.web.checkout.words import ENGLISH, ENGLISH_FAILURES, FRENCH, FRENCH_DETAILS, FRENCH_FAILURES


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the page.

    Attributes:
        code: as in `lang`.
        name: in itself.
        words: by key.
        failures: what each `Failure` means.
        details: what providers say, by their English sentence.
    """

    code: str
    name: str
    words: Mapping[str, str]
    failures: Mapping[str, str]
    details: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Return a text with its values; Jinja escapes them where they are shown."""
        return self.words[key].format(**values) if values else self.words[key]

    def amount(self, units: int, currency: str) -> str:
        """Write an amount, given in 1/10,000 of the currency's unit."""
        return amount_text(units, currency, self.code)

    def failure(self, failure: str, detail: str) -> str:
        """Say why a payment failed: by the failure, or, where that says nothing, in the provider's words."""
        if failure != Failure.OTHER and failure in self.failures:
            return self.failures[failure]
        return self.details.get(detail, detail) or self.failures[Failure.OTHER]


LANGUAGES: Mapping[str, Language] = {
    "en": Language("en", "English", ENGLISH, ENGLISH_FAILURES, {}),
    "fr": Language("fr", "Français", FRENCH, FRENCH_FAILURES, FRENCH_DETAILS),
}


def choose_language(asked: str, accepted: str) -> Language:
    """Return the language of a request.

    Args:
        asked: what the address says; empty when it says nothing.
        accepted: the header Accept-Language (RFC 9110 section 12.5.4).
    """
    if asked in LANGUAGES:
        return LANGUAGES[asked]
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:1_000].split(",")):
        name, _, parameter = part.strip().partition(";")
        wishes.append((-_quality(parameter), place, name.strip().partition("-")[0].lower()))
    for quality, _, name in sorted(wishes):
        if quality < 0 and name in LANGUAGES:
            return LANGUAGES[name]
    return LANGUAGES["en"]


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
