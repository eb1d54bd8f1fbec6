"""What every page needs to show money, numbers, states and forms in one way."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.forms import (
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    FileInput,
    HiddenInput,
    RadioSelect,
)
from django.template.loader import render_to_string
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.money import Money, exponent

register = template.Library()

MINUS = "\N{MINUS SIGN}"

# Single characters are OrdStatus (FIX tag 39).
STATES_BY_TONE = {
    "good": """
        ACTIVE APPROVED CREDITED PLATFORM_CREDITED SETTLED SUCCEEDED DEST_CREDITED FILLED EXECUTED
        ALLOCATED VERIFIED ACCEPTED PAID PAYABLE CONFIRMED RESOLVED IN_FORCE TRADABLE RECONCILED
        DONE ALLOW FALSE_POSITIVE OK DELIVERED LIFTED 2
    """,
    "bad": """
        REJECTED FAILED HOLD_FAILED PROVISION_FAILED RELEASE_FAILED BUSTED BLOCKED DENY DEAD STUCK
        CLAWED_BACK CHARGED_BACK REVERSED SUSPENDED TERMINATED TRUE_MATCH ESCALATED HALTED OVERDUE
        DISABLED 8
    """,
    "warn": """
        PENDING_APPROVAL MANUAL_REVIEW RESUBMISSION_REQUESTED INFO_REQUESTED REQUIRES_ACTION
        UNDER_REVIEW UNKNOWN ASSISTANCE CLOSE_ONLY READ_ONLY REVIEW REVIEW_DUE EXPIRING HELD
        PENDING_CANCEL RETURNED UNMATCHED APPLIED IN_REVIEW ON_HOLD 6
    """,
    "info": """
        REQUESTED FUNDS_HELD CHECKS SUBMITTED SENT PROCESSING PROVISIONING AUTO_CHECK IN_TRANSIT
        SOURCE_DEBITED NEW PENDING_NEW PARTIALLY_FILLED WORKING ROUTED VALIDATED CAPTURED CREATED
        IN_PROGRESS ONBOARDING REGISTERED PENDING CALCULATED UPLOADED CLAIMED 0 1 A E
    """,
}
TONES = {code: tone for tone, codes in STATES_BY_TONE.items() for code in codes.split()}


def tone_of(state: object) -> str:
    """The badge tone that a state's code always has, on every page."""
    return TONES.get(str(getattr(state, "value", state)).upper(), "plain")


def decimal_text(value: Decimal, digits: int) -> str:
    """`value` with exactly `digits` places in the active locale, with a true minus sign."""
    text = formats.number_format(abs(value), decimal_pos=digits, use_l10n=True, force_grouping=True)
    is_negative = value < 0 and any(character in "123456789" for character in text)
    return f"{MINUS}{text}" if is_negative else text


def as_decimal(value: Any) -> Decimal | None:
    if isinstance(value, Money):
        return value.amount
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


@register.simple_tag
def money(
    value: Any, currency: str = "", sign: bool = False, tone: bool = False
) -> SafeString | str:
    """An amount with its currency. `sign` shows a plus, `tone` colours gain and loss; a dash for none.

    `value` is a `Money`, or a number with `currency`.
    """
    amount = as_decimal(value)
    unit = value.currency if isinstance(value, Money) else currency
    if amount is None:
        return "\N{EM DASH}"
    text = decimal_text(amount, min(exponent(unit), 8) if unit else 2)
    plus = "+" if sign and amount > 0 else ""
    colour = ""
    if tone and amount:
        colour = " bo-good" if amount > 0 else " bo-bad"
    return format_html(
        '<span class="bo-money{}"><data value="{}">{}{}</data> <span class="bo-money-currency">{}</span></span>',
        colour,
        amount,
        plus,
        text,
        unit,
    )


@register.filter
def number(value: Any, digits: int | str = 2) -> str:
    """A number with exactly `digits` places, grouped, in the active locale; a dash for none."""
    amount = as_decimal(value)
    return "\N{EM DASH}" if amount is None else decimal_text(amount, int(digits))


