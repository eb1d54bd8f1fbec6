"""`manage.py venue_gateway`: child orders to the venues, their reports to the engine."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from apps.core import clock
from apps.core.redis import redis_client
from apps.market.quotes import to_us
from apps.orders.adapters.protocol import ChildInstruction, VenueReport
from apps.orders.adapters.venues import adapters
from apps.orders.adapters.venues.gateway import VenueGateway
from apps.orders.host import shards
from apps.orders.selectors import child_orders_to_send
from apps.orders.services import venue_report_submit

SILENT_US = 3_000_000


class Command(BaseCommand):
    help = "Connect to every venue; send child orders, bring their reports back."

    def handle(self, *args: Any, **options: Any) -> None:
        gateway = VenueGateway(
            adapters(),
            client=redis_client(),
            streams=[shards.instructions_stream(shard) for shard in settings.ENGINE_SHARDS],
            submit=submit,
            overdue=overdue,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: gateway.stop())
        self.stdout.write(f"gateway: {', '.join(sorted(gateway.workers)) or 'no venues'}")
        gateway.run()
        self.stdout.write("gateway: stopped")


def submit(report: VenueReport) -> bool:
    close_old_connections()
    return venue_report_submit(report)


def overdue() -> Iterator[ChildInstruction]:
    """Open child orders of all shards that are older than an instruction takes to arrive."""
    close_old_connections()
    latest = to_us(clock.now()) - SILENT_US
    for shard in settings.ENGINE_SHARDS:
        for instruction in child_orders_to_send(shard):
            if instruction.created_us < latest:
                yield instruction
