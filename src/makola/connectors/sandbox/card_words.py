"""Every word of the virtual card provider's page, in English and French. Both have the same keys."""

from collections.abc import Mapping

from makola.connectors.sandbox.card_numbers import CardOutcome

ENGLISH: Mapping[str, str] = {
    "language": "en",
    "title": "Sandbox card page",
    "provider": "virtual card provider",
    "missing": "No such card payment",
    "missing_lead": "The address is wrong, or the payment is long over.",
    "pay": "Pay",
    "complete": "This card payment is complete.",
    "back": "Back to the shop",
    "challenge_before": "The bank of the card that ends in",
    "challenge_after": "wants to know that it is you. In this sandbox the code is",
    "challenge_end": "; any other fails.",
    "code": "Code",
    "confirm": "Confirm",
    "details": "Card details",
    "number": "Card number",
    "expires": "Expires",
    "cvc": "Security code",
    "tests": "Test numbers",
    "tests_lead": "Only these are taken, with any date and code. Never enter a real card.",
    "tests_number": "Number",
    "tests_outcome": "What comes of it",
    "cancel": "Cancel and go back",
    "foot": "A sandbox. No bank is behind this page and no money moves.",
    "not_taken": "This number is not taken: this page knows the test numbers below and no others. It has kept nothing"
                 " of what you entered.",
    "unreadable": "What was sent could not be read. Please try again.",
    "foreign": "This was sent from a page of another site, and nothing came of it. Please try again here.",
    CardOutcome.SUCCESS: "pays",
    CardOutcome.CHALLENGE: "asks for a 3-D Secure code first",
    CardOutcome.DECLINED: "is declined",
    CardOutcome.INSUFFICIENT_FUNDS: "has not enough money",
    CardOutcome.EXPIRED: "has expired",
}
FRENCH: Mapping[str, str] = {
    "language": "fr",
    "title": "Page de carte du bac à sable",
    "provider": "prestataire de cartes virtuel",
    "missing": "Aucun paiement par carte de ce nom",
    "missing_lead": "L’adresse est fausse, ou le paiement est terminé depuis longtemps.",
    "pay": "Payer",
    "complete": "Ce paiement par carte est terminé.",
    "back": "Retour à la boutique",
    "challenge_before": "La banque de la carte qui se termine par",
    "challenge_after": "veut savoir si c’est bien vous. Dans ce bac à sable, le code est",
    "challenge_end": " ; tout autre échoue.",
    "code": "Code",
    "confirm": "Confirmer",
    "details": "Détails de la carte",
    "number": "Numéro de carte",
    "expires": "Expire",
    "cvc": "Code de sécurité",
    "tests": "Numéros de test",
    "tests_lead": "Seuls ceux-ci sont acceptés, avec n’importe quels date et code. Ne saisissez jamais une vraie"
                  " carte.",
    "tests_number": "Numéro",
    "tests_outcome": "Ce qui en résulte",
    "cancel": "Annuler et retourner",
    "foot": "Un bac à sable. Il n’y a pas de banque derrière cette page et aucun argent ne bouge.",
    "not_taken": "Ce numéro n’est pas accepté : cette page connaît les numéros de test ci-dessous et aucun autre."
                 " Elle n’a rien gardé de ce que vous avez saisi.",
    "unreadable": "Ce qui a été envoyé n’a pas pu être lu. Veuillez réessayer.",
    "foreign": "Cela a été envoyé depuis la page d’un autre site et n’a rien changé. Veuillez réessayer ici.",
    CardOutcome.SUCCESS: "paie",
    CardOutcome.CHALLENGE: "demande d’abord un code 3-D Secure",
    CardOutcome.DECLINED: "est refusée",
    CardOutcome.INSUFFICIENT_FUNDS: "n’a pas assez d’argent",
    CardOutcome.EXPIRED: "a expiré",
}

#: Why a payment failed, by the English sentence that is stored.
FRENCH_REASONS: Mapping[str, str] = {
    "The bank declined the card.": "La banque a refusé la carte.",
    "There is not enough money on the card.": "Le solde de la carte est insuffisant.",
    "The card has expired.": "La carte a expiré.",
    "The bank did not accept the 3-D Secure code.": "La banque n’a pas accepté le code 3-D Secure.",
    "The payment was cancelled at the card page.": "Le paiement a été annulé sur la page de la carte.",
    "The card page was open for too long.": "La page de la carte est restée ouverte trop longtemps.",
}


def choose_words(asked: str, accepted: str) -> Mapping[str, str]:
    """Return the words of a request.

    Args:
        asked: the language that the address names; empty for none.
        accepted: the header Accept-Language (RFC 9110 section 12.5.4).
    """
    if asked in {"en", "fr"}:
        return FRENCH if asked == "fr" else ENGLISH
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:1_000].split(",")):
        name, _, parameter = part.strip().partition(";")
        wishes.append((-_quality(parameter.strip()), place, name.strip().partition("-")[0].lower()))
    first = next((name for quality, _, name in sorted(wishes) if quality < 0 and name in {"en", "fr"}), "en")
    return FRENCH if first == "fr" else ENGLISH


def _quality(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q=")) if parameter.startswith("q=") else 1.0
    except ValueError:
        return 0.0
