"""Opening an account: who may, under which rule, and what happens when the platform says no."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.enums import AccountState, OperationKind, OperationState
from apps.accounts.errors import (
    AccountTypeNotOffered,
    ClientNotActive,
    CurrencyNotOffered,
    LeverageAboveCap,
    LeverageNotOffered,
    TooManyAccounts,
)
from apps.accounts.events import AccountRequested, PlatformOperationRequested
from apps.accounts.locks import account_locked, operation_locked
from apps.accounts.models import AccountType, PlatformOperation, TradingAccount
from apps.accounts.permissions import DECIDE_ACCOUNT, OPEN_ACCOUNT, RETRY_PLATFORM
from apps.accounts.selectors import accounts_counted, why_not_offered
from apps.accounts.services.caps import leverage_caps, opening_decision
from apps.accounts.services.requests import operation_request
from apps.clients.enums import Lifecycle
from apps.clients.models import Client
from apps.clients.selectors import client_require_free_of
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import NotVisible, WrongState
from apps.core.events import emit
from apps.core.locks import lock_row


@command
def account_open(
    *,
    client_id: UUID,
    account_type: str,
    currency: str,
    leverage: int,
    actor: Actor,
    request_key: str,
    reason: str = "asked by the client",
) -> TradingAccount:
    """Open a trading account, or hand the request to a person when a rule says so.

    `request_key` belongs to one press of the button: repeated, it returns the same account. Raises
    `ClientNotActive`, `Restricted`, `AccountTypeNotOffered`, `CurrencyNotOffered`, `LeverageNotOffered`,
    `LeverageAboveCap`, `TooManyAccounts` or the refusal of the rule.
    """
    actor.require(OPEN_ACCOUNT)
    client = lock_row(
        Client.objects.select_related("entity", "person"), client_id, visible_to=actor
    )
    repeated = TradingAccount.objects.filter(client=client, request_key=request_key).first()
    if repeated is not None:
        return repeated
    chosen = _offered_type(client, account_type, currency, leverage)
    decision = opening_decision(client, chosen, currency, leverage, actor=actor)
    decision.raise_if_refused()
    caps = leverage_caps(client, chosen, actor=actor)
    highest = min(caps.highest, int(decision.obligations["max_leverage"]))
    if leverage > highest:
        raise LeverageAboveCap(cap=highest, why=caps.why)

    group = chosen.type_groups.select_related("group").get(currency=currency).group
    account = TradingAccount(
        client=client,
        account_type=chosen,
        server=chosen.server,
        group=group,
        currency=currency,
        leverage=leverage,
        leverage_cap=highest,
        leverage_caps=caps.by_class,
        mode=chosen.mode,
        request_key=request_key,
        decision_id=decision.decision_id,
    )
    if not decision.allowed or decision.obligations["approvals"]:
        account.ask_approval(by=actor, reason=reason)
        account.save_as(actor, reason, action="account.open")
    else:
        account.begin_provisioning(by=actor, reason=reason)
        account.save_as(actor, reason, action="account.open")
        _provision(account, actor, reason)
    emit(AccountRequested(account_id=account.id, client_id=client.id))
    return account


def _offered_type(client: Client, code: str, currency: str, leverage: int) -> AccountType:
    if client.lifecycle != Lifecycle.ACTIVE:
        raise ClientNotActive(lifecycle=client.get_lifecycle_display())
    client_require_free_of(client, "no_new_account")
    chosen = (
        AccountType.objects.select_related("server__platform")
        .prefetch_related("type_groups")
        .filter(code=code)
        .first()
    )
    if chosen is None:
        raise NotVisible
    why = why_not_offered(chosen, client)
    if why:
        raise AccountTypeNotOffered(why=why)
    if currency not in chosen.currencies:
        raise CurrencyNotOffered(
            account_type=chosen.name, offered=", ".join(chosen.currencies), currency=currency
        )
    if leverage not in chosen.leverages:
        raise LeverageNotOffered(offered=", ".join(map(str, chosen.leverages)))
    count = accounts_counted(client.id, account_type_id=chosen.id)
    if count >= chosen.max_per_client:
        raise TooManyAccounts(count=count)
    return chosen


def _provision(account: TradingAccount, actor: Actor, reason: str) -> PlatformOperation:
    return operation_request(
        account,
        OperationKind.CREATE_ACCOUNT,
        {
            "group": account.group.code,
            "currency": account.currency,
            "leverage": account.leverage,
            "mode": account.mode,
        },
        actor=actor,
        reason=reason,
    )


@command
def account_approve(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """Let a requested account go to its platform."""
    actor.require(DECIDE_ACCOUNT)
    account = account_locked(account_id, visible_to=actor)
    if account.state != AccountState.PENDING_APPROVAL:
        raise WrongState(state=account.get_state_display(), command="approve")
    account.begin_provisioning(by=actor, reason=reason)
    account.save_as(actor, reason, action="account.approve")
    _provision(account, actor, reason)
    return account


@command
def account_reject(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """Refuse a requested account; nothing reaches the platform."""
    actor.require(DECIDE_ACCOUNT)
    account = account_locked(account_id, visible_to=actor)
    if account.state != AccountState.PENDING_APPROVAL:
        raise WrongState(state=account.get_state_display(), command="reject")
    account.reject(by=actor, reason=reason)
    account.save_as(actor, reason, action="account.reject")
    return account


@command
def account_retry_provisioning(*, account_id: UUID, actor: Actor, reason: str) -> TradingAccount:
    """Ask the platform again after it refused, under a new reference."""
    actor.require(RETRY_PLATFORM)
    account = account_locked(account_id, visible_to=actor)
    if account.state != AccountState.PROVISION_FAILED:
        raise WrongState(state=account.get_state_display(), command="retry")
    account.retry_provisioning(by=actor, reason=reason)
    account.save_as(actor, reason, action="account.retry_provisioning")
    _provision(account, actor, reason)
    return account


@command
def operation_retry(*, operation_id: UUID, actor: Actor, reason: str) -> PlatformOperation:
    """Put an operation without an outcome back on its way; its reference is asked about first."""
    actor.require(RETRY_PLATFORM)
    if not PlatformOperation.objects.visible_to(actor).filter(pk=operation_id).exists():
        raise NotVisible
    operation = operation_locked(operation_id)
    if operation.state in (OperationState.DONE, OperationState.FAILED):
        raise WrongState(state=operation.get_state_display(), command="retry")
    operation.save_as(actor, reason, action="platform_operation.retry")
    emit(PlatformOperationRequested(account_id=operation.account_id, operation_id=operation.id))
    return operation
