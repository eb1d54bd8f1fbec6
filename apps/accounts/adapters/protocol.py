"""What the system asks of any trading platform, and the three ways in which one can fail to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol


class Capability(StrEnum):
    """What a platform can do by itself; what is missing is offered to nobody."""

    CREATE_ACCOUNT = "CREATE_ACCOUNT"
    SET_LEVERAGE = "SET_LEVERAGE"
    SET_GROUP = "SET_GROUP"
    CLOSE_ONLY = "CLOSE_ONLY"
    READ_ONLY = "READ_ONLY"
    DISABLE = "DISABLE"
    BALANCE_OPERATION = "BALANCE_OPERATION"
    CREDIT_OPERATION = "CREDIT_OPERATION"
    FIND_BY_REFERENCE = "FIND_BY_REFERENCE"
    NETTING = "NETTING"
    HEDGING = "HEDGING"


class Rights(StrEnum):
    """What an account's holder may do on the platform, from most to least."""

    FULL = "FULL"
    CLOSE_ONLY = "CLOSE_ONLY"
    READ_ONLY = "READ_ONLY"
    DISABLED = "DISABLED"


class PlatformRefused(Exception):
    """The platform answered and did not do it. Repeating the same request cannot help."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else code)


class PlatformUnreachable(Exception):
    """The request never left: it certainly was not done and may be sent again."""


class PlatformSilent(Exception):
    """Sent, and no usable answer. It may have been done: ask by reference before anything is repeated."""


@dataclass(frozen=True, slots=True)
class PlatformResult:
    """What the platform says it did for one reference."""

    reference: str
    login: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformAccount:
    """An account as the platform has it now."""

    login: str
    group: str
    currency: str
    leverage: int
    rights: Rights
    mode: str
    balance: Decimal
    credit: Decimal


class PlatformAdapter(Protocol):
    """One trading platform server. Every change carries our unique reference.

    Each method returns what the platform did, or raises one of `PlatformRefused`, `PlatformUnreachable`,
    `PlatformSilent`; nothing else escapes.
    """

    capabilities: frozenset[Capability]

    def create_account(
        self, *, reference: str, group: str, currency: str, leverage: int, mode: str
    ) -> PlatformResult: ...

    def set_leverage(self, *, reference: str, login: str, leverage: int) -> PlatformResult: ...

    def set_group(self, *, reference: str, login: str, group: str) -> PlatformResult: ...

    def set_rights(self, *, reference: str, login: str, rights: Rights) -> PlatformResult: ...

    def balance_operation(
        self, *, reference: str, login: str, kind: str, amount: Decimal, currency: str
    ) -> PlatformResult: ...

    def find(self, *, reference: str) -> PlatformResult | None:
        """What was done under `reference`, or None when the platform knows nothing of it."""
        ...

    def account(self, *, login: str) -> PlatformAccount: ...

    def health(self) -> dict[str, Any]: ...
