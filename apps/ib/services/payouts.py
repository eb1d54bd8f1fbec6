"""Paying partners: the lines up to a cut-off, frozen, agreed by another person, into the partner's wallet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_cancel, approval_locked, approval_request, approves
from apps.core.commands import command
from apps.core.errors import StaleBase, WrongState
from apps.core.events import emit
from apps.core.locks import lock_rows
from apps.core.models import Approval
from apps.core.money import Money
from apps.ib.enums import AccrualState, PayoutState
from apps.ib.errors import NothingToPay, PayoutOpen
from apps.ib.events import PayoutPaid
from apps.ib.locks import accruals_of_payout_locked, partner_locked, payout_locked
from apps.ib.models import Accrual, Partner, Payout
from apps.ib.permissions import APPROVE_PAYOUT, PREPARE_PAYOUT
from apps.ib.services.accruals import move, payable
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for
from apps.ledger.services import Leg, post
from apps.market.selectors import convert
from apps.rules.points import IB_PAYOUT
from apps.rules.services import Decision, decide

PAY = "ib.payout"


@command
def payout_prepare(*, partner_id: UUID, cut_off: datetime, actor: Actor, reason: str) -> Payout:
    """Freeze everything that the partner earned until `cut_off` and was not paid yet into one payout.

    Corrections count with their sign. Raises `PayoutOpen`, `NothingToPay`.
    """
    actor.require(PREPARE_PAYOUT)
    partner = partner_locked(partner_id, visible_to=actor)
    still_open = (
        Payout.objects.filter(partner=partner, currency=partner.currency)
        .exclude(state__in=[PayoutState.PAID, PayoutState.CANCELED])
        .first()
    )
    if still_open is not None:
        raise PayoutOpen(number=still_open.number)
    accruals = lock_rows(
        Accrual.objects.filter(
            partner=partner,
            currency=partner.currency,
            payout=None,
            earned_at__lt=cut_off,
            state__in=[AccrualState.CALCULATED, AccrualState.CONFIRMED],
        )
    )
    total = sum((int(accrual.amount_minor) for accrual in accruals), 0)
    if total <= 0:
        amount = Money.from_minor(total, partner.currency)
        raise NothingToPay(partner=partner.code, currency=partner.currency, amount=amount)
    payout = Payout(
        number=_number(partner),
        partner=partner,
        currency=partner.currency,
        cut_off=cut_off,
        amount_minor=total,
        lines=len(accruals),
    )
    payout.calculate(by=actor, reason=reason)
    payout.save_as(actor, reason, action="payout.prepare")
    for accrual in accruals:
        move(accrual, "confirm", actor=actor, reason=reason, payout=payout)
    return payout


def _number(partner: Partner) -> str:
    """Unique under the partner's lock: its code's running number."""
    return f"{clock.now():%Y%m}-{str(partner.id)[-6:].upper()}-{partner.payouts.count() + 1}"


@command
def payout_submit(*, payout_id: UUID, actor: Actor, reason: str) -> Payout:
    """Ask for the approval of another person. Raises the rule's refusal or `WrongState`."""
    actor.require(PREPARE_PAYOUT)
    payout = payout_locked(payout_id, visible_to=actor)
    if payout.state != PayoutState.CALCULATED:
        raise WrongState(state=payout.get_state_display(), command="submit")
    client = Client.objects.select_related("entity").get(pk=payout.partner.client_id)
    decision = _decision(payout, client, actor)
    decision.raise_if_refused()
    payout.decision_id = decision.decision_id
    payout.submit(by=actor, reason=reason)
    approval = approval_request(
        action=PAY,
        title=_("Pay %(amount)s to partner %(partner)s")
        % {"amount": payout.money, "partner": payout.partner.code},
        payload={
            "payout_id": str(payout.id),
            "amount": str(payout.money.amount),
            "currency": payout.currency,
            "lines": payout.lines,
            "cut_off": payout.cut_off.isoformat(),
        },
        permission=APPROVE_PAYOUT,
        actor=actor,
        reason=reason,
        subject=payout,
        required=max(1, int(decision.obligations["approvals"])),
        entity=client.entity.code,
        desk_id=client.desk_id,
        client_id=client.id,
        beneficiary_ids=[client.id, payout.partner_id],
    )
    payout.approval_id = approval.id
    payout.save_as(actor, reason, action="payout.submit")
    return payout


