"""Scheduled work, each a thin call of a service."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from apps.core import clock
from apps.orders.services import trading_day_end


@shared_task(name="orders.end_trading_day")
def end_trading_day() -> None:
    """DAY orders from before the last midnight expire; run as often as you like, it counts once a day."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for shard in settings.ENGINE_SHARDS:
        trading_day_end(shard=shard, at=midnight)
