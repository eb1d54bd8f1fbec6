"""The outside world while the past is made: platform and payment provider over HTTP in this process, past prices."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from standardwebhooks.webhooks import Webhook

from apps.accounts.adapters import simulator as platform_simulator
from apps.accounts.models import PlatformServer
from apps.core.redis import redis_client
from apps.market.feeding import QuotePublisher, Tick
from apps.market.models import Candle, Instrument
from apps.market.quotes import HEARTBEAT, STREAM, to_us
from apps.market.selectors import is_open
from apps.market.services.archive import history_generate
from apps.orders.host.gate import inline_engine
from apps.orders.host.shards import instructions_stream
from apps.payments.adapters import simulator as payment_simulator
from apps.payments.services.webhooks import webhook_receive

PROVIDER = "psp-sim"
HOUR = timedelta(hours=1)
DEMO_HASH_ITERATIONS = 1_000


class SeedProvider(payment_simulator.Provider):
    """The simulated provider, whose messages go straight to the service that the hook's view calls."""

    def _deliver(self, message: Any) -> None:
        at = datetime.fromtimestamp(time.time(), UTC)
        secret = settings.PAYMENT_PROVIDERS[PROVIDER]["webhook_secrets"][0]
        headers = {
            "webhook-id": message["event_id"],
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(message["event_id"], at, message["body"]),
        }
        webhook_receive(provider_code=PROVIDER, raw=message["body"].encode(), headers=headers)
        self.store.delivered(message["number"])

    def has_work(self) -> bool:
        """Whether something of the provider's own is due now."""
        return bool(self.store.due_objects() or self.store.waiting_messages())


@dataclass(frozen=True)
class Outside:
    """Handles on the simulators, so that the story can make them misbehave."""

    provider: SeedProvider
    platform: Any

    @contextmanager
    def platform_full(self) -> Iterator[None]:
        """The platform has no logins left."""
        book = self.platform.book
        kept, book._capacity = book._capacity, 0
        try:
            yield
        finally:
            book._capacity = kept


@contextmanager
def outside_world(home: Path) -> Iterator[Outside]:
    """Both simulators on free ports with the homes that the demo's own will use afterwards."""
    platform = platform_simulator.start(port=0, home=home / "platform")
    psp = payment_simulator.start(port=0, home=home / "psp", working=False)
    psp.provider.store._do("PRAGMA synchronous = OFF")
    psp.provider = SeedProvider(
        psp.provider.store,
        address=psp.provider.address,
        webhook_url="",
        webhook_secret=settings.PAYMENT_PROVIDERS[PROVIDER]["webhook_secrets"][0],
        payout_seconds=0.0,
        settle_seconds=0.0,
    )
    psp.RequestHandlerClass.provider = psp.provider  # type: ignore[attr-defined]
    configured = settings.PAYMENT_PROVIDERS[PROVIDER]
    kept = configured["address"]
    servers = dict(PlatformServer.objects.values_list("pk", "address"))
    configured["address"] = psp.provider.address
    PlatformServer.objects.update(address=f"http://127.0.0.1:{platform.server_address[1]}")
    try:
        with inline_engine():
            yield Outside(psp.provider, platform.RequestHandlerClass)
    finally:
        configured["address"] = kept
        for pk, address in servers.items():
            PlatformServer.objects.filter(pk=pk).update(address=address)
        platform.shutdown()
        platform.server_close()
        psp.shutdown()
        psp.provider.store.close()
        redis_client().delete(instructions_stream(settings.ENGINE_SHARDS[0]), STREAM, HEARTBEAT)


@contextmanager
def quick_passwords() -> Iterator[None]:
    """Sixty logins in seconds. Each is hashed at full strength with its first sign-in, as Django does it."""
    kept = PBKDF2PasswordHasher.iterations
    PBKDF2PasswordHasher.iterations = DEMO_HASH_ITERATIONS
    try:
        yield
    finally:
        PBKDF2PasswordHasher.iterations = kept


@contextmanager
def quick_commits() -> Iterator[None]:
    """A seed that is interrupted is made anew, so nobody waits for the disk after each of its commits."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


class Prices:
    """Past prices as the charts show them: an hour's bar, walked from its opening to its close."""

    def __init__(self, *, days: int, seed: int) -> None:
        if not Candle.objects.exists():
            history_generate(days=days, seed=seed)
        self.instruments = {
            item.symbol: item for item in Instrument.objects.select_related("calendar")
        }
        self._bars: dict[str, tuple[list[datetime], list[tuple[int, int, int]]]] = {}
        rows = Candle.objects.filter(interval="H1").order_by("symbol", "starts_at")
        for symbol, start, opened, closed, spread in rows.values_list(
            "symbol", "starts_at", "open", "close", "spread_min"
        ):
            starts, values = self._bars.setdefault(symbol, ([], []))
            starts.append(start)
            values.append((opened, closed, spread))
        digits = {symbol: item.digits for symbol, item in self.instruments.items()}
        self._digits = digits
        self._told: dict[str, int] = {}

    def tick(self, symbol: str, at: datetime) -> Tick | None:
        """The price of that moment, or the last one before it while the market is closed."""
        starts, values = self._bars.get(symbol, ([], []))
        place = bisect.bisect_right(starts, at) - 1
        if place < 0:
            return None
        opened, closed, spread = values[place]
        share = min((at - starts[place]) / HOUR, 1.0)
        tick = max(1, int(self.instruments[symbol].tick_size.scaleb(self._digits[symbol])))
        bid = round((opened + (closed - opened) * share) / tick) * tick
        stamp = at if share < 1.0 else starts[place] + HOUR - timedelta(milliseconds=1)
        return Tick(symbol, bid, bid + max(spread, tick), to_us(stamp))

    def publish(self, at: datetime) -> None:
        """Make the prices of that moment the last ones; those that did not move are left alone."""
        ticks = []
        for symbol in self.instruments:
            tick = self.tick(symbol, at)
            if tick is not None and self._told.get(symbol) != tick.ts_us:
                self._told[symbol] = tick.ts_us
                ticks.append(tick)
        QuotePublisher("SIMULATED", self._digits).publish(ticks)

    def is_open(self, symbol: str, at: datetime) -> bool:
        return is_open(self.instruments[symbol], at)


def start_of_day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
