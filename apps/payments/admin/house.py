"""Providers, their methods, their messages, and money of nobody."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from apps.clients.models import Client
from apps.core.admin import BrokerInline, BrokerModelAdmin, ReasonForm, Transition
from apps.core.masks import FieldMask, mask_for, viewer
from apps.core.templatetags.masks import personal
from apps.payments.enums import SuspenseState
from apps.payments.models import (
    PaymentMethod,
    PaymentProvider,
    SuspenseItem,
    WebhookReceipt,
)
from apps.payments.panels import ClientMoneyPanel
from apps.payments.permissions import CONFIGURE_PROVIDER, RESOLVE_SUSPENSE
from apps.payments.services.providers import provider_switch
from apps.payments.services.suspense import suspense_propose_allocation, suspense_propose_return


class SwitchForm(ReasonForm):
    needs_obj = True
    takes_deposits = forms.BooleanField(
        label=_("Takes deposits"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    sends_payouts = forms.BooleanField(
        label=_("Sends payouts"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    field_order = ("takes_deposits", "sends_payouts", "reason")

    def __init__(self, *args: Any, obj: PaymentProvider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["takes_deposits"].initial = obj.takes_deposits
        self.fields["sends_payouts"].initial = obj.sends_payouts


class MethodInline(BrokerInline):
    model = PaymentMethod
    fields = ("method", "currency", "deposits", "payouts", "deposit_time", "payout_time")


@admin.register(PaymentProvider)
class PaymentProviderAdmin(BrokerModelAdmin):
    list_display = ("name", "code", "kind", "takes_deposits", "sends_payouts")
    fieldsets = (
        (None, {"fields": (("name", "code", "kind"), ("takes_deposits", "sends_payouts"))}),
    )
    inlines = (MethodInline,)
    transitions = (
        Transition(
            "switch", _("Switch on or off"), provider_switch, CONFIGURE_PROVIDER, form=SwitchForm,
            target="provider_id", explanation=_("New payments only; what is under way goes on."),
        ),
    )  # fmt: skip


@admin.register(PaymentMethod)
class PaymentMethodAdmin(BrokerModelAdmin):
    list_display = (
        "provider",
        "method",
        "currency",
        "deposit_limits",
        "payout_limits",
        "deposit_time",
        "payout_time",
    )
    list_display_links = ("method",)
    list_filter = ("provider", "method", "currency")
    list_select_related = ("provider",)

    @admin.display(description=_("deposits"))
    def deposit_limits(self, obj: PaymentMethod) -> str:
        return f"{obj.deposit_min} – {obj.deposit_max}"

    @admin.display(description=_("payouts"))
    def payout_limits(self, obj: PaymentMethod) -> str:
        return f"{obj.payout_min} – {obj.payout_max}"


@admin.register(WebhookReceipt)
class WebhookReceiptAdmin(BrokerModelAdmin):
    show_timeline = False
    list_display = ("received_at", "provider", "event_type", "event_id", "object_id", "led_to")
    list_display_links = ("event_id",)
    list_filter = ("provider", "event_type", "outcome__outcome")
    list_select_related = ("provider", "outcome")
    search_fields = ("=event_id", "=object_id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("provider", "event_type"),
                    ("event_id", "object_id"),
                    ("sent_at", "received_at"),
                    "led_to",
                )
            },
        ),
        (_("Message"), {"fields": ("message", "signature")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        return ["message", "led_to", *(name for name in shown if name != "raw")]

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("message as received"))
    def message(self, obj: WebhookReceipt) -> str:
        """It may name the payer and how they paid: in full for those alone who read that, shown to others on record."""
        who = viewer()
        if who is None or mask_for(who, "payments.WebhookReceipt.raw") is not FieldMask.FULL:
            return personal(obj, "raw")
        text = bytes(obj.raw).decode("utf-8", "replace")
        try:
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            text = text[:4000]
        return format_html('<pre class="bo-code">{}</pre>', text)

    @admin.display(description=_("led to"))
    def led_to(self, obj: WebhookReceipt) -> str:
        outcome = getattr(obj, "outcome", None)
        if outcome is None:
            return str(_("being worked on"))
        return f"{outcome.get_outcome_display()} {outcome.detail}".strip()


class AllocateForm(ReasonForm):
    """The client is named by number, as it stands on their page."""

    client_number = forms.CharField(
        label=_("Client number"), max_length=16, widget=UnfoldAdminTextInputWidget
    )
    field_order = ("client_number", "reason")

    def clean_client_number(self) -> Client:
        found = Client.objects.filter(number=self.cleaned_data["client_number"].strip()).first()
        if found is None:
            raise forms.ValidationError(_("There is no client with this number."))
        return found

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        client = values.pop("client_number", None)
        if client is not None:
            values["client_id"] = client.pk
        return values


@admin.register(SuspenseItem)
class SuspenseItemAdmin(BrokerModelAdmin):
    list_display = ("created_at", "sum", "kind", "provider", "state", "detail")
    list_display_links = ("created_at", "sum")
    list_filter = ("state", "kind", "provider", "currency")
    list_select_related = ("provider",)
    search_fields = ("=provider_payment_id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("sum", "kind"),
                    "detail",
                    ("provider", "provider_payment_id"),
                    ("deposit", "state"),
                    ("created_at", "resolved_at"),
                )
            },
        ),
    )
    panels = (ClientMoneyPanel,)
    transitions = (
        Transition(
            "allocate", _("Propose to credit a client"), suspense_propose_allocation, RESOLVE_SUSPENSE,
            form=AllocateForm, target="item_id", tone="primary",
            visible=lambda obj: obj.state == SuspenseState.OPEN,
            explanation=_("A second person has to agree."),
        ),
        Transition(
            "return", _("Propose to return it"), suspense_propose_return, RESOLVE_SUSPENSE,
            target="item_id", visible=lambda obj: obj.state == SuspenseState.OPEN,
            explanation=_("A second person has to agree."),
        ),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["sum", *super().get_readonly_fields(request, obj)]

    @admin.display(description=_("amount"), ordering="amount_minor")
    def sum(self, obj: SuspenseItem) -> str:
        return format_html('<span class="bo-num">{}</span>', obj.amount)
