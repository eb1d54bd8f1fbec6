"""The figures of partner pages, read from the lines themselves so that every total is the statement's total."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from apps.clients.models import Client
from apps.core import clock
from apps.core.actor import Actor
from apps.core.money import Money, from_minor
from apps.ib.enums import AccrualState
from apps.ib.models import Accrual, Attribution, Click, Partner, TreeEdge
from apps.ib.selectors import descendants
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of

UNPAID = (AccrualState.CALCULATED, AccrualState.CONFIRMED, AccrualState.PAYABLE)


@dataclass(frozen=True, slots=True)
class Funnel:
    """From a visit to money, for the partner's own clients."""

    clicks: int
    registrations: int
    first_deposits: int
    trading: int
    lots: Decimal
    earned: Money

    def rate(self, part: int, whole: int) -> Decimal | None:
        return (Decimal(100 * part) / whole).quantize(Decimal("0.1")) if whole else None

    @property
    def steps(self) -> list[dict[str, Any]]:
        from django.utils.translation import gettext as _

        rows = [
            (_("Clicks"), self.clicks),
            (_("Registrations"), self.registrations),
            (_("First deposits"), self.first_deposits),
            (_("Trading"), self.trading),
        ]
        top = max(1, *(count for _label, count in rows))
        return [
            {
                "label": label,
                "count": count,
                "share": round(100 * count / top),
                "of_previous": self.rate(count, rows[i - 1][1]) if i else None,
            }
            for i, (label, count) in enumerate(rows)
        ]


def funnel(partner: Partner) -> Funnel:
    """Direct clients for the counts; money and lots of everything that the partner earned on."""
    own = Attribution.objects.filter(partner=partner)
    lines = Accrual.objects.filter(partner=partner).earned()
    sums = lines.aggregate(amount=Sum("amount_minor"), lots=Sum("lots", filter=Q(corrects=None)))
    return Funnel(
        clicks=Click.objects.filter(partner=partner).count(),
        registrations=own.filter(registered_at__isnull=False).count(),
        first_deposits=own.filter(first_deposit_at__isnull=False).count(),
        trading=lines.filter(introducer=partner).values("client_id").distinct().count(),
        lots=sums["lots"] or Decimal(0),
        earned=_money(sums["amount"], partner.currency),
    )


def _money(minor: Any, currency: str) -> Money:
    return Money(from_minor(int(minor or 0), currency), currency)


@dataclass(frozen=True, slots=True)
class Balance:
    """What the house owes the partner: the lines' sum and the ledger's own figure, which must be equal."""

    unpaid: Money
    held: Money
    paid: Money
    ledger: Money


def balance(partner: Partner) -> Balance:
    lines = Accrual.objects.filter(partner=partner, currency=partner.currency)

    def total(**states: Any) -> Money:
        amount = lines.filter(**states).aggregate(amount=Sum("amount_minor"))["amount"]
        return _money(amount, partner.currency)

    payable = account_for(AccountKind.IB_PAYABLE, partner.currency, f"partner:{partner.id}")
    return Balance(
        unpaid=total(state__in=UNPAID),
        held=total(state=AccrualState.HELD),
        paid=total(state=AccrualState.PAID),
        ledger=balance_of(payable).posted,
    )


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    earned: Decimal
    clicks: int
    registrations: int


def by_day(partner: Partner, *, days: int = 60) -> list[Day]:
    """Every day of the window, also those on which nothing happened."""
    today = clock.now().date()
    first = today - timedelta(days=days - 1)
    lines = _per_day(
        Accrual.objects.filter(partner=partner, earned_at__date__gte=first).earned(),
        "earned_at",
        Sum("amount_minor"),
    )
    clicks = _per_day(Click.objects.filter(partner=partner, at__date__gte=first), "at", Count("pk"))
    registered = _per_day(
        Attribution.objects.filter(partner=partner, registered_at__date__gte=first),
        "registered_at",
        Count("pk"),
    )
    window = [first + timedelta(days=offset) for offset in range(days)]
    return [
        Day(
            day,
            from_minor(int(lines.get(day) or 0), partner.currency),
            clicks.get(day, 0),
            registered.get(day, 0),
        )
        for day in window
    ]


def _per_day(queryset: Any, moment: str, figure: Any) -> dict[date, Any]:
    rows = queryset.annotate(day=TruncDate(moment)).values("day").annotate(figure=figure)
    return {row["day"]: row["figure"] for row in rows.order_by("day")}


@dataclass(slots=True)
class Branch:
    """A partner in the tree with what its branch brought to the one who looks."""

    partner: Partner
    depth: int
    clients: int = 0
    lots: Decimal = Decimal(0)
    earned: Money | None = None
    brought: Money | None = None
    children: list[Branch] = field(default_factory=list)

    @property
    def network_clients(self) -> int:
        return self.clients + sum(child.network_clients for child in self.children)

    @property
    def network_lots(self) -> Decimal:
        return self.lots + sum((child.network_lots for child in self.children), Decimal(0))


