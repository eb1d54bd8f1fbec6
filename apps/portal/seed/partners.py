"""Scenes of the partner programme: three levels of partners, their links, clicks and payouts."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.clients.models import Client
from apps.core import clock
from apps.core.approvals import approval_vote
from apps.core.errors import DomainError
from apps.ib.models import Partner
from apps.ib.services import (
    click_record,
    partner_apply,
    partner_approve,
    payout_cancel,
    payout_prepare,
    payout_submit,
)
from apps.portal.seed.stage import Role, Stage
from apps.rules.errors import RefusedByRule
from apps.users.selectors import actor_for
from apps.users.services import role_give

PLANS = {"ivy": "master", "sub": "standard", "subsub": "starter"}
NAMES = {"ivy": "Laurent Partners", "sub": "Osei Trading Desk", "subsub": "Demir Education"}


def code_of(role: Role) -> str:
    return next(
        (mark.partition(":")[2] for mark in role.player.marks if mark.startswith("partner:")), ""
    )


def begin(stage: Stage, role: Role) -> None:
    """Ask to become a partner soon after the client's own registration."""
    moment = role.registered_at + timedelta(hours=6)
    stage.timeline.at(moment, lambda: _apply(stage, role))


def _apply(stage: Stage, role: Role) -> None:
    code = code_of(role)
    if role.actor is None or Client.objects.get(pk=role.client).lifecycle == "REGISTERED":
        stage.timeline.at(clock.now() + timedelta(hours=1), lambda: _apply(stage, role))
        return
    user = get_user_model()._default_manager.get(email=role.player.address)
    with transaction.atomic():
        role_give(user, "partner", actor=role.actor, reason="asks to become a partner")
    partner = partner_apply(
        client_id=role.client,
        code=code,
        name=NAMES[code],
        currency="USD",
        actor=actor_for(get_user_model()._default_manager.get(pk=user.pk)),
    )
    moment = clock.now() + timedelta(minutes=40)
    stage.timeline.at(moment, lambda: _approve(stage, partner, code))
    stage.timeline.at(
        stage.timeline.end - timedelta(days=14), lambda: _pay(stage, partner, agree=True)
    )
    if code != "subsub":
        stage.timeline.at(
            stage.timeline.end - timedelta(hours=4), lambda: _pay(stage, partner, agree=False)
        )
    for place in range(12):
        day = timedelta(days=role.rng.uniform(1, 42))
        stage.timeline.at(stage.timeline.end - day, lambda place=place: _click(code, place))  # type: ignore[misc]


def _approve(stage: Stage, partner: Partner, code: str) -> None:
    partner_approve(
        partner_id=partner.pk,
        plan_code=PLANS[code],
        actor=stage.staff["partners"],
        reason="known in the region, contract signed",
    )


def _click(code: str, place: int) -> None:
    visitor = hashlib.sha256(f"{code}:{place}".encode()).hexdigest()[:32]
    click_record(code=code, visitor=visitor, actor=actor_for(_nobody()))  # type: ignore[arg-type]


def _nobody() -> object:
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser()


def _pay(stage: Stage, partner: Partner, *, agree: bool) -> None:
    """Prepare what was earned so far; the older one was agreed to and paid, the newest one waits."""
    clerk = stage.staff["partners"]
    try:
        payout = payout_prepare(
            partner_id=partner.pk, cut_off=clock.now(), actor=clerk, reason="fortnight's commission"
        )
    except DomainError:
        return
    try:
        payout = payout_submit(payout_id=payout.pk, actor=clerk, reason="fortnight's commission")
    except RefusedByRule as refusal:
        payout_cancel(payout_id=payout.pk, actor=clerk, reason=str(refusal))
        return
    if agree and payout.approval_id is not None:
        approval_vote(
            approval_id=payout.approval_id,
            actor=stage.staff["finance"],
            verdict="APPROVE",
            reason="lines agree with the statement",
        )
