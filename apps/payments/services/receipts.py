"""What a provider's message led to."""

from __future__ import annotations

from uuid import UUID

from apps.core.actor import Actor
from apps.core.commands import command
from apps.payments.enums import ReceiptOutcome
from apps.payments.models import WebhookOutcome

PSP = Actor.system("payments")
Answer = tuple[ReceiptOutcome, str]


@command
def receipt_close(*, receipt_id: UUID, answer: Answer, subject_id: UUID | None) -> None:
    outcome_write(receipt_id, answer, subject_id)


def outcome_write(receipt_id: UUID | None, answer: Answer, subject_id: UUID | None) -> None:
    """Keep what a message led to; part of the command that it led to."""
    if receipt_id is None:
        return
    outcome, detail = answer
    WebhookOutcome.objects.bulk_create(
        [
            WebhookOutcome(
                receipt_id=receipt_id, outcome=outcome, detail=detail[:300], subject_id=subject_id
            )
        ],
        ignore_conflicts=True,
    )
