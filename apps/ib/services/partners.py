"""Becoming a partner, being one, and stopping."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.utils.text import slugify
from django_fsm import can_proceed

from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.commands import command
from apps.core.errors import InvalidInput, WrongState
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.ib.enums import OVER_STATES
from apps.ib.errors import AlreadyPartner, CodeTaken
from apps.ib.events import PartnerActivated, PartnerSuspended
from apps.ib.locks import partner_locked, tree_locked
from apps.ib.models import Partner, PartnerAgreement, ReferralLink, TreeEdge
from apps.ib.permissions import APPLY_PARTNER, MANAGE_PARTNERS
from apps.ib.selectors import attribution_at
from apps.ib.services.plans import assign_plan
from apps.rules.points import IB_JOIN
from apps.rules.services import decide


@command
def partner_apply(
    *, client_id: UUID, code: str, name: str, currency: str, actor: Actor, reason: str = "applied"
) -> Partner:
    """A client asks to become a partner. Whoever introduced the client stands above from the first day.

    Raises `AlreadyPartner`, `CodeTaken` or the refusal of the rule.
    """
    actor.require(APPLY_PARTNER)
    client = lock_row(
        Client.objects.select_related("entity", "person"), client_id, visible_to=actor
    )
    held = Partner.objects.filter(client=client).first()
    if held is not None:
        raise AlreadyPartner(code=held.code)
    code = slugify(code)
    if not code:
        raise InvalidInput(field="code", problem="letters, digits and hyphens")
    if (
        Partner.objects.filter(code=code).exists()
        or ReferralLink.objects.filter(code=code).exists()
    ):
        raise CodeTaken(code=code)
    above = attribution_at(client.id, clock.now())
    decision = decide(
        IB_JOIN,
        {
            "country": client.country,
            "kyc_level": client.kyc_level,
            "restrictions": sorted(client_restrictions(client.id)),
            "risk_rating": client.risk_rating,
            "level": 2 if above else 1,
        },
        actor=actor,
        subject=client,
        entity=client.entity.code,
    )
    decision.raise_if_refused()
    partner = Partner(code=code, name=name, client=client, currency=currency)
    partner.save_as(actor, reason, action="partner.apply")
    PartnerAgreement(partner=partner, decision_id=decision.decision_id).save_as(
        actor, reason, action="partner_agreement.apply"
    )
    if above is not None:
        tree_locked()
        TreeEdge(parent=above.partner, child=partner, valid_from=clock.now()).save_as(
            actor, reason, action="partner.place"
        )
    return partner


def _agreement(partner_id: UUID, actor: Actor) -> tuple[Partner, PartnerAgreement]:
    actor.require(MANAGE_PARTNERS)
    partner = partner_locked(partner_id, visible_to=actor)
    agreement = partner.agreements.order_by("-number").first()
    if agreement is None:
        raise WrongState(state="", command="decide")
    return partner, agreement


def _proceed(agreement: PartnerAgreement, move: Callable[..., None], name: str) -> None:
    if not can_proceed(move):
        raise WrongState(state=agreement.get_state_display(), command=name)


@command
def partner_approve(*, partner_id: UUID, plan_code: str, actor: Actor, reason: str) -> Partner:
    """Accept an application: the agreement is active, the plan runs, the first link exists."""
    partner, agreement = _agreement(partner_id, actor)
    _proceed(agreement, agreement.approve, "approve")
    agreement.approve(by=actor, reason=reason)
    agreement.activate(by=actor, reason=reason)
    agreement.save_as(actor, reason, action="partner_agreement.activate")
    assign_plan(partner.id, plan_code, actor=actor, reason=reason, valid_from=None)
    if not partner.links.exists():
        ReferralLink(partner=partner, code=partner.code, label="Main link").save_as(
            actor, reason, action="referral_link.create"
        )
    emit(PartnerActivated(partner_id=partner.id, client_id=partner.client_id))
    return partner


@command
def partner_reject(*, partner_id: UUID, actor: Actor, reason: str) -> Partner:
    """Refuse an application."""
    partner, agreement = _agreement(partner_id, actor)
    _proceed(agreement, agreement.reject, "reject")
    agreement.reject(by=actor, reason=reason)
    agreement.save_as(actor, reason, action="partner_agreement.reject")
    return partner


@command
def partner_suspend(*, partner_id: UUID, actor: Actor, reason: str) -> Partner:
    """Earns nothing on deals from now on; partners below and above go on as before."""
    partner, agreement = _agreement(partner_id, actor)
    _proceed(agreement, agreement.suspend, "suspend")
    agreement.suspend(by=actor, reason=reason)
    agreement.save_as(actor, reason, action="partner_agreement.suspend")
    emit(PartnerSuspended(partner_id=partner.id))
    return partner


@command
def partner_reactivate(*, partner_id: UUID, actor: Actor, reason: str) -> Partner:
    """Earns again on deals from now on; what fell into the suspension stays unearned."""
    partner, agreement = _agreement(partner_id, actor)
    _proceed(agreement, agreement.activate, "reactivate")
    agreement.activate(by=actor, reason=reason)
    agreement.save_as(actor, reason, action="partner_agreement.reactivate")
    emit(PartnerActivated(partner_id=partner.id, client_id=partner.client_id))
    return partner


@command
def partner_terminate(*, partner_id: UUID, actor: Actor, reason: str) -> Partner:
    """End the agreement. What was earned until now stays payable."""
    partner, agreement = _agreement(partner_id, actor)
    _proceed(agreement, agreement.terminate, "terminate")
    agreement.terminate(by=actor, reason=reason)
    agreement.save_as(actor, reason, action="partner_agreement.terminate")
    return partner


@command
def link_create(*, partner_id: UUID, code: str, label: str, actor: Actor) -> ReferralLink:
    """Another address for the partner to hand out, with figures of its own; partners make them themselves.

    Raises `NotVisible`, `NotAllowed`, `CodeTaken`.
    """
    if actor.kind is not ActorKind.PARTNER:
        actor.require(MANAGE_PARTNERS)
    partner = partner_locked(partner_id, visible_to=actor)
    if partner.state in OVER_STATES:
        raise WrongState(state=partner.state, command="link")
    code = slugify(code)
    if not code:
        raise InvalidInput(field="code", problem="letters, digits and hyphens")
    if ReferralLink.objects.filter(code=code).exists() or (
        Partner.objects.filter(code=code).exclude(pk=partner.pk).exists()
    ):
        raise CodeTaken(code=code)
    link = ReferralLink(partner=partner, code=code, label=label)
    link.save_as(actor, "new link", action="referral_link.create")
    return link
