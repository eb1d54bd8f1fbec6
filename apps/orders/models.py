"""What the engine writes, and what it is rebuilt from.

The tables are lean on purpose: a batch of orders is one COPY per table, so a reference is a plain column without a
database constraint (the engine is the only writer and has the parent in the same transaction), and an index is there
only where its comment says which page or command needs it. Quantities are lot steps, prices are points, money is
minor units; each row carries what turns them into lots and prices, because an instrument's terms may change later.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import AppendOnlyModel
from apps.core.money import Money
from apps.orders.enums import (
    ENDED_STATUSES,
    LIVE_STATUSES,
    Book,
    CloseReason,
    DealEntry,
    ExecType,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from apps.orders.querysets import (
    AccountScopedQuerySet,
    ChildOrderQuerySet,
    OrderQuerySet,
    PositionQuerySet,
)


def plain_reference(to: str, **options: Any) -> models.ForeignKey[Any, Any]:
    """A reference that joins like a foreign key and costs the engine nothing: no constraint, no index of its own."""
    return models.ForeignKey(
        to, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", **options
    )


class Scaled(models.Model):
    """Rows in an instrument's integers, with what makes them readable."""

    symbol = models.CharField(_("symbol"), max_length=24)
    digits = models.SmallIntegerField(_("digits"))
    lot_step = models.DecimalField(_("lot step"), max_digits=14, decimal_places=8)

    class Meta:
        abstract = True

    def lots_of(self, steps: int) -> Decimal:
        return (self.lot_step * steps).normalize() + 0

    def price_of(self, points: int | None) -> Decimal | None:
        return None if points is None else Decimal(points).scaleb(-self.digits)

    def average_of(self, notional: int, steps: int) -> Decimal | None:
        """Average price with one digit more than the instrument quotes."""
        if not steps:
            return None
        exact = Decimal(notional) / Decimal(steps)
        return exact.scaleb(-self.digits).quantize(Decimal(1).scaleb(-self.digits - 1))


