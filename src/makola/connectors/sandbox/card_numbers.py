"""The published test numbers, and what comes of each. No other number is taken."""

import enum
from dataclasses import dataclass


class CardOutcome(enum.StrEnum):
    """What the virtual bank says of a card."""

    SUCCESS = "success"
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED = "expired"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True)
class TestCard:
    """A number that anybody may know, and what comes of it."""

    number: str
    brand: str
    outcome: CardOutcome

    @property
    def spaced(self) -> str:
        """The number in groups of four."""
        return " ".join(self.number[start:start + 4] for start in range(0, len(self.number), 4))


TEST_CARDS: tuple[TestCard, ...] = (
    TestCard("4242424242424242", "Visa", CardOutcome.SUCCESS),
    TestCard("4000000000003220", "Visa", CardOutcome.CHALLENGE),
    TestCard("4000000000000002", "Visa", CardOutcome.DECLINED),
    TestCard("4000000000009995", "Visa", CardOutcome.INSUFFICIENT_FUNDS),
    TestCard("4000000000000069", "Visa", CardOutcome.EXPIRED),
)
#: What the 3-D Secure step takes; everything else fails the payment.
CHALLENGE_CODE = "123456"

_BY_NUMBER = {card.number: card for card in TEST_CARDS}


def find_test_card(written: str) -> TestCard | None:
    """Return the test card of a number as somebody wrote it; None for every other number."""
    return _BY_NUMBER.get(written.replace(" ", "").replace("-", ""))
