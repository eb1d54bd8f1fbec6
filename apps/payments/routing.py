"""Pure arithmetic of payments: fees, limits, the rank of a provider's words. Knows neither Django nor I/O."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

RANKS = {
    "created": 0,
    "requires_action": 1,
    "processing": 2,
    "failed": 3,
    "canceled": 3,
    "expired": 3,
    "succeeded": 4,
}
PAYOUT_RANKS = {"processing": 0, "paid": 1, "failed": 1, "returned": 2}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one provider takes for one method and currency; amounts in minor units."""

    provider: str
    enabled: bool
    minimum: int
    maximum: int
    fee_percent: Decimal
    fee_fixed: int

    def takes(self, amount: int) -> bool:
        return self.enabled and self.minimum <= amount <= self.maximum

    def fee(self, amount: int) -> int:
        return fee_minor(amount, self.fee_percent, self.fee_fixed)


def fee_minor(amount: int, percent: Decimal, fixed: int) -> int:
    """Percentage and fixed part, rounded half even to the minor unit; never more than the amount itself."""
    share = (Decimal(amount) * percent / 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    return min(amount, int(share) + fixed)


def route(offers: Iterable[Offer], preferred: Sequence[str], amount: int) -> list[Offer]:
    """The offers that take this amount, in the order that the rules prefer; what they do not name is left out."""
    order = {code: position for position, code in enumerate(preferred)}
    fitting = [offer for offer in offers if offer.provider in order and offer.takes(amount)]
    return sorted(fitting, key=lambda offer: order[offer.provider])


def advances(known: str, told: str, ranks: dict[str, int]) -> bool:
    """Whether `told` is news: messages come late, twice and out of order, and only a higher rank counts."""
    return told in ranks and ranks[told] > ranks.get(known, -1)


def name_matches(told: str, known: str) -> bool:
    """Whether the payer's name is the client's: every word of the shorter one is in the longer one.

    Order, case, accents, punctuation and middle names do not matter. One word alone matches nobody.
    """
    first, second = _words(told), _words(known)
    shorter, longer = sorted((first, second), key=len)
    return len(shorter) >= 2 and shorter <= longer


def _words(name: str) -> frozenset[str]:
    letters = unicodedata.normalize("NFKD", name.casefold())
    bare = (letter for letter in letters if not unicodedata.combining(letter))
    plain = "".join(letter if letter.isalnum() else " " for letter in bare)
    return frozenset(word for word in plain.split() if len(word) > 1 or not word.isascii())
