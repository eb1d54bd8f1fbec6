"""What approvals put into the inbox: what one may decide, what one was asked, and emergencies to review."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.actor import Actor
from apps.core.approvals.chain import current_stage
from apps.core.approvals.effects import EFFECTS
from apps.core.approvals.people import identities
from apps.core.approvals.standing import cast_of, chain_of, counted, spent_by
from apps.core.models import Approval, EmergencyReview
from apps.core.panels import QueueRow, register_queue
from apps.core.permissions import REVIEW_EMERGENCY, VIEW_APPROVAL


def page_of(approval_id: object) -> str:
    return reverse("admin:core_approval_change", args=[approval_id])


def decidable(actor: Actor) -> list[Approval]:
    """Open requests in scope that this person may decide on by their own permissions, oldest first."""
    rows = list(
        Approval.objects.visible_to(actor)
        .filter(state=Approval.State.PENDING)
        .exclude(maker_id=actor.id)
        .prefetch_related("votes__void")
        .order_by("created_at")
    )
    own = identities(actor, [gain for row in rows for gain in row.beneficiary_ids])
    return [row for row in rows if _mine_to_decide(row, actor, own)]


def _mine_to_decide(approval: Approval, actor: Actor, own: frozenset[str]) -> bool:
    votes = counted(approval.votes.all(), approval.round)
    place = current_stage(chain_of(approval), cast_of(votes))
    if place is None or actor.id in spent_by(approval, approval.votes.all()):
        return False
    if own & set(approval.beneficiary_ids):
        return False
    return any(actor.allows(code) for code in chain_of(approval)[place].permissions)


def _to_decide(actor: Actor) -> Iterator[QueueRow]:
    for row in decidable(actor):
        effect = EFFECTS.get(row.action)
        if effect is None or effect.own_queue:
            continue
        yield QueueRow(
            label=f"{row.title} {row.amount}".strip(),
            url=page_of(row.pk),
            since=row.created_at,
            sla_due=row.stage_due_at,
            severity=row.severity.lower(),
            owner=row.claimed_label if row.claimed_now_by else "",
            next_action=_("Approve, reject or ask"),
            key=str(row.pk),
        )


def _asked_of_me(actor: Actor) -> Iterator[QueueRow]:
    """The maker's own: questions to answer, and what is late or about to expire undecided."""
    rows = Approval.objects.filter(maker_id=actor.id).open().order_by("created_at")
    for row in rows:
        returned = row.state == Approval.State.RETURNED
        if not returned and not row.is_overdue and row.severity == "NORMAL":
            continue
        yield QueueRow(
            label=row.title,
            url=page_of(row.pk),
            since=row.updated_at,
            sla_due=row.expires_at,
            severity="high" if returned else row.severity.lower(),
            owner=row.maker_label,
            next_action=row.question if returned else _("Nobody has decided yet"),
            key=str(row.pk),
        )


def _to_review(actor: Actor) -> Iterator[QueueRow]:
    rows = EmergencyReview.objects.filter(
        state=EmergencyReview.State.DUE, approval__in=Approval.objects.visible_to(actor)
    ).exclude(executed_by=actor.id)
    for row in rows.exclude(maker_id=actor.id).select_related("approval").order_by("due_at"):
        yield QueueRow(
            label=row.approval.title,
            url=page_of(row.approval_id),
            since=row.created_at,
            sla_due=row.due_at,
            severity="critical",
            next_action=_("Say whether {who} was right").format(who=row.executed_label),
            key=str(row.approval_id),
        )


register_queue("core.approvals", gettext_lazy("Approvals"), VIEW_APPROVAL, _to_decide)
register_queue("core.asked", gettext_lazy("Asked by me"), VIEW_APPROVAL, _asked_of_me)
register_queue(
    "core.emergencies", gettext_lazy("Emergencies to review"), REVIEW_EMERGENCY, _to_review
)
