"""Work on the clock."""

from __future__ import annotations

from celery import shared_task

from apps.core.actor import Actor
from apps.kyc.services import documents_age


@shared_task(name="kyc.age_documents")
def age_documents() -> int:
    """Let documents whose date has come expire. Once a day."""
    return documents_age(actor=Actor.system("clock"))
