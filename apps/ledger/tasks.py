from __future__ import annotations

from celery import shared_task

from apps.core.actor import Actor
from apps.ledger import services


@shared_task(name="ledger.holds_expire")
def holds_expire() -> None:
    services.holds_expire(actor=Actor.system("ledger"))
