"""What a payment provider must be able to do, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apps.core.money import Money


@dataclass(frozen=True, slots=True)
class InstrumentSeen:
    """What the payer paid with, as the provider tells it: a token to pay back to, and what people may see."""

    fingerprint: str
    token: str
    masked: str
    holder: str


@dataclass(frozen=True, slots=True)
class SettlementSeen:
    """The provider has paid this to the house's bank: gross less its own fee."""

    reference: str
    gross: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """A payment as the provider has it now. `amount` is what was truly paid once it succeeded."""

    id: str
    reference: str
    status: str
    amount: Money
    hosted_url: str
    expires_at: datetime | None
    instrument: InstrumentSeen | None = None
    settlement: SettlementSeen | None = None
    problem: str = ""
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class ProviderPayout:
    id: str
    reference: str
    status: str
    amount: Money
    problem: str = ""


class PaymentAdapter(Protocol):
    """Raises `ProviderUnreachable` when nothing left the house, `ProviderSilent` when something did and no answer
    came, `ProviderSaysNo` for a definite refusal. A reference is done once, however often it is sent."""

    def payment_create(
        self, *, reference: str, amount: Money, method: str, payer: str, return_url: str
    ) -> ProviderPayment: ...

    def payment_get(self, *, payment_id: str) -> ProviderPayment: ...

    def payment_find(self, *, reference: str) -> ProviderPayment | None: ...

    def refund_create(self, *, reference: str, payment_id: str, amount: Money) -> str: ...

    def payout_create(
        self, *, reference: str, amount: Money, method: str, destination: str, holder: str
    ) -> ProviderPayout: ...

    def payout_get(self, *, payout_id: str) -> ProviderPayout: ...

    def payout_find(self, *, reference: str) -> ProviderPayout | None: ...
