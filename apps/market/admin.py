"""The instrument master in the back office."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminTimeWidget,
)

from apps.core import clock
from apps.core.actor import Actor
from apps.core.admin import BrokerInline, BrokerModelAdmin, ReasonForm, Transition
from apps.core.panels import Panel
from apps.market.enums import InstrumentStatus, VenueStatus, Weekday
from apps.market.models import (
    AssetClass,
    Instrument,
    InstrumentTerms,
    MarginClass,
    TradingCalendar,
    TradingHoliday,
    TradingSession,
    Venue,
    VenueSymbol,
)
from apps.market.permissions import EDIT_INSTRUMENT, HALT_INSTRUMENT
from apps.market.selectors import calendar_of, candles, feed_is_alive, is_open, last_quote
from apps.market.services import (
    calendar_sessions_set,
    holiday_add,
    holiday_remove,
    instrument_close_only,
    instrument_halt,
    instrument_resume,
    instrument_terms_change,
    instrument_update,
    venue_disable,
    venue_enable,
)
from apps.market.sessions import WeeklySession


def plain_number(name: str) -> Any:
    """The field without the zeros that its column pads it with."""

    @display(description=verbose(name), ordering=name)
    def shown(self: Any, obj: Any) -> str:
        return plain(getattr(obj, name))

    return shown


def verbose(name: str) -> Any:
    return cast("Field[Any, Any]", Instrument._meta.get_field(name)).verbose_name


def plain(number: Decimal) -> str:
    return f"{number.normalize():,f}"


STATUS_COLORS = {
    InstrumentStatus.TRADABLE: "success",
    InstrumentStatus.CLOSE_ONLY: "warning",
    InstrumentStatus.HALTED: "danger",
}


class TermsForm(ReasonForm):
    """New contract terms, in force at once."""

    needs_obj = True
    contract_size = forms.DecimalField(
        label=_("Contract size"), widget=UnfoldAdminDecimalFieldWidget()
    )
    tick_size = forms.DecimalField(label=_("Tick size"), widget=UnfoldAdminDecimalFieldWidget())

    def __init__(self, *args: Any, obj: Instrument, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contract_size"].initial = obj.contract_size.normalize()
        self.fields["tick_size"].initial = obj.tick_size.normalize()


class LimitsForm(ReasonForm):
    """Order limits, margin rate and swaps."""

    needs_obj = True
    NAMES = (
        "min_lot",
        "max_lot",
        "lot_step",
        "margin_rate",
        "swap_long_points",
        "swap_short_points",
    )

    def __init__(self, *args: Any, obj: Instrument, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields.pop("reason")
        for name in self.NAMES:
            self.fields[name] = forms.DecimalField(
                label=verbose(name),
                initial=Decimal(getattr(obj, name)).normalize(),
                widget=UnfoldAdminDecimalFieldWidget(),
            )
        self.fields["reason"] = reason


class HolidayForm(ReasonForm):
    """A day that does not follow the week."""

    day = forms.DateField(label=_("Day"), widget=UnfoldAdminDateWidget())
    name = forms.CharField(label=_("Name"), max_length=64, widget=UnfoldAdminTextInputWidget())
    closes = forms.TimeField(
        label=_("Early close"),
        required=False,
        help_text=_("Empty: closed all day."),
        widget=UnfoldAdminTimeWidget(),
    )


class HolidayRemovalForm(ReasonForm):
    """Which holiday to take away."""

    day = forms.DateField(label=_("Day"), widget=UnfoldAdminDateWidget())


class WeekForm(ReasonForm):
    """The whole week as text, one session a line."""

    needs_obj = True
    week = forms.CharField(
        label=_("Sessions"),
        help_text=_("One a line: Monday 09:30-16:00. 00:00 as the end is midnight."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10}),
    )

    def __init__(self, *args: Any, obj: TradingCalendar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["week"].initial = "\n".join(
            f"{Weekday(s.weekday).name.title()} {s.opens:%H:%M}-{s.closes:%H:%M}"
            for s in obj.sessions.all()
        )

    def clean_week(self) -> list[WeeklySession]:
        lines = [line.strip() for line in self.cleaned_data["week"].splitlines() if line.strip()]
        try:
            return [parse_session(line) for line in lines]
        except (ValueError, KeyError):
            raise forms.ValidationError(_("Write each line as: Monday 09:30-16:00")) from None


def parse_session(line: str) -> WeeklySession:
    """`Monday 09:30-16:00` as a session. Raises ValueError or KeyError."""
    weekday, hours = line.split()
    opens, closes = hours.replace("–", "-").split("-")
    return WeeklySession(
        int(Weekday[weekday.upper()]), time.fromisoformat(opens), time.fromisoformat(closes)
    )


def week_set(*, calendar_id: Any, week: list[WeeklySession], actor: Actor, reason: str) -> Any:
    calendar = TradingCalendar.objects.get(pk=calendar_id).code
    return calendar_sessions_set(calendar=calendar, sessions=week, actor=actor, reason=reason)


def holiday_set(
    *, calendar_id: Any, day: date, name: str, closes: time | None, actor: Actor, reason: str
) -> Any:
    calendar = TradingCalendar.objects.get(pk=calendar_id).code
    return holiday_add(
        calendar=calendar, day=day, name=name, closes=closes, actor=actor, reason=reason
    )


def holiday_drop(*, calendar_id: Any, day: date, actor: Actor, reason: str) -> Any:
    calendar = TradingCalendar.objects.get(pk=calendar_id).code
    return holiday_remove(calendar=calendar, day=day, actor=actor, reason=reason)


class ReadOnlyInline(BrokerInline):
    """Rows of the parent, changed only through its services."""

    hide_title = True

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return True


class TermsInline(ReadOnlyInline):
    model = InstrumentTerms
    fields = ("valid_from", "size", "tick", "digits", "recorded_by", "reason")
    readonly_fields = fields
    size = plain_number("contract_size")
    tick = plain_number("tick_size")


class VenueSymbolInline(ReadOnlyInline):
    model = VenueSymbol
    fields = ("venue", "symbol", "size", "tick", "currency")
    readonly_fields = fields
    size = plain_number("contract_size")
    tick = plain_number("tick_size")
    verbose_name_plural = _("Names at the venues")


class SessionInline(ReadOnlyInline):
    model = TradingSession
    fields = ("weekday", "opens", "closes")
    readonly_fields = fields


class HolidayInline(ReadOnlyInline):
    model = TradingHoliday
    fields = ("day", "name", "closes")
    readonly_fields = fields


class QuotePanel(Panel):
    """The price now, whether the market is open, and the last hours as a line."""

    title = _("Market now")
    template = "market/panels/quote.html"

    def context(self, obj: Instrument, actor: Actor) -> dict[str, Any]:
        now = clock.now()
        calendar = calendar_of(obj.calendar)
        bars = candles(obj.symbol, "M15", 96)
        return {
            "quote": last_quote(obj.symbol),
            "feed_alive": feed_is_alive(),
            "is_open": is_open(obj, now),
            "next_open": calendar.next_open(now),
            "next_close": calendar.next_close(now),
            "series": [[b.start_us // 1000, b.close / 10**obj.digits] for b in bars],
        }


@admin.register(Instrument)
class InstrumentAdmin(BrokerModelAdmin):
    list_display = ("symbol", "name", "asset_class", "bid", "ask", "session_now", "state")
    list_filter = ("asset_class", "status", "calendar")
    search_fields = ("symbol", "name", "isin")
    list_select_related = ("asset_class", "calendar")
    inlines = (VenueSymbolInline, TermsInline)
    panels = (QuotePanel,)
    fieldsets = (
        (None, {"fields": (("symbol", "name"), ("asset_class", "margin_class"), ("calendar", "status"),
                           "status_reason")}),
        (_("Contract"), {"fields": (("base", "quote"), ("size", "digits", "tick"), ("expires_on", "isin", "cfi"))}),
        (_("Orders and margin"), {"fields": (("smallest", "largest", "step"), "rate")}),
        (_("Swap"), {"fields": (("swap_long", "swap_short"), "triple_swap_weekday")}),
    )  # fmt: skip
    readonly_fields = (
        "size", "tick", "smallest", "largest", "step", "rate", "swap_long", "swap_short",
    )  # fmt: skip
    size = plain_number("contract_size")
    tick = plain_number("tick_size")
    smallest = plain_number("min_lot")
    largest = plain_number("max_lot")
    step = plain_number("lot_step")
    rate = plain_number("margin_rate")
    swap_long = plain_number("swap_long_points")
    swap_short = plain_number("swap_short_points")
    transitions = (
        Transition("halt", _("Halt"), instrument_halt, HALT_INSTRUMENT, tone="danger",
                   visible=lambda i: i.status != InstrumentStatus.HALTED,
                   explanation=_("Nobody can open, change or close a position until it is resumed.")),
        Transition("close-only", _("Close only"), instrument_close_only, HALT_INSTRUMENT,
                   visible=lambda i: i.status != InstrumentStatus.CLOSE_ONLY),
        Transition("resume", _("Resume"), instrument_resume, HALT_INSTRUMENT, tone="primary",
                   visible=lambda i: i.status != InstrumentStatus.TRADABLE),
        Transition("terms", _("Change contract terms"), instrument_terms_change, EDIT_INSTRUMENT, form=TermsForm,
                   explanation=_("The former terms stay readable for deals made under them.")),
        Transition("limits", _("Change limits"), instrument_update, EDIT_INSTRUMENT, form=LimitsForm),
    )  # fmt: skip

    @display(description=_("Bid"))
    def bid(self, obj: Instrument) -> str:
        return _quote_cell(obj.symbol, "bid")

    @display(description=_("Ask"))
    def ask(self, obj: Instrument) -> str:
        return _quote_cell(obj.symbol, "ask")

    @display(description=_("Session"), label={"open": "success", "closed": "info"})
    def session_now(self, obj: Instrument) -> tuple[str, Any]:
        return ("open", _("Open")) if is_open(obj, clock.now()) else ("closed", _("Closed"))

    @display(description=_("Status"), label=STATUS_COLORS)
    def state(self, obj: Instrument) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    class Media:
        js = ("brokeros/quotes.js",)


def _quote_cell(symbol: str, field: str) -> str:
    return format_html(
        '<span class="bo-num" data-quote-symbol="{}" data-quote-field="{}">–</span>', symbol, field
    )


@admin.register(TradingCalendar)
class TradingCalendarAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "timezone", "open_now", "changes_at")
    inlines = (SessionInline, HolidayInline)
    fields = ("code", "name", "timezone")
    transitions = (
        Transition("week", _("Change the week"), week_set, EDIT_INSTRUMENT, form=WeekForm, target="calendar_id"),
        Transition("add-holiday", _("Add a holiday"), holiday_set, EDIT_INSTRUMENT, form=HolidayForm,
                   target="calendar_id"),
        Transition("remove-holiday", _("Remove a holiday"), holiday_drop, EDIT_INSTRUMENT, form=HolidayRemovalForm,
                   target="calendar_id"),
    )  # fmt: skip

    @display(description=_("Now"), label={"open": "success", "closed": "info"})
    def open_now(self, obj: TradingCalendar) -> tuple[str, Any]:
        is_open_now = calendar_of(obj).is_open(clock.now())
        return ("open", _("Open")) if is_open_now else ("closed", _("Closed"))

    @display(description=_("Changes at (UTC)"))
    def changes_at(self, obj: TradingCalendar) -> str:
        calendar, now = calendar_of(obj), clock.now()
        change = calendar.next_close(now) if calendar.is_open(now) else calendar.next_open(now)
        return f"{change:%a %d %b %H:%M}" if change else "–"

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).prefetch_related("sessions", "holidays")


@admin.register(Venue)
class VenueAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "kind", "state")
    fields = ("code", "name", "kind", "status")
    transitions = (
        Transition("disable", _("Disable"), venue_disable, HALT_INSTRUMENT, tone="danger",
                   visible=lambda v: v.status == VenueStatus.ENABLED,
                   explanation=_("New orders go elsewhere; what is there is still reported.")),
        Transition("enable", _("Enable"), venue_enable, HALT_INSTRUMENT, tone="primary",
                   visible=lambda v: v.status == VenueStatus.DISABLED),
    )  # fmt: skip

    @display(description=_("Status"), label={"ENABLED": "success", "DISABLED": "danger"})
    def state(self, obj: Venue) -> tuple[str, str]:
        return obj.status, obj.get_status_display()


@admin.register(VenueSymbol)
class VenueSymbolAdmin(BrokerModelAdmin):
    list_display = ("instrument", "venue", "symbol", "size", "tick", "currency")
    size = plain_number("contract_size")
    tick = plain_number("tick_size")
    list_filter = ("venue",)
    search_fields = ("symbol", "instrument__symbol")
    list_select_related = ("instrument", "venue")


@admin.register(AssetClass)
class AssetClassAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "settlement_days")


@admin.register(MarginClass)
class MarginClassAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "retail_leverage")
