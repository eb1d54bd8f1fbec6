"""What an account's holder may do, and how much leverage: decided here, delivered to the platform, proven."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from apps.accounts.enums import OperationKind, OperationState
from apps.accounts.errors import ChangePending, LeverageAboveCap, LeverageNotOffered
from apps.accounts.events import AccountChanged
from apps.accounts.locks import account_locked, accounts_of_client_locked
from apps.accounts.models import PlatformOperation, TradingAccount
from apps.accounts.permissions import CHANGE_LEVERAGE, LIMIT_ACCOUNT
from apps.accounts.rights import rights_due
from apps.accounts.services.caps import leverage_caps
from apps.accounts.services.requests import operation_request
from apps.clients.selectors import client_restrictions
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.events import emit


def rights_sync(account: TradingAccount, *, actor: Actor, reason: str) -> PlatformOperation | None:
    """Ask the platform for the rights that are due, when they are not the ones asked for last.

    Takes part in the caller's transaction and expects the account locked.
    """
    due = rights_due(account.state, client_restrictions(account.client_id))
    if due.value == account.rights_wanted:
        return None
    account.rights_wanted = due.value
    account.save_as(actor, reason, action="account.rights_due")
    emit(AccountChanged(account_id=account.id))
    return operation_request(
        account, OperationKind.SET_RIGHTS, {"rights": due.value}, actor=actor, reason=reason
    )


@command
def client_rights_sync(*, client_id: UUID, actor: Actor, reason: str) -> list[UUID]:
    """Pass the client's restrictions on to every live account; returns those that the engine must re-read."""
    changed: list[UUID] = []
    for account in accounts_of_client_locked(client_id):
        if rights_sync(account, actor=actor, reason=reason) is None:
            emit(AccountChanged(account_id=account.id))
        changed.append(account.id)
    return changed


def _limit(
    account_id: UUID, actor: Actor, reason: str, move: Callable[[TradingAccount], None], action: str
) -> TradingAccount:
    actor.require(LIMIT_ACCOUNT)
    account = account_locked(account_id, visible_to=actor)
    before = account.state
    move(account)
    account.save_as(actor, reason, action=action)
    if rights_sync(account, actor=actor, reason=reason) is None and before != account.state:
        emit(AccountChanged(account_id=account.id))
    return account


def _require(account: TradingAccount, transition: Callable[..., None], command_name: str) -> None:
    from django_fsm import can_proceed

    if not can_proceed(transition):
        raise WrongState(state=account.get_state_display(), command=command_name)


@command
def account_make_close_only(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """Positions may be reduced from now on, none opened. The platform follows and confirms."""

    def move(account: TradingAccount) -> None:
        _require(account, account.make_close_only, "close only")
        account.make_close_only(by=actor, reason=reason)

    return _limit(account_id, actor, reason, move, "account.close_only")


@command
def account_make_read_only(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """The holder may look and do nothing. The platform follows and confirms."""

    def move(account: TradingAccount) -> None:
        _require(account, account.make_read_only, "read only")
        account.make_read_only(by=actor, reason=reason)

    return _limit(account_id, actor, reason, move, "account.read_only")


@command
def account_disable(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """The holder cannot sign in to the platform any more."""

    def move(account: TradingAccount) -> None:
        _require(account, account.disable, "disable")
        account.disable(by=actor, reason=reason)

    return _limit(account_id, actor, reason, move, "account.disable")


@command
def account_reactivate(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """Back to what the client's own restrictions leave."""

    def move(account: TradingAccount) -> None:
        _require(account, account.reactivate, "reactivate")
        account.reactivate(by=actor, reason=reason)

    return _limit(account_id, actor, reason, move, "account.reactivate")


@command
def account_change_leverage(
    *, account_id: UUID, leverage: int, actor: Actor, reason: str = "asked by the client"
) -> PlatformOperation:
    """Ask the platform for another leverage, never above what the rules allow today.

    The account's own figure changes when the platform has confirmed. Raises `LeverageNotOffered`,
    `LeverageAboveCap`, `ChangePending`, `WrongState`.
    """
    actor.require(CHANGE_LEVERAGE)
    account = account_locked(account_id, visible_to=actor)
    if not account.is_live:
        raise WrongState(state=account.get_state_display(), command="change leverage")
    if leverage not in account.account_type.leverages:
        raise LeverageNotOffered(offered=", ".join(map(str, account.account_type.leverages)))
    caps = leverage_caps(account.client, account.account_type, actor=actor)
    if leverage > caps.highest:
        raise LeverageAboveCap(cap=caps.highest, why=caps.why)
    if _leverage_pending(account):
        raise ChangePending
    account.leverage_cap = caps.highest
    account.leverage_caps = caps.by_class
    account.decision_id = caps.decision_id
    account.save_as(actor, reason, action="account.leverage_ask")
    return operation_request(
        account, OperationKind.SET_LEVERAGE, {"leverage": leverage}, actor=actor, reason=reason
    )


def _leverage_pending(account: TradingAccount) -> bool:
    return (
        PlatformOperation.objects.filter(account=account, kind=OperationKind.SET_LEVERAGE)
        .exclude(state__in=[OperationState.DONE, OperationState.FAILED])
        .exists()
    )
