"""A liquidity provider's mind, free of sockets and clocks: it takes a request and says what it reports, and when.

Three temperaments (`PROFILES`) differ in latency, spread, size and last look. Faults come on demand and are
counted down, so a test knows exactly which order met which fault.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from apps.orders.adapters.venues.wire import CancelOrder, NewOrder, Report, StatusRequest

BUY = 1
FILL_OR_KILL = "4"


class Prices(NamedTuple):
    """The market as the provider sees it, before its own spread."""

    bid: Decimal
    ask: Decimal


@dataclass(frozen=True)
class VenueSpec:
    """A symbol at this venue: its price step and its quantity step."""

    symbol: str
    tick: Decimal
    quantity_step: Decimal


@dataclass(frozen=True)
class Profile:
    """How a provider behaves on a good day. Latencies in milliseconds, extra spread in ticks per side."""

    code: str
    latency_ms: float
    jitter_ms: float
    extra_ticks: int
    clip_steps: int
    last_look_ms: float
    reject_share: float


PROFILES = {
    "LP_ALPHA": Profile("LP_ALPHA", 6, 3, 0, 0, 0, 0.0),
    "LP_BRAVO": Profile("LP_BRAVO", 18, 8, 1, 500, 0, 0.002),
    "LP_CHARLIE": Profile("LP_CHARLIE", 30, 20, 0, 0, 60, 0.01),
}


@dataclass
class Faults:
    """What shall go wrong. Numbers count orders (0 = none); `*_ms` adds delay; `share` is a ratio."""

    latency_ms: float = 0
    reject: int = 0
    last_look: int = 0
    partial: int = 0
    partial_share: float = 0.5
    duplicate: int = 0
    out_of_order: int = 0
    silent: int = 0
    lost: int = 0

    def set(self, values: dict[str, Any]) -> None:
        """Raises ValueError for a fault that does not exist or a value that is no number."""
        known = {f.name for f in fields(self)}
        for name, value in values.items():
            if name not in known or isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"there is no fault {name}={value!r}")
            setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Whether this order meets the fault; counts it down."""
        left = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return bool(left > 0)

    def as_dict(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


class Timed(NamedTuple):
    """A report and how long after the request it goes out."""

    delay_ms: float
    report: Report


@dataclass
class BookedOrder:
    """An order that the provider knows, with everything it has reported."""

    cl_ord_id: str
    order_id: str
    reports: list[Report] = field(default_factory=list)

    @property
    def is_ended(self) -> bool:
        kinds = {report.kind for report in self.reports}
        return bool(kinds & {"REJECTED", "CANCELED", "EXPIRED"}) or "FILL" in kinds


PriceSource = Callable[[str], Prices | None]


class LiquidityProvider:
    """Answers requests. Every order it ever took is remembered by its client's id."""

    def __init__(
        self,
        profile: Profile,
        specs: Iterable[VenueSpec],
        prices: PriceSource,
        *,
        seed: int = 1,
    ) -> None:
        self.profile = profile
        self.specs = {spec.symbol: spec for spec in specs}
        self.prices = prices
        self.faults = Faults()
        self.orders: dict[str, BookedOrder] = {}
        self.refused_ids: set[str] = set()
        self._random = random.Random(seed)  # noqa: S311 a simulator's dice

    def new(self, order: NewOrder, now_us: int) -> list[Timed]:
        """Take an order. A known id repeats its reports and never trades again."""
        if order.cl_ord_id in self.orders:
            return self._repeat(self.orders[order.cl_ord_id])
        if order.cl_ord_id in self.refused_ids:
            return []
        if self.faults.take("lost"):
            return []
        reports = self._decide(order, now_us)
        booked = BookedOrder(order.cl_ord_id, reports[0].order_id, reports)
        self.orders[order.cl_ord_id] = booked
        if self.faults.take("silent"):
            return []
        return self._schedule(reports)

    def cancel(self, request: CancelOrder, now_us: int) -> list[Timed]:
        """Immediate orders are over before a cancel arrives, so it is always too late or unknown."""
        booked = self.orders.get(request.cl_ord_id)
        if booked is None:
            return self._not_found(request.cl_ord_id, now_us)
        report = Report(
            kind="CANCEL_REJECTED",
            cl_ord_id=request.cl_ord_id,
            exec_id=f"{booked.order_id}-cxl",
            order_id=booked.order_id,
            cum_qty=booked.reports[-1].cum_qty,
            code="TOO_LATE",
            time_us=now_us,
        )
        return [Timed(self._latency(), report), *self._repeat(booked)]

    def status(self, request: StatusRequest, now_us: int) -> list[Timed]:
        """Everything that was reported, again; an order that never came can no longer come afterwards."""
        booked = self.orders.get(request.cl_ord_id)
        return self._repeat(booked) if booked else self._not_found(request.cl_ord_id, now_us)

    def restore(self, booked: BookedOrder) -> None:
        """Take back an order from the journal after a restart."""
        self.orders[booked.cl_ord_id] = booked

    def _not_found(self, cl_ord_id: str, now_us: int) -> list[Timed]:
        self.refused_ids.add(cl_ord_id)
        report = Report(
            kind="NOT_FOUND",
            cl_ord_id=cl_ord_id,
            exec_id=f"{self.profile.code}-{cl_ord_id}-none",
            code="UNKNOWN_ORDER",
            time_us=now_us,
        )
        return [Timed(self._latency(), report)]

    def _decide(self, order: NewOrder, now_us: int) -> list[Report]:
        order_id = f"{self.profile.code[3:]}-{order.cl_ord_id}"
        maker = _Reports(order, order_id, now_us)
        refusal = self._refusal(order)
        if refusal:
            return [maker.end("REJECTED", *refusal)]
        spec = self.specs[order.symbol]
        price = self._price(order, spec)
        if price is None:
            return [maker.end("REJECTED", "NO_PRICE", "no price for this symbol now")]
        maker.acknowledge()
        if self.faults.take("last_look"):
            return [*maker.reports, maker.end("REJECTED", "LAST_LOOK", "the price moved away")]
        wanted = Decimal(order.quantity)
        filled = self._fillable(order, spec, price, wanted)
        for clip in self._clips(spec, filled):
            maker.fill(clip, price)
        if filled < wanted:
            maker.reports.append(
                maker.end("CANCELED", "NOT_FILLABLE_NOW", "the rest found no price")
            )
        return maker.reports

    def _refusal(self, order: NewOrder) -> tuple[str, str] | None:
        spec = self.specs.get(order.symbol)
        if spec is None:
            return "UNKNOWN_SYMBOL", f"{order.symbol} is not traded here"
        if Decimal(order.quantity) <= 0 or Decimal(order.quantity) % spec.quantity_step:
            return (
                "INCORRECT_QUANTITY",
                f"{order.quantity} is not a multiple of {spec.quantity_step}",
            )
        if self.faults.take("reject"):
            return "BROKER_OPTION", "rejected on demand"
        if self._random.random() < self.profile.reject_share:
            return "BROKER_OPTION", "not now"
        return None

    def _price(self, order: NewOrder, spec: VenueSpec) -> Decimal | None:
        market = self.prices(order.symbol)
        if market is None:
            return None
        extra = spec.tick * self.profile.extra_ticks
        raw = market.ask + extra if order.side == BUY else market.bid - extra
        return (raw / spec.tick).to_integral_value() * spec.tick

    def _fillable(
        self, order: NewOrder, spec: VenueSpec, price: Decimal, wanted: Decimal
    ) -> Decimal:
        if order.price:
            limit = Decimal(order.price)
            if (price > limit) if order.side == BUY else (price < limit):
                return Decimal(0)
        if not self.faults.take("partial"):
            return wanted
        if order.tif == FILL_OR_KILL:
            return Decimal(0)
        steps = int(wanted / spec.quantity_step * Decimal(str(self.faults.partial_share)))
        return steps * spec.quantity_step

    def _clips(self, spec: VenueSpec, filled: Decimal) -> list[Decimal]:
        """A large order comes back in pieces at a provider that clips."""
        if filled <= 0:
            return []
        size = spec.quantity_step * self.profile.clip_steps if self.profile.clip_steps else filled
        whole = int(filled // size)
        rest = filled - whole * size
        return [size] * whole + ([rest] if rest else [])

    def _schedule(self, reports: list[Report]) -> list[Timed]:
        base = self._latency()
        hold = self.profile.last_look_ms if len(reports) > 1 else 0.0
        timed = [
            Timed(base + (hold if number else 0.0) + number, report)
            for number, report in enumerate(reports)
        ]
        if self.faults.take("duplicate"):
            timed += [Timed(delay + 1, report) for delay, report in timed]
        if self.faults.take("out_of_order"):
            delays = sorted((t.delay_ms for t in timed), reverse=True)
            timed = [Timed(d, t.report) for d, t in zip(delays, timed, strict=True)]
        return sorted(timed, key=lambda t: t.delay_ms)

    def _repeat(self, booked: BookedOrder) -> list[Timed]:
        base = self._latency()
        return [Timed(base, report) for report in booked.reports]

    def _latency(self) -> float:
        jitter = self._random.random() * self.profile.jitter_ms
        return self.profile.latency_ms + jitter + float(self.faults.latency_ms)


class _Reports:
    """Writes the reports of one order, with running totals and ids that follow from the order's."""

    def __init__(self, order: NewOrder, order_id: str, now_us: int) -> None:
        self.order = order
        self.order_id = order_id
        self.now_us = now_us
        self.total = Decimal(0)
        self.reports: list[Report] = []

    def acknowledge(self) -> None:
        self.reports.append(self._report("ACKNOWLEDGED", "ack"))

    def fill(self, quantity: Decimal, price: Decimal) -> None:
        self.total += quantity
        number = sum(r.kind == "FILL" for r in self.reports) + 1
        report = self._report("FILL", f"f{number}")
        self.reports.append(
            msgspec.structs.replace(report, last_qty=str(quantity), last_px=str(price))
        )

    def end(self, kind: str, code: str, text: str) -> Report:
        return msgspec.structs.replace(self._report(kind, "end"), code=code, text=text)

    def _report(self, kind: str, suffix: str) -> Report:
        return Report(
            kind=kind,
            cl_ord_id=self.order.cl_ord_id,
            exec_id=f"{self.order_id}-{suffix}",
            order_id=self.order_id,
            cum_qty=str(self.total),
            time_us=self.now_us,
        )
