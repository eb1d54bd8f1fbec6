"""Money: an exact amount of one currency, never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from apps.core.errors import DomainError

# ISO 4217 minor units where they are not 2, and the precision of the crypto assets in use.
EXPONENTS = {
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
    "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "VND": 0, "XAF": 0, "XOF": 0,
    "BTC": 8, "ETH": 18, "SOL": 9, "USDT": 6, "USDC": 6,
}  # fmt: skip


class CurrencyMismatch(DomainError):
    code = "CURRENCY_MISMATCH"
    message = "{left} and {right} are different currencies."


class InexactAmount(DomainError):
    code = "INEXACT_AMOUNT"
    message = "{amount} has more decimal places than {currency} has."


def exponent(currency: str) -> int:
    """How many decimal places one unit of `currency` has."""
    return EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """`amount` in minor units. Raises `InexactAmount` when it is finer than the currency."""
    scaled = amount.scaleb(exponent(currency))
    minor = int(scaled)
    if minor != scaled:
        raise InexactAmount(amount=amount, currency=currency)
    return minor


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount that `minor` units are, with the currency's own number of places."""
    return Decimal(minor).scaleb(-exponent(currency))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount and its currency; sums, differences and comparisons only within one currency."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise TypeError(f"money is a finite Decimal, was {self.amount!r}")

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Money:
        """`amount` brought to the currency's number of places; raises `InexactAmount` when finer."""
        minor = to_minor(Decimal(amount), currency)
        return cls(from_minor(minor, currency), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Money:
        """`amount` rounded half even to the currency's places: only where a row is written."""
        quantum = Decimal(1).scaleb(-exponent(currency))
        return cls(amount.quantize(quantum, ROUND_HALF_EVEN), currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        return cls(from_minor(minor, currency), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls.from_minor(0, currency)

    @property
    def minor(self) -> int:
        return to_minor(self.amount, self.currency)

    def split(self, weights: list[int]) -> list[Money]:
        """Parts in proportion to `weights` that sum to the whole: largest remainder, ties to the first."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError(f"weights are not negative and sum to more than zero, were {weights}")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        parts = [whole * weight // total for weight in weights]
        remainders = [whole * weight % total for weight in weights]
        order = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
        for index in order[: whole - sum(parts)]:
            parts[index] += 1
        return [Money.from_minor(sign * part, self.currency) for part in parts]

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(left=self.currency, right=other.currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount > other.amount

    def __ge__(self, other: Money) -> bool:
        self._same(other)
        return self.amount >= other.amount

    def __str__(self) -> str:
        return f"{self.amount:,.{exponent(self.currency)}f} {self.currency}"
