"""The instrument master: what can be traded, when, on which terms, and under which name elsewhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from apps.core import clock
from apps.core.actor import Actor
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.models.fields import StateField
from apps.market.enums import BarInterval, InstrumentStatus, VenueKind, VenueStatus, Weekday
from apps.market.querysets import MarketQuerySet

PRICE: dict[str, Any] = {"max_digits": 20, "decimal_places": 8}
LOTS: dict[str, Any] = {"max_digits": 14, "decimal_places": 4}


class AssetClass(AuditedModel):
    """A kind of market; adding one is configuration."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=64)
    settlement_days = models.PositiveSmallIntegerField(_("settlement, days after trade"), default=0)

    objects = MarketQuerySet.as_manager()

    class Meta:
        verbose_name = _("asset class")
        verbose_name_plural = _("asset classes")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class MarginClass(AuditedModel):
    """Instruments that share a regulatory leverage cap."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=64)
    retail_leverage = models.PositiveSmallIntegerField(_("retail leverage cap"))

    objects = MarketQuerySet.as_manager()

    class Meta:
        verbose_name = _("margin class")
        verbose_name_plural = _("margin classes")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(retail_leverage__gte=1), name="market_marginclass_leverage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.retail_leverage}:1)"


class TradingCalendar(AuditedModel):
    """Weekly sessions and holidays, in the time zone in which the market publishes them."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=64)
    timezone = models.CharField(_("time zone"), max_length=64)

    objects = MarketQuerySet.as_manager()

    class Meta:
        verbose_name = _("trading calendar")
        verbose_name_plural = _("trading calendars")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class TradingSession(models.Model):
    """One weekly stretch of trading; closing at 00:00 is the end of the day."""

    calendar = models.ForeignKey(TradingCalendar, models.CASCADE, related_name="sessions")
    weekday = models.SmallIntegerField(_("weekday"), choices=Weekday.choices)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["weekday", "opens"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "weekday", "opens"], name="market_session_once"
            ),
            models.CheckConstraint(
                condition=Q(weekday__range=(0, 6)), name="market_session_weekday"
            ),
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes="00:00"), name="market_session_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class TradingHoliday(models.Model):
    """A date that does not follow the week: closed, or closing early."""

    calendar = models.ForeignKey(TradingCalendar, models.CASCADE, related_name="holidays")
    day = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=64)
    closes = models.TimeField(_("early close"), null=True, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["calendar", "day"], name="market_holiday_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class Instrument(AuditedModel):
    """What clients trade, by the broker's own canonical symbol.

    `contract_size` is units of the base per lot, `digits` the decimal places of a point, `tick_size` the
    smallest step of a price, `margin_rate` the share of notional that margin starts from before leverage.
    Swap is in points per night, positive when the client earns.
    """

    symbol = models.CharField(_("symbol"), max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=96)
    asset_class = models.ForeignKey(AssetClass, models.PROTECT, verbose_name=_("asset class"))
    margin_class = models.ForeignKey(MarginClass, models.PROTECT, verbose_name=_("margin class"))
    calendar = models.ForeignKey(TradingCalendar, models.PROTECT, verbose_name=_("calendar"))
    base = models.CharField(_("base asset"), max_length=12)
    quote = models.CharField(_("quote currency"), max_length=12)
    contract_size = models.DecimalField(_("contract size"), **PRICE)
    digits = models.PositiveSmallIntegerField(_("digits"))
    tick_size = models.DecimalField(_("tick size"), **PRICE)
    lot_step = models.DecimalField(_("lot step"), **LOTS)
    min_lot = models.DecimalField(_("smallest order, lots"), **LOTS)
    max_lot = models.DecimalField(_("largest order, lots"), **LOTS)
    margin_rate = models.DecimalField(
        _("margin rate"), max_digits=9, decimal_places=6, default=Decimal(1)
    )
    swap_long_points = models.DecimalField(
        _("swap long, points"), max_digits=12, decimal_places=4, default=0
    )
    swap_short_points = models.DecimalField(
        _("swap short, points"), max_digits=12, decimal_places=4, default=0
    )
    triple_swap_weekday = models.SmallIntegerField(
        _("triple swap on"), choices=Weekday.choices, default=Weekday.WEDNESDAY
    )
    expires_on = models.DateField(_("last trading day"), null=True, blank=True)
    isin = models.CharField("ISIN", max_length=12, blank=True, default="")
    cfi = models.CharField("CFI", max_length=6, blank=True, default="")
    reference_price = models.DecimalField(
        _("reference price"),
        **PRICE,
        help_text=_("Where the simulated feed starts when there is no quote yet."),
    )
    typical_spread_points = models.PositiveIntegerField(_("typical spread, points"), default=1)
    status = StateField(
        _("status"),
        default=InstrumentStatus.TRADABLE,
        choices=InstrumentStatus.choices,
    )
    status_reason = models.CharField(_("reason of the status"), max_length=200, blank=True)

    objects = MarketQuerySet.as_manager()

    class Meta:
        verbose_name = _("instrument")
        verbose_name_plural = _("instruments")
        ordering = ["symbol"]
        constraints = [
            models.CheckConstraint(
                condition=Q(contract_size__gt=0)
                & Q(tick_size__gt=0)
                & Q(lot_step__gt=0)
                & Q(margin_rate__gt=0)
                & Q(reference_price__gt=0),
                name="market_instrument_positive",
            ),
            models.CheckConstraint(
                condition=Q(min_lot__gt=0) & Q(max_lot__gte=F("min_lot")),
                name="market_instrument_lots",
            ),
            models.CheckConstraint(
                condition=Q(status__in=InstrumentStatus.values), name="market_instrument_status"
            ),
            models.CheckConstraint(condition=Q(digits__lte=8), name="market_instrument_digits"),
        ]

    def __str__(self) -> str:
        return self.symbol

    @transition(
        status,
        source=[InstrumentStatus.TRADABLE, InstrumentStatus.CLOSE_ONLY],
        target=InstrumentStatus.HALTED,
    )
    def halt(self, *, by: Actor, reason: str) -> None:
        self.status_reason = reason

    @transition(
        status,
        source=[InstrumentStatus.TRADABLE, InstrumentStatus.HALTED],
        target=InstrumentStatus.CLOSE_ONLY,
    )
    def restrict_to_closing(self, *, by: Actor, reason: str) -> None:
        self.status_reason = reason

    @transition(
        status,
        source=[InstrumentStatus.HALTED, InstrumentStatus.CLOSE_ONLY],
        target=InstrumentStatus.TRADABLE,
    )
    def resume(self, *, by: Actor, reason: str) -> None:
        self.status_reason = ""


class InstrumentTerms(AppendOnlyModel):
    """The contract terms from a moment on, so that an old deal is read with its own contract size."""

    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="terms")
    valid_from = models.DateTimeField(_("valid from"))
    contract_size = models.DecimalField(_("contract size"), **PRICE)
    tick_size = models.DecimalField(_("tick size"), **PRICE)
    digits = models.PositiveSmallIntegerField(_("digits"))
    recorded_by = models.CharField(_("recorded by"), max_length=64)
    reason = models.TextField(_("reason"))

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("contract terms")
        verbose_name_plural = _("contract terms")
        ordering = ["-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "valid_from"], name="market_terms_one_per_moment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.contract_size} / {self.tick_size}"


