"""Work on the clock."""

from __future__ import annotations

from celery import shared_task

from apps.clients.services import restrictions_expire
from apps.core.actor import Actor


@shared_task(name="clients.expire_restrictions")
def expire_restrictions() -> int:
    """Record restrictions whose time is over, so that platforms hear of it. Every minute."""
    return restrictions_expire(actor=Actor.system("clock"))
