"""Everything about one withdrawal on one paper: who approved, which checks ran, what changed, why, the money."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import translation

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.models import ApprovalVote, AuditRecord
from apps.core.papers import Paper, Section, people, printed, text
from apps.ledger.models import Transfer
from apps.payments.models import Withdrawal
from apps.payments.permissions import VIEW_PAYMENTS
from apps.payments.selectors import withdrawal_get
from apps.payments.services.checks import LABELS
from apps.rules.models import DecisionLog
from apps.rules.panels import point_title, shown_inputs
from apps.rules.points import POINTS

PRINT = "withdrawal.dossier"
_MOST = 500


@command
def dossier_print(*, withdrawal_id: UUID, actor: Actor) -> bytes:
    """The signed document; that it was taken along is on record.

    Raises `NotAllowed`, `NotVisible`, `SigningKeyMissing`.
    """
    actor.require(VIEW_PAYMENTS)
    withdrawal = withdrawal_get(withdrawal_id, actor=actor)
    raw = printed(dossier_paper(withdrawal))
    audit(
        actor=actor,
        action=PRINT,
        subject=withdrawal,
        client_id=withdrawal.client_id,
        reason="the signed dossier was taken",
    )
    return raw


def dossier_paper(withdrawal: Withdrawal) -> Paper:
    """The paper of a withdrawal that the caller may see. Bank and card numbers stand on it masked."""
    with translation.override("en"):
        acts = _acts(withdrawal)
        decisions = list(_decisions(withdrawal))
        transfers = list(_transfers(withdrawal))
        votes = _votes(withdrawal)
        checks = list(withdrawal.checks.order_by("run", "position"))
        moments = [
            withdrawal.created_at,
            *(act.at for act in acts),
            *(check.at for check in checks),
            *(vote.at for vote in votes),
            *(transfer.created_at for transfer in transfers),
        ]
        return Paper(
            kind="withdrawal-dossier",
            id=str(withdrawal.pk),
            title="Withdrawal dossier",
            subtitle=f"{withdrawal.amount}, {withdrawal.get_state_display()}",
            at=max(moments),
            sections=[
                _facts(withdrawal),
                Section(
                    title="Approvals",
                    head=["When", "Who", "Verdict", "Why"],
                    rows=[
                        [
                            text(vote.at),
                            vote.voter_label + (f" (on behalf of {vote.on_behalf_label})" if vote.on_behalf_of else ""),
                            vote.verdict,
                            vote.reason,
                        ]
                        for vote in votes
                    ],
                    widths=[22, 24, 14, 40],
                    note="" if votes else f"{withdrawal.approvals_required} were needed; nobody has voted.",
                ),
                Section(
                    title="Checks",
                    head=["Run", "Check", "Result", "What was seen"],
                    rows=[
                        [str(check.run), str(LABELS.get(check.code, check.code)), check.result, text(check.evidence)]
                        for check in checks
                    ],
                    widths=[8, 30, 14, 48],
                    note="" if checks else "No check has run yet.",
                ),
                *(_decision(receipt) for receipt in decisions),
                Section(
                    title="Changes",
                    head=["When", "Who", "What changed"],
                    rows=[[text(act.at), act.actor_label, _change(act)] for act in acts if act.after],
                    widths=[22, 22, 56],
                ),
                Section(
                    title="Money",
                    head=["When", "Entry", "Debited", "Credited", "Phase", "Amount"],
                    rows=[
                        [
                            text(row.created_at),
                            row.entry.kind,
                            _place(row.debit),
                            _place(row.credit),
                            row.phase,
                            str(row.money),
                        ]
                        for row in transfers
                    ],
                    widths=[19, 17, 20, 20, 9, 15],
                    note="" if transfers else "No money has moved or been held.",
                ),
                people(acts),
            ],
        )  # fmt: skip


def _facts(withdrawal: Withdrawal) -> Section:
    return Section(
        title="Withdrawal",
        facts=[
            ("Client", withdrawal.client.number),
            ("Amount", str(withdrawal.amount)),
            ("Fee", str(withdrawal.fee)),
            ("Reaches the client", str(withdrawal.net)),
            ("To", withdrawal.destination.masked),
            ("Method", str(withdrawal.get_method_display())),
            ("Provider", withdrawal.provider.name),
            ("State", str(withdrawal.get_state_display())),
            ("Ended as", text(withdrawal.get_outcome_display() if withdrawal.outcome else "")),
            ("Why", text(withdrawal.why)),
            ("Flagged", text(withdrawal.flagged.replace("\n", "; "))),
            ("Asked", text(withdrawal.created_at)),
            ("Approved", text(withdrawal.approved_at)),
            ("Submitted", text(withdrawal.submitted_at)),
            ("Sent", text(withdrawal.sent_at)),
            ("Ended", text(withdrawal.ended_at)),
        ],
    )


def _acts(withdrawal: Withdrawal) -> list[AuditRecord]:
    about = Q(subject_type=withdrawal._meta.label, subject_id=str(withdrawal.pk))
    if withdrawal.approval_id:
        about |= Q(approval_id=withdrawal.approval_id)
        about |= Q(subject_type="core.Approval", subject_id=str(withdrawal.approval_id))
    found = AuditRecord.objects.filter(about).exclude(action=PRINT).order_by("id")
    return list(found[:_MOST])


def _votes(withdrawal: Withdrawal) -> list[ApprovalVote]:
    if withdrawal.approval_id is None:
        return []
    return list(ApprovalVote.objects.filter(approval_id=withdrawal.approval_id).order_by("id"))


def _decisions(withdrawal: Withdrawal) -> Iterable[DecisionLog]:
    about = Q(subject_type=withdrawal._meta.label, subject_id=str(withdrawal.pk))
    if withdrawal.decision_id:
        about |= Q(pk=withdrawal.decision_id)
    return DecisionLog.objects.filter(about).order_by("decided_at", "id")[:_MOST]


def _decision(receipt: DecisionLog) -> Section:
    point = POINTS.get(receipt.point)
    return Section(
        title=f"Decision: {point_title(receipt.point)}, {receipt.get_outcome_display()}",
        facts=[
            ("Receipt", str(receipt.pk)),
            ("Decided", text(receipt.decided_at)),
            ("Rules", receipt.version_label),
            ("Reasons", text([reason["text"] or reason["code"] for reason in receipt.reasons])),
            *((str(label), text(value)) for label, _, value in shown_inputs(point, receipt.inputs)),
        ],
    )


def _transfers(withdrawal: Withdrawal) -> Iterable[Transfer]:
    return (
        Transfer.objects.filter(
            Q(entry__idempotency_key__startswith=f"withdrawal:{withdrawal.pk}:")
            | Q(pending_id=withdrawal.hold_id, pending__isnull=False)
        )
        .select_related("entry", "debit", "credit")
        .order_by("id")[:_MOST]
    )


def _place(account: Any) -> str:
    return str(account.get_kind_display())


def _change(act: AuditRecord) -> str:
    return "; ".join(
        f"{name}: {text(act.before[name])} to {text(value)}" if name in act.before else f"{name}: {text(value)}"
        for name, value in act.after.items()
    )  # fmt: skip
