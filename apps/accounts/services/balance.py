"""Money on the platform's side of an account: once per reference, whatever happens on the way."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from apps.accounts.enums import BALANCE_KINDS, OperationKind, OperationState
from apps.accounts.errors import AccountNotFundable, PlatformSaysNo, WrongCurrency
from apps.accounts.locks import account_locked
from apps.accounts.models import PlatformOperation
from apps.accounts.services.delivery import operation_deliver
from apps.accounts.services.requests import operation_request
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import Conflict, InvalidInput
from apps.core.money import Money

SYSTEM = Actor.system("accounts")


def balance_operation(
    *, account_id: UUID, kind: str, amount: Money, reference: str, actor: Actor = SYSTEM
) -> PlatformOperation:
    """Book `amount` on the platform's account exactly once for this `reference` and return the done operation.

    Talks to the platform, so call it outside any transaction. Repeat it after `PlatformPending`: what was done
    meanwhile is adopted by its reference. Raises `PlatformSaysNo` when the platform refused for good, `Conflict`
    when the reference was used for something else, `AccountNotFundable`, `WrongCurrency`.
    """
    operation = balance_operation_request(
        account_id=account_id, kind=kind, amount=amount, reference=reference, actor=actor
    )
    if not operation.is_finished:
        operation = operation_deliver(operation_id=operation.id)
    if operation.state == OperationState.FAILED:
        raise PlatformSaysNo(reason=operation.error)
    return operation


@command
def balance_operation_request(
    *, account_id: UUID, kind: str, amount: Money, reference: str, actor: Actor
) -> PlatformOperation:
    """Write the booking down before anything is sent; the same reference returns the same row."""
    if kind not in BALANCE_KINDS:
        raise InvalidInput(field="kind", problem=f"{kind} is not a balance operation")
    if kind != OperationKind.CORRECTION and amount.amount <= 0:
        raise InvalidInput(field="amount", problem="more than zero is needed")
    account = account_locked(account_id, visible_to=actor)
    asked = {"amount": str(amount.amount), "currency": amount.currency}
    stored = PlatformOperation.objects.filter(reference=reference).first()
    if stored is not None:
        same = (
            stored.account_id == account.id
            and stored.kind == kind
            and stored.request["currency"] == amount.currency
            and Decimal(stored.request["amount"]) == amount.amount
        )
        if not same:
            raise Conflict
        return stored
    if not account.is_live:
        raise AccountNotFundable(state=account.get_state_display())
    if account.currency != amount.currency:
        raise WrongCurrency(account=account.currency, amount=amount.currency)
    return operation_request(
        account,
        OperationKind(kind),
        asked,
        actor=actor,
        reason="balance operation",
        reference=reference,
        deliver=False,
    )
