"""Work on the clock."""

from __future__ import annotations

from celery import shared_task

from apps.clients.services import exports_expire, restrictions_expire, retention_preview
from apps.core.actor import Actor


@shared_task(name="clients.expire_restrictions")
def expire_restrictions() -> int:
    """Record restrictions whose time is over, so that platforms hear of it. Every minute."""
    return restrictions_expire(actor=Actor.system("clock"))


@shared_task(name="clients.expire_exports")
def expire_exports() -> int:
    """Remove archives that nobody fetched in time. Every hour."""
    return exports_expire(actor=Actor.system("clock"))


@shared_task(name="clients.preview_retention")
def preview_retention() -> bool:
    """Show what has passed its term; purging it is people's decision. Once a day."""
    return retention_preview(actor=Actor.system("retention")) is not None
