"""A policy is changed like everything else that matters: proposed by one person, put in force by another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.approvals.effects import approves
from apps.core.approvals.errors import PolicyInvalid, PolicyWaits
from apps.core.approvals.policies import (
    checksum,
    filed,
    new_version,
    policy_data,
    policy_words,
    put_in_force,
)
from apps.core.approvals.requests import approval_request
from apps.core.commands import command
from apps.core.locks import lock_row
from apps.core.models import Approval, ApprovalPolicy
from apps.core.permissions import CHANGE_POLICY

ACTION = "core.approval_policy"


@command
def policy_propose(*, action: str, content: dict[str, Any], actor: Actor, reason: str) -> Approval:
    """Propose another version of who must agree to `action`. Raises `NotAllowed`, `PolicyInvalid`, `PolicyWaits`."""
    actor.require(CHANGE_POLICY)
    data, plain = policy_data(content), msgspec.to_builtins(content)
    rows = ApprovalPolicy.objects.filter(action=action)
    if rows.filter(state=ApprovalPolicy.State.PROPOSED).exists():
        raise PolicyWaits
    before = rows.filter(state=ApprovalPolicy.State.ACTIVE).first()
    stands = before.content if before is not None else filed().get(action)
    if stands is None:
        raise PolicyInvalid(problems=f"no action is named {action}")
    proposed = new_version(action, plain, ApprovalPolicy.Source.STAFF)
    proposed.save_as(actor, reason, action="policy.propose")
    return approval_request(
        action=ACTION,
        title=_("Who must agree to {action}: version {version}").format(
            action=action, version=proposed.version
        ),
        payload={"policy_id": str(proposed.pk), "checksum": proposed.checksum},
        permission=CHANGE_POLICY,
        actor=actor,
        reason=reason,
        subject=proposed,
        diff=_difference(policy_data(stands), data),
    )


def _difference(before: Any, after: Any) -> list[tuple[str, Any, Any, Any]]:
    lines: list[tuple[str, Any, Any, Any]] = [
        ("bands", _("Who must agree"), policy_words(before), policy_words(after))
    ]
    for name, label in (
        ("base_currency", _("Currency of the limits")),
        ("emergency", _("Emergency path")),
        ("review_hours", _("Hours for the review afterwards")),
        ("expires_hours", _("Hours until it expires")),
    ):
        if getattr(before, name) != getattr(after, name):
            lines.append((name, label, getattr(before, name), getattr(after, name)))
    return lines


def _in_force(approval: Approval) -> dict[str, Any]:
    """The version that the proposal was written against."""
    proposed = ApprovalPolicy.objects.get(pk=approval.payload["policy_id"])
    active = ApprovalPolicy.objects.filter(
        action=proposed.action, state=ApprovalPolicy.State.ACTIVE
    ).first()
    return {"version in force": active.version if active is not None else 0}


def _discard(approval: Approval, *, actor: Actor) -> None:
    proposed = lock_row(ApprovalPolicy.objects.all(), UUID(approval.payload["policy_id"]))
    proposed.discard(by=actor, reason=approval.reason)
    proposed.save_as(actor, approval.reason, action="policy.discard")


@approves(ACTION, on_reject=_discard, base=_in_force)
def _activate(approval: Approval, *, actor: Actor) -> None:
    proposed = lock_row(ApprovalPolicy.objects.all(), UUID(approval.payload["policy_id"]))
    if checksum(proposed.content) != approval.payload["checksum"]:
        raise PolicyInvalid(problems="its content is another than was agreed to")
    put_in_force(proposed, actor, approval.reason)
