"""The adapter for the simulated payment provider: JSON over HTTP with a bearer key."""

from __future__ import annotations

import ssl
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import httpx

from apps.core.money import Money
from apps.payments.adapters.protocol import (
    InstrumentSeen,
    ProviderPayment,
    ProviderPayout,
    SettlementSeen,
)
from apps.payments.errors import ProviderSaysNo, ProviderSilent, ProviderUnreachable

NOT_FOUND = 404


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the root certificates takes longer than a whole call."""
    return httpx.create_ssl_context()


class SimulatedProvider:
    """Speaks to `apps.payments.adapters.simulator`. A 5xx counts as silence: it may have happened."""

    def __init__(self, *, address: str, key: str, timeout_seconds: float = 4.0) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 2.0))

    def payment_create(
        self, *, reference: str, amount: Money, method: str, payer: str, return_url: str
    ) -> ProviderPayment:
        body = {
            "reference": reference,
            "amount": str(amount.amount),
            "currency": amount.currency,
            "method": method,
            "payer": payer,
            "return_url": return_url,
        }
        return _payment(self._call("POST", "/v1/payments", body))

    def payment_get(self, *, payment_id: str) -> ProviderPayment:
        return _payment(self._call("GET", f"/v1/payments/{payment_id}"))

    def payment_find(self, *, reference: str) -> ProviderPayment | None:
        found = self._find("/v1/payments", reference)
        return _payment(found) if found else None

    def refund_create(self, *, reference: str, payment_id: str, amount: Money) -> str:
        body = {
            "reference": reference,
            "payment_id": payment_id,
            "amount": str(amount.amount),
            "currency": amount.currency,
        }
        return str(self._call("POST", "/v1/refunds", body)["id"])

    def payout_create(
        self, *, reference: str, amount: Money, method: str, destination: str, holder: str
    ) -> ProviderPayout:
        body = {
            "reference": reference,
            "amount": str(amount.amount),
            "currency": amount.currency,
            "method": method,
            "destination": destination,
            "holder": holder,
        }
        return _payout(self._call("POST", "/v1/payouts", body))

    def payout_get(self, *, payout_id: str) -> ProviderPayout:
        return _payout(self._call("GET", f"/v1/payouts/{payout_id}"))

    def payout_find(self, *, reference: str) -> ProviderPayout | None:
        found = self._find("/v1/payouts", reference)
        return _payout(found) if found else None

    def _find(self, path: str, reference: str) -> dict[str, Any] | None:
        rows = self._call("GET", f"{path}?reference={reference}")["data"]
        return rows[0] if rows else None

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = httpx.request(
                method,
                self._address + path,
                json=body,
                headers=self._headers,
                timeout=self._timeout,
                verify=_tls(),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ProviderUnreachable from error
        except httpx.HTTPError as error:
            raise ProviderSilent from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ProviderSilent
        try:
            answer: dict[str, Any] = response.json()
        except ValueError as error:
            raise ProviderSilent from error
        if response.is_client_error:
            raise ProviderSaysNo(reason=answer.get("code", response.status_code))
        return answer


def _money(row: dict[str, Any]) -> Money:
    return Money.of(Decimal(row["amount"]), row["currency"])


def _payment(row: dict[str, Any]) -> ProviderPayment:
    seen, settled = row.get("instrument"), row.get("settlement")
    return ProviderPayment(
        id=row["id"],
        reference=row["reference"],
        status=row["status"],
        amount=_money(row),
        hosted_url=row["hosted_url"],
        expires_at=datetime.fromisoformat(row["expires_at"]),
        instrument=InstrumentSeen(**seen) if seen else None,
        settlement=SettlementSeen(
            settled["reference"],
            Money.of(Decimal(settled["gross"]), row["currency"]),
            Money.of(Decimal(settled["fee"]), row["currency"]),
        )
        if settled
        else None,
        problem=row.get("problem", ""),
        refunded=bool(row.get("refunded")),
    )


def _payout(row: dict[str, Any]) -> ProviderPayout:
    return ProviderPayout(
        id=row["id"],
        reference=row["reference"],
        status=row["status"],
        amount=_money(row),
        problem=row.get("problem", ""),
    )
