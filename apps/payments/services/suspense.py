"""Money that fits nothing: kept apart at once, resolved by two people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.clients.selectors import client_get
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.events import emit
from apps.core.models import Approval
from apps.core.money import Money
from apps.ledger.enums import AccountKind
from apps.ledger.models import Account
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.payments.adapters import adapter_for
from apps.payments.adapters.protocol import ProviderPayment
from apps.payments.enums import SuspenseKind, SuspenseState
from apps.payments.errors import SuspenseMismatch
from apps.payments.events import SuspenseOpened, SuspenseReturned
from apps.payments.locks import suspense_locked
from apps.payments.models import Deposit, PaymentProvider, SuspenseItem
from apps.payments.permissions import RESOLVE_SUSPENSE
from apps.payments.selectors import wallet_account

ALLOCATE = "payments.suspense_allocate"
RETURN = "payments.suspense_return"


def clearing_account(provider: PaymentProvider, currency: str, shard_key: object) -> Account:
    """What the provider owes the house, spread over shards; one payment always uses the same one."""
    return account_for(
        AccountKind.PSP_CLEARING, currency, provider.ledger_owner, shard_key=str(shard_key)
    )


def suspense_account(item: SuspenseItem) -> Account:
    return account_for(AccountKind.SUSPENSE_UNALLOCATED, item.currency, item.ledger_owner)


def suspense_open(
    *,
    provider: PaymentProvider,
    seen: ProviderPayment,
    kind: SuspenseKind,
    detail: str,
    deposit: Deposit | None,
    actor: Actor,
) -> SuspenseItem:
    """Book money that came and fits nothing, once per payment of the provider. Part of the caller's command."""
    known = SuspenseItem.objects.filter(provider=provider, provider_payment_id=seen.id).first()
    if known is not None:
        return known
    item = SuspenseItem(
        provider=provider,
        provider_payment_id=seen.id,
        kind=kind,
        currency=seen.amount.currency,
        amount_minor=seen.amount.minor,
        deposit=deposit,
        detail=detail[:300],
    )
    item.save_as(actor, detail[:300], action="suspense.open")
    post(
        kind="suspense.receive",
        key=f"suspense:{item.pk}:receive",
        legs=[
            Leg(
                clearing_account(provider, item.currency, seen.id),
                suspense_account(item),
                item.amount,
            )
        ],
        actor=actor,
        reason=detail,
    )
    emit(SuspenseOpened(item_id=item.pk, kind=kind.value))
    return item


@command
def suspense_propose_allocation(
    *, item_id: UUID, client_id: UUID, actor: Actor, reason: str
) -> SuspenseItem:
    """Propose to credit it to a client's wallet; another person agrees or not.

    Raises `NotVisible`, `NotAllowed`, `WrongState`.
    """
    item = _proposable(item_id, actor)
    client = client_get(client_id, actor=actor)
    title = _("Credit %(amount)s from suspense to %(client)s") % {
        "amount": item.amount,
        "client": client,
    }
    return _proposed(item, ALLOCATE, title, {"client_id": str(client.pk)}, actor, reason, client.pk)


@command
def suspense_propose_return(*, item_id: UUID, actor: Actor, reason: str) -> SuspenseItem:
    """Propose to send it back to the payer. Raises `NotVisible`, `NotAllowed`, `WrongState`."""
    item = _proposable(item_id, actor)
    title = _("Return %(amount)s from suspense to the payer") % {"amount": item.amount}
    return _proposed(item, RETURN, title, {}, actor, reason, None)


def _proposable(item_id: UUID, actor: Actor) -> SuspenseItem:
    item = suspense_locked(item_id, visible_to=actor)
    actor.require(RESOLVE_SUSPENSE, item)
    if item.state != SuspenseState.OPEN:
        raise WrongState(state=item.get_state_display(), command=_("a proposal"))
    return item


def _proposed(
    item: SuspenseItem,
    action: str,
    title: str,
    payload: dict[str, Any],
    actor: Actor,
    reason: str,
    client_id: UUID | None,
) -> SuspenseItem:
    item.propose(by=actor, reason=reason)
    item.save_as(actor, reason, action="suspense.propose")
    approval_request(
        action=action,
        title=title,
        subject=item,
        payload={"item_id": str(item.pk), "amount_minor": int(item.amount_minor), **payload},
        permission=RESOLVE_SUSPENSE,
        actor=actor,
        reason=reason,
        client_id=client_id,
        beneficiary_ids=[client_id],
    )
    return item


def _back_to_open(approval: Approval, *, actor: Actor) -> None:
    item = suspense_locked(UUID(approval.payload["item_id"]), visible_to=actor)
    item.reopen(by=actor, reason="not agreed to")
    item.save_as(actor, "the proposal was not agreed to", action="suspense.reopen")


@approves(ALLOCATE, on_reject=_back_to_open)
def _allocate(approval: Approval, *, actor: Actor) -> None:
    item = _agreed(approval, actor)
    client_id = UUID(approval.payload["client_id"])
    post(
        kind="suspense.allocate",
        key=f"suspense:{item.pk}:resolve",
        legs=[Leg(suspense_account(item), wallet_account(client_id, item.currency), item.amount)],
        actor=actor,
        reason=approval.reason,
    )
    item.allocate(by=actor, reason=approval.reason)
    item.save_as(actor, approval.reason, action="suspense.allocate")


@approves(RETURN, on_reject=_back_to_open)
def _return(approval: Approval, *, actor: Actor) -> None:
    item = _agreed(approval, actor)
    clearing = clearing_account(item.provider, item.currency, item.provider_payment_id)
    post(
        kind="suspense.return",
        key=f"suspense:{item.pk}:resolve",
        legs=[Leg(suspense_account(item), clearing, item.amount)],
        actor=actor,
        reason=approval.reason,
    )
    item.give_back(by=actor, reason=approval.reason)
    item.save_as(actor, approval.reason, action="suspense.return")
    emit(SuspenseReturned(item_id=item.pk))


def suspense_send_back(*, item_id: UUID) -> None:
    """Ask the provider to refund what was agreed to go back. Repeats are harmless: one reference, one refund."""
    item = SuspenseItem.objects.select_related("provider").get(pk=item_id)
    adapter_for(item.provider.code).refund_create(
        reference=f"refund:{item.pk}", payment_id=item.provider_payment_id, amount=item.amount
    )


def _agreed(approval: Approval, actor: Actor) -> SuspenseItem:
    item = suspense_locked(UUID(approval.payload["item_id"]), visible_to=actor)
    if int(item.amount_minor) != approval.payload["amount_minor"]:
        raise SuspenseMismatch(problem=_("The amount is another one than was agreed to."))
    return item


def received(amount: Money, asked: Money) -> tuple[SuspenseKind, str] | None:
    """How what came differs from what was asked for; None when it does not."""
    if amount.currency != asked.currency:
        return SuspenseKind.CURRENCY, _("%(came)s came, %(asked)s was asked for.") % {
            "came": amount,
            "asked": asked,
        }
    if amount != asked:
        return SuspenseKind.AMOUNT, _("%(came)s came, %(asked)s was asked for.") % {
            "came": amount,
            "asked": asked,
        }
    return None
