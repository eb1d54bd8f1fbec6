"""The adapter for the simulated trading platform: plain HTTP with a key, JSON, one reference for each change."""

from __future__ import annotations

import ssl
from decimal import Decimal
from functools import cache
from typing import Any

import httpx

from apps.accounts.adapters.protocol import (
    Capability,
    PlatformAccount,
    PlatformRefused,
    PlatformResult,
    PlatformSilent,
    PlatformUnreachable,
    Rights,
)

NOT_FOUND = 404


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the root certificates takes longer than a whole call."""
    return httpx.create_ssl_context()


class SimulatedPlatform:
    """Speaks to `apps.accounts.adapters.simulator`. A 5xx counts as silence: it may have happened."""

    capabilities = frozenset(Capability)

    def __init__(self, *, address: str, key: str, timeout_seconds: float = 3.0) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 2.0))

    def create_account(
        self, *, reference: str, group: str, currency: str, leverage: int, mode: str
    ) -> PlatformResult:
        body = {"group": group, "currency": currency, "leverage": leverage, "mode": mode}
        return self._change("POST", "/accounts", reference, body)

    def set_leverage(self, *, reference: str, login: str, leverage: int) -> PlatformResult:
        return self._change("PATCH", f"/accounts/{login}", reference, {"leverage": leverage})

    def set_group(self, *, reference: str, login: str, group: str) -> PlatformResult:
        return self._change("PATCH", f"/accounts/{login}", reference, {"group": group})

    def set_rights(self, *, reference: str, login: str, rights: Rights) -> PlatformResult:
        return self._change("PATCH", f"/accounts/{login}", reference, {"rights": rights.value})

    def balance_operation(
        self, *, reference: str, login: str, kind: str, amount: Decimal, currency: str
    ) -> PlatformResult:
        body = {"kind": kind, "amount": str(amount), "currency": currency}
        return self._change("POST", f"/accounts/{login}/balance", reference, body)

    def find(self, *, reference: str) -> PlatformResult | None:
        try:
            return _result(self._call("GET", f"/operations/{reference}"))
        except PlatformRefused as refusal:
            if refusal.code == "UNKNOWN_REFERENCE":
                return None
            raise

    def account(self, *, login: str) -> PlatformAccount:
        row = self._call("GET", f"/accounts/{login}")
        return PlatformAccount(
            login=row["login"],
            group=row["group"],
            currency=row["currency"],
            leverage=int(row["leverage"]),
            rights=Rights(row["rights"]),
            mode=row["mode"],
            balance=Decimal(row["balance"]),
            credit=Decimal(row["credit"]),
        )

    def health(self) -> dict[str, Any]:
        return self._call("GET", "/health")

    def _change(
        self, method: str, path: str, reference: str, body: dict[str, Any]
    ) -> PlatformResult:
        return _result(self._call(method, path, {"reference": reference, **body}))

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
            raise PlatformUnreachable(str(error)) from error
        except httpx.HTTPError as error:
            raise PlatformSilent(f"{type(error).__name__}: {error}") from error
        return _answer(response)


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise PlatformSilent(f"HTTP {response.status_code}")
    try:
        body = response.json()
    except ValueError as error:
        raise PlatformSilent("an answer that is not JSON") from error
    if not isinstance(body, dict):
        raise PlatformSilent("an answer of an unknown shape")
    if response.is_success:
        return body
    raise PlatformRefused(str(body.get("code", response.status_code)), str(body.get("detail", "")))


def _result(body: dict[str, Any]) -> PlatformResult:
    try:
        return PlatformResult(
            reference=body["reference"], login=body["login"], details=dict(body["details"])
        )
    except KeyError as error:
        raise PlatformSilent(f"an answer without {error}") from error
