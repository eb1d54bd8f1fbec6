"""Asking for something on a platform: the row and the event, in the transaction of the decision."""

from __future__ import annotations

from typing import Any

from apps.accounts.adapters import capabilities_of
from apps.accounts.adapters.protocol import Capability
from apps.accounts.enums import OperationKind
from apps.accounts.errors import CapabilityMissing
from apps.accounts.events import PlatformOperationRequested
from apps.accounts.models import PlatformOperation, TradingAccount
from apps.core.actor import Actor
from apps.core.events import emit

_NEEDS = {
    OperationKind.CREATE_ACCOUNT: Capability.CREATE_ACCOUNT,
    OperationKind.SET_LEVERAGE: Capability.SET_LEVERAGE,
    OperationKind.SET_RIGHTS: Capability.READ_ONLY,
    OperationKind.DEPOSIT: Capability.BALANCE_OPERATION,
    OperationKind.WITHDRAWAL: Capability.BALANCE_OPERATION,
    OperationKind.CORRECTION: Capability.BALANCE_OPERATION,
    OperationKind.CREDIT_IN: Capability.CREDIT_OPERATION,
    OperationKind.CREDIT_OUT: Capability.CREDIT_OPERATION,
}


def operation_request(
    account: TradingAccount,
    kind: OperationKind,
    request: dict[str, Any],
    *,
    actor: Actor,
    reason: str,
    reference: str = "",
    deliver: bool = True,
) -> PlatformOperation:
    """Write down what the platform is asked, under a reference that nobody else uses.

    `deliver=False` for a caller that delivers in its next step itself. Raises `CapabilityMissing`.
    """
    needed = _NEEDS[kind]
    if needed not in capabilities_of(account.server):
        raise CapabilityMissing(platform=account.server.platform.name, capability=needed.value)
    operation = PlatformOperation(account=account, kind=kind, request=request)
    operation.reference = reference or f"bos-{operation.id}"
    operation.save_as(actor, reason, action=f"platform_operation.{kind.lower()}")
    if deliver:
        emit(PlatformOperationRequested(account_id=account.id, operation_id=operation.id))
    return operation
