"""Scenes of trading: orders at the prices of their moments, through the order engine itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from apps.core import clock
from apps.core.errors import DomainError
from apps.orders.adapters.protocol import ReportKind, VenueReport
from apps.orders.models import ChildOrder, Position
from apps.orders.selectors import account_equity
from apps.orders.services import order_submit, position_close, venue_report_submit
from apps.portal.seed.stage import Role, Stage

SYMBOLS = {
    "FX": ("EURUSD", "GBPUSD", "USDJPY", "EURGBP", "AUDUSD", "USDCHF"),
    "METAL": ("XAUUSD", "XAGUSD", "EURUSD"),
    "INDEX": ("US500", "DE40", "NAS100", "UK100"),
    "EQUITY": ("AAPL", "MSFT", "GOOG"),
    "CRYPTO": ("BTCUSD", "ETHUSD", "SOLUSD"),
}
LOTS = {
    "FX": ("0.05", "0.08", "0.10", "0.15", "0.20"),
    "METAL": ("0.01", "0.02", "0.05"),
    "INDEX": ("0.10", "0.20", "0.50"),
    "EQUITY": ("1", "2", "5"),
    "CRYPTO": ("0.01", "0.02", "0.05"),
}
BIG = Decimal("5.20")


def begin(stage: Stage, role: Role) -> None:
    """Plan the client's trades over the days that are left."""
    moment = clock.now()
    days = (stage.timeline.end - moment).total_seconds() / 86_400
    for _trade in range(min(5, 1 + int(days / 8))):
        opened = _trading_moment(
            stage, role, moment + timedelta(days=role.rng.uniform(0, max(days - 1, 0.2)))
        )
        if opened is not None:
            stage.timeline.at(opened, lambda: _open(stage, role, stays=False))
    if role.marked("big"):
        stage.timeline.at(
            moment + timedelta(days=2), lambda: _open(stage, role, stays=False, lots=BIG)
        )
    if role.marked("position"):
        last = _trading_moment(
            stage, role, stage.timeline.end - timedelta(hours=role.rng.uniform(2, 20))
        )
        if last is not None:
            stage.timeline.at(last, lambda: _open(stage, role, stays=True))
    if role.marked("resting"):
        stage.timeline.at(stage.timeline.end - timedelta(hours=3), lambda: _rest(stage, role))


def _symbols(role: Role) -> tuple[str, ...]:
    return SYMBOLS[role.player.style]


def _trading_moment(stage: Stage, role: Role, wanted: datetime) -> datetime | None:
    """The nearest moment, looking back, at which the client's market is open."""
    for _hour in range(80):
        if stage.prices.is_open(_symbols(role)[0], wanted):
            return wanted
        wanted -= timedelta(hours=1)
    return None


def _open(stage: Stage, role: Role, *, stays: bool, lots: Decimal | None = None) -> None:
    symbol = role.rng.choice(_symbols(role)) if lots is None else "EURUSD"
    if not stage.prices.is_open(symbol, clock.now()):
        return
    quantity = lots or _affordable(stage, role, symbol)
    if quantity is None:
        return
    stage.prices.publish(clock.now())
    try:
        reply = order_submit(
            account_id=role.account,
            client_order_id=role.key("order")[:40],
            symbol=symbol,
            side=role.rng.choice(("BUY", "SELL")),
            type="MARKET",
            quantity=quantity,
            actor=role.who,
            source="PORTAL",
        )
    except DomainError:
        return
    if reply.order_id is not None:
        fill_at_venues(stage, reply.order_id)
    if stays or not reply.accepted:
        return
    hold = timedelta(minutes=role.rng.choice((6, 25, 90, 240, 700, 2000)))
    moment = _trading_moment(stage, role, clock.now() + hold)
    if moment is None or moment <= clock.now():
        moment = clock.now() + timedelta(minutes=6)
    stage.timeline.at(moment, lambda: _close(stage, role))


def _affordable(stage: Stage, role: Role, symbol: str) -> Decimal | None:
    """A usual size, made smaller until its margin is a small part of the equity."""
    equity = account_equity(role.account)
    sizes = [Decimal(size) for size in LOTS[role.player.style]]
    wanted = role.rng.choice(sizes)
    room = equity.equity.amount / Decimal(2_000)
    step = stage.prices.instruments[symbol].lot_step
    size = wanted * min(Decimal(6), room) // step * step
    return size if size >= stage.prices.instruments[symbol].min_lot else None


def fill_at_venues(stage: Stage, order_id: int) -> None:
    """What liquidity providers answer to orders that were passed on: filled at the market of that moment."""
    for child in ChildOrder.objects.open().filter(order_id=order_id).order_by("id"):
        tick = stage.prices.tick(child.symbol, clock.now())
        if tick is None:
            continue
        venue_report_submit(
            VenueReport(
                kind=ReportKind.FILL,
                child_id=child.id,
                venue=child.venue,
                exec_id=f"SEED-{child.id}",
                steps=child.steps,
                price_points=tick.ask if child.side == 1 else tick.bid,
                cum_steps=child.steps,
                venue_order_id=f"V{child.id}",
            )
        )


def _close(stage: Stage, role: Role) -> None:
    """Close the oldest position that may be closed now, sometimes in two parts."""
    for position in Position.objects.open().filter(account_id=role.account).order_by("id"):
        if not stage.prices.is_open(position.symbol, clock.now()):
            continue
        stage.prices.publish(clock.now())
        try:
            reply = position_close(
                position_id=position.id,
                client_order_id=role.key("close")[:40],
                actor=role.who,
                source="PORTAL",
            )
        except DomainError:
            return
        if reply.order_id is not None:
            fill_at_venues(stage, reply.order_id)
        return


def _rest(stage: Stage, role: Role) -> None:
    """A limit order that waits for a better price."""
    symbol = "EURUSD"
    tick = stage.prices.tick(symbol, clock.now())
    if tick is None or not stage.prices.is_open(symbol, clock.now()):
        return
    stage.prices.publish(clock.now())
    digits = stage.prices.instruments[symbol].digits
    order_submit(
        account_id=role.account,
        client_order_id=role.key("limit")[:40],
        symbol=symbol,
        side="BUY",
        type="LIMIT",
        quantity=Decimal("0.05"),
        limit_price=Decimal(tick.bid - 900).scaleb(-digits),
        actor=role.who,
        source="PORTAL",
    )
