"""Which rows of this app say something about a person: none, they know numbers."""

from __future__ import annotations

from apps.core.privacy.registry import not_personal


def register() -> None:
    not_personal(
        "an account of a client number, kept as the law on records says",
        "accounts.TradingAccount",
        "accounts.PlatformOperation",
    )
    not_personal("where a machine answers", "accounts.PlatformServer.address")
