"""Money between a wallet and a trading account: three systems, no common transaction, nothing lost, nothing doubled.

Wallet to account:  wallet → in transit │ platform books it │ in transit → trading account, engine told
Account to wallet:  engine lets it go │ trading account → in transit │ platform books it │ in transit → wallet

Between two bars everything is one database transaction; each bar is a call that is repeated under the same
reference until its answer is known. A definite no from the platform puts the money back where it was.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts.enums import OperationKind
from apps.accounts.errors import AccountNotFundable, PlatformPending, PlatformSaysNo, WrongCurrency
from apps.accounts.selectors import account_get
from apps.accounts.services import balance_operation
from apps.clients.locks import client_locked
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import Conflict, DomainError, NotVisible, WrongState
from apps.core.events import emit
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.errors import InsufficientFunds
from apps.ledger.models import Account
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.orders.errors import AccountNotInEngine, EngineRefused, EngineSilent, FreeMarginTooLow
from apps.orders.services import account_funds_apply, account_funds_reserve
from apps.payments.enums import TRANSFER_DONE, Direction, TransferState
from apps.payments.errors import WalletTooLow
from apps.payments.events import TransferCompensated, TransferCompleted, TransferRequested
from apps.payments.locks import sole_advance, transfer_locked
from apps.payments.models import Transfer
from apps.payments.permissions import REQUEST_TRANSFER, RETRY_TRANSFER
from apps.payments.selectors import STUCK_AFTER, wallet_account
from apps.payments.services.gates import transfer_decision
from apps.payments.services.receipts import PSP

log = logging.getLogger(__name__)

S = TransferState
_NO_LEAVE = (FreeMarginTooLow, AccountNotInEngine, EngineRefused)
_PLATFORM_KIND = {
    Direction.TO_ACCOUNT: OperationKind.DEPOSIT,
    Direction.FROM_ACCOUNT: OperationKind.WITHDRAWAL,
}


@command
def transfer_request(
    *,
    client_id: UUID,
    account_id: UUID,
    direction: str,
    amount: Money,
    request_key: str,
    actor: Actor,
) -> Transfer:
    """Write down that money shall move; from a wallet it leaves at once and stands in transit.

    The same `request_key` with the same content is the same transfer. Raises `NotVisible`, `NotAllowed`,
    `WrongCurrency`, `AccountNotFundable`, `WalletTooLow`, `RefusedByRule`, `Conflict`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(REQUEST_TRANSFER, client)
    known = Transfer.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.account_id, known.direction, known.amount) != (account_id, direction, amount):
            raise Conflict
        return known
    account = account_get(account_id, actor=actor)
    if account.client_id != client.pk:
        raise NotVisible
    if account.currency != amount.currency:
        raise WrongCurrency(account=account.currency, amount=amount.currency)
    if not account.is_live:
        raise AccountNotFundable(state=account.get_state_display())
    transfer = Transfer(
        client=client,
        account=account,
        direction=Direction(direction),
        currency=amount.currency,
        amount_minor=amount.minor,
        request_key=request_key,
    )
    decision = transfer_decision(transfer, actor=actor)
    decision.raise_unless_allowed()
    transfer.decision_id = decision.decision_id
    transfer.save_as(actor, "transfer asked for", action="transfer.request")
    if transfer.direction == Direction.TO_ACCOUNT:
        _leave_wallet(transfer, actor)
    emit(TransferRequested(transfer_id=transfer.pk, client_id=client.pk))
    return transfer


def _leave_wallet(transfer: Transfer, actor: Actor) -> None:
    wallet = wallet_account(transfer.client_id, transfer.currency)
    try:
        _book(transfer, "debit", wallet, _in_transit(transfer), actor)
    except InsufficientFunds as refusal:
        raise WalletTooLow(available=refusal.values["available"]) from refusal
    transfer.debit_source(by=actor, reason="taken from the wallet")
    transfer.save_as(actor, "taken from the wallet", action="transfer.debit")


def transfer_advance(*, transfer_id: UUID) -> Transfer:
    """Bring a transfer as far as the other systems answer; harmless to repeat.

    Talks to the engine and the platform, so call it outside any transaction. Raises `PlatformPending` or
    `EngineSilent` while an outcome is not known, `Busy` while another worker is at it.
    """
    with sole_advance(transfer_id):
        transfer = Transfer.objects.get(pk=transfer_id)
        if transfer.is_finished:
            return transfer
        try:
            return _advanced(transfer)
        except _NO_LEAVE as refusal:
            return transfer_undone(transfer_id=transfer_id, why=str(refusal))
        except (PlatformSaysNo, AccountNotFundable) as refusal:
            return transfer_undone(transfer_id=transfer_id, why=str(refusal))
        except (PlatformPending, EngineSilent) as silence:
            transfer_waits(transfer_id=transfer_id, why=str(silence))
            raise


def _advanced(transfer: Transfer) -> Transfer:
    if transfer.state == S.REQUESTED:
        _ask_engine(transfer)
        transfer = transfer_left_account(transfer_id=transfer.pk)
        if transfer.is_finished:
            return transfer
    balance_operation(
        account_id=transfer.account_id,
        kind=_PLATFORM_KIND[Direction(transfer.direction)],
        amount=transfer.amount,
        reference=transfer.reference,
    )
    return transfer_arrived(transfer_id=transfer.pk)


def _ask_engine(transfer: Transfer) -> None:
    account_funds_reserve(
        account_id=transfer.account_id, amount=transfer.amount, reference=transfer.reference
    )


