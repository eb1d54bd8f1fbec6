"""One adapter for each kind of provider, behind one protocol. Addresses and secrets are settings."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from apps.payments.adapters.protocol import PaymentAdapter
from apps.payments.adapters.simulated import SimulatedProvider
from apps.payments.errors import UnknownProvider

__all__ = ["ProviderAccess", "access_to", "adapter_for"]


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    address: str
    key: str
    webhook_secrets: tuple[str, ...]
    """The first signs; the others are still accepted while a secret is being rotated."""


def access_to(code: str) -> ProviderAccess:
    """Raises `UnknownProvider` when the settings hold no secrets for it."""
    configured = settings.PAYMENT_PROVIDERS.get(code)
    if not configured or not configured["key"] or not configured["webhook_secrets"]:
        raise UnknownProvider(provider=code)
    return ProviderAccess(
        address=configured["address"],
        key=configured["key"],
        webhook_secrets=tuple(configured["webhook_secrets"]),
    )


def adapter_for(code: str) -> PaymentAdapter:
    """The adapter that speaks to this provider."""
    access = access_to(code)
    return SimulatedProvider(address=access.address, key=access.key)
