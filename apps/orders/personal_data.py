"""Which rows of this app say something about a person: none, they know numbers."""

from __future__ import annotations

from apps.core.privacy.registry import not_personal


def register() -> None:
    not_personal(
        "trades of an account number, kept as the law on records says",
        "orders.Order",
        "orders.Execution",
        "orders.Position",
        "orders.ChildOrder",
        "orders.EngineAccount",
    )