class Venue(AuditedModel):
    """Where orders can go: a liquidity provider, or the internal book."""

    code = models.CharField(_("code"), max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=64)
    kind = models.CharField(_("kind"), max_length=24, choices=VenueKind.choices)
    status = StateField(_("status"), default=VenueStatus.ENABLED, choices=VenueStatus.choices)

    objects = MarketQuerySet.as_manager()

    class Meta:
        verbose_name = _("venue")
        verbose_name_plural = _("venues")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=VenueStatus.values), name="market_venue_status"
            )
        ]

    def __str__(self) -> str:
        return self.code

    @transition(status, source=VenueStatus.ENABLED, target=VenueStatus.DISABLED)
    def disable(self, *, by: Actor, reason: str) -> None:
        """New orders go elsewhere; what is there is still reported."""

    @transition(status, source=VenueStatus.DISABLED, target=VenueStatus.ENABLED)
    def enable(self, *, by: Actor, reason: str) -> None:
        """Orders may go there again."""


class VenueSymbol(AuditedModel):
    """An instrument's name and units at one venue: quantity there = lots × our size ÷ its size."""

    venue = models.ForeignKey(Venue, models.PROTECT, related_name="symbols")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="venue_symbols")
    symbol = models.CharField(_("symbol at the venue"), max_length=32)
    contract_size = models.DecimalField(_("contract size"), **PRICE)
    tick_size = models.DecimalField(_("tick size"), **PRICE)
    currency = models.CharField(_("currency"), max_length=12)

    objects = MarketQuerySet.as_manager()

    class Meta:
        verbose_name = _("venue symbol")
        verbose_name_plural = _("venue symbols")
        ordering = ["venue", "symbol"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "instrument"], name="market_venuesymbol_one_per_instrument"
            ),
            models.UniqueConstraint(
                fields=["venue", "symbol"], name="market_venuesymbol_unambiguous"
            ),
            models.CheckConstraint(
                condition=Q(contract_size__gt=0) & Q(tick_size__gt=0),
                name="market_venuesymbol_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.symbol


class Candle(models.Model):
    """One archived bar of bid prices, in points. Written by the feed; merging the same bar is harmless."""

    pk = models.CompositePrimaryKey("symbol", "interval", "starts_at")
    symbol = models.CharField(max_length=24)
    interval = models.CharField(max_length=2, choices=BarInterval.choices)
    starts_at = models.DateTimeField()
    open = models.BigIntegerField()
    high = models.BigIntegerField()
    low = models.BigIntegerField()
    close = models.BigIntegerField()
    spread_min = models.IntegerField()
    spread_max = models.IntegerField()
    ticks = models.IntegerField()

    class Meta:
        verbose_name = _("candle")
        verbose_name_plural = _("candles")

    def __str__(self) -> str:
        return f"{self.symbol} {self.interval} {self.starts_at}"


class QuoteRecord(AppendOnlyModel):
    """The quote that a decision stood on, kept for disputes beside what it was used for."""

    symbol = models.CharField(_("symbol"), max_length=24)
    bid_points = models.BigIntegerField(_("bid, points"))
    ask_points = models.BigIntegerField(_("ask, points"))
    quoted_at = models.DateTimeField(_("quoted at"))
    source = models.CharField(_("source"), max_length=32)
    reference = models.CharField(_("used for"), max_length=64)
    recorded_at = models.DateTimeField(_("recorded at"), default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("recorded quote")
        verbose_name_plural = _("recorded quotes")
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "symbol"], name="market_quoterecord_once_per_use"
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.bid_points}/{self.ask_points}"