@register.filter
def lots(value: Any) -> str:
    return number(value, 2)


@register.filter
def percent(value: Any, digits: int | str = 2) -> str:
    """`value` is already in per cent."""
    amount = as_decimal(value)
    return (
        "\N{EM DASH}"
        if amount is None
        else f"{decimal_text(amount, int(digits))}\N{NARROW NO-BREAK SPACE}%"
    )


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A decorative symbol; what it means is always said in words beside it."""
    extra = f" bo-icon-{size}" if size else ""
    return format_html('<span class="bo-icon{}" aria-hidden="true">{}</span>', extra, name)


@register.simple_tag
def badge(state: Any, label: Any = "", tone: str = "") -> SafeString:
    """A state as people read it. Pass the display text as `label`; the tone follows the code."""
    chosen = tone or tone_of(state)
    busy = " bo-badge-busy" if chosen == "info" and not tone else ""
    words = label or getattr(state, "label", "") or str(state).replace("_", " ").capitalize()
    return format_html('<span class="bo-badge bo-badge-{}{}">{}</span>', chosen, busy, words)


@register.filter
def state_tone(state: Any) -> str:
    return tone_of(state)


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """How long ago, with the exact time in UTC on hover and for machines."""
    if moment is None:
        return "\N{EM DASH}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(),
        formats.date_format(moment, "DATETIME_FORMAT"),
        ago(moment),
    )


@register.filter
def ago(moment: datetime) -> str:
    """Time since `moment` by the system's own clock, in the largest whole unit."""
    passed = now() - moment
    if passed < timedelta(minutes=1):
        return str(_("just now"))
    return str(_("%(age)s ago") % {"age": duration(passed)})


@register.filter
def duration(span: timedelta) -> str:
    """A span in its largest whole unit: '3 h', '2 days'."""
    seconds = int(abs(span).total_seconds())
    if seconds < 60:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    if seconds < 3600:
        return str(_("%(count)s min") % {"count": seconds // 60})
    if seconds < 86400:
        return str(_("%(count)s h") % {"count": seconds // 3600})
    days = seconds // 86400
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


@register.simple_tag
def submission_key() -> SafeString:
    """A hidden `submission_key`, new for each page: the service refuses to do the same form twice."""
    return format_html('<input type="hidden" name="submission_key" value="{}">', new_id())


def kind_of(field: BoundField) -> str:
    """Which arrangement of label and control a widget needs."""
    widget = field.field.widget
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    return "file" if isinstance(widget, FileInput) else "input"


@register.simple_tag
def field(
    bound: BoundField, suffix: str = "", wide: bool = False, optional: bool = True, **attrs: str
) -> SafeString:
    """One form field: label, control, help and its errors, joined for screen readers.

    Further keywords become attributes of the control (`inputmode="decimal"`; `_` is read as `-`).
    """
    if isinstance(bound.field.widget, HiddenInput):
        return bound.as_widget()
    kind = kind_of(bound)
    described = [f"{bound.auto_id}_help"] if bound.help_text else []
    described += [f"{bound.auto_id}_error"] if bound.errors else []
    control: dict[str, Any] = {name.replace("_", "-"): value for name, value in attrs.items()}
    if kind in {"input", "file"}:
        control["class"] = f"bo-input {bound.field.widget.attrs.get('class', '')}".strip()
    if described:
        control["aria-describedby"] = " ".join(described)
    if bound.errors:
        control["aria-invalid"] = "true"
    context = {
        "field": bound,
        "kind": kind,
        "control": bound.as_widget(attrs=control),
        "suffix": suffix,
        "wide": wide,
        "show_optional": optional and not bound.field.required and kind != "check",
    }
    return SafeString(render_to_string("components/field.html", context))


@register.inclusion_tag("components/form.html", takes_context=True)
def form(
    context: template.Context, bound_form: Any, submit: Any = "", cancel_url: str = ""
) -> dict[str, Any]:
    """The whole of a form's inside, with its key against repetition; the page writes `<form>` and the token."""
    return {"form": bound_form, "submit": submit or _("Save"), "cancel_url": cancel_url}