def branch(root: Partner, *, at: datetime | None = None) -> Branch:
    """The tree below `root` as of a moment, with clients, lots, each one's own commission, and what its own clients
    brought to `root`. A fixed number of queries, however big the tree."""
    moment = at or clock.now()
    ids = descendants(root.id, moment)
    partners = Partner.objects.select_related("client").prefetch_related("agreements").in_bulk(ids)
    children: dict[UUID, list[UUID]] = defaultdict(list)
    edges = TreeEdge.objects.at(moment).filter(child_id__in=ids).order_by("child__code")
    for parent_id, child_id in edges.values_list("parent_id", "child_id"):
        children[parent_id].append(child_id)
    figures = _figures(ids, root, moment)

    def grow(partner_id: UUID, depth: int) -> Branch:
        partner = partners[partner_id]
        clients, lots, earned, brought = figures(partner)
        below = [grow(child, depth + 1) for child in children[partner_id] if child in partners]
        return Branch(partner, depth, clients, lots, earned, brought, below)

    return grow(root.id, 0)


def _figures(ids: list[UUID], root: Partner, at: datetime) -> Any:
    clients = dict(
        Attribution.objects.at(at)
        .filter(partner_id__in=ids)
        .values_list("partner_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    earned = dict(
        Accrual.objects.filter(partner_id__in=ids)
        .earned()
        .values_list("partner_id")
        .annotate(amount=Sum("amount_minor"))
        .order_by()
    )
    brought = {
        row["introducer_id"]: (row["amount"], row["lots"])
        for row in Accrual.objects.filter(partner=root)
        .earned()
        .values("introducer_id")
        .annotate(amount=Sum("amount_minor"), lots=Sum("lots", filter=Q(corrects=None)))
        .order_by()
    }

    def of(partner: Partner) -> tuple[int, Decimal, Money, Money]:
        amount, lots = brought.get(partner.id, (0, None))
        return (
            clients.get(partner.id, 0),
            lots or Decimal(0),
            _money(earned.get(partner.id), partner.currency),
            _money(amount, root.currency),
        )

    return of


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One introduced client as its partner may see it."""

    label: str
    country: str
    since: datetime
    first_deposit_at: datetime | None
    lots: Decimal
    earned: Money


def masked(client: Client) -> str:
    """Enough to tell clients apart, too little to know who they are."""
    return f"••••{client.number[-3:]}"


def clients_of(partner: Partner) -> list[ClientLine]:
    """The partner's own clients of today, masked, with what each brought."""
    rows = Attribution.objects.at(clock.now()).filter(partner=partner).select_related("client")
    sums = {
        row["client_id"]: row
        for row in Accrual.objects.filter(partner=partner)
        .earned()
        .values("client_id")
        .annotate(amount=Sum("amount_minor"), total=Sum("lots", filter=Q(corrects=None)))
        .order_by()
    }
    return [
        ClientLine(
            masked(row.client),
            row.client.country,
            row.valid_from,
            row.first_deposit_at,
            (sums.get(row.client_id) or {}).get("total") or Decimal(0),
            _money((sums.get(row.client_id) or {}).get("amount"), partner.currency),
        )
        for row in rows.order_by("-valid_from")
    ]


@dataclass(frozen=True, slots=True)
class Statement:
    """All lines of a period with their sum, and what was paid out in it."""

    start: date
    end: date
    lines: list[Accrual]
    total: Money
    opening: Money
    paid: Money
    closing: Money


def statement(partner: Partner, *, start: date, end: date, actor: Actor) -> Statement:
    """Opening balance + lines − payouts = closing balance, each from the rows that make it."""
    lines = list(
        Accrual.objects.visible_to(actor)
        .filter(partner=partner, currency=partner.currency, earned_at__date__range=(start, end))
        .filter(_posted())
        .select_related("client", "plan_version__plan", "payout", "partner", "introducer")
        .order_by("earned_at", "id")
    )
    total = sum((int(line.amount_minor) for line in lines), 0)
    before = (
        Accrual.objects.filter(
            partner=partner, currency=partner.currency, earned_at__date__lt=start
        )
        .filter(_posted())
        .aggregate(amount=Sum("amount_minor"))["amount"]
    )
    payouts = partner.payouts.filter(state="PAID", currency=partner.currency)
    paid_before = payouts.filter(paid_at__date__lt=start).aggregate(a=Sum("amount_minor"))["a"]
    paid = payouts.filter(paid_at__date__range=(start, end)).aggregate(a=Sum("amount_minor"))["a"]
    opening = _money(int(before or 0) - int(paid_before or 0), partner.currency)
    earned, settled = _money(total, partner.currency), _money(paid, partner.currency)
    return Statement(start, end, lines, earned, opening, settled, opening + earned - settled)


def _posted() -> Q:
    """Lines that are in the books: all but held ones. A reversed line and its correction cancel out."""
    return ~Q(state=AccrualState.HELD)