class Order(Scaled):
    """A client's order. The engine moves it; its legal moves are the table in `engine/states.py`."""

    id = models.BigIntegerField(_("order"), primary_key=True)
    account = plain_reference("accounts.TradingAccount", verbose_name=_("account"))
    client_order_id = models.CharField(_("client order id"), max_length=64)
    side = models.SmallIntegerField(_("side"), choices=Side.choices)
    order_type = models.CharField(_("type"), max_length=1, choices=OrderType.choices)
    tif = models.CharField(_("time in force"), max_length=1, choices=TimeInForce.choices)
    steps = models.BigIntegerField(_("quantity, steps"))
    price = models.BigIntegerField(_("limit, points"), default=0)
    position = models.BigIntegerField(_("closes position"), default=0)
    book = models.CharField(_("book"), max_length=1, choices=Book.choices)
    source = models.CharField(_("source"), max_length=24, blank=True)
    status = models.CharField(_("status"), max_length=1, choices=OrderStatus.choices)
    cum = models.BigIntegerField(_("filled, steps"), default=0)
    leaves = models.BigIntegerField(_("open, steps"), default=0)
    notional = models.BigIntegerField(_("Σ price × steps"), default=0)
    opened = models.BigIntegerField(_("opened position"), default=0)
    venue_tries = models.SmallIntegerField(_("venues tried"), default=0)
    code = models.CharField(_("reason code"), max_length=40, blank=True)
    text = models.CharField(_("reason"), max_length=200, blank=True)
    flagged = models.CharField(_("flag"), max_length=40, blank=True)
    failing = models.JSONField(_("failing checks"), default=list)
    checks = models.JSONField(_("checks"), default=list)
    event_count = models.SmallIntegerField(_("events"), default=0)
    captured_at = models.DateTimeField(_("captured"))
    validated_at = models.DateTimeField(_("validated"), null=True)
    working_at = models.DateTimeField(_("working"), null=True)
    routed_at = models.DateTimeField(_("routed"), null=True)
    executed_at = models.DateTimeField(_("executed"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        constraints = [
            # one order per client order id, for ever; also how a repeated request finds its order
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="orders_order_client_order_id"
            ),
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="orders_order_status"
            ),
            models.CheckConstraint(
                condition=Q(side__in=Side.values)
                & Q(steps__gt=0)
                & Q(cum__gte=0)
                & Q(leaves__gte=0)
                | Q(status=OrderStatus.REJECTED),
                name="orders_order_quantities",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ENDED_STATUSES, leaves=0)
                | Q(status__in=LIVE_STATUSES, steps=F("cum") + F("leaves")),
                name="orders_order_leaves",
            ),
            models.CheckConstraint(
                condition=Q(cum__lte=F("steps")) | ~Q(flagged=""), name="orders_order_no_overfill"
            ),
            models.CheckConstraint(
                condition=~Q(status=OrderStatus.REJECTED)
                | (Q(cum=0) | ~Q(flagged="")) & ~Q(code=""),
                name="orders_order_rejected",
            ),
        ]
        indexes = [
            # the client's history, newest first; the blotter uses the primary key
            models.Index(fields=["account", "-id"], name="orders_order_account"),
            # working orders: portal, engine start
            models.Index(
                fields=["account"], condition=Q(status__in=LIVE_STATUSES), name="orders_order_live"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.id}"

    @property
    def lots(self) -> Decimal:
        return self.lots_of(self.steps)

    @property
    def filled_lots(self) -> Decimal:
        return self.lots_of(self.cum)

    @property
    def open_lots(self) -> Decimal:
        return self.lots_of(self.leaves)

    @property
    def limit_price(self) -> Decimal | None:
        return self.price_of(self.price or None)

    @property
    def average_price(self) -> Decimal | None:
        return self.average_of(self.notional, self.cum)

    @property
    def live(self) -> bool:
        return self.status in LIVE_STATUSES


class OrderEvent(AppendOnlyModel):
    """One line in an order's life. Nothing points here, so the key is the order and the line's number."""

    pk = models.CompositePrimaryKey("order_id", "number")
    order_id = models.BigIntegerField(_("order"))
    number = models.SmallIntegerField(_("number"))
    at = models.DateTimeField(_("at"))
    exec_type = models.CharField(_("event"), max_length=1, choices=ExecType.choices)
    before = models.CharField(_("before"), max_length=1, choices=OrderStatus.choices)
    after = models.CharField(_("after"), max_length=1, choices=OrderStatus.choices)
    code = models.CharField(_("code"), max_length=40, blank=True)
    text = models.CharField(_("text"), max_length=200, blank=True)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        ordering = ["order_id", "number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(before__in=OrderStatus.values) & Q(after__in=OrderStatus.values),
                name="orders_event_status",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}.{self.number}"


class Execution(Scaled, AppendOnlyModel):
    """A deal. Money is in minor units of `currency`, the account's."""

    id = models.BigIntegerField(_("deal"), primary_key=True)
    order = plain_reference("orders.Order", verbose_name=_("order"))
    account = plain_reference("accounts.TradingAccount", verbose_name=_("account"))
    position = models.BigIntegerField(_("position"))
    side = models.SmallIntegerField(_("side"), choices=Side.choices)
    entry = models.CharField(_("entry"), max_length=3, choices=DealEntry.choices)
    steps = models.BigIntegerField(_("quantity, steps"))
    price = models.BigIntegerField(_("price, points"))
    book = models.CharField(_("book"), max_length=1, choices=Book.choices)
    currency = models.CharField(_("currency"), max_length=8)
    realized = models.BigIntegerField(_("realised P/L, minor"), default=0)
    commission = models.BigIntegerField(_("commission, minor"), default=0)
    spread_cost = models.BigIntegerField(_("spread, minor"), default=0)
    bid = models.BigIntegerField(_("bid, points"), default=0)
    ask = models.BigIntegerField(_("ask, points"), default=0)
    child = models.BigIntegerField(_("child order"), default=0)
    venue_exec_id = models.CharField(_("venue's exec id"), max_length=64, blank=True)
    flagged = models.CharField(_("flag"), max_length=40, blank=True)
    at = models.DateTimeField(_("at"))

    objects = AccountScopedQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("execution")
        verbose_name_plural = _("executions")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(steps__gt=0) & Q(price__gt=0) & Q(side__in=Side.values),
                name="orders_execution_quantities",
            ),
        ]
        indexes = [
            # the client's deals, newest first
            models.Index(fields=["account", "-id"], name="orders_execution_account"),
            # the order page
            models.Index(fields=["order"], name="orders_execution_order"),
        ]

    def __str__(self) -> str:
        return f"#{self.id}"

    @property
    def lots(self) -> Decimal:
        return self.lots_of(self.steps)

    @property
    def deal_price(self) -> Decimal | None:
        return self.price_of(self.price)

    @property
    def realized_money(self) -> Money:
        return Money.from_minor(self.realized, self.currency)

    @property
    def commission_money(self) -> Money:
        return Money.from_minor(self.commission, self.currency)