def _decision(payout: Payout, client: Client, actor: Actor) -> Decision:
    return decide(
        IB_PAYOUT,
        {
            "amount_base_minor": convert(payout.money, client.entity.base_currency).minor,
            "kyc_level": client.kyc_level,
            "restrictions": sorted(client_restrictions(client.id)),
            "country": client.country,
            "partner_state": payout.partner.state,
            "method": "WALLET",
            "risk_rating": client.risk_rating,
        },
        actor=actor,
        subject=payout,
        entity=client.entity.code,
        client_id=client.id,
    )


def _rejected(approval: Approval, *, actor: Actor) -> None:
    payout = payout_locked(
        UUID(approval.payload["payout_id"]), visible_to=Actor.system("approvals")
    )
    if payout.state == PayoutState.PENDING_APPROVAL:
        _cancel(payout, actor, approval.reason or "not approved")


@approves(PAY, on_reject=_rejected, own_queue=True)
def _approved(approval: Approval, *, actor: Actor) -> None:
    """Everything at once: approved, paid from what was owed into the partner's own wallet, lines settled.

    The rules are asked again, because a partner may be blocked or suspended while people think. Raises their refusal,
    and `StaleBase` when they want more people than have agreed.
    """
    payout = payout_locked(
        UUID(approval.payload["payout_id"]), visible_to=Actor.system("approvals")
    )
    client = Client.objects.select_related("entity").get(pk=payout.partner.client_id)
    decision = _decision(payout, client, actor)
    decision.raise_if_refused()
    if int(decision.obligations["approvals"]) > approval.required:
        raise StaleBase
    payout.decision_id = decision.decision_id
    reason = approval.reason
    payout.approve(by=actor, reason=reason)
    accruals = accruals_of_payout_locked(payout.id)
    for accrual in accruals:
        move(accrual, "make_payable", actor=actor, reason=reason)
    wallet = account_for(
        AccountKind.CLIENT_WALLET, payout.currency, f"client:{payout.partner.client_id}"
    )
    entry = post(
        kind="ib.payout",
        key=f"ib:payout:{payout.id}",
        legs=[
            Leg(
                debit=payable(payout.partner_id, payout.currency),
                credit=wallet,
                amount=payout.money,
            )
        ],
        actor=actor,
        reason=reason,
    )
    payout.entry_id = entry.id
    payout.pay(by=actor, reason=reason)
    payout.save_as(actor, reason, action="payout.pay")
    for accrual in accruals:
        move(accrual, "pay", actor=actor, reason=reason)
    emit(PayoutPaid(partner_id=payout.partner_id, payout_id=payout.id))


@command
def payout_cancel(*, payout_id: UUID, actor: Actor, reason: str) -> Payout:
    """Give a payout up before it is paid; its lines go into the next one.

    The approval is locked before the payout, as the vote that carries it out does.
    """
    actor.require(PREPARE_PAYOUT)
    approval = approval_locked(
        Payout.objects.visible_to(actor)
        .filter(pk=payout_id)
        .values_list("approval_id", flat=True)
        .first()
    )
    payout = payout_locked(payout_id, visible_to=actor)
    if payout.state not in (PayoutState.CALCULATED, PayoutState.PENDING_APPROVAL):
        raise WrongState(state=payout.get_state_display(), command="cancel")
    if approval is not None:
        approval_cancel(approval=approval, actor=actor, reason=reason)
    _cancel(payout, actor, reason)
    return payout


def _cancel(payout: Payout, actor: Actor, reason: str) -> None:
    for accrual in accruals_of_payout_locked(payout.id):
        move(accrual, "free", actor=actor, reason=reason)
    payout.cancel(by=actor, reason=reason)
    payout.save_as(actor, reason, action="payout.cancel")
