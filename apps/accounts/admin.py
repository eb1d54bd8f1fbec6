"""The back office's pages of trading accounts, platforms and what they were asked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.adapters import capabilities_of
from apps.accounts.enums import AccountState, OperationState
from apps.accounts.models import (
    AccountGroup,
    AccountType,
    AccountTypeGroup,
    Platform,
    PlatformOperation,
    PlatformServer,
    TradingAccount,
)
from apps.accounts.panels import OperationsPanel
from apps.accounts.permissions import (
    CHANGE_LEVERAGE,
    DECIDE_ACCOUNT,
    LIMIT_ACCOUNT,
    RETRY_PLATFORM,
)
from apps.accounts.services import (
    account_approve,
    account_change_leverage,
    account_disable,
    account_make_close_only,
    account_make_read_only,
    account_reactivate,
    account_reject,
    account_retry_provisioning,
    operation_retry,
)
from apps.core.admin import BrokerInline, BrokerModelAdmin, BulkTransition, ReasonForm, Transition

S = AccountState


class LeverageReasonForm(ReasonForm):
    """Only what the account's type offers; the rule's cap is checked when it is sent."""

    needs_obj = True
    leverage = forms.TypedChoiceField(
        label=_("Leverage"), coerce=int, widget=UnfoldAdminSelectWidget
    )
    field_order = ("leverage", "reason")

    def __init__(self, *args: Any, obj: TradingAccount, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = obj.account_type.leverages
        self.fields["leverage"].choices = [(value, f"1:{value}") for value in offered]  # type: ignore[attr-defined]
        self.fields["leverage"].initial = obj.leverage


@admin.register(TradingAccount)
class TradingAccountAdmin(BrokerModelAdmin):
    bulk = (BulkTransition("close-only"), BulkTransition("retry"))
    list_display = (
        "login", "client", "account_type", "currency", "leverage", "state", "rights", "created_at",
    )  # fmt: skip
    list_display_links = ("login", "client")
    list_filter = ("state", "account_type", "currency", "mode")
    list_select_related = ("client__person", "account_type")
    search_fields = ("=login", "client__number", "client__person__names__blind")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("client", "account_type"),
                    ("login", "state"),
                    ("server", "group"),
                    ("currency", "mode"),
                )
            },
        ),
        (_("Leverage"), {"fields": (("leverage", "leverage_cap"), "leverage_caps")}),
        (
            _("On the platform"),
            {"fields": (("rights_wanted", "rights_delivered"), "rights_delivered_at")},
        ),
        (_("Origin"), {"fields": (("created_at", "activated_at"), "decision_id", "request_key")}),
    )
    panels = (OperationsPanel,)
    transitions = (
        Transition(
            "approve", _("Approve"), account_approve, DECIDE_ACCOUNT, target="account_id", tone="primary",
            visible=lambda obj: obj.state == S.PENDING_APPROVAL,
        ),
        Transition(
            "reject", _("Reject"), account_reject, DECIDE_ACCOUNT, target="account_id", tone="danger",
            visible=lambda obj: obj.state == S.PENDING_APPROVAL,
        ),
        Transition(
            "retry", _("Ask the platform again"), account_retry_provisioning, RETRY_PLATFORM,
            target="account_id", tone="primary", visible=lambda obj: obj.state == S.PROVISION_FAILED,
        ),
        Transition(
            "leverage", _("Change leverage"), account_change_leverage, CHANGE_LEVERAGE,
            form=LeverageReasonForm, target="account_id", visible=lambda obj: obj.is_live,
            explanation=_("The account's figure follows when the platform has confirmed."),
        ),
        Transition(
            "close-only", _("Close only"), account_make_close_only, LIMIT_ACCOUNT, target="account_id",
            visible=lambda obj: obj.state in (S.ACTIVE, S.READ_ONLY, S.DISABLED),
        ),
        Transition(
            "read-only", _("Read only"), account_make_read_only, LIMIT_ACCOUNT, target="account_id",
            visible=lambda obj: obj.state in (S.ACTIVE, S.CLOSE_ONLY, S.DISABLED),
        ),
        Transition(
            "disable", _("Disable"), account_disable, LIMIT_ACCOUNT, target="account_id", tone="danger",
            visible=lambda obj: obj.state in (S.ACTIVE, S.CLOSE_ONLY, S.READ_ONLY, S.DORMANT),
        ),
        Transition(
            "reactivate", _("Reactivate"), account_reactivate, LIMIT_ACCOUNT, target="account_id",
            visible=lambda obj: obj.state in (S.CLOSE_ONLY, S.READ_ONLY, S.DISABLED),
            explanation=_("Restrictions of the client stay in force."),
        ),
    )  # fmt: skip

    @admin.display(description=_("on the platform"))
    def rights(self, obj: TradingAccount) -> str:
        if not obj.rights_delivered:
            return "–"
        mark = "" if obj.rights_confirmed else f" → {obj.get_rights_wanted_display()}"
        return f"{obj.get_rights_delivered_display()}{mark}"


@admin.register(PlatformOperation)
class PlatformOperationAdmin(BrokerModelAdmin):
    bulk = (BulkTransition("retry"),)
    list_display = (
        "created_at",
        "kind",
        "account",
        "reference",
        "state",
        "attempts",
        "adopted",
        "error",
    )
    list_filter = ("state", "kind", "adopted")
    list_select_related = ("account__account_type",)
    search_fields = ("=reference", "=account__login")
    fieldsets = (
        (None, {"fields": (("kind", "account"), ("reference", "state"), ("attempts", "adopted"))}),
        (_("Exchange"), {"fields": ("request", "result", "error", ("sent_at", "finished_at"))}),
    )
    transitions = (
        Transition(
            "retry", _("Put back on its way"), operation_retry, RETRY_PLATFORM, target="operation_id",
            visible=lambda obj: obj.state in (OperationState.REQUESTED, OperationState.SENT, OperationState.UNKNOWN),
            explanation=_("The platform is asked about the reference first; nothing is done twice."),
        ),
    )  # fmt: skip


class ServerInline(BrokerInline):
    model = PlatformServer
    fields = ("code", "name", "environment", "address", "active")


@admin.register(Platform)
class PlatformAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "kind")
    inlines = (ServerInline,)


@admin.register(PlatformServer)
class PlatformServerAdmin(BrokerModelAdmin):
    list_display = ("code", "platform", "environment", "address", "active")
    list_select_related = ("platform",)
    fieldsets = (
        (None, {"fields": (
            ("platform", "code", "name"), ("address", "timeout_ms"), ("environment", "active"),
            "capabilities",
        )}),
    )  # fmt: skip
    readonly_fields = ("capabilities",)

    @admin.display(description=_("can do"))
    def capabilities(self, obj: PlatformServer) -> str:
        return ", ".join(sorted(name.value for name in capabilities_of(obj)))


@admin.register(AccountGroup)
class AccountGroupAdmin(BrokerModelAdmin):
    list_display = ("code", "server", "currency", "margin_call_percent", "stop_out_percent")
    list_filter = ("server", "currency")
    list_select_related = ("server",)


class TypeGroupInline(BrokerInline):
    model = AccountTypeGroup
    fields = ("currency", "group")


@admin.register(AccountType)
class AccountTypeAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "server", "mode", "min_kyc_level", "max_per_client", "offered")
    list_select_related = ("server",)
    inlines = (TypeGroupInline,)