class Position(Scaled):
    """What an account holds. `cost` is Σ(open price × steps) of what is still open."""

    id = models.BigIntegerField(_("position"), primary_key=True)
    account = plain_reference("accounts.TradingAccount", verbose_name=_("account"))
    side = models.SmallIntegerField(_("side"), choices=Side.choices)
    book = models.CharField(_("book"), max_length=1, choices=Book.choices)
    steps = models.BigIntegerField(_("open, steps"))
    cost = models.BigIntegerField(_("Σ open price × steps"))
    realized = models.BigIntegerField(_("realised P/L, minor"), default=0)
    commission = models.BigIntegerField(_("commission, minor"), default=0)
    opened_at = models.DateTimeField(_("opened"))
    updated_at = models.DateTimeField(_("last deal"))
    closed_at = models.DateTimeField(_("closed"), null=True)
    close_reason = models.CharField(
        _("close reason"), max_length=16, blank=True, choices=CloseReason.choices
    )

    objects = PositionQuerySet.as_manager()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, steps__gt=0)
                | Q(closed_at__isnull=False, steps=0, cost=0),
                name="orders_position_open_or_closed",
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="orders_position_side"),
        ]
        indexes = [
            # open positions: portal, exposure, engine start
            models.Index(
                fields=["account", "symbol"],
                condition=Q(closed_at__isnull=True),
                name="orders_position_open",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.id}"

    @property
    def lots(self) -> Decimal:
        return self.lots_of(self.steps)

    @property
    def open_price(self) -> Decimal | None:
        return self.average_of(self.cost, self.steps)


class ChildOrder(Scaled):
    """One order at one venue on behalf of a client's order, and the venue's reports about it by exec id."""

    id = models.BigIntegerField(_("child order"), primary_key=True)
    order = plain_reference("orders.Order", verbose_name=_("order"))
    account = plain_reference("accounts.TradingAccount", verbose_name=_("account"))
    venue = models.CharField(_("venue"), max_length=32)
    side = models.SmallIntegerField(_("side"), choices=Side.choices)
    steps = models.BigIntegerField(_("quantity, steps"))
    tif = models.CharField(_("time in force"), max_length=1, choices=TimeInForce.choices)
    limit_price = models.BigIntegerField(_("limit, points"), default=0)
    status = models.CharField(_("status"), max_length=1, choices=OrderStatus.choices)
    cum = models.BigIntegerField(_("filled, steps"), default=0)
    notional = models.BigIntegerField(_("Σ price × steps"), default=0)
    venue_order_id = models.CharField(_("venue's order id"), max_length=64, blank=True)
    exec_ids = models.JSONField(_("exec ids"), default=list)
    final = models.CharField(_("end stated by the venue"), max_length=1, blank=True)
    final_cum = models.BigIntegerField(_("filled at that end, steps"), default=0)
    final_code = models.CharField(_("reason of that end"), max_length=40, blank=True)
    unknown_since = models.DateTimeField(_("silent since"), null=True)
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("last report"))

    objects = ChildOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("child order")
        verbose_name_plural = _("child orders")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="orders_child_status"
            ),
            models.CheckConstraint(
                condition=Q(steps__gt=0) & Q(cum__gte=0), name="orders_child_quantities"
            ),
        ]
        indexes = [
            # the order page
            models.Index(fields=["order"], name="orders_child_order"),
            # what the gateway still has to bring to an end; engine start
            models.Index(
                fields=["venue"], condition=Q(status__in=LIVE_STATUSES), name="orders_child_open"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.id}"

    @property
    def lots(self) -> Decimal:
        return self.lots_of(self.steps)

    @property
    def average_price(self) -> Decimal | None:
        return self.average_of(self.notional, self.cum)


class EngineAccount(models.Model):
    """An account as the engine holds it: its terms, and its money as absolute values.

    The engine is the authority for the money of a trading account; the ledger follows in the same transaction.
    """

    account = models.OneToOneField(
        "accounts.TradingAccount",
        models.PROTECT,
        primary_key=True,
        related_name="engine",
        verbose_name=_("account"),
    )
    shard = models.CharField(_("shard"), max_length=32)
    currency = models.CharField(_("currency"), max_length=8)
    balance = models.BigIntegerField(_("balance, minor"), default=0)
    credit = models.BigIntegerField(_("credit, minor"), default=0)
    version = models.BigIntegerField(_("version"), default=0)
    spec = models.BinaryField(_("terms, packed"))

    objects = AccountScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("account in the engine")
        verbose_name_plural = _("accounts in the engine")
        indexes = [models.Index(fields=["shard"], name="orders_engineaccount_shard")]

    def __str__(self) -> str:
        return str(self.account_id)

    @property
    def balance_money(self) -> Money:
        return Money.from_minor(self.balance, self.currency)


class EngineRecord(models.Model):
    """Reference data that the engine has taken in (instruments, policy, currencies, kill switches), packed."""

    id = models.BigAutoField(primary_key=True)
    shard = models.CharField(_("shard"), max_length=32)
    kind = models.CharField(_("kind"), max_length=16)
    key = models.CharField(_("key"), max_length=64)
    data = models.BinaryField(_("packed"))

    class Meta:
        verbose_name = _("engine reference")
        verbose_name_plural = _("engine references")
        constraints = [
            models.UniqueConstraint(fields=["shard", "kind", "key"], name="orders_record_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class EngineOffset(models.Model):
    """How far a shard has come. Moves in the transaction that holds the effects, so effects happen once.

    `epoch` fences: an engine that lost its lock finds another epoch here and stops without writing.
    """

    shard = models.CharField(_("shard"), max_length=32, primary_key=True)
    epoch = models.BigIntegerField(_("epoch"), default=0)
    last_stream_id = models.CharField(_("last stream entry"), max_length=40, default="0-0")
    sequence = models.BigIntegerField(_("commands with effect"), default=0)
    next_id = models.BigIntegerField(_("next ticket"), default=1)
    day_ended_at = models.BigIntegerField(_("day ended, µs"), default=0)
    journal = models.BigIntegerField(_("journal entries"), default=0)
    updated_at = models.DateTimeField(_("updated"))

    class Meta:
        verbose_name = _("engine offset")
        verbose_name_plural = _("engine offsets")

    def __str__(self) -> str:
        return self.shard


class JournalEntry(AppendOnlyModel):
    """One batch as the engine saw it: quotes and commands in order, with stream ids and answers, packed.

    Replaying all entries of a shard in a fresh engine gives the same state.
    """

    pk = models.CompositePrimaryKey("shard", "number")
    shard = models.CharField(_("shard"), max_length=32)
    number = models.BigIntegerField(_("number"))
    first_stream_id = models.BigIntegerField(_("first stream entry"))
    last_stream_id = models.BigIntegerField(_("last stream entry"))
    entries = models.BinaryField(_("commands and answers, packed"))
    command_count = models.IntegerField(_("commands"))
    at = models.DateTimeField(_("at"))

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        indexes = [
            # a restarted engine looks up what it answered
            models.Index(fields=["shard", "last_stream_id"], name="orders_journal_stream"),
        ]

    def __str__(self) -> str:
        return f"{self.shard}.{self.number}"


class CommandReceipt(AppendOnlyModel):
    """A command that must have its effect once, known by its key."""

    pk = models.CompositePrimaryKey("shard", "key")
    shard = models.CharField(_("shard"), max_length=32)
    key = models.CharField(_("key"), max_length=120)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("command receipt")
        verbose_name_plural = _("command receipts")

    def __str__(self) -> str:
        return self.key
