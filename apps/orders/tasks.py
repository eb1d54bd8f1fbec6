"""Scheduled work, each a thin call of a service."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from apps.core import clock
from apps.orders.services import trading_day_end


@shared_task
def end_trading_day() -> None:
    """At the server's midnight: DAY orders expire."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for shard in settings.ENGINE_SHARDS:
        trading_day_end(shard=shard, at=midnight)
