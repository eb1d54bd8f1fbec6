"""A decision as a signed paper: what was asked, what each row said, who acted on it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.utils import translation

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import NotVisible
from apps.core.models import AuditRecord
from apps.core.papers import Paper, Section, people, printed, text
from apps.rules.models import DecisionLog
from apps.rules.panels import point_title, shown_checks, shown_inputs, shown_sources
from apps.rules.permissions import VIEW_DECISIONS
from apps.rules.points import POINTS

PRINT = "receipt.print"
_RESULTS = {
    "HIT": "applies",
    "MISS": "does not apply",
    "ERROR": "could not answer",
    "OUT_OF_SCOPE": "out of scope",
    "NOT_IN_FORCE": "not in force then",
}


@command
def receipt_print(*, decision_id: UUID, actor: Actor) -> bytes:
    """The signed document of one decision; that it was taken along is on record.

    Personal inputs are on it as they are kept: as keyed digests. The same receipt is the same bytes until somebody
    acts on the decision again. Raises `NotAllowed`, `NotVisible`, `SigningKeyMissing`.
    """
    actor.require(VIEW_DECISIONS)
    receipt = DecisionLog.objects.visible_to(actor).filter(pk=decision_id).first()
    if receipt is None:
        raise NotVisible
    raw = printed(receipt_paper(receipt))
    audit(
        actor=actor,
        action=PRINT,
        subject=receipt,
        client_id=receipt.client_id,
        decision_id=receipt.pk,
        reason="the signed document was taken",
    )
    return raw


def acts_on(decision_id: UUID) -> list[AuditRecord]:
    """What was done on the grounds of a decision, and by the approvals that it led to, oldest first."""
    own = AuditRecord.objects.filter(decision_id=decision_id)
    approvals = set(own.exclude(approval_id=None).values_list("approval_id", flat=True))
    found = AuditRecord.objects.filter(Q(decision_id=decision_id) | Q(approval_id__in=approvals))
    return list(found.exclude(action=PRINT).order_by("id")[:200])


def receipt_paper(receipt: DecisionLog) -> Paper:
    with translation.override("en"):
        acts = acts_on(receipt.pk)
        point = POINTS.get(receipt.point)
        duties = {item.name: str(item.label) for item in point.obligations} if point else {}
        checks = [
            [
                check["code"],
                text(check["rule"].when if check["rule"] else ""),
                _RESULTS.get(check["result"], "not asked"),
                check["rule"].outcome if check["rule"] and check["result"] == "HIT" else "-",
            ]
            for check in shown_checks(receipt)
        ]
        return Paper(
            kind="decision-receipt",
            id=str(receipt.pk),
            title="Decision receipt",
            subtitle=f"{point_title(receipt.point)}: {receipt.get_outcome_display()}",
            at=max([receipt.decided_at, *(act.at for act in acts)]),
            sections=[
                Section(
                    title="Decision",
                    facts=[
                        ("Outcome", f"{receipt.outcome} ({receipt.get_outcome_display()})"),
                        ("Decided", text(receipt.decided_at)),
                        ("Decision point", receipt.point),
                        ("Entity", text(receipt.entity)),
                        ("Asked for", f"{receipt.actor_label} ({receipt.actor_kind})"),
                        ("About", text(f"{receipt.subject_type} {receipt.subject_id}".strip())),
                        ("Client", text(receipt.client_id)),
                        ("Request", text(receipt.request_id)),
                    ],
                ),
                Section(
                    title="Reasons",
                    head=["Code", "Reason", "Row"],
                    rows=[
                        [text(reason["code"]), text(reason["text"]), text(reason["rule"])]
                        for reason in receipt.reasons
                    ],
                    note="" if receipt.reasons else "No row objected.",
                    widths=[25, 50, 25],
                ),
                Section(
                    title="Inputs",
                    facts=[
                        *((str(label), text(value)) for label, _, value in shown_inputs(point, receipt.inputs)),
                        *((p["field"], f"unusable: {p['code']}") for p in receipt.problems),
                    ],
                    note="Personal inputs stand here as keyed digests, equal for equal values.",
                ),
                Section(
                    title="Each row that was asked",
                    head=["Row", "Condition", "Said", "Outcome"],
                    rows=checks,
                    widths=[24, 46, 17, 13],
                    note="" if checks else "No rules were in force, so the answer is no.",
                ),
                Section(
                    title="Obligations",
                    facts=[
                        (duties.get(name, name), text(value))
                        for name, value in receipt.obligations.items()
                    ],
                    note="" if receipt.obligations else "None.",
                ),
                Section(
                    title="Versions that answered",
                    head=["Rule set", "Version", "Checksum", "Still the same"],
                    rows=[
                        [
                            source["key"],
                            str(source["version"]),
                            source["checksum"][:24],
                            "yes" if source["intact"] else "no",
                        ]
                        for source in shown_sources(receipt)
                    ],
                    widths=[34, 12, 38, 16],
                ),
                people(acts),
            ],
        )  # fmt: skip
