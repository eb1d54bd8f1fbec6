"""Talking to platforms: ask by reference before repeating, adopt what was done, never do it twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.accounts.adapters import adapter_for
from apps.accounts.adapters.protocol import (
    PlatformAdapter,
    PlatformRefused,
    PlatformResult,
    PlatformSilent,
    PlatformUnreachable,
    Rights,
)
from apps.accounts.enums import OperationKind, OperationState
from apps.accounts.errors import PlatformPending
from apps.accounts.events import AccountActivated, AccountChanged, AccountProvisionFailed
from apps.accounts.locks import account_locked, operation_locked, sole_delivery
from apps.accounts.models import PlatformOperation, TradingAccount
from apps.accounts.services.limits import rights_sync
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit

PLATFORM = Actor.system("platform")


def operation_deliver(*, operation_id: UUID) -> PlatformOperation:
    """Bring one operation to its end on the platform; done once however often this is called.

    Three short steps, none of which holds a transaction while the platform is thinking. Raises `PlatformPending`
    while the outcome is not known: repeat later, the reference is asked about first.
    """
    with sole_delivery(operation_id):
        before = PlatformOperation.objects.select_related("account__server__platform").get(
            pk=operation_id
        )
        if before.is_finished:
            return before
        may_be_done = before.state in (OperationState.SENT, OperationState.UNKNOWN)
        operation_sent(operation_id=operation_id)
        try:
            result, adopted = _performed(before, ask_first=may_be_done)
        except PlatformRefused as refusal:
            return operation_refused(operation_id=operation_id, problem=str(refusal))
        except PlatformUnreachable as error:
            # What an earlier attempt left open stays open: only a first attempt certainly did nothing.
            operation_unanswered(
                operation_id=operation_id, problem=str(error), may_be_done=may_be_done
            )
            raise PlatformPending from error
        except PlatformSilent as error:
            operation_unanswered(operation_id=operation_id, problem=str(error), may_be_done=True)
            raise PlatformPending from error
        return operation_done(
            operation_id=operation_id, login=result.login, details=result.details, adopted=adopted
        )


def _performed(operation: PlatformOperation, *, ask_first: bool) -> tuple[PlatformResult, bool]:
    adapter = adapter_for(operation.account.server)
    if ask_first:
        found = adapter.find(reference=operation.reference)
        if found is not None:
            return found, True
    return _perform(adapter, operation), False


def _perform(adapter: PlatformAdapter, operation: PlatformOperation) -> PlatformResult:
    asked: dict[str, Any] = operation.request
    login = operation.account.login or ""
    match operation.kind:
        case OperationKind.CREATE_ACCOUNT:
            return adapter.create_account(
                reference=operation.reference,
                group=asked["group"],
                currency=asked["currency"],
                leverage=asked["leverage"],
                mode=asked["mode"],
            )
        case OperationKind.SET_LEVERAGE:
            return adapter.set_leverage(
                reference=operation.reference, login=login, leverage=asked["leverage"]
            )
        case OperationKind.SET_RIGHTS:
            return adapter.set_rights(
                reference=operation.reference, login=login, rights=Rights(asked["rights"])
            )
    return adapter.balance_operation(
        reference=operation.reference,
        login=login,
        kind=operation.kind,
        amount=Decimal(asked["amount"]),
        currency=asked["currency"],
    )


@command
def operation_sent(*, operation_id: UUID) -> PlatformOperation:
    """Written before anything leaves, so that a crash in between is asked about, not repeated."""
    operation = operation_locked(operation_id)
    operation.send(by=PLATFORM, reason="")
    operation.save_as(PLATFORM, "sent to the platform", action="platform_operation.send")
    return operation


@command
def operation_unanswered(
    *, operation_id: UUID, problem: str, may_be_done: bool
) -> PlatformOperation:
    operation = operation_locked(operation_id)
    if may_be_done:
        operation.lose(by=PLATFORM, reason=problem)
    else:
        operation.take_back(by=PLATFORM, reason=problem)
    operation.save_as(PLATFORM, problem[:300], action="platform_operation.unanswered")
    return operation


@command
def operation_refused(*, operation_id: UUID, problem: str) -> PlatformOperation:
    """The platform's no is final for this reference."""
    operation = operation_locked(operation_id)
    account = account_locked(operation.account_id, visible_to=PLATFORM)
    operation.fail(by=PLATFORM, reason=problem)
    operation.save_as(PLATFORM, problem[:300], action="platform_operation.refused")
    if operation.kind == OperationKind.CREATE_ACCOUNT:
        account.fail_provisioning(by=PLATFORM, reason=problem)
        account.save_as(PLATFORM, problem[:300], action="account.provision_failed")
        emit(AccountProvisionFailed(account_id=account.id, operation_id=operation.id))
    return operation


@command
def operation_done(
    *, operation_id: UUID, login: str, details: dict[str, Any], adopted: bool
) -> PlatformOperation:
    """The platform did it, now or in an attempt whose answer was lost; the account follows."""
    operation = operation_locked(operation_id)
    account = account_locked(operation.account_id, visible_to=PLATFORM)
    reason = "adopted by reference" if adopted else "confirmed by the platform"
    operation.complete(
        result={"login": login, **details}, adopted=adopted, by=PLATFORM, reason=reason
    )
    operation.save_as(PLATFORM, reason, action="platform_operation.done")
    _follow(account, operation, login, reason)
    return operation


def _follow(account: TradingAccount, operation: PlatformOperation, login: str, reason: str) -> None:
    if operation.kind == OperationKind.CREATE_ACCOUNT:
        account.activate(login=login, by=PLATFORM, reason=reason)
        account.rights_delivered = Rights.FULL.value
        account.rights_delivered_at = clock.now()
        account.save_as(PLATFORM, reason, action="account.activate")
        emit(AccountActivated(account_id=account.id, client_id=account.client_id))
        rights_sync(account, actor=PLATFORM, reason="what binds the client at opening")
    elif operation.kind == OperationKind.SET_LEVERAGE:
        account.leverage = operation.request["leverage"]
        account.save_as(PLATFORM, reason, action="account.leverage_set")
        emit(AccountChanged(account_id=account.id))
    elif operation.kind == OperationKind.SET_RIGHTS:
        account.rights_delivered = operation.request["rights"]
        account.rights_delivered_at = clock.now()
        account.save_as(PLATFORM, reason, action="account.rights_delivered")