@command
def transfer_left_account(*, transfer_id: UUID) -> Transfer:
    """The engine let the money go; the books follow. For a transfer that has ended meanwhile it is given back."""
    transfer = transfer_locked(transfer_id, visible_to=PSP)
    if transfer.state == S.COMPENSATED:
        _back_to_engine(transfer)
    if transfer.state == S.REQUESTED:
        _book(transfer, "debit", _trading(transfer), _in_transit(transfer), PSP)
        transfer.debit_source(by=PSP, reason="taken from the trading account")
        transfer.save_as(PSP, "taken from the trading account", action="transfer.debit")
    return transfer


@command
def transfer_arrived(*, transfer_id: UUID) -> Transfer:
    """The platform has booked it: the money reaches its destination, and the engine is told when that is an account."""
    transfer = transfer_locked(transfer_id, visible_to=PSP)
    if transfer.is_finished:
        return transfer
    inward = transfer.direction == Direction.TO_ACCOUNT
    wallet = wallet_account(transfer.client_id, transfer.currency)
    destination = _trading(transfer) if inward else wallet
    _book(transfer, "credit", _in_transit(transfer), destination, PSP)
    if inward:
        account_funds_apply(
            account_id=transfer.account_id,
            amount=transfer.amount,
            reference=transfer.reference,
            direction="IN",
            actor=PSP,
        )
    transfer.arrive(by=PSP, reason="confirmed")
    transfer.save_as(PSP, "confirmed by the platform", action="transfer.arrive")
    emit(
        TransferCompleted(
            transfer_id=transfer.pk,
            client_id=transfer.client_id,
            account_id=transfer.account_id,
            direction=transfer.direction,
            amount=transfer.amount.amount,
            currency=transfer.currency,
        )
    )
    return transfer


@command
def transfer_undone(*, transfer_id: UUID, why: str) -> Transfer:
    """A definite no: whatever was taken goes back to where it was."""
    transfer = transfer_locked(transfer_id, visible_to=PSP)
    if transfer.is_finished:
        return transfer
    if transfer.state != S.REQUESTED:
        _put_back(transfer)
    transfer.compensate(by=PSP, reason=why)
    transfer.save_as(PSP, why[:300], action="transfer.compensate")
    emit(
        TransferCompensated(
            transfer_id=transfer.pk,
            client_id=transfer.client_id,
            account_id=transfer.account_id,
            direction=transfer.direction,
            amount=transfer.amount.amount,
            currency=transfer.currency,
        )
    )
    return transfer


def _put_back(transfer: Transfer) -> None:
    inward = transfer.direction == Direction.TO_ACCOUNT
    source = wallet_account(transfer.client_id, transfer.currency) if inward else _trading(transfer)
    _book(transfer, "return", _in_transit(transfer), source, PSP)
    if not inward:
        _back_to_engine(transfer)


def _back_to_engine(transfer: Transfer) -> None:
    """Once however often it is told: one reference."""
    account_funds_apply(
        account_id=transfer.account_id,
        amount=transfer.amount,
        reference=f"{transfer.reference}:back",
        direction="IN",
        actor=PSP,
    )


@command
def transfer_waits(*, transfer_id: UUID, why: str) -> Transfer:
    """No answer yet: it will be asked about again, and after a while people see it too."""
    transfer = transfer_locked(transfer_id, visible_to=PSP)
    transfer.attempts += 1
    transfer.tried_at = clock.now()
    late = transfer.created_at < clock.now() - STUCK_AFTER
    if transfer.state in (S.SOURCE_DEBITED, S.IN_TRANSIT) and late:
        transfer.get_stuck(by=PSP, reason=why)
    elif transfer.state in (S.SOURCE_DEBITED, S.IN_TRANSIT):
        transfer.travel(by=PSP, reason=why)
    transfer.save_as(PSP, why[:300], action="transfer.wait")
    return transfer


def transfer_retry(*, transfer_id: UUID, actor: Actor, reason: str) -> Transfer:
    """A person wants it asked about now. Raises `NotVisible`, `NotAllowed`, `WrongState`, `PlatformPending`."""
    actor.require(RETRY_TRANSFER)
    transfer = Transfer.objects.visible_to(actor).filter(pk=transfer_id).first()
    if transfer is None:
        raise NotVisible
    if transfer.is_finished:
        raise WrongState(state=transfer.get_state_display(), command=_("another try"))
    return transfer_advance(transfer_id=transfer_id)


def transfers_ask(limit: int = 100) -> int:
    """Go on with every transfer that is under way. Returns how many were brought to an end.

    One that cannot go on is reported and keeps no other waiting.
    """
    finished = 0
    waiting = Transfer.objects.exclude(state__in=TRANSFER_DONE).filter(
        updated_at__lt=clock.now() - STUCK_AFTER / 10
    )
    for transfer_id in list(waiting.order_by("pk").values_list("pk", flat=True)[:limit]):
        try:
            finished += transfer_advance(transfer_id=transfer_id).is_finished
        except DomainError:
            continue
        except Exception:
            log.exception("a transfer cannot go on", extra={"transfer": str(transfer_id)})
    return finished


def _in_transit(transfer: Transfer) -> Account:
    return account_for(AccountKind.TRANSFER_IN_TRANSIT, transfer.currency)


def _trading(transfer: Transfer) -> Account:
    return account_for(
        AccountKind.CLIENT_TRADING, transfer.currency, f"trading:{transfer.account_id}"
    )


def _book(transfer: Transfer, step: str, debit: Account, credit: Account, actor: Actor) -> None:
    """Internal by its kind: figures about deposits and withdrawals are never made of `transfer.*`."""
    post(
        kind=f"transfer.{step}",
        key=f"{transfer.reference}:{step}",
        legs=[Leg(debit, credit, transfer.amount)],
        actor=actor,
    )
